//! Faults on demand: a lost answer, a cut one, a slow one, a refusal, broken JSON.
//!
//! The first fault of the list that fires decides; a fault counts every request that matches it, also those
//! that another fault took.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Most faults in the list.
pub(crate) const FAULTS_MAX: usize = 100;
/// The longest delay in seconds.
pub(crate) const DELAY_MAX_S: u64 = 600;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The effect happens and is stored, then the connection closes without a byte of an answer.
    LoseAnswer,
    /// The effect happens and is stored, then half of the answer's body is sent and the connection closes.
    Cut,
    /// The effect happens and is stored, then the answer waits for `seconds`.
    Delay,
    /// The request is refused with 429 before any effect.
    #[serde(rename = "429")]
    TooManyRequests,
    /// The request is refused with 503 before any effect.
    #[serde(rename = "503")]
    Unavailable,
    /// The effect happens and is stored, then the answer's JSON is broken.
    BadJson,
}

/// One fault, as `POST /_sandbox/faults` and the file of `--faults` give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Method and the beginning of the path, such as `POST /2/tweets`; `*` stands for any method.
    #[serde(rename = "match")]
    pub matches: String,
    /// Which matching request, counted from 1 since the fault was set; absent means every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// What happens.
    #[serde(rename = "do")]
    pub kind: FaultKind,
    /// Seconds to wait, 0 to 600, for [`FaultKind::Delay`] (absent: 1); for 429 and 503 the value of
    /// `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

impl Fault {
    /// Why the fault cannot be set, in words for the person who wrote it.
    pub(crate) fn problem(&self) -> Option<String> {
        let Some((method, path)) = self.matches.split_once(' ') else {
            return Some(format!(
                "`match` is \"{}\"; it needs a method, a space and a path.",
                self.matches
            ));
        };
        let method_ok =
            method == "*" || (!method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()));
        if !method_ok || !path.starts_with('/') {
            return Some(format!(
                "`match` is \"{}\"; valid is an upper-case method or `*`, one space, and a path from `/` on.",
                self.matches
            ));
        }
        if self.nth == Some(0) {
            return Some("`nth` is 0; requests are counted from 1.".to_owned());
        }
        if self.seconds.is_some_and(|seconds| seconds > DELAY_MAX_S) {
            return Some(format!("`seconds` may be 0 to {DELAY_MAX_S}."));
        }
        None
    }

    fn is_met(&self, method: &str, path: &str) -> bool {
        let Some((wanted, prefix)) = self.matches.split_once(' ') else {
            return false;
        };
        let Some(rest) = path.strip_prefix(prefix) else {
            return false;
        };
        // "/2/tweets" means "/2/tweets/…", too, but not "/2/tweetsearch".
        (wanted == "*" || wanted == method)
            && (rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/') || rest.starts_with('.'))
    }
}

/// A fault and what it has counted.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Counted {
    #[serde(flatten)]
    pub fault: Fault,
    /// Matching requests seen since the fault was set.
    pub seen: u64,
    /// How often it fired.
    pub fired: u64,
}

/// The list of faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<Counted>>,
}

impl Faults {
    /// A list to begin with.
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let this = Self::default();
        this.replace(faults);
        this
    }

    /// Replaces the whole list; counting begins anew.
    pub(crate) fn replace(&self, faults: Vec<Fault>) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = faults
            .into_iter()
            .map(|fault| Counted {
                fault,
                seen: 0,
                fired: 0,
            })
            .collect();
    }

    /// The list with its counts.
    pub(crate) fn list(&self) -> Vec<Counted> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request and gives the fault that fires for it.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let mut firing: Option<Fault> = None;
        for counted in list
            .iter_mut()
            .filter(|counted| counted.fault.is_met(method, path))
        {
            counted.seen = counted.seen.saturating_add(1);
            if firing.is_none() && counted.fault.nth.is_none_or(|nth| nth == counted.seen) {
                counted.fired = counted.fired.saturating_add(1);
                firing = Some(counted.fault.clone());
            }
        }
        firing
    }
}
