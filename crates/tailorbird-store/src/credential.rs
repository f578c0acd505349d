//! Whose calls count together: the digest of a credential.
//!
//! Invariant: two connections that hold one credential of one service have one digest, in every process and over
//! restarts; another account is another one. The digest is keyed and tells nothing about the credential.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension as _};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;
use tailorbird_model::Name;
use tailorbird_model::ports::{BudgetId, Credentials};

use crate::codec::{from_json, unreadable};
use crate::{StoreError, entropy};

/// Separates this use of the home's key from the ledger's chain.
const DOMAIN: &[u8] = b"tailorbird budget 1";

/// How many bytes of a digest name a credential.
const DIGEST_BYTES: usize = 16;

/// The key of the digests. It comes from that of the ledger's chain, which outlives rotations of the sealing key and
/// goes with a backup.
pub(crate) struct CredentialKey(Zeroizing<Vec<u8>>);

impl CredentialKey {
    pub(crate) fn new(chain_key: Zeroizing<Vec<u8>>) -> Self {
        Self(chain_key)
    }

    /// Whose calls those of a connection count with. Where the provider told the account, that counts in place of the
    /// token: a token that was renewed is the same account's, and has used what the one before it used.
    pub(crate) fn budget_of(
        &self,
        db: &Connection,
        connection: &Name,
        credentials: &Credentials,
    ) -> Result<BudgetId, StoreError> {
        let definition: Option<String> = db
            .prepare_cached("SELECT definition FROM connection WHERE name = ?1")?
            .query_row([connection.as_str()], |row| row.get(0))
            .optional()?;
        let definition: Option<tailorbird_model::connection::Connection> = definition
            .map(|definition| from_json("connection", &definition))
            .transpose()?;
        let client = credentials.client.as_ref().map(|client| client.key.as_str());
        let token = credentials.token.as_ref().map(|token| token.token.as_str());
        if client.is_none() && token.is_none() {
            return Ok(BudgetId::new(format!("connection:{connection}")));
        }
        let account = definition
            .as_ref()
            .and_then(|definition| definition.account.as_ref())
            .map(|account| account.id.as_str());
        let (service, root) = definition.as_ref().map_or(("", None), |definition| {
            (definition.service.as_str(), definition.settings.get("root_url"))
        });
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|error| unreadable("key of the credentials' digests", &error))?;
        mac.update(DOMAIN);
        let parts = [
            Some(service),
            root.map(String::as_str),
            client,
            account,
            token.filter(|_| account.is_none()),
        ];
        for part in parts {
            // The length in front keeps two neighbouring texts apart; absence differs from every length.
            let length = part.map_or(u64::MAX, |part| u64::try_from(part.len()).unwrap_or(u64::MAX - 1));
            mac.update(&length.to_be_bytes());
            mac.update(part.unwrap_or_default().as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        let short: Vec<u8> = digest.iter().copied().take(DIGEST_BYTES).collect();
        Ok(BudgetId::new(format!("credential:{}", entropy::hex(&short))))
    }
}
