//! Reads what a person names on the command line: files, standard input, pairs, names.

use std::io::Read as _;
use std::path::Path;

use tailorbird_app::AppError;
use tailorbird_model::{Failure, Meaning, Name, codes};

/// The largest file that is read from the command line, in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// Reads a file, or standard input for `-`, as text.
pub(crate) fn text(file: &Path) -> Result<String, AppError> {
    String::from_utf8(bytes(file)?).map_err(|error| {
        unreadable(
            file,
            &format!("it is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()),
        )
    })
}

/// Reads a file, or standard input for `-`.
pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, AppError> {
    let mut content = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MAX_INPUT + 1)
            .read_to_end(&mut content)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MAX_INPUT + 1).read_to_end(&mut content))
    };
    read.map_err(|error| unreadable(file, &error.to_string()))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > MAX_INPUT) {
        return Err(unreadable(file, &format!("it is larger than {MAX_INPUT} bytes")));
    }
    Ok(content)
}

fn unreadable(file: &Path, why: &str) -> AppError {
    let message = format!("could not read {}: {why}", file.display());
    AppError::usage(
        Failure::new(codes::FILE_UNREADABLE, Meaning::Rejected, message)
            .hint("Check the path and the rights; `-` reads standard input."),
    )
}

/// Splits `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), AppError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(AppError::usage(
            Failure::new(
                codes::CONNECTION_SETTING,
                Meaning::Rejected,
                format!("{text:?} is not NAME=VALUE"),
            )
            .hint("Write for example `--param text='Hello'`."),
        )),
    }
}

/// Splits all `NAME=VALUE`.
pub(crate) fn pairs(texts: &[String]) -> Result<Vec<(String, String)>, AppError> {
    texts.iter().map(|text| pair(text)).collect()
}

/// Reads a name.
pub(crate) fn name(text: &str) -> Result<Name, AppError> {
    text.parse().map_err(|error: tailorbird_model::name::NotAName| {
        AppError::usage(Failure::new(
            codes::CONNECTION_SETTING,
            Meaning::Rejected,
            error.to_string(),
        ))
    })
}
