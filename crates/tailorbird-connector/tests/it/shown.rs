//! A request as it is shown: what is signed, step by step, and no secret.

use tailorbird_connector::{RawCall, Showing, build_raw};
use tailorbird_model::service::Method;
use tailorbird_oauth::TemporaryCredentials;

use crate::fixtures::{CLIENT_KEY, connector, credentials, shipped, x_at};
use crate::provider::{Act, Provider, answer};

#[tokio::test]
async fn what_is_shown_after_an_answer_is_what_was_signed() {
    let provider = Provider::start(|_| vec![answer(401, &[], "{}"), Act::KeepAlive]).await;
    let (connector, credentials) = (connector(), credentials());
    let resolved = x_at(&provider.root());
    let call = RawCall {
        path: "/2/tweets?q=a%20b",
        parameters: &[("a".to_owned(), "1+1".to_owned())],
        ..RawCall::default()
    };
    let request = build_raw(&resolved, Method::Get, &call).unwrap();
    let sent = connector.send(&resolved, &credentials, &request).await.unwrap();
    let shown = connector
        .shown(
            &resolved,
            &credentials,
            Showing::Call(&request),
            sent.stamp.as_ref(),
        )
        .unwrap()
        .unwrap();
    let steps = shown.signature.unwrap();
    assert_eq!(
        (steps.http_method.as_str(), steps.signature_method),
        ("GET", "HMAC-SHA1")
    );
    assert_eq!(steps.uri, format!("{}/2/tweets", provider.root()));
    let rows: Vec<(&str, &str, &str)> = steps
        .parameters
        .iter()
        .map(|row| (row.name.as_str(), row.value.as_str(), row.from))
        .collect();
    assert_eq!(rows[0], ("a", "1%2B1", "query"));
    assert_eq!(rows[1], ("oauth_consumer_key", CLIENT_KEY, "protocol"));
    assert_eq!(rows[5], ("oauth_token", "MASKED", "protocol"));
    assert_eq!(rows[7], ("q", "a%20b", "query"));
    // Nonce and time are those that went out.
    let received = provider.received();
    let header = received[0].header("authorization").unwrap();
    for row in rows
        .iter()
        .filter(|row| ["oauth_nonce", "oauth_timestamp"].contains(&row.0))
    {
        assert!(header.contains(&format!("{}=\"{}\"", row.0, row.1)), "{header}");
    }
    assert!(steps.base_string.starts_with("GET&http%3A%2F%2F"));
    assert_eq!(steps.key, "client secret & token secret");
    let all = format!("{:?}{:?}", steps.base_string, shown.request);
    assert!(!all.contains("canary"), "{all}");
}

#[tokio::test]
async fn both_requests_of_the_flow_are_shown_and_the_plain_one_before_there_are_keys() {
    let resolved = x_at("http://127.0.0.1:9");
    let (connector, credentials) = (connector(), credentials());
    let start = Showing::TemporaryCredentials { callback: "oob" };
    let shown = connector
        .shown(&resolved, &credentials, start, None)
        .unwrap()
        .unwrap();
    assert_eq!(shown.request.url, "http://127.0.0.1:9/oauth/request_token");
    let steps = shown.signature.unwrap();
    assert!(
        steps
            .normalized
            .contains("oauth_callback=oob&oauth_consumer_key=")
    );
    assert!(steps.key.contains("there is no token yet"), "{}", steps.key);
    let temporary = TemporaryCredentials::new("canary-temporary", "canary-secret");
    let exchange = Showing::TokenCredentials {
        temporary: &temporary,
        verifier: "canary-verifier",
    };
    let shown = connector
        .shown(&resolved, &credentials, exchange, None)
        .unwrap()
        .unwrap();
    let text = format!("{shown:?}");
    assert!(
        text.contains("oauth_verifier=MASKED") && !text.contains("canary"),
        "{text}"
    );
    // Without keys there is nothing to sign with, and without an address nothing to send to.
    let nobody = tailorbird_model::ports::Credentials::default();
    let plain = connector.shown(&resolved, &nobody, start, None).unwrap().unwrap();
    assert_eq!(plain.signature, None);
    let bare = super::fixtures::resolved(&shipped("generic-oauth1"), &[("root_url", "http://127.0.0.1:9")]);
    assert_eq!(connector.shown(&bare, &credentials, start, None).unwrap(), None);
}

#[tokio::test]
async fn a_key_that_may_be_the_secret_is_masked() {
    let resolved = x_at("http://127.0.0.1:9");
    let mut swapped = credentials();
    let client = swapped.client.as_mut().unwrap();
    *client = tailorbird_oauth::ClientCredentials::new("canary-client-secret", CLIENT_KEY);
    let start = Showing::TemporaryCredentials { callback: "oob" };
    let shown = connector()
        .shown(&resolved, &swapped, start, None)
        .unwrap()
        .unwrap();
    let text = format!("{shown:?}");
    assert!(
        text.contains("oauth_consumer_key=MASKED") && !text.contains("canary"),
        "{text}"
    );
}
