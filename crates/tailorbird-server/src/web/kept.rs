//! What was typed into a form that could not be taken because its session had ended: shown again, to be sent once more.
//!
//! The form goes back to nobody but the browser that sent it, and only where that browser says that the form came from a
//! page of ours: otherwise another site could fill it in and leave the press to a person. Secrets are not repeated.

use axum::body::Body;
use axum::extract::Request;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt as _, Limited};

use super::form::{MAX_FORM, TOKEN};

/// Parts of the names of fields that are not repeated.
const SECRET: [&str; 5] = ["secret", "password", "token", "private_key", "passphrase"];

/// A form to be sent again.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Where to.
    pub action: String,
    /// Its fields, without secrets and without the token of the session that has ended.
    pub fields: Vec<(String, String)>,
    /// Whether a secret was left out.
    pub left_out: bool,
}

impl Kept {
    /// What there is to keep of fields that were sent to a path.
    pub(super) fn of(headers: &HeaderMap, action: &str, fields: Vec<(String, String)>) -> Option<Self> {
        // The guard has compared it with the host already.
        let is_ours = headers.contains_key(header::ORIGIN)
            || headers
                .get("sec-fetch-site")
                .is_some_and(|site| site.as_bytes() == b"same-origin");
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            // An address is none, whatever is handed out there.
            !name.ends_with("_url") && SECRET.iter().any(|part| name.contains(part))
        };
        let all = fields.iter().filter(|(name, _)| name != TOKEN).count();
        let fields: Vec<(String, String)> = fields.into_iter().filter(|(name, _)| !is_secret(name)).collect();
        let left_out = fields.len() < all;
        (is_ours && !fields.is_empty()).then(|| Self {
            action: action.to_owned(),
            fields,
            left_out,
        })
    }

    /// As [`Kept::of`], of a request that nobody has read yet.
    pub(super) async fn read(request: Request<Body>) -> Option<Self> {
        if request.method() != Method::POST {
            return None;
        }
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, MAX_FORM).collect().await.ok()?;
        let fields = url::form_urlencoded::parse(&body.to_bytes())
            .into_owned()
            .collect();
        Self::of(&parts.headers, parts.uri.path(), fields)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn kept(header: Option<(&'static str, &'static str)>, fields: &[(&str, &str)]) -> Option<Kept> {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Kept::of(&headers, "/tasks/a/edit", fields.collect())
    }

    #[test]
    fn only_a_form_of_our_own_pages_is_shown_again_and_never_its_secrets() {
        let fields = [
            ("form_token", "old"),
            ("yaml", "task: a"),
            ("client_secret", "hush"),
        ];
        assert!(kept(None, &fields).is_none(), "nobody says where it came from");
        assert!(kept(Some(("sec-fetch-site", "none")), &fields).is_none());
        for ours in [
            ("origin", "http://127.0.0.1:7080"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let kept = kept(Some(ours), &fields).unwrap();
            assert_eq!(kept.fields, [("yaml".to_owned(), "task: a".to_owned())]);
            assert!(kept.left_out);
        }
        let address = [("token_url", "https://a.example"), ("secret.token", "hush")];
        let kept_address = kept(Some(("sec-fetch-site", "same-origin")), &address).unwrap();
        assert_eq!(kept_address.fields.len(), 1, "an address is no secret");
        let bare = kept(
            Some(("origin", "http://127.0.0.1:7080")),
            &[("form_token", "old")],
        );
        assert!(bare.is_none(), "there is nothing to keep");
    }
}
