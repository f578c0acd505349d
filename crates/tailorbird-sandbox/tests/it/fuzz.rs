//! Fuzz target: whatever bytes a client sends, the provider answers or hangs up, and goes on serving.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::client::{Provider, provider};

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt_bytes};

/// After this a request is ended.
const SHORT: Duration = Duration::from_millis(300);
/// A generous end for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static PROVIDER: LazyLock<Provider> =
    LazyLock::new(|| RUNTIME.block_on(provider(tailorbird_sandbox::Settings::default())));

const OAUTH: &str = "Authorization: OAuth oauth_consumer_key=\"k\", oauth_token=\"t\", oauth_nonce=\"n\", oauth_timestamp=\"1795000000\", oauth_signature_method=\"HMAC-SHA1\", oauth_version=\"1.0\", oauth_signature=\"abc%3D\"";

fn requests() -> Vec<Vec<u8>> {
    let with = |line: &str, headers: &str, body: &str| {
        format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
    };
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=\"media_category\"\r\n\r\ntweet_image\r\n--b--\r\n";
    vec![
        with(
            "POST /2/tweets",
            &format!("{OAUTH}\r\nContent-Type: application/json"),
            "{\"text\":\"Hello\"}",
        ),
        with("POST /oauth/request_token?oauth_callback=oob", OAUTH, ""),
        with(
            "POST /1.1/statuses/update.json",
            &format!("{OAUTH}\r\nContent-Type: application/x-www-form-urlencoded"),
            "status=Hi&a=%20",
        ),
        with(
            "POST /2/media/upload",
            &format!("{OAUTH}\r\nContent-Type: multipart/form-data; boundary=b"),
            multipart,
        ),
        with("GET /2/tweets?ids=1,2&tweet.fields=created_at", OAUTH, ""),
        with("GET /2/tweets/search/recent?query=(cats%20OR%20dogs)", OAUTH, ""),
        with(
            "POST /login",
            "Content-Type: application/x-www-form-urlencoded\r\nCookie: session=x",
            "name=tailor&csrf=x",
        ),
        with(
            "POST /_sandbox/faults",
            "Content-Type: application/json",
            "[{\"match\":\"GET /nowhere\",\"do\":\"503\"}]",
        ),
        with("GET /oauth/authorize?oauth_token=x", "Cookie: a=b; c", ""),
    ]
}

/// Everything that comes back until the provider hangs up. After a while without an answer the request is ended, for
/// a spoilt one may promise more than it has.
fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    // It may hang up while it is spoken to.
    let _hung_up = stream.write_all(request);
    let mut answer = Vec::new();
    for patience in [SHORT, PATIENCE] {
        stream.set_read_timeout(Some(patience)).unwrap();
        match stream.read_to_end(&mut answer) {
            Ok(_) => return answer,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return answer,
            Err(_) => drop(stream.shutdown(Shutdown::Write)),
        }
    }
    panic!("it neither answers nor hangs up");
}

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn requests_of_clients(request in spoilt_bytes(requests())) {
        let answer = exchange(PROVIDER.address, &request);
        if !answer.is_empty() {
            prop_assert!(answer.starts_with(b"HTTP/1."));
            let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
            prop_assert!(!matches!(status.as_str(), "500" | "502"), "{}", String::from_utf8_lossy(&answer));
        }
        // It is still there, and its page about the newest request can be made, whatever that held.
        let list = exchange(PROVIDER.address, b"GET /_sandbox/requests HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        prop_assert!(list.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&list));
        let text = String::from_utf8_lossy(&list);
        let Some(number) = text.split("\"number\":").skip(1).filter_map(|rest| rest.split(',').next()?.trim().parse::<u64>().ok()).max() else { return Ok(()) };
        let page = exchange(PROVIDER.address, format!("GET /requests/{number} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes());
        prop_assert!(page.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&page));
    }
}
