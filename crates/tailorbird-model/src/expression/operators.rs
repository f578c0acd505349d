//! Refuses, before anything runs, operators on numbers (never-twice rule 21) and filters and tests that do
//! not exist.
//!
//! MiniJinja's operators know nothing of exact decimals: `price > 0` on one would compare kinds and answer
//! wrongly without a word. The types of columns are not known here, so the operators are refused as such,
//! and the exact filters and tests are offered.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind};

use super::functions::{FILTERS, TESTS};
use super::{ExpressionProblem, line_and_column, nesting};

/// Finds the first place in the expressions of a text that nests too deep, or the first operator that is not
/// allowed.
pub(super) fn check(source: &str) -> Result<(), ExpressionProblem> {
    let tokens: Vec<_> = tokenize(source, false, SyntaxConfig::default())
        .map_while(Result::ok)
        .collect();
    nesting::check(source, &tokens)?;
    for (index, (token, span)) in tokens.iter().enumerate() {
        let neighbour = |offset: isize| {
            index
                .checked_add_signed(offset)
                .and_then(|at| tokens.get(at))
                .map(|(token, _)| token)
        };
        let instead = match token {
            Token::Plus => "plus",
            Token::Minus if starts_operand(neighbour(-1)) && is_number(neighbour(1)) => continue,
            Token::Minus => "minus",
            Token::Mul => "times",
            Token::Div | Token::FloorDiv => "divided_by",
            Token::Gt => "is gt",
            Token::Gte => "is ge",
            Token::Lt => "is lt",
            Token::Lte => "is le",
            Token::Mod | Token::Pow => "",
            Token::Eq if is_number(neighbour(-1)) || is_number(neighbour(1)) => "is eq",
            Token::Ne if is_number(neighbour(-1)) || is_number(neighbour(1)) => "is ne",
            Token::Ident("include" | "import" | "extends" | "macro" | "call")
                if matches!(neighbour(-1), Some(Token::BlockStart)) =>
            {
                let offset = usize::try_from(span.start_offset).unwrap_or_default();
                return Err(at(
                    source,
                    offset,
                    format!("`{token}` is not available here"),
                    String::new(),
                ));
            }
            _ => continue,
        };
        let hint = match instead {
            "" => "There is no exact form of it; calculate it in the SQL statement.".to_owned(),
            test if test.starts_with("is") => format!("Write for example `{{{{ price {test}(0) }}}}`."),
            filter => format!("Write for example `{{{{ price | {filter}(quantity) }}}}`."),
        };
        let offset = usize::try_from(span.start_offset).unwrap_or_default();
        return Err(at(
            source,
            offset,
            format!("{token} is not exact for decimals and is not available"),
            hint,
        ));
    }
    Ok(())
}

/// Finds the first filter or test that does not exist; MiniJinja itself would notice only at the first record.
pub(super) fn check_names(source: &str, environment: &Environment<'_>) -> Result<(), ExpressionProblem> {
    let tokens: Vec<_> = tokenize(source, false, SyntaxConfig::default())
        .map_while(Result::ok)
        .collect();
    let mut state = environment.empty_state();
    for pair in tokens.windows(2) {
        let [(before, _), (Token::Ident(name), span)] = pair else {
            continue;
        };
        let (is_unknown, noun, valid) = match before {
            Token::Pipe => {
                let error = state.apply_filter(name, &[]).err();
                (
                    error.is_some_and(|e| e.kind() == ErrorKind::UnknownFilter),
                    "filter",
                    FILTERS,
                )
            }
            Token::Ident("is") if *name != "not" => {
                let error = state.perform_test(name, &[]).err();
                (
                    error.is_some_and(|e| e.kind() == ErrorKind::UnknownTest),
                    "test",
                    TESTS,
                )
            }
            _ => continue,
        };
        if is_unknown {
            let offset = usize::try_from(span.start_offset).unwrap_or_default();
            let valid: Vec<&str> = valid.iter().map(|function| function.name).collect();
            let hint = crate::yaml::shape::suggest(name, &valid, "There are");
            return Err(at(source, offset, format!("there is no {noun} `{name}`"), hint));
        }
    }
    Ok(())
}

pub(super) fn at(source: &str, offset: usize, message: String, hint: String) -> ExpressionProblem {
    let (line, column) = line_and_column(source, offset);
    ExpressionProblem {
        line,
        column,
        message,
        hint,
    }
}

fn is_number(token: Option<&Token<'_>>) -> bool {
    matches!(
        token,
        Some(Token::Int(_) | Token::Int128(_) | Token::Float(_) | Token::Minus)
    )
}

/// Tells whether an operand may begin after this token, so that a minus is a sign and no operator.
pub(super) fn starts_operand(token: Option<&Token<'_>>) -> bool {
    !matches!(
        token,
        Some(
            Token::Ident(_)
                | Token::Int(_)
                | Token::Int128(_)
                | Token::Float(_)
                | Token::Str(_)
                | Token::String(_)
                | Token::ParenClose
                | Token::BracketClose
                | Token::BraceClose
        )
    )
}
