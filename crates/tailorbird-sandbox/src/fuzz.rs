//! Fuzz targets: host names, faults, state files, and what is kept of requests.

use http::{HeaderMap, HeaderValue, Method, header};
use proptest::prelude::*;

use crate::faults::{Fault, Faults};
use crate::guard::{Scheme, check};
use crate::journal::Journal;
use crate::record::{kept_body, masked_form, masked_headers};

#[path = "../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
pub(crate) mod spoil;
use spoil::{fewer, spoilt, spoilt_bytes};

fn seeds(seeds: &[&str]) -> Vec<String> {
    seeds.iter().map(|seed| (*seed).to_owned()).collect()
}

/// The state file of a sandbox that an application and a post were made in.
fn state_file() -> Vec<u8> {
    b"{\"tailorbird_sandbox_state\":1}\n[{\"event\":\"followed\",\"data\":{\"follower\":1,\"followed\":2}}]\n[]\n".to_vec()
}

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn hosts(host in spoilt(seeds(&["127.0.0.1:7081", "localhost", "[::1]:80"]), &["@", ":", "[", "]", "evil.example", ".", "1", "%", "api.x.com", " "])) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&host) {
            headers.insert(header::HOST, value);
        }
        if check(Scheme::Http, &Method::GET, &host, &headers).is_ok() {
            // Whatever is believed to be this machine is so for a browser, too.
            let url = url::Url::parse(&format!("http://{host}/")).unwrap();
            let name = url.host_str().unwrap().to_owned();
            prop_assert!(name == "localhost" || name.starts_with("127.") || name == "[::1]", "{host}");
        }
    }

    #[test]
    fn faults(text in spoilt(seeds(&["[{\"match\":\"POST /2/tweets\",\"nth\":2,\"do\":\"lose_answer\",\"seconds\":1}]"]), &["{", "}", "\"", ":", "null", "-1", "429", "* /", "cut", "18446744073709551616"])) {
        if let Ok(faults) = serde_json::from_str::<Vec<Fault>>(&text) {
            drop(faults.iter().map(Fault::problem).collect::<Vec<_>>());
            drop(Faults::new(faults).take("POST", "/2/tweets"));
        }
    }

    #[test]
    fn kept_requests(text in spoilt(seeds(&["oauth_token=canary&status=x", "OAuth oauth_token=\"canary\", oauth_signature=\"canary\"", "Bearer canary"]), &["&", "=", "%", "\"", ",", "OAuth ", "é", "\n"]), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(masked_form(&text));
        drop(kept_body("application/x-www-form-urlencoded", text.as_bytes()));
        drop(kept_body("text/plain", &bytes));
        if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.clone()), (header::COOKIE, value)]);
            drop(masked_headers(&headers));
        }
    }
}

proptest! {
    // Each case writes, syncs and reads a file.
    #![proptest_config(fewer(4))]

    #[test]
    fn state_files(bytes in spoilt_bytes(vec![state_file()])) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        std::fs::write(&path, &bytes).unwrap();
        match Journal::open(&path) {
            Ok(opened) => {
                opened.journal.close();
                drop(opened);
                prop_assert!(Journal::open(&path).is_ok(), "what was mended stays good");
            }
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert_eq!(std::fs::read(&path).unwrap(), bytes, "a file that is refused is left as it is");
            }
        }
    }
}
