//! Command lines that cannot be understood, told in the form that was asked for.

use std::ffi::OsString;
use std::process::ExitCode;

use tailorbird_model::{Failure, Meaning, codes};

use crate::args::Output;
use crate::render::Render;

/// Says what is wrong with the command line, or shows the help that it asked for.
pub(crate) fn refuse(problem: &clap::Error) -> ExitCode {
    let asked_for_help = !problem.use_stderr();
    if asked_for_help || !wants_json(std::env::args_os()) {
        problem.exit();
    }
    Render::new(Output::Json).failure(&failure(&problem.render().to_string()));
    ExitCode::from(2)
}

/// Whether data was asked for as JSON; the command line as a whole could not be read, so it is looked for by hand.
pub(crate) fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<_> = arguments
        .take_while(|word| word != "--")
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    words.iter().any(|word| word == "--output=json")
        || words
            .windows(2)
            .any(|pair| matches!(pair, [flag, form] if flag == "--output" && form == "json"))
}

/// The parser's own text in its parts: the first sentence, what follows, and where to read more.
pub(crate) fn failure(text: &str) -> Failure {
    let text = text.trim().trim_start_matches("error: ");
    let (said, hint) = match text.rsplit_once("\n\n") {
        Some((said, hint)) if hint.starts_with("For more information") => (said, hint),
        _ => (text, "Add `--help` to see what is valid."),
    };
    let (message, detail) = said.split_once('\n').unwrap_or((said, ""));
    Failure::new(codes::USAGE, Meaning::NotSent, message.trim())
        .detail(detail.trim())
        .hint(hint.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> bool {
        wants_json(words.iter().map(OsString::from))
    }

    #[test]
    fn json_is_asked_for_in_both_spellings_and_not_after_the_end_of_flags() {
        assert!(asked(&["t", "task", "--output", "json"]));
        assert!(asked(&["t", "--output=json", "task"]));
        assert!(!asked(&["t", "--output", "text"]));
        assert!(!asked(&["t", "--", "--output=json"]));
    }

    #[test]
    fn the_parsers_text_keeps_all_its_parts() {
        let told = failure(
            "error: unexpected argument '--nmae' found\n\n  tip: a similar argument exists: '--name'\n\n\
             Usage: t --name <N>\n\nFor more information, try '--help'.",
        );
        assert_eq!(told.message, "unexpected argument '--nmae' found");
        assert!(
            told.detail.contains("tip:") && told.detail.contains("Usage:"),
            "{}",
            told.detail
        );
        assert_eq!(told.hint, "For more information, try '--help'.");
    }
}
