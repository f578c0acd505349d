//! The sealing key in a backup: locked with a passphrase (Argon2id, then XChaCha20-Poly1305).

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::seal::{KEY_BYTES, NONCE_BYTES, Place, Sealed, SealingKey};
use crate::{StoreError, entropy};

/// The shortest passphrase, in characters. Whoever has the file may try as often as they like.
pub const MIN_PASSPHRASE: usize = 12;

/// What Argon2id is told for new backups: 64 MiB, three passes; a second or so on a small machine.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// What a file may ask for at most, so that a forged one cannot take all memory.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 16;
const SALT_BYTES: usize = 16;

const PLACE: Place<'_> = Place {
    owner_kind: "backup",
    owner: "home",
    field: "sealing_key",
};

/// What locks the sealing key in a backup.
#[derive(Debug)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes a passphrase; nothing where it is shorter than [`MIN_PASSPHRASE`].
    pub fn new(text: String) -> Option<Self> {
        let is_long = text.chars().count() >= MIN_PASSPHRASE;
        let passphrase = SecretString::from(text);
        is_long.then_some(Self(passphrase))
    }
}

/// The sealing key as it stands in the manifest; bytes are hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedKey {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

impl LockedKey {
    pub(super) fn lock(key: &SealingKey, passphrase: &Passphrase) -> Result<Self, StoreError> {
        let salt = entropy::bytes::<SALT_BYTES>()?;
        let wrapping = derive(passphrase, &salt, (MEMORY_KIB, PASSES, LANES))?;
        let sealed = wrapping.seal(PLACE, key.to_file().as_bytes())?;
        Ok(Self {
            kdf: "argon2id".to_owned(),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: entropy::hex(&salt),
            nonce: entropy::hex(&sealed.nonce),
            sealed: entropy::hex(&sealed.bytes),
        })
    }

    /// Opens the key.
    pub(super) fn unlock(&self, passphrase: &Passphrase) -> Result<SealingKey, StoreError> {
        let bounded = (1..=MAX_MEMORY_KIB).contains(&self.memory_kib)
            && (1..=MAX_PASSES).contains(&self.passes)
            && self.lanes == LANES
            && self.kdf == "argon2id";
        let parts = (unhex(&self.salt), unhex(&self.nonce), unhex(&self.sealed));
        let (true, (Some(salt), Some(nonce), Some(bytes))) = (bounded, parts) else {
            return Err(unreadable());
        };
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| unreadable())?;
        let wrapping = derive(passphrase, &salt, (self.memory_kib, self.passes, self.lanes))?;
        let text = wrapping.open(PLACE, &Sealed { nonce, bytes })?;
        std::str::from_utf8(&text)
            .ok()
            .and_then(SealingKey::from_file)
            .ok_or_else(unreadable)
    }
}

fn derive(
    passphrase: &Passphrase,
    salt: &[u8],
    (memory_kib, passes, lanes): (u32, u32, u32),
) -> Result<SealingKey, StoreError> {
    let params = Params::new(memory_kib, passes, lanes, Some(KEY_BYTES)).map_err(|_| unreadable())?;
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.expose_secret().as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| unreadable())?;
    Ok(SealingKey::new(*key))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn unreadable() -> StoreError {
    StoreError::Unreadable {
        what: "locked key of a backup",
        detail: "it is not in the form that this version writes".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_it_and_a_forged_cost_is_refused() {
        let key = SealingKey::generate().unwrap();
        let passphrase = Passphrase::new("correct horse battery".to_owned()).unwrap();
        let mut locked = LockedKey::lock(&key, &passphrase).unwrap();
        assert_eq!(locked.unlock(&passphrase).unwrap().id(), key.id());
        let other = Passphrase::new("another passphrase".to_owned()).unwrap();
        assert!(locked.unlock(&other).is_err());
        assert!(Passphrase::new("too short".to_owned()).is_none());
        locked.memory_kib = u32::MAX;
        assert!(matches!(
            locked.unlock(&passphrase),
            Err(StoreError::Unreadable { .. })
        ));
    }
}
