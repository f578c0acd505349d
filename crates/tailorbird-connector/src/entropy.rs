//! The one place that draws randomness.

use tailorbird_model::{Failure, Meaning, codes};

/// Draws 16 unpredictable bytes, enough that two nonces never meet.
///
/// # Errors
/// Where the operating system has no entropy to give; nothing may be signed then.
pub(crate) fn sixteen_bytes() -> Result<[u8; 16], Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Failure::new(
            codes::INTERNAL,
            Meaning::NotSent,
            "could not draw random bytes for a nonce",
        )
        .detail(format!("The operating system answered: {cause}."))
        .hint("Try again; if it stays, the machine's random device is broken.")
    })?;
    Ok(bytes)
}
