//! A browser without a screen: real HTTP, a cookie jar, and forms as they stand on the page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tailorbird_oauth::{RawRequest, sign_raw};
use tailorbird_sandbox::{ApplicationKeys, LimitMode, Running, Settings, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::form_urlencoded;

static NONCES: AtomicU64 = AtomicU64::new(0);

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails with the page where a text is not on it.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.text.contains(text),
            "{text:?} is not on the page:\n{}",
            self.text
        );
        self
    }

    /// Fails with the page where a text is on it.
    #[track_caller]
    pub(crate) fn lacks(self, text: &str) -> Self {
        assert!(
            !self.text.contains(text),
            "{text:?} is on the page:\n{}",
            self.text
        );
        self
    }

    /// The token of the page's forms.
    #[track_caller]
    pub(crate) fn csrf(&self) -> String {
        between(&self.text, "name=\"csrf\" value=\"", "\"").expect("the page has no form token")
    }

    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        self.header("location").expect("no Location")
    }
}

/// The text between two others.
pub(crate) fn between(text: &str, before: &str, after: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
}

/// A running sandbox with its limits off.
pub(crate) async fn sandbox() -> Running {
    start(Settings {
        limits: LimitMode::Off,
        ..Settings::default()
    })
    .await
    .unwrap()
}

/// One person's browser.
pub(crate) struct Browser {
    pub(crate) base: String,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(running: &Running) -> Self {
        Self {
            base: running.addresses().portal.clone(),
            jar: BTreeMap::new(),
        }
    }

    /// A browser in which the demo account is signed in.
    pub(crate) async fn signed_in(running: &Running) -> Self {
        let mut browser = Self::new(running);
        let (username, password) = running.account();
        browser
            .submit(
                "/signin",
                "/signin",
                &[("username", username), ("password", password)],
            )
            .await
            .expect(303);
        browser
    }

    pub(crate) fn host(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    /// Posts a form as a browser does, with whatever token it is given.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let origin = self.base.clone();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", origin.as_str()),
        ];
        self.send("POST", path, &headers, &body).await
    }

    /// Loads the page of a form, then posts the form with its token.
    pub(crate) async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.get(page).await.csrf();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post(action, &all).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            "connection: close".to_owned(),
            format!("content-length: {}", body.len()),
        ];
        if !headers.iter().any(|(name, _)| *name == "host") {
            lines.push(format!("host: {}", self.host()));
        }
        if !self.jar.is_empty() {
            let cookies: Vec<String> = self
                .jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.push(format!("cookie: {}", cookies.join("; ")));
        }
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let head = lines.join("\r\n");
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        stream
            .write_all(format!("{head}\r\n\r\n{body}").as_bytes())
            .await
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, text) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Reply {
            status,
            headers,
            text: text.to_owned(),
        }
    }

    /// A signed call of a client, without cookies.
    pub(crate) async fn signed(
        &mut self,
        keys: &ApplicationKeys,
        (method, path): (&str, &str),
        oauth: &[(&str, &str)],
        token_secret: Option<&str>,
    ) -> Reply {
        let now = self.get("/status").await;
        let timestamp = timestamp_of(now.header("date").unwrap());
        let nonce = format!("portal{}", NONCES.fetch_add(1, Ordering::Relaxed));
        let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = vec![
            ("oauth_consumer_key".into(), keys.client_key.as_str().into()),
            ("oauth_nonce".into(), nonce.into()),
            ("oauth_signature_method".into(), "HMAC-SHA1".into()),
            ("oauth_timestamp".into(), timestamp.to_string().into()),
            ("oauth_version".into(), "1.0".into()),
        ];
        parameters.extend(
            oauth
                .iter()
                .map(|(name, value)| (Cow::from(*name), Cow::from(*value))),
        );
        let signed = sign_raw(&RawRequest {
            method,
            url: &format!("{}{path}", self.base),
            body: None,
            oauth: &parameters,
            consumer_secret: Some(&keys.client_secret),
            token_secret,
            rsa_private_key: None,
            realm: None,
        })
        .unwrap();
        let mut client = Self {
            base: self.base.clone(),
            jar: BTreeMap::new(),
        };
        client
            .send(method, path, &[("authorization", &signed.authorization)], "")
            .await
    }

    /// Step 1 of the flow; gives token and secret.
    pub(crate) async fn request_token(&mut self, keys: &ApplicationKeys, callback: &str) -> (String, String) {
        let reply = self
            .signed(
                keys,
                ("POST", "/oauth/request_token"),
                &[("oauth_callback", callback)],
                None,
            )
            .await
            .expect(200);
        (
            form_value(&reply.text, "oauth_token"),
            form_value(&reply.text, "oauth_token_secret"),
        )
    }

    /// Step 3 of the flow.
    pub(crate) async fn access_token(
        &mut self,
        keys: &ApplicationKeys,
        (token, secret): (&str, &str),
        verifier: &str,
    ) -> Reply {
        let oauth = [("oauth_token", token), ("oauth_verifier", verifier)];
        self.signed(keys, ("POST", "/oauth/access_token"), &oauth, Some(secret))
            .await
    }
}

/// A value of a form-encoded answer.
#[track_caller]
pub(crate) fn form_value(form: &str, name: &str) -> String {
    form_urlencoded::parse(form.as_bytes())
        .find(|(known, _)| known == name)
        .unwrap_or_else(|| panic!("no {name} in {form}"))
        .1
        .into_owned()
}

/// Seconds since the epoch of an HTTP date.
fn timestamp_of(date: &str) -> i64 {
    jiff::fmt::rfc2822::parse(date).unwrap().timestamp().as_second()
}
