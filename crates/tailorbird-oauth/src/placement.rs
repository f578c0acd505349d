//! Where the protocol parameters travel: header, query or body (RFC 5849 §3.5).

use std::fmt;
use std::str::FromStr;

/// The place of the protocol parameters in a request (RFC 5849 §3.5.1, §3.5.3, §3.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placement {
    /// The `Authorization` header (§3.5.1), the place that the RFC prefers.
    #[default]
    Header,
    /// The query of the URL (§3.5.3).
    Query,
    /// The form-encoded body (§3.5.2). A request whose body is no form is signed in the header instead.
    Body,
}

impl Placement {
    /// The valid names, in the RFC's order of preference.
    pub const NAMES: [&'static str; 3] = ["header", "query", "body"];

    /// Every placement.
    pub const fn all() -> [Self; 3] {
        [Self::Header, Self::Query, Self::Body]
    }

    /// Its name: `header`, `query` or `body`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no placement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("placement {given:?} does not exist; valid are {}", Placement::NAMES.join(", "))]
pub struct UnknownPlacement {
    /// The name as it was given.
    pub given: String,
}

impl FromStr for Placement {
    type Err = UnknownPlacement;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all()
            .into_iter()
            .find(|placement| placement.name() == name)
            .ok_or_else(|| UnknownPlacement {
                given: name.to_owned(),
            })
    }
}
