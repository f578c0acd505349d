//! A bare HTTP/1.1 client that shows every byte (none, too), a signing one on top of it, and the flow.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tailorbird_oauth::{
    ClientCredentials, Nonce, Placed, Placement, ProtocolParameters, RequestToSign, SignatureMethod,
    SigningKey, Timestamp, TokenSecret, place, sign,
};
use tailorbird_sandbox::{Running, Settings, start};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Everything that came back before the connection ended.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) raw_bytes: usize,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A member of a form-encoded answer.
    pub(crate) fn form(&self, name: &str) -> String {
        let text = self.text();
        let found = text
            .split('&')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        found
            .unwrap_or_else(|| panic!("no {name} in {} {text}", self.status))
            .to_owned()
    }
}

/// Sends a request on a stream and reads until its end. A connection without an answer gives status 0.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &[u8]) -> Answer {
    stream.write_all(request).await.unwrap();
    let mut raw = Vec::new();
    if let Err(error) = stream.read_to_end(&mut raw).await {
        assert!(matches!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof
        ));
    }
    parse(&raw)
}

fn parse(raw: &[u8]) -> Answer {
    let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Answer {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            raw_bytes: raw.len(),
        };
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = raw[end + 4..].to_vec();
    if headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked")
    {
        body = unchunked(&body);
    }
    Answer {
        status,
        headers,
        body,
        raw_bytes: raw.len(),
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    body
}

/// The bytes of a request.
pub(crate) fn request(
    method: &str,
    target: &str,
    host: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        bytes.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A running sandbox and its address.
pub(crate) struct Provider {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
}

pub(crate) async fn provider(settings: Settings) -> Provider {
    let running = start(settings).await.unwrap();
    let address = running
        .addresses()
        .portal
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    Provider { running, address }
}

impl Provider {
    pub(crate) async fn fresh() -> Self {
        provider(Settings::default()).await
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        exchange(stream, &request(method, target, &self.host(), headers, body)).await
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() {
            Vec::new()
        } else {
            serde_json::to_vec(&body).unwrap()
        };
        let answer = self.send(method, &format!("/_sandbox/{path}"), &[], &body).await;
        assert!(
            (200..300).contains(&answer.status),
            "{} {}",
            answer.status,
            answer.text()
        );
        answer.json()
    }

    /// An application with a level and callbacks.
    pub(crate) async fn application(&self, level: &str, callbacks: &[&str]) -> Client {
        let body = serde_json::json!({ "name": "Product news", "description": "Announces products",
            "website": "https://demo.tailorbird.example", "level": level, "callbacks": callbacks });
        let keys = self.admin("POST", "apps", body).await;
        Client {
            address: self.address,
            host: self.host(),
            key: keys["client_key"].as_str().unwrap().to_owned(),
            secret: keys["client_secret"].as_str().unwrap().to_owned(),
            token: None,
            method: SignatureMethod::HmacSha1,
            placement: Placement::Header,
            offset_s: 0,
            nonce: None,
        }
    }

    /// An application of a level that went through the whole flow.
    pub(crate) async fn authorized(&self, level: &str) -> Client {
        let client = self.application(level, &[]).await;
        let temporary = client.temporary().await;
        let pin = self.approve(&temporary).await;
        client.exchange_verifier(&temporary, &pin).await
    }

    pub(crate) async fn approve(&self, temporary: &Client) -> String {
        let token = &temporary.token.as_ref().unwrap().0;
        let answer = self
            .admin("POST", "approve", serde_json::json!({ "oauth_token": token }))
            .await;
        answer["verifier"].as_str().unwrap().to_owned()
    }

    /// The newest entry of the request log.
    pub(crate) async fn newest(&self) -> Value {
        self.admin("GET", "requests", Value::Null).await[0].clone()
    }
}

/// A signing client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) token: Option<(String, String)>,
    pub(crate) method: SignatureMethod,
    pub(crate) placement: Placement,
    pub(crate) offset_s: i64,
    pub(crate) nonce: Option<String>,
}

static NONCES: AtomicU64 = AtomicU64::new(1);

/// The type of form bodies.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

impl Client {
    /// The wire bytes of a signed request. `extra` are further `oauth_` parameters.
    pub(crate) fn signed(
        &self,
        scheme: &str,
        method: &str,
        target: &str,
        body: Option<(&str, &str)>,
        extra: &[(&str, &str)],
    ) -> Vec<u8> {
        let nonce = match &self.nonce {
            Some(nonce) => Nonce::new(nonce.clone()).unwrap(),
            None => Nonce::from_random(u128::from(NONCES.fetch_add(1, Ordering::Relaxed)).to_be_bytes()),
        };
        let now = jiff::Timestamp::now().as_second() + self.offset_s;
        let client = ClientCredentials::new(self.key.clone(), self.secret.clone());
        let token_secret = self
            .token
            .as_ref()
            .map(|(_, secret)| TokenSecret::from(secret.as_str()));
        let key = SigningKey::for_client(self.method, &client, token_secret.as_ref()).unwrap();
        let mut parameters = ProtocolParameters::for_request(
            &self.key,
            self.token.as_ref().map(|(token, _)| token.as_str()),
            &nonce,
            Timestamp::from_seconds(u64::try_from(now).unwrap()),
            self.method,
        );
        for (name, value) in extra {
            parameters.push(*name, *value);
        }
        let origin = format!("{scheme}://{}", self.host);
        let url = format!("{origin}{target}");
        let form_body = body
            .filter(|(kind, _)| *kind == FORM)
            .map(|(_, body)| body.as_bytes());
        let to_sign = RequestToSign {
            method,
            url: &url,
            form_body,
        };
        let signed = sign(&to_sign, &parameters, &key, None).unwrap();
        let mut target = target.to_owned();
        let mut sent = body.map(|(_, body)| body.as_bytes().to_vec()).unwrap_or_default();
        let mut headers = Vec::new();
        match place(&to_sign, &parameters, &signed, self.placement) {
            Placed::Header { authorization } => headers.push(("Authorization", authorization)),
            Placed::Query { url } => url.strip_prefix(&origin).unwrap().clone_into(&mut target),
            Placed::Body { form_body } => sent = form_body,
        }
        if let Some((kind, _)) = body {
            headers.push(("Content-Type", kind.to_owned()));
        }
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        request(method, &target, &self.host, &headers, &sent)
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        target: &str,
        body: Option<(&str, &str)>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let bytes = self.signed("http", method, target, body, extra);
        exchange(TcpStream::connect(self.address).await.unwrap(), &bytes).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.call("GET", target, None, &[]).await
    }

    pub(crate) async fn post(&self, text: &str) -> Answer {
        let body = serde_json::json!({ "text": text }).to_string();
        self.call("POST", "/2/tweets", Some(("application/json", &body)), &[])
            .await
    }

    pub(crate) async fn request_token(&self, callback: &str) -> Answer {
        // In the body placement the protocol parameters need a form to go into.
        let body = (self.placement == Placement::Body).then_some((FORM, ""));
        self.call(
            "POST",
            "/oauth/request_token",
            body,
            &[("oauth_callback", callback)],
        )
        .await
    }

    /// Step 1, out of band.
    pub(crate) async fn temporary(&self) -> Self {
        self.temporary_for("oob").await
    }

    pub(crate) async fn temporary_for(&self, callback: &str) -> Self {
        let answer = self.request_token(callback).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.form("oauth_callback_confirmed"), "true");
        self.with_token(&answer.form("oauth_token"), &answer.form("oauth_token_secret"))
    }

    pub(crate) fn with_token(&self, token: &str, secret: &str) -> Self {
        Self {
            token: Some((token.to_owned(), secret.to_owned())),
            ..self.clone()
        }
    }

    /// Step 3 as it comes back.
    pub(crate) async fn access_token(&self, verifier: &str) -> Answer {
        let body = (self.placement == Placement::Body).then_some((FORM, ""));
        self.call(
            "POST",
            "/oauth/access_token",
            body,
            &[("oauth_verifier", verifier)],
        )
        .await
    }

    /// Step 3.
    pub(crate) async fn exchange_verifier(&self, temporary: &Self, verifier: &str) -> Self {
        let answer = temporary.access_token(verifier).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.with_token(&answer.form("oauth_token"), &answer.form("oauth_token_secret"))
    }
}
