//! Who may do what: rights, and the roles that have them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person or a program may do. Each page and each route of the API names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See definitions, runs, deliveries and approvals; never a secret.
    Look,
    /// Read rows of business databases by statements of one's own.
    Query,
    /// Run, hold, end and repeat runs, switch tasks on and off, decide doubts and rejected records, test connections.
    Operate,
    /// Change services, connections, databases and tasks, and make calls by hand.
    Design,
    /// Manage accounts and tokens, the home's settings and backups, and read the audit log.
    Administer,
}

impl Right {
    /// All rights, the least first.
    pub const ALL: [Self; 5] = [
        Self::Look,
        Self::Query,
        Self::Operate,
        Self::Design,
        Self::Administer,
    ];

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Query => "query",
            Self::Operate => "operate",
            Self::Design => "design",
            Self::Administer => "administer",
        }
    }

    /// What it allows, as the end of "this allows to …".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Look => "see everything but secrets",
            Self::Query => "read rows of business databases",
            Self::Operate => "run tasks and decide about records",
            Self::Design => "change connections, databases and tasks",
            Self::Administer => "manage people, tokens and the home",
        }
    }
}

/// A named bundle of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Sees, and keeps things going.
    Operator,
    /// All that, and sets things up.
    Designer,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Designer, Self::Admin];

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Designer => "designer",
            Self::Admin => "admin",
        }
    }

    /// The rights that the role has.
    pub fn rights(self) -> Rights {
        let count = match self {
            Self::Viewer => 1,
            Self::Operator => 3,
            Self::Designer => 4,
            Self::Admin => 5,
        };
        Right::ALL.into_iter().take(count).collect()
    }

    /// The least role that has a right.
    pub fn least_with(right: Right) -> Self {
        Self::ALL
            .into_iter()
            .find(|role| role.rights().has(right))
            .unwrap_or(Self::Admin)
    }
}

/// A set of rights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// Every right.
    pub fn all() -> Self {
        Right::ALL.into_iter().collect()
    }

    /// Tells whether a right is among them.
    pub fn has(&self, right: Right) -> bool {
        self.0.contains(&right)
    }

    /// The rights that both sets have.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).copied().collect()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rights, the least first.
    pub fn iter(&self) -> impl Iterator<Item = Right> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Right::as_str).collect();
        f.write_str(&words.join(","))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Right {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|right| right.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a right: use look, query, operate, design or administer"))
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a role: use admin, designer, operator or viewer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_what_the_lesser_one_has_and_more() {
        for pair in Role::ALL.windows(2) {
            let (lesser, greater) = (pair[0].rights(), pair[1].rights());
            assert_eq!(lesser.and(&greater), lesser);
            assert_ne!(lesser, greater);
        }
        assert_eq!(Role::Admin.rights(), Rights::all());
        assert!(!Role::Viewer.rights().has(Right::Operate));
        assert!(Role::Operator.rights().has(Right::Operate));
        assert!(!Role::Operator.rights().has(Right::Design));
        assert_eq!(Role::least_with(Right::Query), Role::Operator);
        assert_eq!(Role::least_with(Right::Look), Role::Viewer);
    }

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>(), Ok(role));
        }
        for right in Right::ALL {
            assert_eq!(right.as_str().parse::<Right>(), Ok(right));
        }
        assert!("root".parse::<Role>().is_err());
        assert_eq!(Role::Operator.rights().to_string(), "look,query,operate");
    }
}
