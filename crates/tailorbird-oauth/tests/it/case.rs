//! Reads the conformance files, and a few helpers to sign and verify in a line.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tailorbird_oauth::{
    ClientSecret, IncomingRequest, Placement, Presented, ProtocolParameters, RawRequest, ReadError,
    RequestToSign, RsaVerifyingKey, SignatureMethod, Signed, SigningKey, Strictness, TokenSecret,
    VerificationKey, sign_raw,
};

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A JSON array, or JSON Lines.
pub(crate) fn cases(path: &str) -> Vec<Value> {
    let text = text(path);
    if Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    } else {
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn string<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} missing in {value}"))
}

pub(crate) fn optional<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

pub(crate) fn private_pem(name: &str) -> String {
    text(&format!("keys/{name}.private.pem"))
}

/// A whole signed request out of a conformance file.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: Option<(String, String)>,
    pub(crate) oauth: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(crate) consumer_secret: String,
    pub(crate) token_secret: String,
    pub(crate) rsa_key: Option<String>,
    pub(crate) realm: Option<String>,
    pub(crate) base_string: String,
    pub(crate) signature: String,
    pub(crate) value: Value,
}

impl Case {
    pub(crate) fn new(value: Value) -> Self {
        let own = |pointer| string(&value, pointer).to_owned();
        let body = value.pointer("/request/body").map(|body| {
            (
                string(body, "/content_type").to_owned(),
                string(body, "/raw").to_owned(),
            )
        });
        let oauth = value["parameters"].as_object().unwrap().iter();
        Self {
            name: own("/name"),
            method: own("/request/method"),
            url: own("/request/url"),
            body,
            oauth: oauth
                .map(|(name, value)| (name.clone().into(), value.as_str().unwrap().to_owned().into()))
                .collect(),
            consumer_secret: own("/credentials/consumer_secret"),
            token_secret: own("/credentials/token_secret"),
            rsa_key: optional(&value, "/credentials/rsa_key").map(str::to_owned),
            realm: optional(&value, "/realm").map(str::to_owned),
            base_string: own("/expected/base_string"),
            signature: own("/expected/signature"),
            value,
        }
    }

    pub(crate) fn all(path: &str) -> Vec<Self> {
        cases(path).into_iter().map(Self::new).collect()
    }

    pub(crate) fn sign(&self) -> Signed {
        let pem = self.rsa_key.as_deref().map(private_pem);
        sign_raw(&RawRequest {
            method: &self.method,
            url: &self.url,
            body: self
                .body
                .as_ref()
                .map(|(content_type, raw)| (content_type.as_str(), raw.as_bytes())),
            oauth: &self.oauth,
            consumer_secret: Some(&self.consumer_secret),
            token_secret: Some(&self.token_secret),
            rsa_private_key: pem.as_deref(),
            realm: self.realm.as_deref(),
        })
        .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The case as a server receives it: signed in the header, target as in the URL.
    pub(crate) fn receive(&self, strictness: Strictness) -> Result<Presented, ReadError> {
        let signed = self.sign();
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let host = rest[..at].rsplit('@').next().unwrap();
        let target = if rest[at..].starts_with('/') {
            rest[at..].to_owned()
        } else {
            format!("/{}", &rest[at..])
        };
        Presented::read(
            &IncomingRequest {
                method: &self.method,
                scheme: &scheme.to_lowercase(),
                host,
                path_and_query: &target,
                authorization: Some(&signed.authorization),
                content_type: self.body.as_ref().map(|(content_type, _)| content_type.as_str()),
                body: self
                    .body
                    .as_ref()
                    .map(|(_, raw)| raw.as_bytes())
                    .unwrap_or_default(),
            },
            strictness,
        )
    }

    /// Verifies a received case with the right key.
    pub(crate) fn verify(&self, presented: &Presented) -> tailorbird_oauth::Verdict {
        let client_secret = ClientSecret::new(&*self.consumer_secret);
        let token_secret = TokenSecret::new(&*self.token_secret);
        match &self.rsa_key {
            None => presented.verify(VerificationKey::Secrets {
                client_secret: &client_secret,
                token_secret: Some(&token_secret),
            }),
            Some(name) => {
                let key = RsaVerifyingKey::from_private_pem(&private_pem(name).into()).unwrap();
                presented.verify(VerificationKey::RsaPublicKey(&key))
            }
        }
    }
}

/// Usual credentials of the hand-written tests.
pub(crate) const CLIENT_KEY: &str = "client-key";
pub(crate) const CLIENT_SECRET: &str = "client secret & more";
pub(crate) const TOKEN: &str = "token";
pub(crate) const TOKEN_SECRET: &str = "tökén-secret+";

pub(crate) fn hmac_key(method: SignatureMethod) -> SigningKey {
    SigningKey::from_secrets(
        method,
        &ClientSecret::new(CLIENT_SECRET),
        Some(&TokenSecret::new(TOKEN_SECRET)),
    )
    .unwrap()
}

pub(crate) fn parameters(method: SignatureMethod) -> ProtocolParameters<'static> {
    ProtocolParameters::from_pairs([
        ("oauth_consumer_key", CLIENT_KEY),
        ("oauth_token", TOKEN),
        ("oauth_signature_method", method.name()),
        ("oauth_timestamp", "1318622958"),
        ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
        ("oauth_version", "1.0"),
    ])
}

pub(crate) fn base(method: &str, url: &str, form: Option<&str>) -> String {
    let none: [(&str, &str); 0] = [];
    tailorbird_oauth::base_string(method, url, form.map(str::as_bytes), &none).unwrap()
}

/// The third part of a base string, decoded once.
pub(crate) fn normalized(url: &str, form: Option<&str>) -> String {
    let base = base("POST", url, form);
    let (_, last) = base.rsplit_once('&').unwrap();
    String::from_utf8(tailorbird_oauth::percent_decode(last)).unwrap()
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// What a server receives after a request was signed and its parameters were put in their place.
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn read(&self, strictness: Strictness) -> Result<Presented, ReadError> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap());
        Presented::read(
            &IncomingRequest {
                method: &self.method,
                scheme,
                host,
                path_and_query: target,
                authorization: self.authorization.as_deref(),
                content_type: self.content_type.as_deref(),
                body: &self.body,
            },
            strictness,
        )
    }
}

/// Signs and sends: the wire's side of [`tailorbird_oauth::place`].
pub(crate) fn send(
    request: &RequestToSign<'_>,
    parameters: &ProtocolParameters<'_>,
    key: &SigningKey,
    placement: Placement,
) -> Received {
    let signed = tailorbird_oauth::sign(request, parameters, key, None).unwrap();
    let mut received = Received {
        method: request.method.to_owned(),
        url: request.url.to_owned(),
        authorization: None,
        content_type: request.form_body.map(|_| FORM.to_owned()),
        body: request.form_body.unwrap_or_default().to_vec(),
    };
    match tailorbird_oauth::place(request, parameters, &signed, placement) {
        tailorbird_oauth::Placed::Header { authorization } => received.authorization = Some(authorization),
        tailorbird_oauth::Placed::Query { url } => received.url = url,
        tailorbird_oauth::Placed::Body { form_body } => received.body = form_body,
    }
    received
}
