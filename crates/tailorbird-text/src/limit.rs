//! How much text this crate looks at in one call.

/// The largest text, in bytes of UTF-8, that any function of this crate accepts: 1 MiB.
///
/// The longest post of any service we know is a hundredth of this. The limit exists so that a database
/// column holding a whole document costs an error message and not the memory of four copies of it.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// A text is longer than [`MAX_TEXT_BYTES`], so nothing was measured or rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text has {bytes} bytes, more than the {max} that can be measured at once")]
pub struct TextTooLarge {
    /// Size of the text in bytes of UTF-8.
    pub bytes: usize,
    /// The limit, [`MAX_TEXT_BYTES`].
    pub max: usize,
}

/// Refuses texts above [`MAX_TEXT_BYTES`].
pub(crate) const fn ensure(text: &str) -> Result<(), TextTooLarge> {
    let bytes = text.len();
    if bytes > MAX_TEXT_BYTES {
        return Err(TextTooLarge {
            bytes,
            max: MAX_TEXT_BYTES,
        });
    }
    Ok(())
}
