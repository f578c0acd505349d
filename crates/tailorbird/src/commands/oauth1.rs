//! `oauth1 sign`: JSON Lines in, JSON Lines out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use tailorbird_app::AppError;
use tailorbird_app::oauth1_sign::{LineSigner, MAX_LINE};
use tailorbird_model::{Failure, Meaning, codes};

use crate::Ended;

/// How much input is read at once, in bytes.
const READ_AHEAD: usize = 256 * 1024;

/// Answers each line in order, and flushes whenever no further input is waiting, so that a caller may write
/// a line and wait for its answer.
pub(crate) fn sign() -> Result<Ended, AppError> {
    let mut input = BufReader::with_capacity(READ_AHEAD, std::io::stdin().lock());
    let mut output = std::io::stdout().lock();
    let mut signer = LineSigner::default();
    let (mut line, mut answers) = (Vec::new(), Vec::with_capacity(READ_AHEAD));
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let failed = |error: std::io::Error| {
        let message = format!("could not read standard input or write standard output: {error}");
        AppError::from(Failure::new(codes::FILE_UNREADABLE, Meaning::Rejected, message))
    };
    loop {
        line.clear();
        let count = input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if count == 0 {
            break;
        }
        if line.last() != Some(&b'\n') && count >= MAX_LINE {
            skip_line(&mut input).map_err(failed)?;
            line.clear();
            line.extend_from_slice(b"the line is too long");
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            signer.answer(text, &mut answers);
            answers.push(b'\n');
        }
        let no_whole_line_waits = !input.buffer().contains(&b'\n');
        if no_whole_line_waits || answers.len() >= READ_AHEAD {
            output
                .write_all(&answers)
                .and_then(|()| output.flush())
                .map_err(failed)?;
            answers.clear();
        }
    }
    output
        .write_all(&answers)
        .and_then(|()| output.flush())
        .map_err(failed)?;
    Ok(Ended::Well)
}

/// Passes over the rest of a line that is too long.
fn skip_line(input: &mut impl std::io::BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}
