//! Requests in the shapes in which known clients send them to X (each measured once against a server that
//! checked signatures). A lenient verifier has to take all of them, a strict one the first two.

use tailorbird_oauth::{
    ClientSecret, IncomingRequest, OUT_OF_BAND, Presented, ProtocolParameters, RequestToSign,
    SignatureMethod, SigningKey, Strictness, TokenSecret, VerificationKey, sign,
};

use crate::case::FORM;

const SECRET: &str = "client-secret";
const TEMPORARY_SECRET: &str = "temporary-secret";

/// A request whose parts a client put together by hand.
struct Shape<'a> {
    url: &'a str,
    /// What is in the header besides the usual parameters.
    header: &'a [(&'a str, &'a str)],
    body: Option<&'a str>,
    /// The URL without the parameters that the client signs once although they are there twice.
    signed_url: &'a str,
    signed_body: Option<&'a str>,
    token: bool,
}

fn accepted(shape: &Shape<'_>, strictness: Strictness) -> bool {
    let mut pairs = vec![
        ("oauth_consumer_key", "ck"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1318622958"),
        ("oauth_nonce", "nonce"),
        ("oauth_version", "1.0"),
    ];
    if shape.token {
        pairs.push(("oauth_token", "temporary"));
    }
    pairs.extend_from_slice(shape.header);
    let parameters = ProtocolParameters::from_pairs(pairs);
    let client_secret = ClientSecret::new(SECRET);
    let token_secret = shape.token.then(|| TokenSecret::new(TEMPORARY_SECRET));
    let key =
        SigningKey::from_secrets(SignatureMethod::HmacSha1, &client_secret, token_secret.as_ref()).unwrap();
    let request = RequestToSign {
        method: "POST",
        url: shape.signed_url,
        form_body: shape.signed_body.map(str::as_bytes),
    };
    let signed = sign(&request, &parameters, &key, None).unwrap();
    let (host, target) = shape
        .url
        .strip_prefix("https://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let presented = Presented::read(
        &IncomingRequest {
            method: "POST",
            scheme: "https",
            host,
            path_and_query: &format!("/{target}"),
            authorization: Some(&signed.authorization),
            content_type: shape.body.map(|_| FORM),
            body: shape.body.unwrap_or_default().as_bytes(),
        },
        strictness,
    )
    .unwrap();
    presented
        .verify(VerificationKey::Secrets {
            client_secret: &client_secret,
            token_secret: token_secret.as_ref(),
        })
        .is_accepted()
}

fn check(shape: &Shape<'_>, strict: bool) {
    assert!(accepted(shape, Strictness::Lenient));
    assert_eq!(accepted(shape, Strictness::Strict), strict);
}

const REQUEST_TOKEN: &str = "https://api.twitter.com/oauth/request_token";
const ACCESS_TOKEN: &str = "https://api.twitter.com/oauth/access_token";

#[test]
fn tweepy_puts_all_into_the_header_and_repeats_the_callback() {
    let first = Shape {
        url: REQUEST_TOKEN,
        header: &[("oauth_callback", OUT_OF_BAND)],
        body: None,
        signed_url: REQUEST_TOKEN,
        signed_body: None,
        token: false,
    };
    check(&first, true);
    let header = &[("oauth_callback", OUT_OF_BAND), ("oauth_verifier", "1234567")];
    check(
        &Shape {
            url: ACCESS_TOKEN,
            signed_url: ACCESS_TOKEN,
            header,
            token: true,
            ..first
        },
        true,
    );
}

#[test]
fn tweepy_sends_the_status_in_the_query_with_raw_pluses() {
    let url = "https://api.twitter.com/1.1/statuses/update.json?status=Hello+%2B+World+~";
    let shape = Shape {
        url,
        header: &[],
        body: None,
        signed_url: url,
        signed_body: None,
        token: true,
    };
    check(&shape, true);
}

#[test]
fn twitter_api_v2_puts_callback_and_verifier_into_the_body() {
    let callback = Some("oauth_callback=oob");
    let first = Shape {
        url: "https://api.x.com/oauth/request_token",
        header: &[],
        body: callback,
        signed_url: "https://api.x.com/oauth/request_token",
        signed_body: callback,
        token: false,
    };
    check(&first, false);
    let second = Shape {
        url: "https://api.x.com/oauth/access_token",
        header: &[],
        body: Some("oauth_token=temporary&oauth_verifier=1234567"),
        signed_url: "https://api.x.com/oauth/access_token",
        signed_body: Some("oauth_verifier=1234567"),
        token: true,
    };
    check(&second, false);
}

#[test]
fn xdk_for_python_puts_them_into_the_query() {
    let url = "https://api.x.com/oauth/request_token?oauth_callback=oob";
    let first = Shape {
        url,
        header: &[],
        body: None,
        signed_url: url,
        signed_body: None,
        token: false,
    };
    check(&first, false);
    let second = Shape {
        url: "https://api.x.com/oauth/access_token?oauth_token=temporary&oauth_verifier=1234567",
        signed_url: "https://api.x.com/oauth/access_token?oauth_verifier=1234567",
        token: true,
        ..first
    };
    check(&second, false);
}

#[test]
fn twurl_asks_for_an_access_token_without_any_token() {
    // It is signed rightly; that there is no token is for the provider to see and to answer with 401.
    let shape = Shape {
        url: ACCESS_TOKEN,
        header: &[],
        body: None,
        signed_url: ACCESS_TOKEN,
        signed_body: None,
        token: false,
    };
    check(&shape, true);
}
