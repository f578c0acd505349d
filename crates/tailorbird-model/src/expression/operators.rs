//! Refuses operators on numbers before anything runs (never-twice rule 21).
//!
//! MiniJinja's operators know nothing of exact decimals: `price > 0` on one would compare kinds and answer
//! wrongly without a word. The types of columns are not known here, so the operators are refused as such,
//! and the exact filters and tests are offered.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::{ExpressionProblem, line_and_column};

/// Finds the first operator that is not allowed in the expressions of a text.
pub(super) fn check(source: &str) -> Result<(), ExpressionProblem> {
    let tokens: Vec<_> =
        tokenize(source, false, SyntaxConfig::default()).map_while(Result::ok).collect();
    for (index, (token, span)) in tokens.iter().enumerate() {
        let neighbour = |offset: isize| {
            index.checked_add_signed(offset).and_then(|at| tokens.get(at)).map(|(token, _)| token)
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
                return Err(at(source, offset, format!("`{token}` is not available here"), String::new()));
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

fn at(source: &str, offset: usize, message: String, hint: String) -> ExpressionProblem {
    let (line, column) = line_and_column(source, offset);
    ExpressionProblem { line, column, message, hint }
}

fn is_number(token: Option<&Token<'_>>) -> bool {
    matches!(token, Some(Token::Int(_) | Token::Int128(_) | Token::Float(_) | Token::Minus))
}

/// Tells whether an operand may begin after this token, so that a minus is a sign and no operator.
fn starts_operand(token: Option<&Token<'_>>) -> bool {
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
