//! How large what an expression yields may become.
//!
//! MiniJinja pays for bytes with the work limit, too, but that is an allowance of megabytes for each record,
//! and lists share what they hold: written out, `[name, name, …]` is far larger than it was in memory.

use std::io::{self, Write};

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

/// The largest text or value that one expression may yield, in bytes; lists and objects count as JSON.
pub const MAX_YIELD: usize = 1024 * 1024;

/// Takes in at most [`MAX_YIELD`] bytes; what would go beyond is an error.
#[derive(Debug, Default)]
pub(super) struct Bounded {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Bounded {
    /// Tells whether more was written than may be.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// What was written.
    pub(super) fn into_text(self) -> String {
        // MiniJinja writes whole strings, so this replaces nothing.
        String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > MAX_YIELD.saturating_sub(self.bytes.len()) {
            self.is_over = true;
            return Err(io::Error::other("the result is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts bytes up to the limit and keeps none.
struct Scale(usize);

impl Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or_else(|| io::Error::other("the value is too large"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells whether a value may be yielded. Lists and objects are written out only as far as the limit.
pub(super) fn fits(value: &Jinja) -> bool {
    match value.kind() {
        ValueKind::String => value.as_str().is_none_or(|text| text.len() <= MAX_YIELD),
        ValueKind::Bytes => value.as_bytes().is_none_or(|bytes| bytes.len() <= MAX_YIELD),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            match serde_json::to_writer(Scale(MAX_YIELD), value) {
                Ok(()) => true,
                // Other errors are told in the words of the conversion.
                Err(error) => !error.is_io(),
            }
        }
        _ => true,
    }
}
