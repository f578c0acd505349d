//! The only place that prints: data to standard output, talk to standard error.

mod harmless;

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;
use tailorbird_model::Failure;
use tailorbird_model::yaml::Problem;

use crate::args::Output;

pub(crate) use harmless::harmless;
use harmless::harmless_json;

/// Prints data and talk in the form that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Render {
    output: Output,
}

impl Render {
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }

    pub(crate) fn is_json(self) -> bool {
        self.output == Output::Json
    }

    /// Data: as one JSON value, or as the text that people read.
    pub(crate) fn data(self, json: &Value, text: impl FnOnce() -> String) {
        if self.is_json() {
            self.json(json);
        } else {
            self.text(&text());
        }
    }

    /// As [`Render::data`] where the text is a file's: written to a file or a pipe it stays as it is.
    pub(crate) fn document(self, json: &Value, text: impl FnOnce() -> String) {
        if self.is_json() {
            self.json(json);
        } else if std::io::stdout().is_terminal() {
            self.text(&text());
        } else {
            self.raw(&with_line_end(text()));
        }
    }

    /// Data that people read.
    pub(crate) fn text(self, text: &str) {
        self.raw(&with_line_end(harmless(text).into_owned()));
    }

    /// Data that is always one JSON value.
    pub(crate) fn json(self, json: &Value) {
        let text = serde_json::to_string_pretty(json).unwrap_or_default();
        self.raw(&with_line_end(harmless_json(&text).into_owned()));
    }

    /// One line of JSON, flushed at once, for scripts that wait for it.
    pub(crate) fn json_line(self, json: &Value) {
        self.raw(&format!("{}\n", harmless_json(&json.to_string())));
    }

    /// Writes data out. A closed pipe is no error: the reader has seen enough.
    #[expect(clippy::unused_self, reason = "whoever prints holds the one value that may")]
    fn raw(self, text: &str) {
        let mut out = std::io::stdout().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Talk.
    #[expect(clippy::unused_self, reason = "whoever prints holds the one value that may")]
    pub(crate) fn talk(self, text: &str) {
        let mut out = std::io::stderr().lock();
        drop(out.write_all(with_line_end(harmless(text).into_owned()).as_bytes()));
    }

    /// Talk that replaces the line before, where there is a terminal; elsewhere nothing.
    pub(crate) fn progress(self, text: &str) {
        if self.is_live() {
            let mut out = std::io::stderr().lock();
            let width = 110;
            let line: String = harmless(text).chars().take(width).collect();
            drop(write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush()));
        }
    }

    /// Ends a line of progress.
    pub(crate) fn end_progress(self) {
        if self.is_live() {
            let mut out = std::io::stderr().lock();
            drop(write!(out, "\r\x1b[2K").and_then(|()| out.flush()));
        }
    }

    fn is_live(self) -> bool {
        !self.is_json() && std::io::stderr().is_terminal()
    }

    /// An error, as a letter to someone at two in the morning or as JSON, on standard error.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.is_json() {
            let error = serde_json::json!({"error": {
                "code": failure.code, "message": failure.message, "detail": failure.detail, "hint": failure.hint,
            }});
            self.talk(&harmless_json(&error.to_string()));
            return;
        }
        self.talk(&letter("error", failure));
    }

    /// The problems of files, one a line as compilers do, each with what to do.
    pub(crate) fn problems(self, problems: &[(String, Problem)]) {
        for (file, problem) in problems {
            self.talk(&format!("{file}:{problem}"));
            if !problem.hint.is_empty() {
                self.talk(&format!("    {}", problem.hint));
            }
        }
    }
}

/// A failure in the form of the error pages.
pub(crate) fn letter(lead: &str, failure: &Failure) -> String {
    let mut text = format!("{lead}: {} [{}]", failure.message, failure.code);
    if !failure.detail.is_empty() {
        text.push_str(&format!("\n  detail: {}", indent(&failure.detail)));
    }
    if let Some(words) = &failure.provider_message
        && !failure.message.contains(words.as_str())
        && !failure.detail.contains(words.as_str())
    {
        text.push_str(&format!("\n  provider: {}", indent(words)));
    }
    if !failure.hint.is_empty() {
        text.push_str(&format!("\n  hint:   {}", indent(&failure.hint)));
    }
    text.push_str(&format!("\n  more:   tailorbird explain {}", failure.code));
    text
}

fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n          ")
}

fn with_line_end(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The widest cell of a table but its last column's, in characters; longer ones are cut with `…`.
const MAX_CELL: usize = 48;

/// A table in aligned columns, or the given words where it has no rows.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], empty: &str) -> String {
    if rows.is_empty() {
        return empty.to_owned();
    }
    let last = head.len().saturating_sub(1);
    let shown = |(index, cell): (usize, &String)| {
        // Made harmless before it is measured, so that the columns stay aligned.
        let cell = harmless(&cell.replace(['\n', '\r', '\t'], " ")).into_owned();
        // The last column has room to the right, and often holds the reason.
        if index < last && cell.chars().count() > MAX_CELL {
            cell.chars().take(MAX_CELL - 1).chain(['…']).collect()
        } else {
            cell
        }
    };
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().enumerate().map(shown).collect())
        .collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.chars().count()) + 2,
            ));
        }
        text.trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut head.iter().copied());
    for row in &rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}
