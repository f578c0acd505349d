//! Signing in and out.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::field::TextField;
use super::form::Form;
use super::page::{Chrome, go, show, show_with};
use super::problem::Problem;
use super::view::Who;
use super::visit::{Visit, own_path, take_cookie};
use crate::Shared;
use crate::settings::{ACCOUNT_PASSWORD, MAIN_ACCOUNT};

#[derive(Template)]
#[template(path = "signin.html")]
struct SignInPage {
    chrome: Chrome,
    next: String,
    username: TextField,
    password: TextField,
    demo_username: &'static str,
    demo_password: &'static str,
}

#[derive(Template)]
#[template(path = "signout.html")]
struct SignOutPage {
    chrome: Chrome,
}

/// The query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignInQuery {
    #[serde(default)]
    next: String,
}

/// What a pair of name and password came to.
pub(super) enum Checked {
    /// Right: the account's id and how it is shown.
    Right(u64, Who),
    /// Wrong: the errors beside the two fields.
    Wrong {
        /// What is wrong with the name.
        username: Option<String>,
        /// What is wrong with the password.
        password: Option<String>,
    },
}

/// Checks what was typed. The two errors are told apart: the accounts are samples, and their password stands
/// on the page, so that there is nothing to hide and somebody to help.
pub(super) fn check(shared: &Shared, username: &str, password: &str) -> Checked {
    let username = username.trim();
    if username.is_empty() {
        return Checked::Wrong {
            username: Some(format!("Type the name of an account, such as {MAIN_ACCOUNT}.")),
            password: None,
        };
    }
    shared.store.read(|state| match state.account_named(username) {
        None => Checked::Wrong {
            username: Some(format!(
                "There is no account with this name. The demo account is {MAIN_ACCOUNT}; names have letters, digits and underscores."
            )),
            password: None,
        },
        Some(account) if account.password.expose() != password => Checked::Wrong {
            username: None,
            password: Some("That is not the password of this account. Each sample account has the same one, shown on this page.".to_owned()),
        },
        Some(account) => Checked::Right(account.id, Who::account(account)),
    })
}

/// The field for the account's name.
pub(super) fn username_field() -> TextField {
    TextField::new("username", "Username", "")
        .autocomplete("username")
        .data()
}

/// The field for the password.
pub(super) fn password_field() -> TextField {
    TextField::new("password", "Password", "")
        .kind("password")
        .autocomplete("current-password")
}

/// `GET /signin`.
pub(super) async fn ask(Extension(visit): Extension<Visit>, Query(query): Query<SignInQuery>) -> Response {
    if visit.account().is_some() {
        return go(own_path(&query.next));
    }
    show(&SignInPage {
        chrome: visit.chrome("Sign in", ""),
        next: own_path(&query.next).to_owned(),
        username: username_field().value(MAIN_ACCOUNT),
        password: password_field().focus(),
        demo_username: MAIN_ACCOUNT,
        demo_password: ACCOUNT_PASSWORD,
    })
}

/// `POST /signin`.
pub(super) async fn submit(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    match check(&shared, form.get("username"), form.get("password")) {
        Checked::Right(account, who) => match begin(&shared, &visit, account, who) {
            Ok(visit) => {
                let mut response = go(own_path(form.get("next")));
                visit.give_cookie(&mut response);
                response
            }
            Err(problem) => visit.problem(&problem),
        },
        Checked::Wrong { username, password } => {
            let mut name = username_field().value(form.get("username")).error(username);
            let mut secret = password_field().error(password);
            name.focus = name.error.is_some();
            secret.focus = !name.focus;
            let page = SignInPage {
                chrome: visit.chrome("Sign in", ""),
                next: own_path(form.get("next")).to_owned(),
                username: name,
                password: secret,
                demo_username: MAIN_ACCOUNT,
                demo_password: ACCOUNT_PASSWORD,
            };
            show_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Begins the session of a signed-in account and ends the one before, so that an id known before signing in
/// is worth nothing after.
pub(super) fn begin(shared: &Shared, visit: &Visit, account: u64, who: Who) -> Result<Visit, Problem> {
    let session = shared.sessions.begin(Some(account)).map_err(|error| {
        tracing::error!(%error, "portal session not begun");
        Problem::internal()
    })?;
    shared.sessions.end(visit.session_id());
    Ok(visit.signed_in(session, who))
}

/// `GET /signout`: a link must not sign anybody out, so it asks.
pub(super) async fn ask_out(Extension(visit): Extension<Visit>) -> Response {
    show(&SignOutPage {
        chrome: visit.chrome("Sign out", ""),
    })
}

/// `POST /signout`.
pub(super) async fn out(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    _: Form,
) -> Response {
    shared.sessions.end(visit.session_id());
    let mut response = go("/signout");
    take_cookie(&mut response);
    response
}
