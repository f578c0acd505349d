//! Reading a posted form: size, type and the session's token are checked before anything is looked at.

use axum::extract::{FromRequest, Request};
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};

use super::problem::Problem;
use super::visit::Visit;
use crate::Shared;

/// Most fields of one form.
const FIELDS_MAX: usize = 64;
/// The field that carries the session's token.
pub(super) const CSRF: &str = "csrf";

/// The fields of a form that came from one of our own pages.
#[derive(Debug, Clone)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The value of a field; empty when it was not sent, because a browser may leave a field out and an empty
    /// value is refused by whoever needs one.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Whether a field was sent at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Response> {
        let Some(visit) = request.extensions().get::<Visit>().cloned() else {
            return Err(Problem::internal().plain());
        };
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| {
                kind.trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(visit.problem(&Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "That was not a form",
                "This address takes what the portal's own form sends: application/x-www-form-urlencoded.",
            )));
        }
        let Ok(body) = Bytes::from_request(request, state).await else {
            return Err(visit.problem(&Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "That is too much for a form",
                "A form of the portal may hold 64 KiB. Nothing was changed.",
            )));
        };
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body)
            .take(FIELDS_MAX)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let form = Self { fields };
        if !same(form.get(CSRF), visit.csrf()) {
            return Err(visit.problem(
                &Problem::new(
                    StatusCode::FORBIDDEN,
                    "This form is from another session",
                    "Its token does not fit the session of this browser. Nothing was changed.",
                )
                .next("It happens when the sandbox was started anew or when you signed in meanwhile. Go back, load the page again, and send the form once more."),
            ));
        }
        Ok(form)
    }
}

/// Compares without stopping at the first difference.
fn same(given: &str, known: &str) -> bool {
    given.len() == known.len()
        && given
            .bytes()
            .zip(known.bytes())
            .fold(0_u8, |differs, (a, b)| differs | (a ^ b))
            == 0
}
