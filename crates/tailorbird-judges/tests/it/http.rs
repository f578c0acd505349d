//! A request to a loopback address and its JSON answer: the judges' own eyes, beside the clients'.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

/// Most bytes of an answer: the log of a thousand requests is far below.
const ANSWER_MAX: usize = 64 << 20;

/// An answer. `body` is null where it is no JSON; then `text` has it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
}

pub(crate) fn get(url: &str) -> Answer {
    send(Method::GET, url, "application/json", String::new())
}

pub(crate) fn post_json(url: &str, body: &Value) -> Answer {
    send(Method::POST, url, "application/json", body.to_string())
}

pub(crate) fn post_form(url: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    send(Method::POST, url, "application/x-www-form-urlencoded", body)
}

fn send(method: Method, url: &str, content_type: &str, body: String) -> Answer {
    let url = Url::parse(url).expect("an address");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let authority = format!(
            "{}:{}",
            url.host_str().unwrap(),
            url.port_or_known_default().unwrap()
        );
        let stream = TcpStream::connect(&authority)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
                .await
                .unwrap();
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::HOST, &authority)
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::from(body))
            .unwrap();
        let response = sender
            .send_request(request)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"));
        let status = response.status().as_u16();
        let bytes = Limited::new(response.into_body(), ANSWER_MAX)
            .collect()
            .await
            .unwrap()
            .to_bytes();
        driver.abort();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    })
}
