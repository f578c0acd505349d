//! The part of the editor that tells what is wrong, line by line.

use askama::Template;
use tailorbird_app::Draft;
use tailorbird_model::yaml::Problem;

use crate::web::filters;
use crate::web::view::plural;

/// Problems that are shown; one slip can cause many.
const MAX_SHOWN: usize = 50;

/// Characters of a line that is shown with its problem.
const LINE_CHARS: usize = 56;

/// Characters of a line that are shown before the place, where the line is long.
const BEFORE: usize = 28;

/// What the text says and what is wrong with it.
#[derive(Template)]
#[template(path = "editor/problems.html")]
pub(super) struct Pane {
    rows: Vec<Row>,
    words: String,
    more: usize,
    is_sound: bool,
}

struct Row {
    line: usize,
    column: usize,
    is_error: bool,
    message: String,
    hint: String,
    /// The line of the text around the place.
    excerpt: String,
    /// Spaces up to the place.
    before: String,
}

/// The problems of a draft, each with its line.
pub(super) fn pane(draft: &Draft, text: &str) -> Pane {
    let lines: Vec<&str> = text.lines().collect();
    let errors = draft.problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = draft.problems.len().saturating_sub(errors);
    let count = |number: usize, one, many| plural(u64::try_from(number).unwrap_or(u64::MAX), one, many);
    let words = match (errors, warnings) {
        (0, 0) => String::new(),
        (errors, 0) => count(errors, "error", "errors"),
        (0, warnings) => count(warnings, "warning", "warnings"),
        (errors, warnings) => format!(
            "{}, {}",
            count(errors, "error", "errors"),
            count(warnings, "warning", "warnings")
        ),
    };
    Pane {
        rows: draft
            .problems
            .iter()
            .take(MAX_SHOWN)
            .map(|problem| row(problem, &lines))
            .collect(),
        words,
        more: draft.problems.len().saturating_sub(MAX_SHOWN),
        is_sound: draft.is_sound(),
    }
}

fn row(problem: &Problem, lines: &[&str]) -> Row {
    let (line, column) = (problem.position.line, problem.position.column);
    let text = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
    let at = column.saturating_sub(1);
    let from = at.saturating_sub(BEFORE);
    Row {
        line,
        column,
        is_error: problem.is_error(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        excerpt: text.chars().skip(from).take(LINE_CHARS).collect(),
        before: " ".repeat(at.saturating_sub(from)),
    }
}

#[cfg(test)]
mod tests {
    use tailorbird_model::yaml::Position;

    use super::*;

    #[test]
    fn a_problem_is_shown_under_its_column_also_in_a_long_line() {
        let at = |column| Problem::error(Position { line: 2, column }, "", "wrong");
        let long = format!("first\n{}x", " ".repeat(300));
        let lines: Vec<&str> = long.lines().collect();
        let near = row(&at(5), &lines);
        assert_eq!((near.before.len(), near.excerpt.len()), (4, LINE_CHARS));
        let far = row(&at(301), &lines);
        assert_eq!(
            (far.before.len(), far.excerpt.chars().nth(BEFORE)),
            (BEFORE, Some('x'))
        );
        let nowhere = row(
            &Problem::error(Position { line: 9, column: 9 }, "", "wrong"),
            &lines,
        );
        assert_eq!(nowhere.excerpt, "");
    }
}
