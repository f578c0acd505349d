//! A form that was sent: bounded, and from a page of this session.

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use tailorbird_model::{Failure, Meaning, codes};

use super::kept::Kept;
use super::page::{of_another_session, refused};
use super::visit::Visit;

/// Bytes of a form; the largest text in one is a task.
pub(super) const MAX_FORM: usize = 1024 * 1024;

/// The field that carries the session's form token.
pub(super) const TOKEN: &str = "form_token";

/// The fields of a form, in their order.
#[derive(Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

// What people type is nobody's business, and some of it is secret: names only.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Form {
    /// Reads a form's body.
    pub(super) fn sent(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field's text as it was typed; none where it is absent.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// A field's text, trimmed; empty where it is absent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.trim()))
            .unwrap_or_default()
    }

    /// A field's text as it was typed, with lines that end as in files: browsers send CR LF.
    pub(super) fn text(&self, name: &str) -> String {
        self.0
            .iter()
            .find_map(|(known, value)| (known == name).then(|| value.replace("\r\n", "\n")))
            .unwrap_or_default()
    }

    /// The fields whose names begin so, each with the rest of its name.
    pub(super) fn beginning<'f>(&'f self, with: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.0
            .iter()
            .filter_map(move |(known, value)| Some((known.strip_prefix(with)?, value.as_str())))
    }

    /// The fields whose names begin with one of these, with lines that end as in files.
    pub(super) fn fields(&self, beginnings: &[&str]) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| beginnings.iter().any(|beginning| name.starts_with(beginning)))
            .map(|(name, value)| (name.clone(), value.replace("\r\n", "\n")))
            .collect()
    }

    /// All texts of a field that may come several times.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Extension(visit) = Extension::<Visit>::from_request_parts(&mut parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let refuse = |status, what: &str, hint: &str| {
            let failure = Failure::new(codes::REQUEST_REFUSED, Meaning::NotSent, what).hint(hint);
            refused(&visit, "", status, failure.into())
        };
        let body = Limited::new(body, MAX_FORM).collect().await.map_err(|_| {
            refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the form is larger than 1 MiB, or broke off on its way",
                "Nothing was changed.",
            )
        })?;
        let form = Self::sent(&body.to_bytes());
        // The Origin was looked at already; this holds where a browser sends none.
        if form.get(TOKEN) != visit.form_token {
            if let Some(kept) = Kept::of(&parts.headers, parts.uri.path(), form.0) {
                return Err(of_another_session(&visit, kept));
            }
            return Err(refuse(
                StatusCode::FORBIDDEN,
                "this form is of another session",
                "Nothing was changed. Go back, load the page again and send the form once more.",
            ));
        }
        Ok(form)
    }
}
