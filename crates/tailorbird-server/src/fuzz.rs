//! Fuzz targets: who may speak to a server that listens on this machine only.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use proptest::prelude::*;

use crate::guard::check;

#[path = "../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt};

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn hosts(
        host in spoilt(["127.0.0.1:7080", "localhost", "[::1]:80"].map(str::to_owned).into(), &["@", ":", "[", "]", "evil.example", ".", "1", "%", "#", "/", " "]),
        origin in prop::option::of(spoilt(vec!["http://127.0.0.1:7080".to_owned()], &["http://", "evil.example", "null", ":", "@"])),
        other in prop::option::of(("[a-z-]{1,20}", prop::collection::vec(32..255_u8, 0..20))),
    ) {
        let mut headers = HeaderMap::new();
        let Ok(value) = HeaderValue::from_str(&host) else { return Ok(()) };
        headers.insert(header::HOST, value);
        if let Some(Ok(value)) = origin.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::ORIGIN, value);
        }
        if let Some((name, value)) = other
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&value))
        {
            headers.append(name, value);
        }
        for method in [Method::GET, Method::POST] {
            if check(&method, &headers).is_ok() {
                // What is believed to be this machine is so for a browser, too.
                let url = url::Url::parse(&format!("http://{host}/")).unwrap();
                let name = url.host_str().unwrap();
                prop_assert!(name == "localhost" || name.starts_with("127.") || name == "[::1]", "{host}");
                let is_own = origin.is_none_or(|origin| method == Method::GET || origin.eq_ignore_ascii_case(&format!("http://{host}")));
                prop_assert!(is_own || !headers.contains_key(header::ORIGIN));
                break;
            }
        }
    }
}
