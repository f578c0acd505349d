//! The four disputed classes: what we do is stated in `conformance/README.md` and pinned here.

use tailorbird_oauth::{RequestToSign, SignatureMethod, Strictness, sign, wire_url};

use crate::case::{Case, hmac_key, parameters};

/// Signed as it stands, the base string is the byte-literal reading; the verifier agrees.
fn check(path: &str) -> Vec<Case> {
    let cases = Case::all(path);
    assert_eq!(cases.len(), 4, "{path}");
    for case in &cases {
        let signed = case.sign();
        assert_eq!(signed.base_string, case.base_string, "{}", case.name);
        assert_eq!(signed.signature, case.signature, "{}", case.name);
        let presented = case.receive(Strictness::Strict).unwrap();
        assert!(case.verify(&presented).is_accepted(), "{}", case.name);
    }
    cases
}

/// What the connector sends instead: after `wire_url` the URL holds nothing that anybody disputes, and for
/// characters that only had to be escaped the base string stays the same.
fn check_wire_form(cases: &[Case]) {
    for case in cases {
        let none: [(&str, &str); 0] = [];
        let wire = wire_url(&case.url, none).unwrap();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*,;=%".contains(&byte);
        assert!(wire.bytes().all(legal), "{}: {wire}", case.name);
        let request = |url| RequestToSign {
            method: &case.method,
            url,
            form_body: None,
        };
        let parameters = parameters(SignatureMethod::HmacSha1);
        let key = hmac_key(SignatureMethod::HmacSha1);
        let before = sign(&request(&case.url), &parameters, &key, None).unwrap();
        let after = sign(&request(&wire), &parameters, &key, None).unwrap();
        assert_eq!(before.base_string, after.base_string, "{}", case.name);
    }
}

#[test]
fn raw_illegal_characters_are_taken_as_the_bytes_they_are() {
    check_wire_form(&check("disputed/raw-illegal-query.json"));
}

#[test]
fn raw_characters_beyond_ascii_are_taken_as_utf8() {
    check_wire_form(&check("disputed/raw-unicode-query.json"));
}

#[test]
fn escapes_that_are_no_utf8_stay_bytes() {
    let cases = check("disputed/invalid-utf8-query.json");
    check_wire_form(&cases);
    for case in cases {
        assert!(case.sign().base_string.contains("%25FF%25FE"), "{}", case.name);
        assert!(
            !case.sign().base_string.contains("%25EF%25BF%25BD"),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_percent_sign_that_begins_no_escape_stays_one() {
    let cases = check("disputed/bare-percent-query.json");
    check_wire_form(&cases);
    for case in cases {
        assert!(case.sign().base_string.contains("%2525zz"), "{}", case.name);
    }
}
