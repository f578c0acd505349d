//! Fuzz targets: headers, requests, answers, addresses and keys of others are read or refused, never a panic.

use proptest::prelude::*;
use tailorbird_oauth::{
    CallbackConfirmation, Candidates, ClientCredentials, IncomingRequest, MAX_REFUSAL_ITEMS,
    MAX_REFUSAL_MESSAGE_LENGTH, Presented, RsaVerifyingKey, SignatureMethod, SigningKey, Strictness,
    TypedVerifier, VerificationKey, base_string, base_string_uri, compare_base_strings, parse_authorization,
    read_callback, read_refusal, read_temporary_credentials, read_token_credentials, read_typed_verifier,
    wire_url,
};

use crate::case::{CLIENT_KEY, CLIENT_SECRET, FORM, private_pem, text};

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt, spoilt_bytes};

const NONE: [(&str, &str); 0] = [];

const HEADER: &str = "OAuth realm=\"Photos\", oauth_consumer_key=\"client-key\", oauth_token=\"token\", \
    oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131200\", oauth_nonce=\"wIjqoxSZ\", \
    oauth_version=\"1.0\", oauth_body_hash=\"2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D\", oauth_signature=\"74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D\"";

const HEADER_WORDS: &[&str] = &[
    "\"",
    "\\\"",
    ",",
    " , ",
    "=",
    "%",
    "%00",
    "%zz",
    "%F",
    "OAuth ",
    "oauth_token=\"\"",
    "oauth_",
    "PLAINTEXT",
    "RSA-SHA256",
    "HMAC-SHA512",
    "\t",
    "\r\n ",
    "realm=",
    "é",
    "-1",
    "99999999999999999999999",
    "+",
    "&",
];

fn any_text(words: &'static [&'static str], seeds: &[&str]) -> impl Strategy<Value = String> + use<> {
    spoilt(seeds.iter().map(|seed| (*seed).to_owned()).collect(), words)
}

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn authorization_headers(header in any_text(HEADER_WORDS, &[HEADER])) {
        drop(parse_authorization(&header));
    }

    #[test]
    fn incoming_requests(
        header in any_text(HEADER_WORDS, &[HEADER]),
        path in any_text(&["?", "&", "=", "#", "%", "%2", "//", "/../", ";", "+", "oauth_token=x", "é", " ", ":"], &["/photos?file=vacation.jpg&size=original", "*", ""]),
        body in any_text(&["&", "=", "%", "+", "oauth_nonce=1", "a="], &["status=hello&lang=en", "{}"]),
        host in any_text(&[":", "@", "[", "]", "80", "::1", ".", " "], &["photos.example.net", "localhost:8080", "[::1]:443"]),
        in_header: bool,
        lenient: bool,
    ) {
        let request = IncomingRequest {
            method: "POST",
            scheme: "http",
            host: &host,
            path_and_query: &path,
            authorization: in_header.then_some(&header),
            content_type: Some(FORM),
            body: body.as_bytes(),
        };
        let strictness = if lenient { Strictness::Lenient } else { Strictness::Strict };
        if let Ok(presented) = Presented::read(&request, strictness) {
            let client = ClientCredentials::new(CLIENT_KEY, CLIENT_SECRET);
            let verdict = presented.verify(VerificationKey::Secrets { client_secret: &client.secret, token_secret: None });
            // Nobody guesses a signature, except for one that is the secret itself.
            prop_assert!(!verdict.is_accepted());
            drop(presented.diagnose(&Candidates::new(CLIENT_KEY, &client.secret)));
        }
    }

    #[test]
    fn answers_of_token_endpoints(status in 100_u16..600, body in any_text(
        &["&", "=", "%", "+", "oauth_token", "oauth_token_secret", "oauth_callback_confirmed=true", "{", "}", "\"", ":", ",", "<", ">", "null", "[", "\\u0000", "\\ud800"],
        &["oauth_token=ab3cd9j4ks73hf7g&oauth_token_secret=xyz4992k83j47x0b&oauth_callback_confirmed=true", "{\"oauth_token\":\"a\",\"oauth_token_secret\":\"b\",\"user_id\":7}", "<html><title>Sign in</title></html>"],
    )) {
        drop(read_token_credentials(status, body.as_bytes()));
        drop(read_temporary_credentials(status, body.as_bytes(), CallbackConfirmation::Required));
    }

    #[test]
    fn refusals(status in 100_u16..600, body in spoilt_bytes(
        [
            "{\"errors\":[{\"code\":32,\"message\":\"Could not authenticate you.\"}]}",
            "{\"title\":\"Unauthorized\",\"type\":\"about:blank\",\"status\":401,\"detail\":\"Unauthorized\"}",
            "<?xml version=\"1.0\"?><hash><error code=\"32\">Could not &amp; &#x41; authenticate</error></hash>",
            "oauth_problem=signature_invalid&oauth_problem_advice=x%20y", "Failed to validate oauth signature",
        ].map(|seed| seed.as_bytes().to_vec()).into(),
    )) {
        let refusal = read_refusal(status, &body);
        prop_assert_eq!(refusal.status, status);
        prop_assert!(refusal.items.len() <= MAX_REFUSAL_ITEMS);
        prop_assert!(refusal.message.chars().count() <= MAX_REFUSAL_MESSAGE_LENGTH + 1);
    }

    #[test]
    fn callbacks_and_typed_verifiers(typed in any_text(
        &["?", "&", "=", "#", "%", "+", "oauth_verifier=", "oauth_token=", "denied=", " ", "\u{0}"],
        &["http://127.0.0.1:8080/callback?oauth_token=a&oauth_verifier=b", "1234567", "denied=abc"],
    )) {
        drop(read_callback(&typed));
        if let Ok(TypedVerifier::Code(code)) = read_typed_verifier(&typed) {
            prop_assert_eq!(code, typed.trim());
        }
    }

    #[test]
    fn addresses(url in any_text(
        &["http://", "https://", "//", ":", "@", "[", "]", "?", "#", "%", "%2f", "\\", "..", "é", "xn--", " ", "\t", "65536", "&", "="],
        &["https://Api.Example.com:8443/a%2Fb/./c?x=1&y=%20", "http://[::1]/", "http://h"],
    )) {
        if let Ok(wire) = wire_url(&url, NONE) {
            prop_assert_eq!(&wire_url(&wire, NONE).unwrap(), &wire, "building twice changes nothing");
            // What a signature covers of an address is the same before and after it was made fit for the wire.
            if let Ok(plain) = base_string_uri(&url) && plain.is_ascii() {
                drop(base_string_uri(&wire).unwrap());
            }
        }
        drop(base_string("GET", &url, None, &NONE));
        drop(compare_base_strings(&url, HEADER));
    }

    #[test]
    fn pem_keys(
        private in spoilt(vec![private_pem("wiki-rsa-1024")], &["-----BEGIN ", "-----END ", "RSA PRIVATE KEY-----", "PRIVATE KEY-----", "=", "\n", "\r\n", "A", "Proc-Type: 4,ENCRYPTED\n"]),
        public in spoilt(vec![text("keys/wiki-rsa-1024.public.pem")], &["-----BEGIN ", "-----END ", "CERTIFICATE-----", "PUBLIC KEY-----", "=", "\n", "A"]),
    ) {
        let client = ClientCredentials::new("client-key", "").with_rsa_private_key(private);
        drop(SigningKey::for_client(SignatureMethod::RsaSha1, &client, None));
        drop(RsaVerifyingKey::from_public_pem(&public));
    }
}
