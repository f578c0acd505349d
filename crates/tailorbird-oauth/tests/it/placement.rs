//! Where the parameters go, and that nothing else changes.

use tailorbird_oauth::{Placed, Placement, RequestToSign, SignError, SignatureMethod, Signed, place, sign};

use crate::case::{hmac_key, parameters};

const METHOD: SignatureMethod = SignatureMethod::HmacSha1;

fn placed(url: &str, form_body: Option<&[u8]>, placement: Placement) -> (Placed, Signed) {
    let request = RequestToSign {
        method: "POST",
        url,
        form_body,
    };
    let parameters = parameters(METHOD);
    let signed = sign(&request, &parameters, &hmac_key(METHOD), Some("r")).unwrap();
    (place(&request, &parameters, &signed, placement), signed)
}

#[test]
fn header() {
    let (placed, signed) = placed("https://h/", Some(b"a=1"), Placement::Header);
    assert_eq!(
        placed,
        Placed::Header {
            authorization: signed.authorization
        }
    );
    assert_eq!(placed.placement(), Placement::Header);
}

#[test]
fn query_keeps_what_is_there_and_precedes_no_fragment() {
    for (url, start) in [
        ("https://h/p", "https://h/p?oauth_consumer_key=client-key&"),
        ("https://h", "https://h?oauth_consumer_key=client-key&"),
        ("https://h/p?", "https://h/p?oauth_consumer_key=client-key&"),
        (
            "https://h/p?a=b%20c",
            "https://h/p?a=b%20c&oauth_consumer_key=client-key&",
        ),
        ("https://h/p?a&", "https://h/p?a&oauth_consumer_key=client-key&"),
        (
            "https://h/p?a#top",
            "https://h/p?a&oauth_consumer_key=client-key&",
        ),
    ] {
        let (placed, signed) = placed(url, None, Placement::Query);
        let Placed::Query { url } = placed else {
            panic!("{placed:?}")
        };
        assert!(url.starts_with(start), "{url}");
        let encoded = tailorbird_oauth::percent_encode(&signed.signature);
        assert!(url.ends_with(&format!("&oauth_signature={encoded}")), "{url}");
        assert!(!url.contains("realm"), "the realm lives in the header only");
        assert!(!url.contains('#'), "{url}");
    }
}

#[test]
fn body_grows_at_its_end() {
    for (body, start) in [
        (&b""[..], "oauth_consumer_key="),
        (b"a=1", "a=1&oauth_consumer_key="),
    ] {
        let (placed, _) = placed("https://h/", Some(body), Placement::Body);
        let Placed::Body { form_body } = placed else {
            panic!("{placed:?}")
        };
        let text = String::from_utf8(form_body).unwrap();
        assert!(
            text.starts_with(start) && text.contains("&oauth_signature="),
            "{text}"
        );
    }
}

#[test]
fn a_body_that_is_no_form_falls_back_to_the_header() {
    let (placed, _) = placed("https://h/", None, Placement::Body);
    assert_eq!(placed.placement(), Placement::Header);
}

#[test]
fn a_realm_is_quoted_and_never_encoded() {
    let request = RequestToSign {
        method: "GET",
        url: "https://h/",
        form_body: None,
    };
    let header = |realm| {
        sign(&request, &parameters(METHOD), &hmac_key(METHOD), Some(realm)).map(|signed| signed.authorization)
    };
    assert!(
        header("http://photos.example.net/")
            .unwrap()
            .starts_with("OAuth realm=\"http://photos.example.net/\", ")
    );
    assert!(
        header("a \"b\" \\")
            .unwrap()
            .starts_with("OAuth realm=\"a \\\"b\\\" \\\\\", ")
    );
    assert!(header("").unwrap().starts_with("OAuth realm=\"\", "));
    for realm in ["a\r\nX-Injected: 1", "ü", "\u{7f}"] {
        assert!(matches!(header(realm), Err(SignError::Realm(_))), "{realm:?}");
    }
}

#[test]
fn names_are_read_back() {
    for placement in Placement::all() {
        assert_eq!(placement.to_string().parse(), Ok(placement));
    }
    for method in SignatureMethod::all() {
        assert_eq!(method.to_string().parse(), Ok(method));
    }
    assert_eq!(
        SignatureMethod::all().map(SignatureMethod::name),
        SignatureMethod::NAMES
    );
    assert_eq!(Placement::all().map(Placement::name), Placement::NAMES);
    assert!("Header".parse::<Placement>().is_err());
}
