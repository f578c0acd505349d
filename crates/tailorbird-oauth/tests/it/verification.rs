//! The server's side: what is refused with which facts, and what a lenient provider lets pass.

use tailorbird_oauth::{
    ClientSecret, IncomingRequest, NonceMemory, Note, Placement, Presented, ProtocolParameters, ReadError,
    Rejection, RequestToSign, RsaVerifyingKey, SignatureMethod, Strictness, TimeWindow, Timestamp,
    TokenSecret, Verdict, VerificationKey, parse_authorization,
};

use crate::case::{CLIENT_SECRET, FORM, Received, TOKEN_SECRET, hmac_key, parameters, send};

/// Verifies with the usual secrets.
pub(crate) fn verify(received: &Received, strictness: Strictness) -> Verdict {
    let client_secret = ClientSecret::new(CLIENT_SECRET);
    let token_secret = TokenSecret::new(TOKEN_SECRET);
    received
        .read(strictness)
        .unwrap()
        .verify(VerificationKey::Secrets {
            client_secret: &client_secret,
            token_secret: Some(&token_secret),
        })
}

const METHOD: SignatureMethod = SignatureMethod::HmacSha1;
const GET: RequestToSign<'_> = RequestToSign {
    method: "GET",
    url: "https://api.example.com:8443/r?a=1",
    form_body: None,
};

fn received() -> Received {
    send(&GET, &parameters(METHOD), &hmac_key(METHOD), Placement::Header)
}

fn without(name: &str) -> ProtocolParameters<'static> {
    let parameters = parameters(METHOD);
    let pairs = parameters
        .pairs()
        .iter()
        .filter(|(given, _)| given != name)
        .cloned();
    ProtocolParameters::from_pairs(pairs.collect::<Vec<_>>())
}

fn rejection(received: &Received, strictness: Strictness) -> Rejection {
    verify(received, strictness).into_result().unwrap_err()
}

#[test]
fn a_right_request_shows_what_it_carries() {
    let presented = received().read(Strictness::Strict).unwrap();
    assert_eq!(presented.consumer_key(), Some("client-key"));
    assert_eq!(presented.token(), Some("token"));
    assert_eq!(presented.timestamp().unwrap().seconds(), 1_318_622_958);
    assert_eq!(
        presented.nonce(),
        Some("kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg")
    );
    assert_eq!(presented.signature_method(), Some(METHOD));
    assert_eq!(presented.version(), Some("1.0"));
    assert_eq!(presented.callback(), None);
    assert_eq!(presented.verifier(), None);
    assert_eq!(presented.body_hash(), None);
    assert_eq!(presented.realm(), None);
    assert_eq!(presented.http_method(), "GET");
    assert_eq!(presented.url(), "https://api.example.com:8443/r");
    assert_eq!(presented.place_of("oauth_token"), Some(Placement::Header));
    assert_eq!(presented.place_of("a"), Some(Placement::Query));
    assert!(presented.rejections().is_empty());
    assert!(presented.notes().is_empty());
    assert!(verify(&received(), Strictness::Strict).is_accepted());
}

#[test]
fn each_demanded_parameter_is_missed_by_name() {
    for name in ["oauth_consumer_key", "oauth_timestamp", "oauth_nonce"] {
        let received = send(&GET, &without(name), &hmac_key(METHOD), Placement::Header);
        let Rejection::MissingParameter { name: missed } = rejection(&received, Strictness::Strict) else {
            panic!("{name}")
        };
        assert_eq!(missed, name);
    }
    let mut unsigned = received();
    let header = unsigned.authorization.take().unwrap();
    unsigned.authorization = Some(header.split_once(", oauth_signature=").unwrap().0.to_owned());
    assert_eq!(
        rejection(&unsigned, Strictness::Lenient),
        Rejection::MissingParameter {
            name: "oauth_signature"
        }
    );
}

#[test]
fn a_request_refused_for_its_form_still_has_its_base_string() {
    let received = send(
        &GET,
        &without("oauth_nonce"),
        &hmac_key(METHOD),
        Placement::Header,
    );
    let presented = received.read(Strictness::Strict).unwrap();
    assert!(
        presented
            .base_string()
            .starts_with("GET&https%3A%2F%2Fapi.example.com%3A8443%2Fr&a%3D1%26oauth_")
    );
}

#[test]
fn another_host_scheme_or_port_changes_the_base_string() {
    for url in [
        "http://api.example.com:8443/r?a=1",
        "https://api.example.com/r?a=1",
        "https://x.com:8443/r?a=1",
    ] {
        let mut moved = received();
        moved.url = url.to_owned();
        assert_eq!(
            rejection(&moved, Strictness::Strict),
            Rejection::SignatureDiffers { method: METHOD },
            "{url}"
        );
    }
}

#[test]
fn an_unknown_method_names_the_valid_ones() {
    let mut received = received();
    received.authorization = received
        .authorization
        .map(|header| header.replace("HMAC-SHA1", "HMAC-MD5"));
    let rejection = rejection(&received, Strictness::Lenient);
    assert_eq!(
        rejection.to_string(),
        "oauth_signature_method cannot be used: signature method \"HMAC-MD5\" does not exist; valid are \
         HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, RSA-SHA1, RSA-SHA256, RSA-SHA512, PLAINTEXT"
    );
}

#[test]
fn a_timestamp_has_to_be_a_positive_number() {
    for given in ["0", "-5", "+5", "12.5", "abc", "99999999999999999999999"] {
        let mut pairs = without("oauth_timestamp");
        pairs.push("oauth_timestamp", given);
        let received = send(&GET, &pairs, &hmac_key(METHOD), Placement::Header);
        assert_eq!(
            rejection(&received, Strictness::Lenient),
            Rejection::TimestampUnreadable {
                given: given.to_owned()
            }
        );
    }
}

#[test]
fn a_value_twice_counts_once_for_lenient_providers_only() {
    // As XDK does it: oauth_token in header and query, signed once.
    let places = vec![Placement::Header, Placement::Query];
    let mut twice = received();
    twice.url.push_str("&oauth_token=token");
    assert_eq!(
        twice.read(Strictness::Strict).unwrap().rejections(),
        [
            Rejection::RepeatedParameter {
                name: "oauth_token".into(),
                places: places.clone()
            },
            Rejection::SeveralPlaces {
                places: places.clone()
            },
        ]
    );
    assert!(verify(&twice, Strictness::Lenient).is_accepted());
    assert_eq!(
        twice.read(Strictness::Lenient).unwrap().notes(),
        [Note::RepeatedParameter {
            name: "oauth_token".into(),
            places
        }]
    );
}

#[test]
fn different_values_of_one_parameter_are_refused_by_all() {
    let mut two = received();
    two.url.push_str("&oauth_token=other");
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        assert_eq!(
            rejection(&two, strictness),
            Rejection::ConflictingParameter {
                name: "oauth_token".into(),
                places: vec![Placement::Header, Placement::Query]
            }
        );
    }
}

#[test]
fn ordinary_parameters_may_repeat() {
    let request = RequestToSign {
        method: "POST",
        url: "https://h/?a=1&a=1",
        form_body: Some(b"a=1&a=2"),
    };
    let received = send(
        &request,
        &parameters(METHOD),
        &hmac_key(METHOD),
        Placement::Header,
    );
    assert!(verify(&received, Strictness::Strict).is_accepted());
}

#[test]
fn other_items_in_the_header_are_signed_and_noted_or_refused() {
    let extra = parameters(METHOD).with("x_auth_access_type", "read");
    let received = send(&GET, &extra, &hmac_key(METHOD), Placement::Header);
    let name = "x_auth_access_type".to_owned();
    assert_eq!(
        rejection(&received, Strictness::Strict),
        Rejection::UnexpectedHeaderItem { name: name.clone() }
    );
    assert!(verify(&received, Strictness::Lenient).is_accepted());
    assert_eq!(
        received.read(Strictness::Lenient).unwrap().notes(),
        [Note::ExtraHeaderItem { name }]
    );
}

#[test]
fn unknown_oauth_parameters_are_signed_like_the_others() {
    let extra = parameters(METHOD).with("oauth_session_handle", "h");
    let received = send(&GET, &extra, &hmac_key(METHOD), Placement::Header);
    assert!(verify(&received, Strictness::Strict).is_accepted());
}

#[test]
fn a_body_counts_by_its_content_type_alone() {
    let form = RequestToSign {
        method: "POST",
        url: "https://h/",
        form_body: Some(b"status=hi"),
    };
    for (content_type, accepted) in [
        (FORM, true),
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", true),
        ("application/json", false),
        ("multipart/form-data; boundary=x", false),
    ] {
        let mut received = send(&form, &parameters(METHOD), &hmac_key(METHOD), Placement::Header);
        received.content_type = Some(content_type.to_owned());
        assert_eq!(
            verify(&received, Strictness::Strict).is_accepted(),
            accepted,
            "{content_type}"
        );
    }
}

#[test]
fn a_signature_that_is_no_base64_is_named() {
    let mut received = received();
    let header = received.authorization.take().unwrap();
    let (before, _) = header.split_once("oauth_signature=\"").unwrap();
    received.authorization = Some(format!("{before}oauth_signature=\"%21%21\""));
    assert_eq!(
        rejection(&received, Strictness::Strict),
        Rejection::SignatureNotBase64
    );
}

#[test]
fn a_signature_without_its_padding_is_the_same_signature() {
    let mut received = received();
    received.authorization = received.authorization.map(|header| header.replace("%3D\"", "\""));
    assert!(verify(&received, Strictness::Strict).is_accepted());
}

#[test]
fn keys_of_the_wrong_kind_are_named() {
    let key = RsaVerifyingKey::from_public_pem(&crate::case::text("keys/own-rsa-2048.public.pem")).unwrap();
    let verdict = received()
        .read(Strictness::Strict)
        .unwrap()
        .verify(VerificationKey::RsaPublicKey(&key));
    assert_eq!(
        verdict,
        Verdict::Rejected(Rejection::NoKeyForMethod { method: METHOD })
    );
}

#[test]
fn unreadable_requests() {
    let incoming = |path_and_query, host, authorization| IncomingRequest {
        method: "GET",
        scheme: "https",
        host,
        path_and_query,
        authorization,
        content_type: None,
        body: b"",
    };
    let read = |request| Presented::read(&request, Strictness::Lenient).unwrap_err();
    assert_eq!(read(incoming("/", "h", None)), ReadError::NotSigned);
    assert_eq!(read(incoming("/", "h", Some("Bearer x"))), ReadError::NotSigned);
    assert_eq!(read(incoming("*", "h", None)), ReadError::TargetNotAPath);
    assert_eq!(read(incoming("http://h/", "h", None)), ReadError::TargetNotAPath);
    assert!(matches!(
        read(incoming("/", "h", Some("OAuth a"))),
        ReadError::AuthorizationHeader(_)
    ));
    assert!(matches!(
        read(incoming("/?oauth_token=t", "h:p", None)),
        ReadError::BaseString(_)
    ));
    assert!(matches!(
        read(incoming("/?oauth_token=t", "", None)),
        ReadError::BaseString(_)
    ));
}

#[test]
fn values_that_are_no_text_are_refused() {
    let mut received = received();
    received.url.push_str("&oauth_verifier=%FF");
    let rejections = received.read(Strictness::Lenient).unwrap().rejections().to_vec();
    assert_eq!(
        rejections,
        [Rejection::NotText {
            name: "oauth_verifier".into()
        }]
    );
}

#[test]
fn an_empty_token_counts_as_none() {
    let mut pairs = without("oauth_token");
    pairs.push("oauth_token", "");
    let received = send(&GET, &pairs, &hmac_key(METHOD), Placement::Header);
    let presented = received.read(Strictness::Strict).unwrap();
    assert_eq!(presented.token(), None);
    assert_eq!(presented.notes(), [Note::EmptyToken]);
}

#[test]
fn a_body_hash_has_no_place_beside_a_form() {
    let request = RequestToSign {
        method: "POST",
        url: "https://h/",
        form_body: Some(b"a=1"),
    };
    let parameters = parameters(METHOD).with_body_hash("x");
    let received = send(&request, &parameters, &hmac_key(METHOD), Placement::Header);
    assert_eq!(
        rejection(&received, Strictness::Strict),
        Rejection::BodyHashOnForm
    );
    assert!(verify(&received, Strictness::Lenient).is_accepted());
    assert_eq!(
        received.read(Strictness::Lenient).unwrap().notes(),
        [Note::BodyHashOnForm]
    );
}

#[test]
fn notes_are_sentences() {
    let note = Note::SeveralPlaces {
        places: vec![Placement::Header, Placement::Body],
    };
    assert_eq!(
        note.to_string(),
        "oauth_ parameters stand in several places (header, body); RFC 5849 §3.5 allows one"
    );
}

#[test]
fn headers_are_read_whatever_their_white_space() {
    let spread = "oauth  realm=\"a\\\"b\" ,\toauth_consumer_key=\"k%20\",, oauth_token=t , x=\"\"";
    let header = parse_authorization(spread).unwrap().unwrap();
    assert_eq!(header.realm.as_deref(), Some("a\"b"));
    let pair = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    assert_eq!(
        header.pairs,
        [
            pair("oauth_consumer_key", "k "),
            pair("oauth_token", "t"),
            pair("x", "")
        ]
    );
    assert_eq!(parse_authorization("Bearer abc"), Ok(None));
    assert!(parse_authorization("OAuth oauth_token=\"open").is_err());
    assert!(parse_authorization("OAuth nonsense").is_err());
    assert!(parse_authorization("OAuth a=\"1\" b=\"2\"").is_err());
}

#[test]
fn another_secret_is_another_signature() {
    // Guards the helpers: with another secret nothing in these files would be accepted.
    let presented = received().read(Strictness::Strict).unwrap();
    let client_secret = ClientSecret::new(CLIENT_SECRET);
    let wrong = TokenSecret::new(format!("{TOKEN_SECRET}x"));
    for token_secret in [Some(&wrong), None] {
        let key = VerificationKey::Secrets {
            client_secret: &client_secret,
            token_secret,
        };
        assert_eq!(
            presented.verify(key),
            Verdict::Rejected(Rejection::SignatureDiffers { method: METHOD })
        );
    }
}

#[test]
fn freshness_is_checked_apart() {
    let presented = received().read(Strictness::Strict).unwrap();
    let now = Timestamp::from_seconds(1_318_622_958 + 301);
    assert_eq!(
        presented.check_time(TimeWindow::FIVE_MINUTES, now),
        Err(Rejection::TimestampOutside {
            offset_seconds: -301,
            allowed_seconds: 300
        })
    );
    let now = Timestamp::from_seconds(1_318_622_958 + 300);
    assert_eq!(presented.check_time(TimeWindow::FIVE_MINUTES, now), Ok(()));
    let mut memory = NonceMemory::new(10, 300);
    assert_eq!(presented.check_nonce(&mut memory, now), Ok(()));
    assert_eq!(presented.check_nonce(&mut memory, now), Err(Rejection::NonceUsed));

    // PLAINTEXT may come without either, and then there is nothing to check.
    let method = SignatureMethod::Plaintext;
    let pairs = [
        ("oauth_consumer_key", "client-key"),
        ("oauth_signature_method", "PLAINTEXT"),
    ];
    let bare = send(
        &GET,
        &ProtocolParameters::from_pairs(pairs),
        &hmac_key(method),
        Placement::Header,
    );
    let bare = bare.read(Strictness::Strict).unwrap();
    for _ in 0..2 {
        assert_eq!(bare.check_time(TimeWindow::FIVE_MINUTES, now), Ok(()));
        assert_eq!(bare.check_nonce(&mut memory, now), Ok(()));
    }
}
