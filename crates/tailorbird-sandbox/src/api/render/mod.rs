//! From the state's types to the JSON of API v2: members on request, expansions, partial errors.
//!
//! Invariant: whatever is named in an answer and cannot be shown has an entry in `errors`; nothing is
//! dropped in silence.

mod direct_message;
mod entities;
mod includes;
mod list;
mod media;
mod poll;
mod post;
mod user;

pub(crate) use direct_message::{MESSAGE_CREATE, direct_message};
pub(crate) use entities::{entities, found, named};
pub(crate) use includes::{Includes, lists};
pub(crate) use list::list;
pub(crate) use media::{dimensions, kind as media_kind, media, media_key};
pub(crate) use poll::poll;
pub(crate) use post::{language, post};
pub(crate) use user::{PICTURE, user};

use super::fields::Fields;
use super::problem::Missing;
use crate::state::{Post, State};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What rendering looks at: the state at one moment, through one caller's eyes, by one choice of fields.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) state: &'a State,
    /// The members asked for.
    pub(crate) fields: &'a Fields,
    /// The account that asks.
    pub(crate) viewer: u64,
    /// The sandbox's present moment: metrics and polls depend on it.
    pub(crate) now: Timestamp,
}

impl View<'_> {
    /// Whether the viewer may see what `author` writes: protected accounts are for their followers.
    pub(crate) fn may_see(&self, author: u64) -> bool {
        may_see(self.state, self.viewer, author)
    }
}

/// Whether `viewer` may see what `author` writes.
pub(crate) fn may_see(state: &State, viewer: u64, author: u64) -> bool {
    author == viewer
        || state
            .accounts
            .get(&author)
            .is_some_and(|account| !account.protected || account.followers.contains(&viewer))
}

/// The document of one v2 answer, put together piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    data: Option<Value>,
    includes: Map<String, Value>,
    errors: Vec<Value>,
    meta: Option<Value>,
}

impl Sheet {
    /// Sets `data`.
    pub(crate) fn data(&mut self, data: Value) {
        self.data = Some(data);
    }

    /// Sets `data` to a list; X leaves `data` out when the list is empty.
    pub(crate) fn list(&mut self, items: Vec<Value>) {
        if !items.is_empty() {
            self.data = Some(Value::Array(items));
        }
    }

    /// Adds an entry to `errors`.
    pub(crate) fn missing(&mut self, missing: &Missing) {
        self.errors.push(missing.to_json());
    }

    /// Adds entries to `errors`.
    pub(crate) fn errors(&mut self, errors: Vec<Value>) {
        self.errors.extend(errors);
    }

    /// Sets a part of `includes`, unless it is empty.
    pub(crate) fn include(&mut self, name: &str, items: Vec<Value>) {
        if !items.is_empty() {
            self.includes.insert(name.to_owned(), Value::Array(items));
        }
    }

    /// Sets `meta`.
    pub(crate) fn meta(&mut self, meta: Value) {
        self.meta = Some(meta);
    }

    /// The answer, with status 200.
    pub(crate) fn answer(self) -> Response {
        let mut body = Map::new();
        if let Some(data) = self.data {
            body.insert("data".to_owned(), data);
        }
        if !self.includes.is_empty() {
            body.insert("includes".to_owned(), Value::Object(self.includes));
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), Value::Array(self.errors));
        }
        if let Some(meta) = self.meta {
            body.insert("meta".to_owned(), meta);
        }
        Json(Value::Object(body)).into_response()
    }
}

/// An answer that is only `{"data": …}`.
pub(crate) fn data(status: StatusCode, data: &Value) -> Response {
    (status, Json(json!({ "data": data }))).into_response()
}

/// Renders posts with what they expand to.
pub(crate) fn posts(view: &View<'_>, posts: &[&Post], sheet: &mut Sheet) -> Vec<Value> {
    let mut includes = Includes::default();
    let mut errors = Vec::new();
    let items = posts.iter().map(|one| post(view, one, &mut errors)).collect();
    for one in posts {
        includes.of_post(view, one, sheet);
    }
    includes.write(view, sheet);
    sheet.errors(errors);
    items
}
