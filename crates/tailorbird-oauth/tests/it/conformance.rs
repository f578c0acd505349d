//! Every case of the conformance data, with every intermediate product.

use std::collections::BTreeSet;

use tailorbird_oauth::{
    ClientSecret, HashAlgorithm, Rejection, RsaPrivateKeyPem, SignatureMethod, SigningKey, Strictness,
    TokenSecret, Verdict, base_string_uri, body_hash, normalize_parameters, parse_authorization,
    percent_encode,
};

use crate::case::{Case, cases, optional, private_pem, string};

/// Checks base string, signature and header of each case, and that the verifier accepts it.
fn check(path: &str, count: usize) {
    let cases = Case::all(path);
    assert_eq!(cases.len(), count, "{path}");
    for case in cases {
        let signed = case.sign();
        assert_eq!(signed.base_string, case.base_string, "{}: base string", case.name);
        assert_eq!(signed.signature, case.signature, "{}: signature", case.name);
        check_header(&case, &signed.authorization);
        let presented = case.receive(Strictness::Lenient).unwrap();
        assert_eq!(
            presented.base_string(),
            case.base_string,
            "{}: server's base string",
            case.name
        );
        let verdict = case.verify(&presented);
        if case.oauth.iter().any(|(name, _)| name == "oauth_body_hash") {
            // The body itself was not published, so the server has to notice that it is not there.
            assert_eq!(
                verdict,
                Verdict::Rejected(Rejection::BodyHashDiffers),
                "{}",
                case.name
            );
        } else {
            assert!(verdict.is_accepted(), "{}: {verdict:?}", case.name);
        }
    }
}

/// The order of a header is free, its items are not.
fn check_header(case: &Case, authorization: &str) {
    let ours = parse_authorization(authorization).unwrap().unwrap();
    assert_eq!(ours.realm, case.realm, "{}: realm", case.name);
    let set = |pairs: Vec<(Vec<u8>, Vec<u8>)>| pairs.into_iter().collect::<BTreeSet<_>>();
    let mut wanted: BTreeSet<_> = case
        .oauth
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    wanted.insert((b"oauth_signature".to_vec(), case.signature.as_bytes().to_vec()));
    assert_eq!(set(ours.pairs.clone()), wanted, "{}: header", case.name);
    if let Some(header) = optional(&case.value, "/expected/header") {
        let theirs = parse_authorization(header).unwrap().unwrap();
        assert_eq!(ours.realm, theirs.realm, "{}: realm", case.name);
        assert_eq!(
            set(ours.pairs),
            set(theirs.pairs),
            "{}: published header",
            case.name
        );
        // Escapes differ in no byte, whatever the order.
        let items = |header: &str| -> BTreeSet<String> {
            header
                .trim_start_matches("OAuth ")
                .split(", ")
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(
            items(authorization),
            items(header),
            "{}: spelling of the header",
            case.name
        );
    }
}

#[test]
fn published_requests() {
    check("published/requests.json", 29);
}

#[test]
fn published_header_of_the_rfc_in_its_order() {
    let cases = Case::all("published/requests.json");
    let case = cases
        .iter()
        .find(|case| case.name == "rfc5849-1.2-temporary-credentials")
        .unwrap();
    assert_eq!(case.sign().authorization, string(&case.value, "/expected/header"));
}

#[test]
fn sign_in_requests_of_x_for_both_hosts() {
    let cases = cases("published/x-sign-in.json");
    assert_eq!(cases.len(), 4);
    for mut value in cases {
        // Only signatures are published for these; the base string is checked by the signature's fit.
        value["expected"]["base_string"] = String::new().into();
        let case = Case::new(value);
        assert_eq!(case.sign().signature, case.signature, "{}", case.name);
    }
}

#[test]
fn differential_cases_that_all_agree_on() {
    check("differential/agreed.jsonl", 250);
}

#[test]
fn differential_cases_that_several_libraries_agree_on() {
    check("differential/several-libraries.jsonl", 111);
}

#[test]
fn published_signatures_of_base_strings() {
    let cases = cases("published/signatures.json");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let method: SignatureMethod = string(&case, "/signature_method").parse().unwrap();
        let key = match optional(&case, "/rsa_key") {
            Some(name) => SigningKey::from_rsa_private_key(method, &RsaPrivateKeyPem::new(private_pem(name))),
            None => SigningKey::from_secrets(
                method,
                &ClientSecret::new(string(&case, "/consumer_secret")),
                Some(&TokenSecret::new(string(&case, "/token_secret"))),
            ),
        }
        .unwrap();
        let signature = key.sign(string(&case, "/base_string").as_bytes()).unwrap();
        assert_eq!(
            signature,
            string(&case, "/expected"),
            "{}",
            string(&case, "/name")
        );
    }
}

#[test]
fn published_percent_encodings() {
    let cases = cases("published/percent-encoding.json");
    assert_eq!(cases.len(), 15);
    for case in cases {
        assert_eq!(
            percent_encode(string(&case, "/decoded")),
            string(&case, "/expected")
        );
    }
}

#[test]
fn published_parameter_normalizations() {
    let cases = cases("published/parameter-normalization.json");
    assert_eq!(cases.len(), 9);
    for case in cases {
        let form = string(&case, "/form_encoded");
        assert_eq!(
            normalize_parameters(form.as_bytes()),
            string(&case, "/expected"),
            "{form}"
        );
    }
}

#[test]
fn published_base_string_uris() {
    let cases = cases("published/base-string-uris.json");
    assert_eq!(cases.len(), 16);
    for case in cases {
        let url = string(&case, "/url");
        assert_eq!(base_string_uri(url).unwrap(), string(&case, "/expected"), "{url}");
    }
}

#[test]
fn published_body_hashes() {
    let cases = cases("published/body-hashes.json");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let algorithm = match string(&case, "/digest") {
            "SHA-1" => HashAlgorithm::Sha1,
            "SHA-256" => HashAlgorithm::Sha256,
            other => panic!("{other}"),
        };
        assert_eq!(
            body_hash(algorithm, string(&case, "/body").as_bytes()),
            string(&case, "/expected")
        );
    }
}

#[test]
fn each_case_has_a_source_or_its_judges() {
    for path in [
        "published/requests.json",
        "published/signatures.json",
        "published/percent-encoding.json",
    ] {
        for case in cases(path) {
            assert!(!string(&case, "/source").is_empty(), "{case}");
        }
    }
    for path in [
        "differential/agreed.jsonl",
        "differential/several-libraries.jsonl",
    ] {
        for case in cases(path) {
            assert!(case["agreed_by"].as_array().unwrap().len() >= 2, "{case}");
        }
    }
}
