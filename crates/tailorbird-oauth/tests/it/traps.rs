//! The 19 traps in which OAuth 1.0a libraries are known to be caught, one test or more for each.
//! `conformance/README.md` lists them.

use tailorbird_oauth::{
    BodyHashDigest, Cause, Diagnosis, HashAlgorithm, Note, Placement, ProtocolParameters, RawRequest,
    Rejection, RequestToSign, SignatureMethod, Strictness, base_string_uri, body_hash, encode_query, sign,
    sign_raw, wire_url,
};

use crate::case::{CLIENT_KEY, Received, TOKEN, base, hmac_key, normalized, parameters, send};
use crate::diagnosis::candidates;
use crate::verification::verify;

const GET: RequestToSign<'_> = RequestToSign {
    method: "GET",
    url: "https://api.example.com/r?a=1",
    form_body: None,
};

#[test]
fn trap_01_a_plus_in_query_and_form_is_a_space() {
    assert_eq!(normalized("http://h/?a=x+y", Some("b=x+y")), "a=x%20y&b=x%20y");
    assert_eq!(normalized("http://h/?a+b=1", None), "a%20b=1");
}

#[test]
fn trap_01_no_raw_plus_goes_onto_the_wire() {
    assert_eq!(encode_query([("a b", "1+1 = 2")]), "a%20b=1%2B1%20%3D%202");
    let url = wire_url("http://h/?q=x+y", [("z", "+ ")]).unwrap();
    assert_eq!(url, "http://h/?q=x%20y&z=%2B%20");
    let received = send(
        &RequestToSign {
            method: "GET",
            url: &url,
            form_body: None,
        },
        &parameters(SignatureMethod::HmacSha1).with_callback("http://c/?x=1+2 3"),
        &hmac_key(SignatureMethod::HmacSha1),
        Placement::Query,
    );
    assert!(!received.url.contains('+'), "{}", received.url);
}

#[test]
fn trap_02_names_are_decoded_too() {
    assert_eq!(
        normalized("http://h/?filter%5Bid%5D=1&c%40=", None),
        "c%40=&filter%5Bid%5D=1"
    );
}

#[test]
fn trap_03_sorting_happens_after_encoding_and_by_bytes() {
    // Raw, `a!` (0x21) sorts before `a-` (0x2D) and `a` + umlaut after both; encoded, `%` precedes all.
    assert_eq!(
        normalized("http://h/?a-=1&a!=2&a%C3%A4=3&a=4&A=5", None),
        "A=5&a=4&a%21=2&a%C3%A4=3&a-=1"
    );
    // `~` (0x7E) is unreserved and sorts after letters, while é, above it, is encoded and precedes them.
    assert_eq!(
        normalized("http://h/?k=%C3%A9&k=~&k=z&k=B", None),
        "k=%C3%A9&k=B&k=z&k=~"
    );
    // A name that another one begins with comes first, whatever follows in the pair.
    assert_eq!(normalized("http://h/?ab=0&a=z&a-=0", None), "a=z&a-=0&ab=0");
}

#[test]
fn trap_04_the_same_name_in_query_and_body_is_two_parameters() {
    assert_eq!(
        normalized("http://h/?alt=json", Some("alt=json")),
        "alt=json&alt=json"
    );
    assert_eq!(normalized("http://h/?a=&a=x", None), "a=&a=x");
}

#[test]
fn trap_05_base_string_uri() {
    for (url, expected) in [
        ("HTTP://EXAMPLE.com:80/", "http://example.com/"),
        ("https://example.com:443", "https://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:00080/", "http://example.com/"),
        ("http://example.com?x=1", "http://example.com/"),
        ("http://example.com/p#f?x", "http://example.com/p"),
        ("http://user:p@ss@example.com/p", "http://example.com/p"),
        ("http://[2001:DB8::ABCD]:8080/p", "http://[2001:db8::abcd]:8080/p"),
        ("https://[2001:DB8::ABCD]:443/p", "https://[2001:db8::abcd]/p"),
    ] {
        assert_eq!(base_string_uri(url).unwrap(), expected, "{url}");
    }
}

#[test]
fn trap_06_the_path_is_signed_byte_for_byte_as_sent() {
    for path in [
        "/a/./b/../c",
        "/%7euser",
        "/%7Euser",
        "/~user",
        "/a!b$c'(d)",
        "/a%2fb",
        "/a//b/",
        "/é|[",
    ] {
        let url = format!("http://h{path}?q");
        assert_eq!(base_string_uri(&url).unwrap(), format!("http://h{path}"));
        let received = send(
            &RequestToSign {
                method: "GET",
                url: &url,
                form_body: None,
            },
            &parameters(SignatureMethod::HmacSha1),
            &hmac_key(SignatureMethod::HmacSha1),
            Placement::Header,
        );
        assert_eq!(
            received.url, url,
            "the URL that is sent is the one that was signed"
        );
        assert!(verify(&received, Strictness::Strict).is_accepted());
    }
}

#[test]
fn trap_07_only_the_realm_of_the_header_is_left_out() {
    let query = RequestToSign {
        method: "GET",
        url: "http://h/?realm=query",
        form_body: None,
    };
    let key = hmac_key(SignatureMethod::HmacSha1);
    let with = sign(
        &query,
        &parameters(SignatureMethod::HmacSha1),
        &key,
        Some("header"),
    )
    .unwrap();
    let without = sign(&query, &parameters(SignatureMethod::HmacSha1), &key, None).unwrap();
    assert_eq!(with.base_string, without.base_string);
    assert_eq!(with.signature, without.signature);
    assert!(
        with.base_string.ends_with("%26realm%3Dquery"),
        "{}",
        with.base_string
    );
    assert!(
        with.authorization.starts_with("OAuth realm=\"header\", "),
        "{}",
        with.authorization
    );

    // The server, too: both at once, the header's is dropped and the query's signed.
    let received = Received {
        method: "GET".to_owned(),
        url: query.url.to_owned(),
        authorization: Some(with.authorization),
        content_type: None,
        body: Vec::new(),
    };
    let presented = received.read(Strictness::Strict).unwrap();
    assert_eq!(presented.realm(), Some("header"));
    assert_eq!(presented.base_string(), with.base_string);
    assert!(verify(&received, Strictness::Strict).is_accepted());
}

#[test]
fn trap_08_the_method_is_signed_in_upper_case() {
    assert_eq!(base("get", "http://h/", None), base("GET", "http://h/", None));
    assert!(base("post", "http://h/", None).starts_with("POST&"));
}

#[test]
fn trap_09_a_semicolon_parts_nothing_and_empty_pairs_are_none() {
    assert_eq!(normalized("http://h/?a=1;b=2", None), "a=1%3Bb%3D2");
    assert_eq!(normalized("http://h/?a=1&&b=2&", Some("&c=3&")), "a=1&b=2&c=3");
    assert_eq!(normalized("http://h/?", None), "");
    assert_eq!(normalized("http://h/?a=b=c", None), "a=b%3Dc");
    assert_eq!(normalized("http://h/?=", None), "=");
}

#[test]
fn trap_10_raw_illegal_characters_are_encoded_before_sending_and_decoded_leniently() {
    let raw = "http://h/p?a=[1]|{2}<>\"^`\\ &é=ü";
    let wire = wire_url(raw, [("", ""); 0]).unwrap();
    assert_eq!(
        wire,
        "http://h/p?a=%5B1%5D%7C%7B2%7D%3C%3E%22%5E%60%5C%20&%C3%A9=%C3%BC"
    );
    assert_eq!(normalized(raw, None), normalized(&wire, None));
}

#[test]
fn trap_11_bytes_that_are_no_utf8_stay_bytes() {
    assert_eq!(normalized("http://h/?a=%FF%fe&%C3=1", None), "%C3=1&a=%FF%FE");
}

#[test]
fn trap_12_values_in_query_and_body_are_decoded_once() {
    for placement in Placement::all() {
        for method in [SignatureMethod::HmacSha1, SignatureMethod::Plaintext] {
            let callback = "http://c/?next=%2Fhome%3Fa%3D1";
            let request = RequestToSign {
                method: "POST",
                url: "https://h/r",
                form_body: Some(b""),
            };
            let received = send(
                &request,
                &parameters(method).with_callback(callback),
                &hmac_key(method),
                placement,
            );
            let presented = received.read(Strictness::Strict).unwrap();
            assert_eq!(presented.callback(), Some(callback), "{placement}");
            assert!(
                verify(&received, Strictness::Strict).is_accepted(),
                "{method} {placement}"
            );
        }
    }
}

#[test]
fn trap_12_a_client_that_decodes_twice_is_told_so() {
    // What such a client signs: the callback decoded once more.
    let twice = parameters(SignatureMethod::HmacSha1).with_callback("http://c/?next=/home");
    let sent = parameters(SignatureMethod::HmacSha1).with_callback("http://c/?next=%2Fhome");
    let request = RequestToSign {
        method: "GET",
        url: "https://h/r",
        form_body: None,
    };
    let key = hmac_key(SignatureMethod::HmacSha1);
    let mut signed = sign(&request, &sent, &key, None).unwrap();
    signed.signature = sign(&request, &twice, &key, None).unwrap().signature;
    let tailorbird_oauth::Placed::Query { url } =
        tailorbird_oauth::place(&request, &sent, &signed, Placement::Query)
    else {
        panic!("not in the query")
    };
    let received = Received {
        method: "GET".into(),
        url,
        authorization: None,
        content_type: None,
        body: Vec::new(),
    };
    assert_eq!(
        verify(&received, Strictness::Strict).into_result(),
        Err(Rejection::SignatureDiffers {
            method: SignatureMethod::HmacSha1
        })
    );
    let presented = received.read(Strictness::Strict).unwrap();
    let secrets = candidates();
    assert_eq!(
        presented.diagnose(&secrets.candidates()),
        Diagnosis::Explained(vec![Cause::ProtocolValuesDecodedTwice])
    );
}

#[test]
fn trap_13_body_hash_by_the_methods_digest_or_by_sha1() {
    let body = br#"{"text":"hello"}"#;
    let method = SignatureMethod::HmacSha256;
    for (digest, hash, notes) in [
        (BodyHashDigest::OfMethod, HashAlgorithm::Sha256, vec![]),
        (
            BodyHashDigest::Sha1,
            HashAlgorithm::Sha1,
            vec![Note::Sha1BodyHash],
        ),
    ] {
        assert_eq!(digest.algorithm(method), hash);
        let request = RequestToSign {
            method: "POST",
            url: "https://h/r",
            form_body: None,
        };
        let parameters = parameters(method).with_body_hash(body_hash(hash, body));
        let mut received = send(&request, &parameters, &hmac_key(method), Placement::Header);
        received.content_type = Some("application/json".to_owned());
        received.body = body.to_vec();
        assert!(verify(&received, Strictness::Strict).is_accepted());
        assert_eq!(received.read(Strictness::Strict).unwrap().notes(), notes);
        received.body.push(b' ');
        assert_eq!(
            verify(&received, Strictness::Strict).into_result(),
            Err(Rejection::BodyHashDiffers),
            "a changed body"
        );
    }
}

#[test]
fn trap_14_the_body_hash_is_encoded_like_every_other_parameter() {
    let parameters = parameters(SignatureMethod::HmacSha256).with_body_hash("body/hash");
    let signed = sign(&GET, &parameters, &hmac_key(SignatureMethod::HmacSha256), None).unwrap();
    assert!(
        signed.base_string.contains("oauth_body_hash%3Dbody%252Fhash"),
        "{}",
        signed.base_string
    );
    assert!(
        signed.authorization.contains("oauth_body_hash=\"body%2Fhash\""),
        "{}",
        signed.authorization
    );
}

#[test]
fn trap_14_the_dialect_that_encodes_it_once_is_recognised() {
    let parameters = parameters(SignatureMethod::HmacSha256).with_body_hash("body/hash");
    let key = hmac_key(SignatureMethod::HmacSha256);
    let signed = sign(&GET, &parameters, &key, None).unwrap();
    let wrong = key
        .sign(
            signed
                .base_string
                .replace("body%252Fhash", "body%2Fhash")
                .as_bytes(),
        )
        .unwrap();
    let pairs: Vec<_> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let secrets = candidates();
    let diagnosis = tailorbird_oauth::diagnose(
        &tailorbird_oauth::Evidence {
            method: GET.method,
            url: GET.url,
            body: None,
            header_parameters: &pairs,
            realm: None,
            signature_method: SignatureMethod::HmacSha256,
            signature: &wrong,
        },
        &secrets.candidates(),
    );
    assert_eq!(
        diagnosis,
        Ok(Diagnosis::Explained(vec![Cause::BodyHashEncodedOnce]))
    );
}

#[test]
fn trap_15_parameters_in_two_places() {
    // As twitter-api-v2 does it: the verifier in the body, the rest in the header.
    let request = RequestToSign {
        method: "POST",
        url: "https://api.x.com/oauth/access_token",
        form_body: Some(b"oauth_verifier=1234567"),
    };
    let method = SignatureMethod::HmacSha1;
    let received = send(
        &request,
        &parameters(method),
        &hmac_key(method),
        Placement::Header,
    );
    let places = vec![Placement::Header, Placement::Body];
    assert_eq!(
        verify(&received, Strictness::Strict).into_result(),
        Err(Rejection::SeveralPlaces {
            places: places.clone()
        })
    );
    assert!(verify(&received, Strictness::Lenient).is_accepted());
    let presented = received.read(Strictness::Lenient).unwrap();
    assert_eq!(presented.notes(), [Note::SeveralPlaces { places }]);
    assert_eq!(presented.verifier(), Some("1234567"));
    assert_eq!(presented.place_of("oauth_verifier"), Some(Placement::Body));
}

#[test]
fn trap_16_the_version_is_1_0_and_nothing_else() {
    let method = SignatureMethod::HmacSha1;
    let pairs = [
        ("oauth_consumer_key", CLIENT_KEY),
        ("oauth_token", TOKEN),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1318622958"),
        ("oauth_nonce", "n"),
        ("oauth_version", "1.0A"),
    ];
    let received = send(
        &GET,
        &ProtocolParameters::from_pairs(pairs),
        &hmac_key(method),
        Placement::Header,
    );
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let rejection = verify(&received, strictness).into_result().unwrap_err();
        assert_eq!(
            rejection,
            Rejection::UnsupportedVersion {
                given: "1.0A".to_owned()
            }
        );
        assert_eq!(
            rejection.to_string(),
            "oauth_version is \"1.0A\"; the only valid value is \"1.0\""
        );
    }
    let received = send(
        &GET,
        &ProtocolParameters::from_pairs(pairs[..5].to_vec()),
        &hmac_key(method),
        Placement::Header,
    );
    assert!(
        verify(&received, Strictness::Strict).is_accepted(),
        "it may be left out"
    );
}

#[test]
fn trap_17_plaintext_is_the_encoded_secrets_and_encoded_again_in_the_header() {
    let signed = sign(
        &GET,
        &parameters(SignatureMethod::Plaintext),
        &hmac_key(SignatureMethod::Plaintext),
        None,
    )
    .unwrap();
    assert_eq!(
        signed.signature,
        "client%20secret%20%26%20more&t%C3%B6k%C3%A9n-secret%2B"
    );
    assert!(
        signed.authorization.ends_with(
            "oauth_signature=\"client%2520secret%2520%2526%2520more%26t%25C3%25B6k%25C3%25A9n-secret%252B\""
        ),
        "{}",
        signed.authorization
    );
    assert!(
        signed.base_string.starts_with("GET&"),
        "the base string is given nevertheless"
    );
}

#[test]
fn trap_18_an_empty_token_is_left_out_and_its_ampersand_stays() {
    let nonce = tailorbird_oauth::Nonce::new("n").unwrap();
    let at = tailorbird_oauth::Timestamp::from_seconds(1);
    for token in [None, Some("")] {
        let parameters =
            ProtocolParameters::for_request(CLIENT_KEY, token, &nonce, at, SignatureMethod::HmacSha1);
        assert_eq!(parameters.get("oauth_token"), None);
    }
    let secret = tailorbird_oauth::ClientSecret::new("s");
    let empty = tailorbird_oauth::TokenSecret::new("");
    let key = |token| {
        tailorbird_oauth::SigningKey::from_secrets(SignatureMethod::Plaintext, &secret, token).unwrap()
    };
    assert_eq!(key(None).sign(b"").unwrap(), "s&");
    assert_eq!(key(Some(&empty)).sign(b"").unwrap(), "s&");
}

#[test]
fn trap_18_a_given_empty_token_is_signed() {
    let oauth = [
        ("oauth_consumer_key".into(), "k".into()),
        ("oauth_token".into(), "".into()),
        ("oauth_signature_method".into(), "HMAC-SHA1".into()),
    ];
    let signed = sign_raw(&RawRequest {
        method: "GET",
        url: "http://h/",
        body: None,
        oauth: &oauth,
        consumer_secret: Some("s"),
        token_secret: None,
        rsa_private_key: None,
        realm: None,
    })
    .unwrap();
    assert!(
        signed.base_string.ends_with("%26oauth_token%3D"),
        "{}",
        signed.base_string
    );
    assert!(
        signed.authorization.contains("oauth_token=\"\""),
        "{}",
        signed.authorization
    );
}

#[test]
fn trap_19_plaintext_may_leave_nonce_and_timestamp_out_and_other_methods_may_not() {
    for (method, accepted) in [
        (SignatureMethod::Plaintext, true),
        (SignatureMethod::HmacSha1, false),
    ] {
        let pairs = [
            ("oauth_consumer_key", CLIENT_KEY),
            ("oauth_token", TOKEN),
            ("oauth_signature_method", method.name()),
        ];
        let received = send(
            &GET,
            &ProtocolParameters::from_pairs(pairs),
            &hmac_key(method),
            Placement::Header,
        );
        assert_eq!(
            verify(&received, Strictness::Strict).is_accepted(),
            accepted,
            "{method}"
        );
        if !accepted {
            assert_eq!(
                received.read(Strictness::Strict).unwrap().rejections(),
                [
                    Rejection::MissingParameter {
                        name: "oauth_timestamp"
                    },
                    Rejection::MissingParameter { name: "oauth_nonce" },
                ]
            );
        }
    }
}

#[test]
fn trap_19_a_timestamp_needs_no_ten_digits() {
    let pairs = [
        ("oauth_consumer_key", CLIENT_KEY),
        ("oauth_token", TOKEN),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131200"),
        ("oauth_nonce", "n"),
    ];
    let key = hmac_key(SignatureMethod::HmacSha1);
    let received = send(
        &GET,
        &ProtocolParameters::from_pairs(pairs),
        &key,
        Placement::Header,
    );
    assert!(verify(&received, Strictness::Strict).is_accepted());
}
