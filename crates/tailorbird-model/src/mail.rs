//! The mail server of a home, over which notices go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the way to the mail server is closed to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// It begins open and is closed before anything is said (port 587).
    Starttls,
    /// It is closed from the start (port 465).
    Implicit,
    /// It stays open; for servers on this machine.
    None,
}

impl FromStr for MailTls {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "starttls" => Ok(Self::Starttls),
            "implicit" => Ok(Self::Implicit),
            "none" => Ok(Self::None),
            _ => Err(format!("{word:?} is not one of starttls, implicit and none")),
        }
    }
}

/// A mail server, without the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is closed.
    pub tls: MailTls,
    /// The address that notices come from.
    pub from: String,
    /// The name to log in with; without one nobody logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl MailServer {
    /// Tells whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        // The whole of 127.0.0.0/8 is this machine.
        let is_v4 =
            self.host.starts_with("127.") && self.host.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_v4 || matches!(self.host.as_str(), "localhost" | "::1" | "[::1]")
    }
}

/// The password of a mail server; never shown.
#[derive(Clone)]
pub struct MailPassword(tailorbird_oauth::ClientSecret);

impl MailPassword {
    /// Takes a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(tailorbird_oauth::ClientSecret::new(text))
    }

    /// The password, to log in with it or to seal it.
    pub fn expose(&self) -> &str {
        self.0.expose_for_sealing()
    }
}

impl fmt::Debug for MailPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailPassword(redacted)")
    }
}
