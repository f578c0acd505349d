//! Applications: the list, the form for a new one, and the tabs Details, Settings and Access tokens.

pub(super) mod confirm;
pub(super) mod details;
mod keys;
pub(super) mod list;
pub(super) mod new;
pub(super) mod settings;
pub(super) mod tokens;
mod valid;
#[cfg(test)]
mod valid_tests;

use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::go;
use super::problem::Problem;
use super::visit::Visit;
use crate::Shared;
use crate::state::Application;

/// The signed-in account, or the way to the sign-in page and back.
#[expect(
    clippy::result_large_err,
    reason = "the error is the answer itself and is sent at once"
)]
fn signed_in(visit: &Visit, back: &str) -> Result<u64, Response> {
    visit.account().ok_or_else(|| {
        go(&format!(
            "/signin?next={}",
            utf8_percent_encode(back, NON_ALPHANUMERIC)
        ))
    })
}

/// The application with this id, if the signed-in account owns it. Another account's application is answered
/// like one that does not exist.
#[expect(
    clippy::result_large_err,
    reason = "the error is the answer itself and is sent at once"
)]
fn owned(shared: &Shared, visit: &Visit, id: &str) -> Result<Application, Response> {
    let account = signed_in(visit, visit.here())?;
    id.parse::<u64>()
        .ok()
        .and_then(|id| shared.store.read(|state| state.applications.get(&id).cloned()))
        .filter(|app| app.owner == account)
        .ok_or_else(|| visit.problem(&Problem::no_such_app()))
}

/// Like [`owned`], for a form: after signing in, the way leads to the page of the form, not to its address.
#[expect(
    clippy::result_large_err,
    reason = "the error is the answer itself and is sent at once"
)]
fn owned_for_change(shared: &Shared, visit: &Visit, id: &str, page: &str) -> Result<Application, Response> {
    signed_in(visit, page)?;
    owned(shared, visit, id)
}
