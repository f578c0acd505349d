//! The CONNECT proxy: X's hosts at 443 and nothing else.

use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, exchange};
use crate::tls::{connector, with_tls};

#[tokio::test]
async fn a_tunnel_to_xs_api_ends_at_the_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let provider = with_tls(folder.path()).await;
    let proxy = provider.running.addresses().proxy.clone().unwrap();
    let client = Client {
        host: "api.x.com".to_owned(),
        ..provider.authorized("read_write").await
    };
    let mut stream = TcpStream::connect(proxy.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    stream
        .write_all(b"CONNECT api.x.com:443 HTTP/1.1\r\nHost: api.x.com:443\r\n\r\n")
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&head)
    );
    let tls = connector(&folder.path().join("ca.pem"));
    let stream = tls
        .connect(ServerName::try_from("api.x.com").unwrap(), stream)
        .await
        .unwrap();
    let answer = exchange(stream, &client.signed("https", "GET", "/2/users/me", None, &[])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    provider.running.stop().await;
}

#[tokio::test]
async fn everything_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let provider = with_tls(folder.path()).await;
    let proxy = provider.running.addresses().proxy.clone().unwrap();
    let portal = provider.address;
    let requests = [
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n".to_owned(),
        "CONNECT api.x.com:80 HTTP/1.1\r\nHost: api.x.com:80\r\n\r\n".to_owned(),
        "CONNECT api.x.com HTTP/1.1\r\nHost: api.x.com\r\n\r\n".to_owned(),
        "CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\n\r\n".to_owned(),
        "CONNECT api.x.com.evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!("GET http://{portal}/_sandbox/posts HTTP/1.1\r\nHost: {portal}\r\nConnection: close\r\n\r\n"),
        "GET http://api.x.com/2/users/me HTTP/1.1\r\nHost: api.x.com\r\nConnection: close\r\n\r\n".to_owned(),
        "POST /_sandbox/clock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
    ];
    for request in requests {
        let mut stream = TcpStream::connect(proxy.strip_prefix("http://").unwrap())
            .await
            .unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head).await.unwrap();
        let status = String::from_utf8_lossy(&head[9..]).into_owned();
        assert!(status == "403" || status == "400", "{status} for {request}");
    }
    assert_eq!(
        provider.admin("GET", "clock", serde_json::Value::Null).await["ahead_s"],
        json!(0)
    );
    provider.running.stop().await;
}
