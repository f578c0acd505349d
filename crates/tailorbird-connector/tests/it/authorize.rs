//! The three-legged flow.

use jiff::{SignedDuration, Timestamp};
use tailorbird_connector::{Callback, Connector, Loopback, Resolved, STARTED_LIFETIME, TransportSettings};
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::TemporaryCredentials;

use crate::fixtures::{Standing, connector, credentials, resolved, shipped, whole, x_at};
use crate::provider::{Act, Provider, Received, answer};

const NOW: &str = "2026-11-01T12:00:00Z";
const HTML: (&str, &str) = ("Content-Type", "text/html;charset=utf-8");

fn client_only() -> Credentials {
    Credentials {
        token: None,
        ..credentials()
    }
}

fn temporary() -> TemporaryCredentials {
    TemporaryCredentials::new("tmp-1", "canary-temporary-secret")
}

fn later() -> Timestamp {
    NOW.parse::<Timestamp>()
        .unwrap()
        .checked_add(SignedDuration::from_mins(9))
        .unwrap()
}

fn standing() -> Connector {
    Connector::with_clock(TransportSettings::default(), Standing::at(NOW)).unwrap()
}

/// A provider as X is: forms that call themselves HTML.
async fn like_x() -> Provider {
    Provider::start(|request| {
        let path = request.target.split('?').next().unwrap().to_owned();
        let act = match path.as_str() {
            "/oauth/request_token" => answer(
                200,
                &[HTML],
                "oauth_token=tmp%2F1&oauth_token_secret=canary-temporary-secret&oauth_callback_confirmed=true",
            ),
            "/oauth/access_token" => answer(
                200,
                &[HTML, ("x-access-level", "read-write")],
                "oauth_token=42-new&oauth_token_secret=canary-new-secret&user_id=42&screen_name=tailor",
            ),
            _ => answer(404, &[], ""),
        };
        vec![act, Act::KeepAlive]
    })
    .await
}

fn header(request: &Received) -> String {
    request.header("authorization").unwrap().to_owned()
}

#[tokio::test]
async fn the_way_from_start_to_token() {
    let provider = like_x().await;
    let x = x_at(&provider.root());
    let connector = standing();
    let started = connector
        .authorize_start(&x, &client_only(), &Callback::OutOfBand)
        .await
        .unwrap();
    assert_eq!(
        started.authorize_url,
        format!("{}/oauth/authorize?oauth_token=tmp%2F1", provider.root())
    );
    assert_eq!(
        started.expires_at,
        NOW.parse::<Timestamp>()
            .unwrap()
            .checked_add(STARTED_LIFETIME)
            .unwrap()
    );
    let first = header(&provider.received()[0]);
    assert!(
        first.contains("oauth_callback=\"oob\"") && !first.contains("oauth_token="),
        "{first}"
    );

    let done = connector
        .authorize_finish(
            &x,
            &client_only(),
            &started.temporary,
            started.expires_at,
            " 123 4567\n",
        )
        .await
        .unwrap();
    assert_eq!(done.token.token, "42-new");
    assert_eq!(done.account.unwrap().name, "tailor");
    assert_eq!(done.level.as_deref(), Some("read-write"));
    let second = header(&provider.received()[1]);
    assert!(
        second.contains("oauth_verifier=\"1234567\"") && second.contains("oauth_token=\"tmp%2F1\""),
        "{second}"
    );
    assert_eq!(provider.received().len(), 2);
}

#[tokio::test]
async fn the_account_is_asked_for_where_the_answer_does_not_tell_it() {
    let provider = Provider::start(|request| {
        let act = if request.target.starts_with("/oauth") {
            answer(200, &[HTML], "oauth_token=t&oauth_token_secret=s")
        } else {
            answer(
                200,
                &[("x-access-level", "read")],
                r#"{"data":{"id":"7","username":"seven"}}"#,
            )
        };
        vec![act, Act::KeepAlive]
    })
    .await;
    let done = standing()
        .authorize_finish(
            &x_at(&provider.root()),
            &client_only(),
            &temporary(),
            later(),
            "1234567",
        )
        .await
        .unwrap();
    assert_eq!(done.account.unwrap().id, "7");
    assert_eq!(done.level.as_deref(), Some("read"));

    // A failing question does not lose the token.
    let provider = Provider::start(|request| {
        let act = if request.target.starts_with("/oauth") {
            answer(200, &[HTML], "oauth_token=t&oauth_token_secret=s")
        } else {
            answer(503, &[], "")
        };
        vec![act, Act::KeepAlive]
    })
    .await;
    let done = standing()
        .authorize_finish(
            &x_at(&provider.root()),
            &client_only(),
            &temporary(),
            later(),
            "1234567",
        )
        .await
        .unwrap();
    assert_eq!((done.token.token.as_str(), done.account), ("t", None));
    assert!(
        done.notes[0].contains("The token was handed out"),
        "{:?}",
        done.notes
    );
}

async fn start_refused(status: u16, body: &str, callback: &Callback) -> Failure {
    let provider = Provider::saying(status, &[HTML], body).await;
    connector()
        .authorize_start(&x_at(&provider.root()), &client_only(), callback)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_refused_start_says_what_to_do() {
    let url = Callback::loopback();
    let unregistered = r#"<?xml version="1.0"?><errors><error code="415">Callback URL not approved for this client application.</error></errors>"#;
    let failure = start_refused(403, unregistered, &url).await;
    assert_eq!(failure.code, codes::CALLBACK_REFUSED);
    assert!(
        failure.hint.contains("http://127.0.0.1:7082/oauth/callback"),
        "{}",
        failure.hint
    );
    assert_eq!(failure.provider_code.as_deref(), Some("415"));

    let desktop = r#"{"errors":[{"code":417,"message":"Desktop applications only support the oauth_callback value 'oob'"}]}"#;
    let failure = start_refused(401, desktop, &url).await;
    assert_eq!(failure.code, codes::CALLBACK_REFUSED);
    assert!(failure.hint.contains("--callback oob"), "{}", failure.hint);

    let wrong_key = r#"{"errors":[{"code":32,"message":"Could not authenticate you."}]}"#;
    let failure = start_refused(401, wrong_key, &Callback::OutOfBand).await;
    assert_eq!(failure.code, codes::SIGNATURE_REFUSED);
    assert!(
        failure.hint.contains("API Key and API Key Secret"),
        "{}",
        failure.hint
    );

    let clock = r#"{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}"#;
    assert_eq!(
        start_refused(401, clock, &Callback::OutOfBand).await.code,
        codes::CLOCK_OFF
    );
    assert_eq!(
        start_refused(200, "<html><body>Sign in</body></html>", &url)
            .await
            .code,
        codes::ANSWER_UNREADABLE
    );
    assert_eq!(
        start_refused(200, "oauth_token=a&oauth_token_secret=b", &url)
            .await
            .code,
        codes::ANSWER_UNREADABLE
    );
    assert_eq!(
        start_refused(200, "oauth_token=a", &url).await.code,
        codes::ANSWER_UNREADABLE
    );
    let down = start_refused(503, "", &url).await;
    assert_eq!(
        (down.code.as_str(), down.meaning),
        (codes::PROVIDER_FAILED, Meaning::RetryLater)
    );
}

#[tokio::test]
async fn a_lost_answer_is_no_doubt_here() {
    let provider = Provider::start(|_| vec![]).await;
    let x = x_at(&provider.root());
    let failure = connector()
        .authorize_start(&x, &client_only(), &Callback::OutOfBand)
        .await
        .unwrap_err();
    assert_eq!(failure.meaning, Meaning::RetryLater);
    let failure = standing()
        .authorize_finish(&x, &client_only(), &temporary(), later(), "1")
        .await
        .unwrap_err();
    assert_eq!(failure.meaning, Meaning::RetryLater);
    assert!(
        failure.hint.contains("Start the authorization again"),
        "{}",
        failure.hint
    );
}

async fn finish_refused(status: u16, body: &str) -> Failure {
    let provider = Provider::saying(status, &[HTML], body).await;
    standing()
        .authorize_finish(
            &x_at(&provider.root()),
            &client_only(),
            &temporary(),
            later(),
            "1234567",
        )
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_refused_code_says_what_to_do() {
    let wrong = finish_refused(
        401,
        "Error processing your OAuth request: Invalid oauth_verifier parameter",
    )
    .await;
    assert_eq!(wrong.code, codes::VERIFIER_REFUSED);
    assert!(
        wrong.hint.contains("tailorbird connection authorize c"),
        "{}",
        wrong.hint
    );
    for words in [
        "Reverse auth credentials are invalid",
        "Invalid / expired Token",
        "Invalid request token.",
    ] {
        assert_eq!(
            finish_refused(401, words).await.code,
            codes::AUTHORIZATION_EXPIRED,
            "{words}"
        );
    }
    assert_eq!(finish_refused(401, "").await.code, codes::VERIFIER_REFUSED);
    assert_eq!(
        finish_refused(200, "<html><body>Hi</body></html>").await.code,
        codes::ANSWER_UNREADABLE
    );
}

#[tokio::test]
async fn what_is_known_to_fail_is_not_sent() {
    let provider = like_x().await;
    let x = x_at(&provider.root());
    let finish = async |expires_at: Timestamp, typed: &str| {
        standing()
            .authorize_finish(&x, &client_only(), &temporary(), expires_at, typed)
            .await
            .unwrap_err()
    };
    let past: Timestamp = "2026-11-01T11:59:59Z".parse().unwrap();
    assert_eq!(finish(past, "1234567").await.code, codes::AUTHORIZATION_EXPIRED);
    assert_eq!(finish(later(), "  ").await.code, codes::VERIFIER_REFUSED);
    assert_eq!(
        finish(later(), "http://127.0.0.1:7082/oauth/callback?denied=tmp-1")
            .await
            .code,
        codes::CONSENT_DENIED
    );
    assert_eq!(
        finish(
            later(),
            "http://127.0.0.1:7082/oauth/callback?oauth_token=other&oauth_verifier=v"
        )
        .await
        .code,
        codes::AUTHORIZATION_EXPIRED
    );
    assert!(provider.received().is_empty());

    // The tutorial's mistake in a service file is found before the first request.
    let mut service = shipped("x");
    service.authentication.oauth1.as_mut().unwrap().authorization_url =
        Some("https://api.x.com/oauth/access_token".to_owned());
    let wrong = try_resolved(&service, &provider.root());
    let failure = connector()
        .authorize_start(&wrong, &client_only(), &Callback::OutOfBand)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::AUTHORIZE_URL_WRONG);
    assert!(provider.received().is_empty());

    let bare = resolved(&shipped("generic-oauth1"), &[("root_url", &provider.root())]);
    let failure = connector()
        .authorize_start(&bare, &client_only(), &Callback::OutOfBand)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::CONNECTION_INCOMPLETE);
    assert!(
        failure.detail.contains("temporary_credentials_url"),
        "{}",
        failure.detail
    );
}

/// Resolves without the check of settings finding the file's own mistake.
fn try_resolved(service: &tailorbird_model::service::Service, root: &str) -> Resolved {
    let mut fixed = service.clone();
    fixed.authentication.oauth1.as_mut().unwrap().authorization_url = None;
    let mut here = resolved(&fixed, &[("root_url", root)]);
    if let tailorbird_connector::Scheme::OAuth1(settings) = &mut here.scheme {
        settings.authorization_url = Some(format!("{root}/oauth/access_token").parse().unwrap());
    }
    here
}

#[tokio::test]
async fn no_failure_and_no_debug_shows_a_secret() {
    let provider = Provider::saying(401, &[HTML], "oauth_token=canary&oauth_token_secret=canary").await;
    let failure = connector()
        .authorize_start(&x_at(&provider.root()), &client_only(), &Callback::OutOfBand)
        .await
        .unwrap_err();
    assert!(!whole(&failure).contains("canary"), "{failure:?}");
    let provider = like_x().await;
    let started = connector()
        .authorize_start(&x_at(&provider.root()), &client_only(), &Callback::OutOfBand)
        .await
        .unwrap();
    assert!(!format!("{started:?}").contains("canary"));
}

async fn visit(port: u16, host: &str, target: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn the_callback_listener_takes_its_own_redirect_only() {
    let connection = "c".parse().unwrap();
    let loopback = Loopback::bind_at(([127, 0, 0, 1], 0).into()).await.unwrap();
    let callback = loopback.callback();
    let port: u16 = callback.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let waiting = tokio::spawn(async move {
        loopback
            .wait(&connection, "tmp-1", NOW.parse().unwrap(), later())
            .await
    });
    let host = format!("127.0.0.1:{port}");
    for (host, target, status) in [
        (host.as_str(), "/favicon.ico", "404"),
        (
            host.as_str(),
            "/oauth/callback?oauth_token=other&oauth_verifier=v",
            "400",
        ),
        (host.as_str(), "/oauth/callback?oauth_token=tmp-1", "400"),
        (
            "rebound.example",
            "/oauth/callback?oauth_token=tmp-1&oauth_verifier=v",
            "400",
        ),
    ] {
        assert!(
            visit(port, host, target)
                .await
                .starts_with(&format!("HTTP/1.1 {status}")),
            "{target}"
        );
    }
    let page = visit(
        port,
        &host,
        "/oauth/callback?oauth_token=tmp-1&oauth_verifier=v%2B1",
    )
    .await;
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("Approved"),
        "{page}"
    );
    assert_eq!(waiting.await.unwrap().unwrap(), "v+1");
}

#[tokio::test]
async fn the_callback_listener_hears_a_refusal_and_ends_in_time() {
    let connection: tailorbird_model::Name = "c".parse().unwrap();
    let loopback = Loopback::bind_at(([127, 0, 0, 1], 0).into()).await.unwrap();
    let port: u16 = loopback
        .callback()
        .split([':', '/'])
        .nth(4)
        .unwrap()
        .parse()
        .unwrap();
    let name = connection.clone();
    let waiting =
        tokio::spawn(async move { loopback.wait(&name, "tmp-1", NOW.parse().unwrap(), later()).await });
    visit(port, &format!("localhost:{port}"), "/oauth/callback?denied=tmp-1").await;
    assert_eq!(waiting.await.unwrap().unwrap_err().code, codes::CONSENT_DENIED);

    let loopback = Loopback::bind_at(([127, 0, 0, 1], 0).into()).await.unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let failure = loopback
        .wait(
            &connection,
            "tmp-1",
            now,
            now.checked_add(SignedDuration::from_millis(50)).unwrap(),
        )
        .await;
    assert_eq!(failure.unwrap_err().code, codes::AUTHORIZATION_EXPIRED);
    assert!(Loopback::bind_at(([0, 0, 0, 0], 0).into()).await.is_err());
}

#[tokio::test]
async fn stray_requests_do_not_end_the_wait_and_a_flood_has_words_of_its_own() {
    let connection: tailorbird_model::Name = "c".parse().unwrap();
    let listen = async || {
        let loopback = Loopback::bind_at(([127, 0, 0, 1], 0).into()).await.unwrap();
        let port: u16 = loopback
            .callback()
            .split([':', '/'])
            .nth(4)
            .unwrap()
            .parse()
            .unwrap();
        let name = connection.clone();
        let waiting =
            tokio::spawn(async move { loopback.wait(&name, "tmp-1", NOW.parse().unwrap(), later()).await });
        (port, waiting)
    };
    let (port, waiting) = listen().await;
    let host = format!("127.0.0.1:{port}");
    for _ in 0..300 {
        visit(port, &host, "/favicon.ico").await;
    }
    visit(port, &host, "/oauth/callback?oauth_token=tmp-1&oauth_verifier=v").await;
    assert_eq!(waiting.await.unwrap().unwrap(), "v");

    let (port, waiting) = listen().await;
    while !waiting.is_finished() {
        // The last one may find nobody.
        drop(tokio::net::TcpStream::connect(("127.0.0.1", port)).await);
    }
    let failure = waiting.await.unwrap().unwrap_err();
    assert_eq!(failure.code, codes::CALLBACK_REFUSED);
    assert!(failure.message.contains("10000 requests"), "{failure}");
}
