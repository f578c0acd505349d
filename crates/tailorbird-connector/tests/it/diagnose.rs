//! The cause behind "401".

use tailorbird_connector::{Connector, Diagnosed, Known, TransportSettings};
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{
    ClientCredentials, ClientSecret, IncomingRequest, Presented, Strictness, TokenCredentials, TokenSecret,
    Verdict, VerificationKey,
};

use crate::fixtures::{
    CLIENT_KEY, CLIENT_SECRET, Standing, TOKEN, TOKEN_SECRET, connector, credentials, x_at,
};
use crate::provider::{Act, Provider, Received, answer};

const BARE: &str = r#"{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}"#;

/// A provider that checks signatures and, as X v2 does, gives no reason.
async fn silent(date: Option<&'static str>) -> Provider {
    Provider::start(move |request| {
        let headers: Vec<(&str, &str)> = date.map(|date| ("Date", date)).into_iter().collect();
        let act = if !signed(request) {
            answer(401, &headers, BARE)
        } else if request.target.starts_with("/oauth/request_token") {
            answer(
                200,
                &headers,
                "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=true",
            )
        } else {
            answer(200, &headers, r#"{"data":{"id":"42","username":"tailor"}}"#)
        };
        vec![act, Act::KeepAlive]
    })
    .await
}

fn signed(request: &Received) -> bool {
    let incoming = IncomingRequest {
        method: &request.method,
        scheme: "http",
        host: request.header("host").unwrap(),
        path_and_query: &request.target,
        authorization: request.header("authorization"),
        content_type: request.header("content-type"),
        body: &request.body,
    };
    let presented = Presented::read(&incoming, Strictness::Strict).unwrap();
    let client_secret = ClientSecret::new(CLIENT_SECRET);
    let token_secret = TokenSecret::new(TOKEN_SECRET);
    let token_secret = match presented.token() {
        None => None,
        Some(TOKEN) => Some(&token_secret),
        Some(_) => return false,
    };
    presented.consumer_key() == Some(CLIENT_KEY)
        && matches!(
            presented.verify(VerificationKey::Secrets {
                client_secret: &client_secret,
                token_secret
            }),
            Verdict::Accepted
        )
}

fn with(key: &str, secret: &str, token: &str, token_secret: &str) -> Credentials {
    Credentials {
        client: Some(ClientCredentials::new(key, secret)),
        token: Some(TokenCredentials::new(token, token_secret)),
        rsa_private_key: None,
        ..Credentials::default()
    }
}

async fn diagnosed(credentials: &Credentials, known: &Known<'_>) -> Diagnosed {
    let provider = silent(None).await;
    let found = connector()
        .diagnose(&x_at(&provider.root()), credentials, known)
        .await;
    let shown = format!("{found:?}");
    assert!(!shown.contains("canary"), "{shown}");
    for request in provider.received() {
        let safe = request.method == "GET" || request.target.starts_with("/oauth/request_token");
        assert!(
            safe,
            "a diagnosis changes nothing: {} {}",
            request.method, request.target
        );
    }
    found
}

async fn first(credentials: &Credentials) -> String {
    let found = diagnosed(credentials, &Known::default()).await;
    assert!(!found.works);
    let finding = &found.findings[0];
    assert!(
        finding.certain && !finding.proof.is_empty() && !finding.next_step.is_empty(),
        "{finding:?}"
    );
    finding.cause.clone()
}

#[tokio::test]
async fn what_works_is_said_to_work() {
    let found = diagnosed(&credentials(), &Known::default()).await;
    assert!(
        found.works && found.findings.iter().all(|finding| !finding.certain),
        "{found:?}"
    );
}

#[tokio::test]
async fn the_cause_is_named() {
    assert_eq!(
        first(&with(CLIENT_SECRET, CLIENT_KEY, TOKEN, TOKEN_SECRET)).await,
        "API Key and API Key Secret are swapped."
    );
    assert_eq!(
        first(&with(
            CLIENT_KEY,
            &format!("{CLIENT_SECRET}\n"),
            TOKEN,
            TOKEN_SECRET
        ))
        .await,
        "API Key or API Key Secret has white space around it."
    );
    assert_eq!(
        first(&with(CLIENT_KEY, "wrong-secret-altogether", TOKEN, TOKEN_SECRET)).await,
        "The provider refuses API Key with API Key Secret."
    );
    assert_eq!(
        first(&with(CLIENT_KEY, CLIENT_SECRET, TOKEN_SECRET, TOKEN)).await,
        "Token and token secret are swapped."
    );
    assert_eq!(
        first(&with(
            CLIENT_KEY,
            CLIENT_SECRET,
            TOKEN,
            &format!(" {TOKEN_SECRET}")
        ))
        .await,
        "Token or token secret has white space around it."
    );
    assert_eq!(
        first(&with(CLIENT_KEY, CLIENT_SECRET, "7-other", "other-secret")).await,
        "The application's credentials are right; the token or its secret is not."
    );
}

#[tokio::test]
async fn the_request_tokens_secret_is_recognised() {
    let temporary = TokenSecret::new("temporary-one");
    let known = Known {
        temporary_secret: Some(&temporary),
        ..Known::default()
    };
    let found = diagnosed(&with(CLIENT_KEY, CLIENT_SECRET, TOKEN, "temporary-one"), &known).await;
    assert_eq!(
        found.findings[0].cause,
        "The token is kept with the secret of the request token."
    );
}

#[tokio::test]
async fn a_wrong_clock_is_found() {
    // The signature itself is wrong as well, so that the correction alone does not cure it.
    let provider = silent(Some("Sun, 01 Nov 2026 12:06:52 GMT")).await;
    let connector =
        Connector::with_clock(TransportSettings::default(), Standing::at("2026-11-01T12:00:00Z")).unwrap();
    let found = connector
        .diagnose(
            &x_at(&provider.root()),
            &with(CLIENT_KEY, "wrong", TOKEN, "wrong"),
            &Known::default(),
        )
        .await;
    let clock = found
        .findings
        .iter()
        .find(|finding| finding.code == codes::CLOCK_OFF)
        .unwrap();
    assert_eq!(
        clock.cause,
        "The clock of this machine is 412 seconds behind the provider's."
    );
}

#[tokio::test]
async fn a_token_older_than_its_level_is_found() {
    let provider = Provider::saying(
        200,
        &[("x-access-level", "read")],
        r#"{"data":{"id":"42","username":"tailor"}}"#,
    )
    .await;
    let refusal = Failure::new(
        codes::LEVEL_TOO_LOW,
        Meaning::ConnectionFault,
        "provider refused create_post",
    );
    let known = Known {
        refusal: Some(&refusal),
        needs_level: Some("read-write"),
        ..Known::default()
    };
    let found = connector()
        .diagnose(&x_at(&provider.root()), &credentials(), &known)
        .await;
    let level = &found.findings[0];
    assert_eq!(level.code, codes::LEVEL_TOO_LOW);
    assert!(
        level.cause.contains("Read only (read)") && level.cause.contains("Read and write (read-write)"),
        "{}",
        level.cause
    );
    assert!(level.next_step.contains("connection authorize c"));
    // Without a refusal it is a remark: the connection works, and some operations are out of reach.
    let found = connector()
        .diagnose(&x_at(&provider.root()), &credentials(), &Known::default())
        .await;
    assert!(found.works && !found.findings[0].certain, "{found:?}");
    let cause = &found.findings[0].cause;
    assert!(
        cause.contains("Read only (read); ") && cause.contains(" operations such as "),
        "{cause}"
    );
    // A level that is enough is no cause, whatever it is called.
    let greatest = [("x-access-level", "read-write-directmessages")];
    let great = Provider::saying(200, &greatest, r#"{"data":{"id":"42","username":"tailor"}}"#).await;
    let found = connector()
        .diagnose(&x_at(&great.root()), &credentials(), &known)
        .await;
    assert!(
        found
            .findings
            .iter()
            .all(|finding| !finding.cause.contains("access level")),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_not_there_and_a_plan_that_does_not_fit_are_told_apart() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let found = connector()
        .diagnose(
            &x_at(&format!("http://{gone}")),
            &credentials(),
            &Known::default(),
        )
        .await;
    assert_eq!(found.findings[0].code, codes::PROVIDER_UNREACHABLE);
    let closed = Provider::saying(
        403,
        &[],
        r#"{"errors":[{"code":453,"message":"You currently have access to a subset"}]}"#,
    )
    .await;
    let found = connector()
        .diagnose(&x_at(&closed.root()), &credentials(), &Known::default())
        .await;
    assert_eq!(found.findings[0].code, codes::PLAN_REFUSED);
}

#[tokio::test]
async fn an_incomplete_connection_is_no_riddle() {
    let found = diagnosed(&Credentials::default(), &Known::default()).await;
    assert_eq!(found.findings[0].code, codes::CONNECTION_INCOMPLETE);
    assert!(found.tried.is_empty());
}
