//! The decision: signing in on the way where needed, then a PIN, a redirect or a refusal.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::pages::{self, Decider, Typed};
use super::{Waiting, waiting};
use crate::Shared;
use crate::oauth::consent;
use crate::portal::form::Form;
use crate::portal::page::go;
use crate::portal::problem::Problem;
use crate::portal::signin::{self, Checked};
use crate::portal::view::Who;
use crate::portal::visit::Visit;

/// `POST /oauth/authorize` and `POST /oauth/authenticate`.
pub(in crate::portal) async fn decide(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    let token = form.get("oauth_token");
    let waiting = match waiting(&shared, token) {
        Ok(waiting) => waiting,
        Err(error) => return pages::whoa(&visit, &error, token),
    };
    match form.get("decision") {
        // Nobody has to sign in to say no.
        "cancel" => match consent::deny(&shared, token).await {
            Ok(Some(callback)) => go(&callback),
            Ok(None) => pages::denied(&visit, &waiting),
            Err(error) => pages::whoa(&visit, &error, token),
        },
        "authorize" => match who_decides(&shared, &visit, &form) {
            Ok(Decided { account, who, signed_in: None }) => approve(&shared, &visit, &waiting, account, who).await,
            Ok(Decided { account, who, signed_in: Some(visit) }) => {
                let mut response = approve(&shared, &visit, &waiting, account, who).await;
                visit.give_cookie(&mut response);
                response
            }
            Err(Undecided::Wrong(typed)) => {
                let decider = Decider { signed_in: false, standing: false };
                pages::consent(&visit, &waiting, &decider, typed, shared.clock.now())
            }
            Err(Undecided::Failed(problem)) => visit.problem(&problem),
        },
        _ => visit.problem(&Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Neither yes nor no",
            "The form came without a decision. Valid ones are the two buttons: Authorize app, and Cancel. Nothing was changed.",
        )),
    }
}

struct Decided {
    account: u64,
    who: Who,
    /// The new session, where somebody signed in with this very form.
    signed_in: Option<Visit>,
}

enum Undecided {
    /// Nobody is signed in, or what was typed is wrong.
    Wrong(Typed),
    /// The session could not be begun.
    Failed(Problem),
}

fn who_decides(shared: &Shared, visit: &Visit, form: &Form) -> Result<Decided, Undecided> {
    // Fields for signing in win over the session: the page shows them when the password is to be asked again.
    if !form.has("username") {
        return match (visit.account(), visit.who()) {
            (Some(account), Some(who)) => Ok(Decided {
                account,
                who: who.clone(),
                signed_in: None,
            }),
            _ => Err(Undecided::Wrong(Typed {
                password_error: Some("Sign in first: the session ended meanwhile.".to_owned()),
                ..Typed::default()
            })),
        };
    }
    match signin::check(shared, form.get("username"), form.get("password")) {
        Checked::Right(account, who) => {
            let visit = signin::begin(shared, visit, account, who.clone()).map_err(Undecided::Failed)?;
            Ok(Decided {
                account,
                who,
                signed_in: Some(visit),
            })
        }
        Checked::Wrong { username, password } => Err(Undecided::Wrong(Typed {
            username: form.get("username").to_owned(),
            username_error: username,
            password_error: password,
        })),
    }
}

async fn approve(shared: &Shared, visit: &Visit, waiting: &Waiting, account: u64, who: Who) -> Response {
    match consent::approve(shared, &waiting.token, account).await {
        Ok(approved) => match approved.redirect {
            Some(callback) => go(&callback),
            None => pages::pin(visit, waiting, &approved.verifier, who),
        },
        Err(error) => pages::whoa(visit, &error, &waiting.token),
    }
}
