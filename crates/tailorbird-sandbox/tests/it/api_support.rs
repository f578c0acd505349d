//! A sandbox on a free port and a small signing client: everything travels over real HTTP.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use serde_json::{Value, json};
use tailorbird_oauth::{
    ClientCredentials, Nonce, ProtocolParameters, RequestToSign, SignatureMethod, Signer, SigningKey,
    Timestamp, TokenSecret, encode_query,
};
use tailorbird_sandbox::{LimitMode, Running, Settings, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static NONCES: AtomicU64 = AtomicU64::new(0);

/// A running sandbox, limits off unless a test says otherwise.
pub(crate) struct World {
    running: Running,
    ahead_s: AtomicI64,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The JSON, after a look at the status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The number in a v1.1 error body, after a look at the status.
    #[track_caller]
    pub(crate) fn code(&self, status: u16) -> u64 {
        self.expect(status)["errors"][0]["code"].as_u64().unwrap()
    }

    /// The last part of `type` in a v2 problem, after a look at the status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        body["type"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }

    /// The messages of an `invalid-request` problem.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<String> {
        assert_eq!(self.problem(400), "invalid-request");
        let errors = self.json()["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| error["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Settings {
            limits: LimitMode::Off,
            ..Settings::default()
        })
        .await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self {
            running: start(settings).await.unwrap(),
            ahead_s: AtomicI64::new(0),
        }
    }

    pub(crate) fn root(&self) -> &str {
        &self.running.addresses().api
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (headers, body) = match body {
            Some(body) => (
                vec![("Content-Type".to_owned(), "application/json".to_owned())],
                body.to_string(),
            ),
            None => (Vec::new(), String::new()),
        };
        let answer = send(
            self.root(),
            method,
            &format!("/_sandbox/{path}"),
            &headers,
            body.as_bytes(),
        )
        .await;
        assert!(
            (200..300).contains(&answer.status),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
        if answer.text.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }

    pub(crate) async fn advance(&self, seconds: i64) {
        self.admin("POST", "clock", Some(json!({ "advance_s": seconds })))
            .await;
        self.ahead_s.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A client at this level (`read`, `read_write`, `read_write_dm`) that walked the whole PIN flow.
    pub(crate) async fn client(&self, level: &str) -> Client<'_> {
        self.client_of(level, "tailorbird_demo").await
    }

    /// The same for another account.
    pub(crate) async fn client_of(&self, level: &str, account: &str) -> Client<'_> {
        let app = json!({
            "name": "Stock Announcer", "description": "Posts new products from the ERP.",
            "website": "https://shop.example", "level": level, "callbacks": [],
        });
        let keys = self.admin("POST", "apps", Some(app)).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut client = Client {
            world: self,
            key: text(&keys["client_key"]),
            secret: text(&keys["client_secret"]),
            token: None,
            extra: vec![("oauth_callback".to_owned(), "oob".to_owned())],
        };
        let first = client.call("POST", "/oauth/request_token", Body::None).await;
        assert_eq!(first.status, 200, "{}", first.text);
        let temporary = field(&first.text, "oauth_token");
        client.token = Some((temporary.clone(), field(&first.text, "oauth_token_secret")));
        let approved = self
            .admin(
                "POST",
                "approve",
                Some(json!({ "oauth_token": temporary, "account": account })),
            )
            .await;
        client.extra = vec![("oauth_verifier".to_owned(), text(&approved["verifier"]))];
        let second = client.call("POST", "/oauth/access_token", Body::None).await;
        assert_eq!(second.status, 200, "{}", second.text);
        client.token = Some((
            field(&second.text, "oauth_token"),
            field(&second.text, "oauth_token_secret"),
        ));
        client.extra.clear();
        client
    }
}

fn field(form: &str, name: &str) -> String {
    let value = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    value.unwrap().1.to_owned()
}

/// What a request carries.
pub(crate) enum Body<'a> {
    None,
    Json(Value),
    Form(Vec<(&'a str, &'a str)>),
    Raw(&'a str, Vec<u8>),
}

/// A client with credentials.
pub(crate) struct Client<'w> {
    world: &'w World,
    key: String,
    secret: String,
    token: Option<(String, String)>,
    extra: Vec<(String, String)>,
}

impl Client<'_> {
    /// Signs in the header and sends; `target` is path and query as they go on the wire.
    pub(crate) async fn call(&self, method: &str, target: &str, body: Body<'_>) -> Answer {
        let (content_type, body, is_form) = match body {
            Body::None => (None, Vec::new(), false),
            Body::Json(value) => (
                Some("application/json".to_owned()),
                value.to_string().into_bytes(),
                false,
            ),
            Body::Form(pairs) => (
                Some("application/x-www-form-urlencoded".to_owned()),
                encode_query(pairs).into_bytes(),
                true,
            ),
            Body::Raw(kind, bytes) => (Some(kind.to_owned()), bytes, false),
        };
        let url = format!("{}{target}", self.world.root());
        let client = ClientCredentials::new(self.key.as_str(), self.secret.as_str());
        let token_secret = self
            .token
            .as_ref()
            .map(|(_, secret)| TokenSecret::new(secret.as_str()));
        let key = SigningKey::for_client(SignatureMethod::HmacSha1, &client, token_secret.as_ref()).unwrap();
        let nonce = Nonce::new(format!("n{}", NONCES.fetch_add(1, Ordering::Relaxed))).unwrap();
        let now = jiff::Timestamp::now().as_second() + self.world.ahead_s.load(Ordering::Relaxed);
        let mut parameters = ProtocolParameters::for_request(
            &self.key,
            self.token.as_ref().map(|(token, _)| token.as_str()),
            &nonce,
            Timestamp::from_seconds(u64::try_from(now).unwrap()),
            SignatureMethod::HmacSha1,
        )
        .with_version();
        for (name, value) in &self.extra {
            parameters.push(name.as_str(), value.as_str());
        }
        let request = RequestToSign {
            method,
            url: &url,
            form_body: is_form.then_some(body.as_slice()),
        };
        let signed = Signer::new().sign(&request, &parameters, &key, None).unwrap();
        let mut headers = vec![("Authorization".to_owned(), signed.authorization.clone())];
        headers.extend(content_type.map(|kind| ("Content-Type".to_owned(), kind)));
        send(self.world.root(), method, target, &headers, &body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.call("GET", target, Body::None).await
    }

    /// GET with decoded parameters.
    pub(crate) async fn find(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let query = encode_query(pairs.iter().copied());
        self.call("GET", &format!("{path}?{query}"), Body::None).await
    }

    pub(crate) async fn post(&self, target: &str, body: Value) -> Answer {
        self.call("POST", target, Body::Json(body)).await
    }

    pub(crate) async fn form(&self, target: &str, pairs: &[(&str, &str)]) -> Answer {
        self.call("POST", target, Body::Form(pairs.to_vec())).await
    }

    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.call("DELETE", target, Body::None).await
    }

    /// POST of a multipart body with these text fields and, where given, a file in `media`.
    pub(crate) async fn multipart(
        &self,
        target: &str,
        fields: &[(&str, &str)],
        media: Option<&[u8]>,
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        if let Some(media) = media {
            body.extend_from_slice(
                b"--cut\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.bin\"\r\n\
                  Content-Type: application/octet-stream\r\n\r\n",
            );
            body.extend_from_slice(media);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--cut--\r\n");
        self.call(
            "POST",
            target,
            Body::Raw("multipart/form-data; boundary=cut", body),
        )
        .await
    }

    /// The id of the caller's account.
    pub(crate) async fn own_id(&self) -> String {
        self.get("/2/users/me").await.expect(200)["data"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The id of another account.
    pub(crate) async fn other_id(&self) -> String {
        let id = self.own_id().await;
        let followers = self.get(&format!("/2/users/{id}/followers")).await.expect(200);
        followers["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Publishes a text by v2 and gives its id.
    pub(crate) async fn publish(&self, text: &str) -> String {
        let answer = self.post("/2/tweets", json!({ "text": text })).await.expect(201);
        answer["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Walks all pages of a v2 list to the end and gives each item's id, in order of arrival.
    pub(crate) async fn walk(&self, path: &str, pairs: &[(&str, &str)], token: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..200 {
            let mut query: Vec<(&str, &str)> = pairs.to_vec();
            if let Some(next) = &next {
                query.push((token, next.as_str()));
            }
            let page = self.find(path, &query).await.expect(200);
            let items = page["data"].as_array().cloned().unwrap_or_default();
            assert_eq!(page["meta"]["result_count"], items.len());
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["meta"]["next_token"].as_str() {
                Some(token) => next = Some(token.to_owned()),
                None => return ids,
            }
        }
        panic!("{path} has no end");
    }
}

/// A request without anything added, on a connection of its own.
pub(crate) async fn send(
    root: &str,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Answer {
    let host = root.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer to {method} {target}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        text: body.to_owned(),
    }
}
