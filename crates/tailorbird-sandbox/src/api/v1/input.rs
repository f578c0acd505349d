//! The parameters of a v1.1 request: query and form body together, unknown names ignored as X did.

use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::api::params::{decode_pairs, parse_id};
use crate::state::{Account, State};

/// Query and form of one request.
#[derive(Debug)]
pub(crate) struct Input {
    pairs: Vec<(String, String)>,
}

impl Input {
    /// Reads query and, where the body is a form, the body; the body wins.
    pub(crate) fn of(call: &Call) -> Self {
        let mut pairs = Vec::new();
        if call.body_is("application/x-www-form-urlencoded") {
            pairs.extend(decode_pairs(&String::from_utf8_lossy(&call.body)));
        }
        pairs.extend(decode_pairs(&call.query));
        Self { pairs }
    }

    /// Adds the text parts of a multipart body, which win over everything else.
    pub(crate) fn with(mut self, parts: impl IntoIterator<Item = (String, String)>) -> Self {
        self.pairs.splice(0..0, parts);
        self
    }

    /// The value as sent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// An id, if given.
    ///
    /// # Errors
    /// 44 where the value is no id.
    pub(crate) fn id(&self, name: &str) -> Result<Option<u64>, LegacyError> {
        match self.text(name) {
            None | Some("") => Ok(None),
            Some(text) => parse_id(text).map(Some).ok_or_else(|| LegacyError::invalid(name)),
        }
    }

    /// Ids separated by commas.
    ///
    /// # Errors
    /// 44 where one of them is no id.
    pub(crate) fn ids(&self, name: &str) -> Result<Vec<u64>, LegacyError> {
        let items = self
            .text(name)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        items
            .map(|item| parse_id(item).ok_or_else(|| LegacyError::invalid(name)))
            .collect()
    }

    /// A count, cut to `most` without a word, as v1.1 does; below 1 it is the default.
    pub(crate) fn count(&self, name: &str, default: usize, most: usize) -> usize {
        match self.text(name).and_then(|text| text.parse::<usize>().ok()) {
            Some(0) | None => default,
            Some(count) => count.min(most),
        }
    }

    /// A flag: `true`, `t` or `1`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.flag_given(name).unwrap_or_default()
    }

    /// A flag, if given.
    pub(crate) fn flag_given(&self, name: &str) -> Option<bool> {
        self.text(name).map(|text| matches!(text, "true" | "t" | "1"))
    }

    /// The account named by `user_id` or `screen_name`; without either `None`.
    ///
    /// # Errors
    /// 50 where there is no such account, 44 where the id is none.
    pub(crate) fn person<'s>(&self, state: &'s State) -> Result<Option<&'s Account>, LegacyError> {
        if let Some(id) = self.id("user_id")? {
            return state
                .accounts
                .get(&id)
                .map(Some)
                .ok_or_else(LegacyError::unknown_user);
        }
        match self.text("screen_name") {
            None | Some("") => Ok(None),
            Some(name) => state
                .account_named(name)
                .map(Some)
                .ok_or_else(LegacyError::unknown_user),
        }
    }

    /// The account named by `user_id` or `screen_name`, or the caller's.
    ///
    /// # Errors
    /// As [`Input::person`].
    pub(crate) fn person_or<'s>(&self, state: &'s State, caller: u64) -> Result<&'s Account, LegacyError> {
        match self.person(state)? {
            Some(account) => Ok(account),
            None => state.accounts.get(&caller).ok_or_else(LegacyError::unknown_user),
        }
    }
}
