//! What holds for every input.

use proptest::prelude::*;
use tailorbird_oauth::{
    ClientCredentials, Placement, RequestToSign, RsaVerifyingKey, SignatureMethod, SigningKey, Strictness,
    TokenSecret, VerificationKey, base_string, encode_query, form_decode, normalize_parameters,
    percent_decode, percent_encode, read_refusal, wire_url,
};

use crate::case::{Received, parameters, private_pem, send};

/// Names and values, biased towards the bytes that go wrong.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        "[a-z%+&=; ~!é-]{0,8}".prop_map(String::into_bytes),
        "[aA0._~-]{1,3}".prop_map(String::into_bytes),
    ]
}

/// Ordinary parameters: none of them is a protocol parameter by chance.
fn pairs() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    proptest::collection::vec((text(), text()), 0..8).prop_map(|pairs| {
        pairs
            .into_iter()
            .filter(|(name, _)| !name.starts_with(b"oauth_"))
            .collect()
    })
}

const NONE: [(&str, &str); 0] = [];

struct Keys {
    client: ClientCredentials,
    token_secret: TokenSecret,
    signing: Vec<SigningKey>,
    public: RsaVerifyingKey,
}

fn keys() -> &'static Keys {
    static KEYS: std::sync::OnceLock<Keys> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| {
        // The 1024-bit one: a signature costs an eighth of what the other costs.
        let pem = private_pem("wiki-rsa-1024");
        let client = ClientCredentials::new("client-key", "s&cret%").with_rsa_private_key(pem);
        let token_secret = TokenSecret::new("tökén");
        let key = |method| SigningKey::for_client(method, &client, Some(&token_secret)).unwrap();
        let signing = SignatureMethod::all().map(key).into_iter().collect();
        let public =
            RsaVerifyingKey::from_public_pem(&crate::case::text("keys/wiki-rsa-1024.public.pem")).unwrap();
        Keys {
            client,
            token_secret,
            signing,
            public,
        }
    })
}

fn accepts(received: &Received, method: SignatureMethod) -> bool {
    let keys = keys();
    let Ok(presented) = received.read(Strictness::Strict) else {
        return false;
    };
    let key = if method.is_rsa() {
        VerificationKey::RsaPublicKey(&keys.public)
    } else {
        VerificationKey::Secrets {
            client_secret: &keys.client.secret,
            token_secret: Some(&keys.token_secret),
        }
    };
    presented.verify(key).is_accepted()
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let encoded = percent_encode(&bytes);
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert_eq!(&percent_decode(&encoded), &bytes);
        prop_assert_eq!(&form_decode(&encoded), &bytes);
    }

    #[test]
    fn order_of_parameters_does_not_matter(pairs in pairs(), seed in any::<u64>()) {
        let mut shuffled = pairs.clone();
        let count = shuffled.len();
        for index in 0..count {
            let step = usize::try_from((seed >> (index * 7)) % 97).unwrap();
            shuffled.swap(index, (index + step) % count.max(1));
        }
        let first = base_string("GET", "http://h/", Some(encode_query(as_refs(&pairs)).as_bytes()), &NONE);
        let second = base_string("GET", "http://h/", Some(encode_query(as_refs(&shuffled)).as_bytes()), &NONE);
        prop_assert_eq!(first, second);
    }

    #[test]
    fn query_form_and_protocol_are_equal_sources(pairs in pairs()) {
        let encoded = encode_query(as_refs(&pairs));
        let url = wire_url("http://h/p", as_refs(&pairs)).unwrap();
        let in_query = base_string("POST", &url, None, &NONE).unwrap();
        let in_form = base_string("POST", "http://h/p", Some(encoded.as_bytes()), &NONE).unwrap();
        let in_protocol = base_string("POST", "http://h/p", None, &pairs).unwrap();
        prop_assert_eq!(&in_query, &in_form);
        prop_assert_eq!(&in_query, &in_protocol);
    }

    #[test]
    fn the_fast_way_equals_the_plain_one(form in proptest::collection::vec(any::<u8>(), 0..80)) {
        // Written from the RFC's words, without any of the crate's shortcuts.
        let mut pairs: Vec<(String, String)> = form
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let mut parts = pair.splitn(2, |byte| *byte == b'=');
                let name = form_decode(parts.next().unwrap());
                let value = form_decode(parts.next().unwrap_or_default());
                (percent_encode(name), percent_encode(value))
            })
            .collect();
        pairs.sort();
        let plain: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let plain = plain.join("&");
        prop_assert_eq!(normalize_parameters(&form), &*plain);
        let base = base_string("GET", "http://h/", Some(&form), &NONE).unwrap();
        prop_assert_eq!(base, format!("GET&http%3A%2F%2Fh%2F&{}", percent_encode(plain)));
    }

    #[test]
    fn wire_urls_are_legal_and_mean_the_same(query in "[ -~é漢]{0,30}", pairs in pairs()) {
        prop_assume!(!query.contains('#'));
        let raw = format!("https://h/p?{query}");
        let wire = wire_url(&raw, as_refs(&pairs)).unwrap();
        prop_assert!(wire.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*,;=%".contains(&byte)));
        prop_assert_eq!(&wire_url(&wire, NONE).unwrap(), &wire, "building twice changes nothing");
        let separator = if query.is_empty() || pairs.is_empty() { "" } else { "&" };
        let joined = format!("{query}{separator}{}", encode_query(as_refs(&pairs)));
        let (_, wire_query) = wire.split_once('?').unwrap_or((&wire, ""));
        prop_assert_eq!(normalize_parameters(wire_query.as_bytes()), normalize_parameters(joined.as_bytes()));
    }

    #[test]
    fn arbitrary_answers_and_headers_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200), header in "\\PC{0,80}") {
        prop_assert_eq!(read_refusal(400, &body).status, 400);
        std::hint::black_box(tailorbird_oauth::read_token_credentials(200, &body)).ok();
        std::hint::black_box(tailorbird_oauth::read_callback(&header)).ok();
        std::hint::black_box(tailorbird_oauth::parse_authorization(&format!("OAuth {header}"))).ok();
        std::hint::black_box(tailorbird_oauth::base_string_uri(&header)).ok();
        std::hint::black_box(tailorbird_oauth::base_string_uri(&format!("http://{header}"))).ok();
        std::hint::black_box(wire_url(&format!("http://{header}"), NONE)).ok();
        prop_assert_eq!(tailorbird_oauth::compare_base_strings(&header, &header), []);
        let other = format!("{header}x");
        prop_assert!(!tailorbird_oauth::compare_base_strings(&header, &other).is_empty());
    }

    #[test]
    fn tampering_with_any_byte_of_the_request_is_noticed(at in any::<proptest::sample::Index>(), bit in 0..7_u32) {
        let request = RequestToSign {
            method: "POST",
            url: "https://api.example.com/1.1/statuses/update.json?a=1&b=2",
            form_body: Some(b"status=hello&lang=en"),
        };
        let method = SignatureMethod::HmacSha1;
        let mut received = send(&request, &parameters(method), &keys().signing[0], Placement::Header);
        prop_assert!(accepts(&received, method));
        let mut bytes = received.body.clone();
        let body_len = bytes.len();
        let scheme = "https://".len();
        bytes.extend_from_slice(&received.url.as_bytes()[scheme..]);
        let index = at.index(bytes.len());
        let before = bytes[index];
        bytes[index] ^= 1 << bit;
        let after = bytes[index];
        prop_assume!(after.is_ascii_graphic());
        // Host names ignore case.
        let in_host = index >= body_len && index < body_len + "api.example.com".len();
        prop_assume!(!in_host || !before.eq_ignore_ascii_case(&after));
        received.url = format!("https://{}", std::str::from_utf8(&bytes[body_len..]).unwrap());
        bytes.truncate(body_len);
        received.body = bytes;
        // A host that was broken off by a new `/`, `?` or `#` is no target any more: refused as well.
        prop_assume!(received.url[scheme..].contains('/'));
        prop_assert!(!accepts(&received, method), "{:?} {:?}", received.url, received.body);
    }
}

fn as_refs(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&[u8], &[u8])> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}

proptest! {
    // RSA costs milliseconds in a debug build.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_signed_is_accepted_in_all_methods_and_placements(
        pairs in pairs(),
        form in pairs(),
        verb in prop_oneof![Just("GET"), Just("POST"), Just("delete")],
    ) {
        let url = wire_url("https://Api.Example.com:8443/a%2Fb/./c", as_refs(&pairs)).unwrap();
        let form = encode_query(as_refs(&form));
        for key in &keys().signing {
            for placement in Placement::all() {
                let request = RequestToSign { method: verb, url: &url, form_body: Some(form.as_bytes()) };
                let received = send(&request, &parameters(key.method()), key, placement);
                prop_assert!(accepts(&received, key.method()), "{} {placement} {url}", key.method());
            }
        }
    }

    #[test]
    fn another_byte_in_the_signature_is_noticed(at in any::<proptest::sample::Index>()) {
        for key in &keys().signing {
            let request = RequestToSign { method: "GET", url: "https://h/p", form_body: None };
            let received = send(&request, &parameters(key.method()), key, Placement::Query);
            let (before, signature) = received.url.split_once("oauth_signature=").unwrap();
            let mut bytes = percent_decode(signature);
            let last_of_padding = bytes.iter().rposition(|byte| *byte != b'=').unwrap();
            let index = at.index(last_of_padding);
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let url = format!("{before}oauth_signature={}", percent_encode(&bytes));
            let spoilt = Received { url, ..received };
            prop_assert!(!accepts(&spoilt, key.method()), "{}", key.method());
        }
    }
}
