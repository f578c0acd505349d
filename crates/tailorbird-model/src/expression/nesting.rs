//! Refuses, before MiniJinja's parser sees a text, what nests too deep: parser and compiler go down one call
//! for every bracket, sign and link of a chain, and the stack of a thread ends without a word.
//!
//! Lists built of names are not kept under a name: `[x, x]` set as `x` again and again doubles each time,
//! costs nothing while it is shared, and fills all memory when it is written out.

use minijinja::machinery::{Span, Token};

use super::ExpressionProblem;
use super::operators::{at, starts_operand};

/// How deep parentheses, brackets and braces may stand in one another.
pub const MAX_BRACKETS: usize = 32;
/// How many operators, filters, attributes and brackets may hang together in one expression. Items of a list
/// and arguments, set apart by commas, do not hang together.
pub const MAX_LINKS: usize = 200;
/// How many commas one expression may have: as often may a long column stand in a list.
pub const MAX_COMMAS: usize = 1_000;
/// How deep statements may stand in one another; each `elif` counts as one more.
pub const MAX_BLOCKS: usize = 32;

/// Finds the first place where a text nests too deep.
pub(super) fn check(source: &str, tokens: &[(Token<'_>, Span)]) -> Result<(), ExpressionProblem> {
    let mut chains = Chains::default();
    let mut blocks: Vec<usize> = Vec::new();
    for (index, (token, span)) in tokens.iter().enumerate() {
        let problem = chains.follow(token).err().or_else(|| {
            if !matches!(token, Token::BlockStart) {
                return None;
            }
            let statement = tag(tokens.get(index + 1..).unwrap_or_default());
            follow_statement(&mut blocks, statement)
                .and_then(|()| check_binding(statement))
                .err()
        });
        if let Some((message, hint)) = problem {
            let offset = usize::try_from(span.start_offset).unwrap_or_default();
            return Err(at(source, offset, message, hint.to_owned()));
        }
    }
    Ok(())
}

/// What is wrong, and what to do.
type Problem = (String, &'static str);

/// The links counted in the expression under way, one number for each open bracket.
#[derive(Default)]
struct Chains {
    open: Vec<usize>,
    outside: usize,
    commas: usize,
}

impl Chains {
    fn follow(&mut self, token: &Token<'_>) -> Result<(), Problem> {
        match token {
            Token::VariableStart | Token::BlockStart | Token::TemplateData(_) => *self = Self::default(),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.link()?;
                self.open.push(0);
                if self.open.len() > MAX_BRACKETS {
                    return Err((
                        format!("brackets stand in one another more than {MAX_BRACKETS} deep"),
                        "Take brackets away, or calculate the value in the SQL statement.",
                    ));
                }
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.open.pop();
            }
            Token::Comma => {
                *self.innermost() = 0;
                self.commas = self.commas.saturating_add(1);
                if self.commas > MAX_COMMAS {
                    return Err((
                        format!("one expression has more than {MAX_COMMAS} commas"),
                        "Write shorter lists, or calculate the value in the SQL statement.",
                    ));
                }
            }
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Pow
            | Token::Mod
            | Token::Dot
            | Token::Tilde
            | Token::Pipe
            | Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte
            | Token::Ident("not" | "and" | "or" | "is" | "in" | "if" | "else") => self.link()?,
            _ => {}
        }
        Ok(())
    }

    fn innermost(&mut self) -> &mut usize {
        self.open.last_mut().unwrap_or(&mut self.outside)
    }

    fn link(&mut self) -> Result<(), Problem> {
        let links = self.innermost();
        *links = links.saturating_add(1);
        let all = self
            .open
            .iter()
            .fold(self.outside, |sum, one| sum.saturating_add(*one));
        if all <= MAX_LINKS {
            return Ok(());
        }
        Err((
            format!("more than {MAX_LINKS} operators, filters and brackets hang together in one expression"),
            "Write it shorter, or calculate the value in the SQL statement.",
        ))
    }
}

/// Follows the statement that begins with these tokens. `blocks` holds, for each open statement, how many
/// calls it is deep.
fn follow_statement(blocks: &mut Vec<usize>, tokens: &[(Token<'_>, Span)]) -> Result<(), Problem> {
    let Some((Token::Ident(word), _)) = tokens.first() else {
        return Ok(());
    };
    match *word {
        "if" | "for" | "with" | "filter" | "block" | "autoescape" => blocks.push(1),
        "set" if !assigns(tokens) => blocks.push(1),
        "elif" => {
            if let Some(branches) = blocks.last_mut() {
                *branches = branches.saturating_add(1);
            }
        }
        word if word.starts_with("end") => {
            blocks.pop();
        }
        _ => {}
    }
    let depth = blocks.iter().fold(0_usize, |sum, one| sum.saturating_add(*one));
    if depth <= MAX_BLOCKS {
        return Ok(());
    }
    Err((
        format!("statements and their branches stand in one another more than {MAX_BLOCKS} deep"),
        "Take statements away, or calculate the value in the SQL statement.",
    ))
}

/// The tokens up to the end of the tag.
fn tag<'t, 's>(tokens: &'t [(Token<'s>, Span)]) -> &'t [(Token<'s>, Span)] {
    let end = tokens
        .iter()
        .position(|(token, _)| matches!(token, Token::BlockEnd))
        .unwrap_or(tokens.len());
    tokens.get(..end).unwrap_or_default()
}

/// Tells `{% set a = 1 %}` from `{% set a %}…{% endset %}`.
fn assigns(statement: &[(Token<'_>, Span)]) -> bool {
    statement.iter().any(|(token, _)| matches!(token, Token::Assign))
}

/// What stands around a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// Arguments of a call, or the key of a member.
    After,
    /// Parentheses around an expression; with a comma they are a list.
    Group,
    /// A list or an object.
    Literal,
}

/// Refuses lists of names in a statement that gives a name to what it is made of.
fn check_binding(statement: &[(Token<'_>, Span)]) -> Result<(), Problem> {
    let begins_value = match statement.first() {
        Some((Token::Ident("set"), _)) => |token: &Token<'_>| matches!(token, Token::Assign),
        Some((Token::Ident("for"), _)) => |token: &Token<'_>| matches!(token, Token::Ident("in")),
        // Commas outside of brackets separate its names.
        Some((Token::Ident("with"), _)) => |_: &Token<'_>| false,
        _ => return Ok(()),
    };
    let mut open = Vec::new();
    let mut is_value = false;
    let mut before = None;
    for (token, _) in statement {
        let is_operand =
            starts_operand(before) || matches!(before, Some(Token::Ident(word)) if is_keyword(word));
        let is_list = match token {
            Token::ParenOpen if is_operand => {
                open.push(Bracket::Group);
                false
            }
            Token::BracketOpen | Token::BraceOpen if is_operand => {
                open.push(Bracket::Literal);
                false
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                open.push(Bracket::After);
                false
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                open.pop();
                false
            }
            Token::Comma => open.last().map_or(is_value, |around| *around == Bracket::Group),
            Token::Ident(word) => !is_keyword(word) && !is_constant(word) && open.contains(&Bracket::Literal),
            _ => false,
        };
        if is_list && (is_value || !open.is_empty()) {
            return Err((
                "a list made of other values cannot be given a name here".to_owned(),
                "Write the list where it is used; lists of plain texts and numbers can have names.",
            ));
        }
        is_value |= begins_value(token);
        before = Some(token);
    }
    Ok(())
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "in" | "if" | "else" | "and" | "or" | "not" | "is")
}

fn is_constant(word: &str) -> bool {
    matches!(word, "true" | "false" | "none" | "True" | "False" | "None")
}
