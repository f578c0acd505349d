//! Newtypes for what must never be shown.
//!
//! Each wraps [`secrecy::SecretString`], so that memory is wiped on drop. None has `Display` or
//! `Serialize`; `Debug` prints the type's name only; equality takes the same time wherever the
//! difference lies. The text comes out through one method, [`ClientSecret::expose_for_sealing`] and its
//! siblings, so that a search finds each place that does it.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

macro_rules! secret {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Wraps a text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(SecretString::from(text.into()))
            }

            /// Gives the text out. For sealing it in the store and for tests; never for a log or a screen.
            pub fn expose_for_sealing(&self) -> &str {
                self.0.expose_secret()
            }

            /// Whether there is no character in it.
            pub fn is_empty(&self) -> bool {
                self.0.expose_secret().is_empty()
            }

            /// Whether white space stands before or after it, the usual trace of a copy-and-paste slip.
            pub fn has_outer_whitespace(&self) -> bool {
                let text = self.0.expose_secret();
                text.trim().len() != text.len()
            }

            /// The same secret without white space around it.
            #[must_use]
            pub fn trimmed(&self) -> Self {
                Self::new(self.0.expose_secret().trim())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(SecretString::from(text))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }

        impl PartialEq for $name {
            /// Compares in constant time; only the length may be learnt.
            fn eq(&self, other: &Self) -> bool {
                bool::from(self.0.expose_secret().as_bytes().ct_eq(other.0.expose_secret().as_bytes()))
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The client's shared secret (RFC 5849 §1.1 "client credentials"; X: "API key secret").
    ClientSecret
}
secret! {
    /// The secret of temporary or token credentials (RFC 5849 §1.1).
    TokenSecret
}
secret! {
    /// The client's RSA private key, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`) PEM.
    RsaPrivateKeyPem
}
