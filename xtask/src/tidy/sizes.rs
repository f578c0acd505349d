//! Files stay short enough to be read at once, and no test is switched off.

use anyhow::Result;

use super::words;
use crate::repository;

/// A file that a person edits has at most this many lines.
const MOST_LINES: usize = 600;
const EDITED: &[&str] = &[".rs", ".py", ".js", ".cjs", ".mjs", ".html", ".css", ".sh"];

pub(super) fn problems() -> Result<Vec<String>> {
    let files = repository::texts(EDITED)?;
    Ok(files
        .iter()
        .flat_map(|(path, text)| in_file(path, text))
        .collect())
}

fn in_file(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES && !path.contains("/vendor/") {
        problems.push(format!(
            "{path} has {lines} lines, over {MOST_LINES}: it is about more than one thing"
        ));
    }
    if std::path::Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "rs")
    {
        // Put together, so that this file does not break its own rule.
        let switched_off = concat!("#[", "ignore");
        let code = words::without_comments(text);
        problems.extend(code.match_indices(switched_off).map(|(at, _)| {
            let line = words::line_of(&code, at);
            format!("{path}:{line}: a test is switched off: mend it or remove it")
        }));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_and_a_test_switched_off_are_found() {
        let long = "x\n".repeat(MOST_LINES + 1);
        assert_eq!(in_file("a.rs", &long).len(), 1);
        assert!(in_file("a.rs", &"x\n".repeat(MOST_LINES)).is_empty());
        let off = ["#[te", "st]\n    #[ig", "nore = \"slow\"]\nfn a() {}\n"].concat();
        assert_eq!(
            in_file("a.rs", &off),
            ["a.rs:2: a test is switched off: mend it or remove it"]
        );
    }
}
