//! Random strings for keys, secrets, tokens, verifiers and session ids, from the operating system.

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("could not get random bytes from the operating system")]
pub(crate) struct EntropyError(#[source] getrandom::Error);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234567890A";

/// `length` random letters and digits. 62 symbols; two of the 64 positions repeat symbols, which costs less
/// than a hundredth of a bit for each character.
///
/// # Errors
/// Fails only when the operating system has no randomness.
pub(crate) fn letters(length: usize) -> Result<String, EntropyError> {
    let mut bytes = vec![0_u8; length];
    getrandom::fill(&mut bytes).map_err(EntropyError)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(*ALPHABET.get(usize::from(byte & 63)).unwrap_or(&b'A')))
        .collect())
}

/// `length` random decimal digits, each as likely as the others.
///
/// # Errors
/// Fails only when the operating system has no randomness.
pub(crate) fn digits(length: u32) -> Result<String, EntropyError> {
    let mut out = String::new();
    while out.len() < usize::try_from(length).unwrap_or(0) {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(EntropyError)?;
        // 250 is the largest multiple of ten in a byte: taking more would favour the digits 0 to 5.
        for byte in bytes.into_iter().filter(|byte| *byte < 250) {
            if out.len() < usize::try_from(length).unwrap_or(0) {
                out.push(char::from(b'0' + byte % 10));
            }
        }
    }
    Ok(out)
}
