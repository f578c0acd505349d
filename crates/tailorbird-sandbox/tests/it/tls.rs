//! TLS under X's names, trusted by the CA file alone.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tailorbird_sandbox::{Settings, StartError, start};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Client, Provider, exchange, provider, request};

/// A connector that trusts nothing but the CA in the file.
pub(crate) fn connector(ca: &Path) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

pub(crate) async fn with_tls(folder: &Path) -> Provider {
    let loopback = "127.0.0.1:0".parse().unwrap();
    provider(Settings {
        tls_listen: Some(loopback),
        proxy_listen: Some(loopback),
        ca_out: Some(folder.join("ca.pem")),
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn xs_hosts_answer_by_tls_and_sign_as_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let provider = with_tls(folder.path()).await;
    let connector = connector(&folder.path().join("ca.pem"));
    let address = provider.running.addresses().tls.clone().unwrap();
    let address = address.strip_prefix("https://").unwrap().to_owned();
    let client = provider.authorized("read_write").await;
    for host in [
        "api.x.com",
        "api.twitter.com",
        "upload.twitter.com",
        "x.com",
        "localhost",
        "127.0.0.1",
    ] {
        let stream = TcpStream::connect(&address).await.unwrap();
        let stream = connector
            .connect(ServerName::try_from(host).unwrap(), stream)
            .await
            .unwrap();
        let client = Client {
            host: host.to_owned(),
            ..client.clone()
        };
        let answer = exchange(stream, &client.signed("https", "GET", "/2/users/me", None, &[])).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    let stream = TcpStream::connect(&address).await.unwrap();
    let name = ServerName::try_from("example.com").unwrap();
    assert!(
        connector.connect(name, stream).await.is_err(),
        "no other name has a certificate"
    );
    let stream = TcpStream::connect(&address).await.unwrap();
    let stream = connector
        .connect(ServerName::try_from("api.x.com").unwrap(), stream)
        .await
        .unwrap();
    let answer = exchange(stream, &request("GET", "/", "ads.x.com", &[], b"")).await;
    assert_eq!(answer.status, 403, "the Host header is held to the list, too");
    provider.running.stop().await;
}

#[tokio::test]
async fn the_ca_file_holds_one_certificate_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let provider = with_tls(folder.path()).await;
    let pem = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 1);
    assert!(!pem.contains("PRIVATE"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(
        provider.running.addresses().ca.as_deref(),
        folder.path().join("ca.pem").to_str()
    );
    provider.running.stop().await;
}

#[tokio::test]
async fn no_listener_leaves_loopback() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    for settings in [
        Settings {
            listen: everywhere,
            ..Settings::default()
        },
        Settings {
            tls_listen: Some(everywhere),
            ..Settings::default()
        },
        Settings {
            proxy_listen: Some(everywhere),
            ..Settings::default()
        },
    ] {
        assert!(matches!(
            start(settings).await,
            Err(StartError::NotLoopback { .. })
        ));
    }
}
