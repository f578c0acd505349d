//! What left, what may have left, and what was never sent.

use std::io::Write as _;
use std::time::Duration;

use tailorbird_connector::{Connector, RawCall, TransportSettings, build, build_raw, judge, record};
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, codes};

use crate::fixtures::{arguments, connector, credentials, post, quick, resolved, shipped, x_at};
use crate::provider::{Act, Provider, answer};

/// Sends a post and gives the failure of sending it.
async fn post_failure(provider: &Provider) -> Failure {
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let connector = Connector::new(quick()).unwrap();
    match connector.send(&x, &credentials(), &request).await {
        Err(failure) => failure,
        Ok(answer) => judge(&x, &request, &answer).unwrap_err(),
    }
}

/// Sends a reading request and gives the failure of sending it.
async fn get_failure(provider: &Provider) -> Failure {
    let x = x_at(&provider.root());
    let connector = Connector::new(quick()).unwrap();
    connector
        .call(&x, &credentials(), "get_me", &arguments(&[]))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let x = x_at(&format!("http://{gone}"));
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let failure = Connector::new(quick())
        .unwrap()
        .send(&x, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::PROVIDER_UNREACHABLE, Meaning::NotSent)
    );
    assert!(
        failure.detail.starts_with("Nothing was sent."),
        "{}",
        failure.detail
    );
}

#[tokio::test]
async fn a_name_that_is_not_found_is_not_sent() {
    let x = x_at("http://no-such-host.invalid:7081");
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let failure = Connector::new(quick())
        .unwrap()
        .send(&x, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::PROVIDER_UNREACHABLE, Meaning::NotSent),
        "{failure:?}"
    );
    assert!(failure.message.contains("its name was not found"), "{failure}");
}

#[tokio::test]
async fn tls_with_a_provider_that_has_none_is_not_sent() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0_u8; 4096];
        let _hello = stream.read(&mut hello).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    let x = x_at(&format!("https://{address}"));
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let failure = Connector::new(quick())
        .unwrap()
        .send(&x, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::PROVIDER_UNREACHABLE, Meaning::NotSent),
        "{failure:?}"
    );
    assert!(failure.message.contains("no secure connection"), "{failure:?}");
}

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_not_sent() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let held = tokio::spawn(async move { listener.accept().await.map(|(stream, _)| stream) });
    let x = x_at(&format!("https://{address}"));
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let failure = Connector::new(quick())
        .unwrap()
        .send(&x, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::PROVIDER_UNREACHABLE, Meaning::NotSent),
        "{failure:?}"
    );
    drop(held);
}

#[tokio::test]
async fn whatever_happens_after_the_request_left_is_doubt_for_a_write() {
    type Script = fn() -> Vec<Act>;
    let cases: [(&str, Script); 6] = [
        ("closed without an answer", || vec![]),
        ("reset without an answer", || vec![Act::Reset]),
        ("no answer in time", || vec![Act::Sleep(Duration::from_secs(5))]),
        ("cut inside the head", || {
            vec![Act::Write(b"HTTP/1.1 201 Crea".to_vec())]
        }),
        ("an unreadable head", || {
            vec![Act::Write(b"SMTP ready\r\n\r\n".to_vec())]
        }),
        ("an interim answer and no final one", || {
            vec![Act::Write(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())]
        }),
    ];
    for (name, script) in cases {
        let provider = Provider::start(move |_| script()).await;
        let failure = post_failure(&provider).await;
        assert_eq!(
            (failure.code.as_str(), failure.meaning),
            (codes::IN_DOUBT, Meaning::InDoubt),
            "{name}: {failure:?}"
        );
        assert_eq!(
            provider.received().len(),
            1,
            "{name}: sent once, whatever happened"
        );
        // The same for a read does no harm and is tried again.
        let provider = Provider::start(move |_| script()).await;
        let failure = get_failure(&provider).await;
        assert_eq!(failure.meaning, Meaning::RetryLater, "{name}: {failure:?}");
        assert!(failure.retry_at.is_some());
    }
}

#[tokio::test]
async fn a_slow_drip_is_ended_by_the_total_time() {
    let provider = Provider::start(|_| {
        let mut acts = vec![Act::Write(b"HTTP/1.1 201 Created\r\n".to_vec())];
        for _ in 0..40 {
            acts.push(Act::Write(b"X-Wait: 1\r\n".to_vec()));
            acts.push(Act::Sleep(Duration::from_millis(100)));
        }
        acts
    })
    .await;
    assert_eq!(post_failure(&provider).await.meaning, Meaning::InDoubt);
}

#[tokio::test]
async fn a_cut_body_after_success_is_delivered_without_its_id() {
    let provider = Provider::start(|_| {
        vec![Act::Write(
            b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"data\":{\"id\"".to_vec(),
        )]
    })
    .await;
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let answer = connector().send(&x, &credentials(), &request).await.unwrap();
    assert!(answer.cut.is_some());
    judge(&x, &request, &answer).unwrap();
    assert_eq!(record(&x, &request, &answer).unwrap_err().code, codes::ANSWER_ODD);
}

#[tokio::test]
async fn a_definite_refusal_with_a_cut_body_stays_definite() {
    let provider = Provider::start(|_| {
        vec![Act::Write(
            b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nno".to_vec(),
        )]
    })
    .await;
    assert_eq!(post_failure(&provider).await.meaning, Meaning::Rejected);
    let provider = Provider::start(|_| {
        vec![Act::Write(
            b"HTTP/1.1 503 Down\r\nContent-Length: 100\r\n\r\nno".to_vec(),
        )]
    })
    .await;
    assert_eq!(post_failure(&provider).await.meaning, Meaning::InDoubt);
}

#[tokio::test]
async fn a_huge_answer_and_a_gzip_bomb_are_cut_at_the_limit() {
    let settings = TransportSettings {
        max_answer_bytes: 100_000,
        ..TransportSettings::default()
    };
    let big = "x".repeat(200_000);
    let plain = Provider::saying(200, &[], &format!("{{\"data\":\"{big}\"}}")).await;
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..1_000 {
            encoder.write_all(&vec![b' '; 100_000]).unwrap();
        }
        encoder.finish().unwrap()
    };
    assert!(
        bomb.len() < 200_000,
        "a hundred megabytes in {} bytes",
        bomb.len()
    );
    let zipped = Provider::start(move |_| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            bomb.len()
        );
        vec![Act::Write(head.into_bytes()), Act::Write(bomb.clone())]
    })
    .await;
    for provider in [plain, zipped] {
        let x = x_at(&provider.root());
        let request = build(&x, "get_me", &arguments(&[])).unwrap();
        let answer = Connector::new(settings.clone())
            .unwrap()
            .send(&x, &credentials(), &request)
            .await
            .unwrap();
        assert!(
            answer
                .cut
                .as_deref()
                .unwrap()
                .contains("larger than 100000 bytes"),
            "{:?}",
            answer.cut
        );
        assert!(answer.body.len() <= 100_000);
        assert_eq!(record(&x, &request, &answer).unwrap_err().code, codes::ANSWER_ODD);
    }
}

#[tokio::test]
async fn gzip_is_read() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all(br#"{"data":{"id":"1","username":"me"}}"#)
        .unwrap();
    let body = encoder.finish().unwrap();
    let provider = Provider::start(move |_| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        vec![Act::Write(head.into_bytes()), Act::Write(body.clone())]
    })
    .await;
    let tested = connector()
        .test(&x_at(&provider.root()), &credentials())
        .await
        .unwrap();
    assert_eq!(tested.account.unwrap().name, "me");
}

#[tokio::test]
async fn a_write_is_never_redirected() {
    for status in [301, 302, 303, 307, 308] {
        let provider = Provider::saying(status, &[("Location", "/2/tweets/")], "").await;
        let failure = post_failure(&provider).await;
        assert_eq!(
            (failure.code.as_str(), failure.meaning),
            (codes::REDIRECTED, Meaning::Rejected)
        );
        assert_eq!(provider.received().len(), 1);
    }
}

#[tokio::test]
async fn a_read_follows_on_its_own_origin_only_and_signs_anew() {
    let elsewhere = Provider::saying(200, &[], r#"{"data":{"id":"1","username":"thief"}}"#).await;
    let target = format!("{}/2/users/me", elsewhere.root());
    let provider = Provider::saying(302, &[("Location", &target)], "").await;
    assert_eq!(get_failure(&provider).await.code, codes::REDIRECTED);
    assert!(
        elsewhere.received().is_empty(),
        "no credential follows to another origin"
    );

    let provider = Provider::start(|request| {
        let act = if request.target.starts_with("/moved") {
            answer(200, &[], r#"{"data":{"id":"1","username":"me"}}"#)
        } else {
            answer(307, &[("Location", "/moved?x=1#top")], "")
        };
        vec![act, Act::KeepAlive]
    })
    .await;
    let tested = connector()
        .test(&x_at(&provider.root()), &credentials())
        .await
        .unwrap();
    assert_eq!(tested.account.unwrap().name, "me");
    let received = provider.received();
    assert_eq!(received[1].target, "/moved?x=1");
    assert_ne!(
        received[0].header("authorization"),
        received[1].header("authorization")
    );

    let circle = Provider::saying(302, &[("Location", "/2/users/me")], "").await;
    assert_eq!(get_failure(&circle).await.code, codes::REDIRECTED);
    assert_eq!(circle.received().len(), 4, "the first and three redirects");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_used_for_no_second_write() {
    // The provider answers, keeps the connection, and closes it before the next request.
    let provider = Provider::start(|_| vec![answer(201, &[], r#"{"data":{"id":"1","text":"a"}}"#)]).await;
    let x = x_at(&provider.root());
    let connector = Connector::new(quick()).unwrap();
    for number in 0..20 {
        let request = build(&x, "create_post", &post(&format!("Post {number}"))).unwrap();
        let answer = connector.send(&x, &credentials(), &request).await.unwrap();
        assert_eq!(answer.status, 201);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut texts: Vec<String> = provider
        .received()
        .iter()
        .map(crate::provider::Received::text)
        .collect();
    assert_eq!(texts.len(), 20);
    texts.dedup();
    assert_eq!(texts.len(), 20, "each exactly once");
}

#[tokio::test]
async fn a_reset_of_a_kept_connection_is_doubt_and_is_not_sent_again() {
    // The second request on a connection is read, then the connection is reset: it may have been done.
    let provider = Provider::start(|request| {
        if request.text().contains("second") {
            vec![Act::Reset]
        } else {
            vec![
                answer(201, &[], r#"{"data":{"id":"1","text":"a"}}"#),
                Act::KeepAlive,
            ]
        }
    })
    .await;
    let x = x_at(&provider.root());
    let connector = Connector::new(quick()).unwrap();
    let first = build(&x, "create_post", &post("first")).unwrap();
    let second = build(&x, "create_post", &post("second")).unwrap();
    connector.send(&x, &credentials(), &first).await.unwrap();
    let failure = connector.send(&x, &credentials(), &second).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::InDoubt, "{failure:?}");
    let received = provider.received();
    assert_eq!(
        received.len(),
        2,
        "the client library must not send it again on a new connection"
    );
    assert_eq!(received[1].connection, 0, "it was the kept connection");
}

#[tokio::test]
async fn private_places_are_reached_only_by_the_connections_own_setting() {
    let provider = Provider::saying(200, &[], "{}").await;
    // The service file itself points to loopback; the connection does not say so.
    let yaml = format!(
        "service: inside\ntitle: Inside\nroot_url: {root}\noperations:\n  read: {{ method: GET, path: /a }}\n",
        root = provider.root()
    );
    let service = crate::fixtures::service(&yaml);
    let sneaky = resolved(&service, &[]);
    let request = build(&sneaky, "read", &arguments(&[])).unwrap();
    let failure = connector()
        .send(&sneaky, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::ADDRESS_REFUSED, Meaning::ConnectionFault)
    );
    assert!(failure.message.contains("a loopback address"), "{failure}");
    assert!(provider.received().is_empty());

    let named = resolved(&service, &[("root_url", &provider.root())]);
    connector().send(&named, &credentials(), &request).await.unwrap();
    // By name the check happens at the look-up.
    let by_name = format!("http://localhost:{}", provider.address.port());
    let yaml = yaml.replace(&provider.root(), &by_name);
    let sneaky = resolved(&crate::fixtures::service(&yaml), &[]);
    let request = build(&sneaky, "read", &arguments(&[])).unwrap();
    let failure = connector()
        .send(&sneaky, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::ADDRESS_REFUSED, "{failure:?}");
    assert_eq!(provider.received().len(), 1);
}

#[tokio::test]
async fn metadata_and_own_addresses_are_never_reached() {
    for root in [
        "http://169.254.169.254",
        "http://[fe80::1]",
        "http://0.0.0.0:80",
        "http://2852039166/",
    ] {
        let x = x_at(root);
        let request = build(&x, "get_me", &arguments(&[])).unwrap();
        let failure = connector().send(&x, &credentials(), &request).await.unwrap_err();
        assert_eq!(failure.code, codes::ADDRESS_REFUSED, "{root}: {failure:?}");
    }
    let provider = Provider::saying(200, &[], "{}").await;
    let settings = TransportSettings {
        own_listeners: vec![provider.address],
        ..TransportSettings::default()
    };
    for root in [
        provider.root(),
        format!("http://localhost:{}", provider.address.port()),
    ] {
        let x = x_at(&root);
        let request = build(&x, "get_me", &arguments(&[])).unwrap();
        let failure = Connector::new(settings.clone())
            .unwrap()
            .send(&x, &credentials(), &request)
            .await
            .unwrap_err();
        assert!(failure.message.contains("this program itself"), "{failure}");
    }
    assert!(provider.received().is_empty());
}

#[tokio::test]
async fn a_stored_request_for_another_place_is_not_signed() {
    let request = build(&resolved(&shipped("x"), &[]), "create_post", &post("Hello")).unwrap();
    assert!(request.url.starts_with("https://api.x.com/"));
    let sandbox = x_at("http://127.0.0.1:1");
    // A preview signs and sends nothing, so that no other guard stands before this one.
    let failure = connector()
        .preview(&sandbox, &credentials(), &request)
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::ADDRESS_REFUSED, Meaning::ConnectionFault)
    );
    assert!(
        failure
            .detail
            .contains("Credentials go only to http://127.0.0.1:1"),
        "{}",
        failure.detail
    );
    let failure = connector()
        .send(&sandbox, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::ADDRESS_REFUSED);
}

#[tokio::test]
async fn environment_proxies_are_not_asked() {
    // Whatever the machine's environment says, the request arrives at the provider itself, in origin form.
    let provider = Provider::saying(200, &[], "{}").await;
    let x = x_at(&provider.root());
    let request = build_raw(
        &x,
        Method::Get,
        &RawCall {
            path: "/plain",
            ..RawCall::default()
        },
    )
    .unwrap();
    connector().send(&x, &credentials(), &request).await.unwrap();
    assert_eq!(provider.received()[0].target, "/plain");
}
