//! TLS under X's names, with a private CA that can be trusted for nothing else.
//!
//! The CA is made at the start, its key never leaves memory, it may only vouch for the names below, and it is
//! worthless after a few days. So a machine that once trusted it is not open to anybody later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::guard::X_HOSTS;

/// Days from the start of the first day to the end of the last on which the certificates are good: the day
/// before (a client's clock may lag), today and four more, so less than a week.
const DAYS_BEFORE: i64 = 1;
const DAYS_AFTER: i64 = 5;

/// What can go wrong with certificates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate could not be made.
    #[error("could not make the sandbox's certificates")]
    Certificate(#[source] rcgen::Error),
    /// The TLS library did not take them.
    #[error("could not set up TLS")]
    Setup(#[source] rustls::Error),
    /// The CA certificate could not be written.
    #[error("could not write the CA certificate to \"{path}\"")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// The server side of TLS, and the certificate that clients need to trust it.
pub(crate) struct Identity {
    pub acceptor: TlsAcceptor,
    /// The CA certificate as PEM; its key is gone.
    ca_pem: String,
}

impl Identity {
    /// Makes a CA and a certificate for X's hosts and loopback, good from yesterday on for less than a week
    /// of the *system's* time: clients compare with theirs, not with the sandbox's.
    pub(crate) fn new() -> Result<Self, TlsError> {
        let ca_key = KeyPair::generate().map_err(TlsError::Certificate)?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name = name("Tailorbird sandbox CA (rehearsal only)");
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted(),
            excluded_subtrees: Vec::new(),
        });
        set_days(&mut ca);
        let ca_certificate = ca.self_signed(&ca_key).map_err(TlsError::Certificate)?;
        let issuer = Issuer::new(ca, ca_key);

        let leaf_key = KeyPair::generate().map_err(TlsError::Certificate)?;
        let names: Vec<String> = X_HOSTS
            .iter()
            .copied()
            .chain(["localhost"])
            .map(str::to_owned)
            .collect();
        let mut leaf = CertificateParams::new(names).map_err(TlsError::Certificate)?;
        leaf.subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        leaf.subject_alt_names
            .push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        leaf.distinguished_name = name("Tailorbird sandbox");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_days(&mut leaf);
        let leaf_certificate = leaf
            .signed_by(&leaf_key, &issuer)
            .map_err(TlsError::Certificate)?;

        let chain: Vec<CertificateDer<'static>> = vec![leaf_certificate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Setup)?;
        // Faults need a connection that can be closed for one request alone, so no HTTP/2.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: ca_certificate.pem(),
        })
    }

    /// Writes the CA certificate, and only that.
    pub(crate) fn write_ca(&self, path: &Path) -> Result<(), TlsError> {
        std::fs::write(path, &self.ca_pem).map_err(|source| TlsError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name.push(DnType::OrganizationName, "Tailorbird");
    name
}

/// The only names the CA may vouch for.
fn permitted() -> Vec<GeneralSubtree> {
    let names = ["x.com", "twitter.com", "localhost"].map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let addresses = [
        CidrSubnet::from_addr_prefix(IpAddr::V4(Ipv4Addr::LOCALHOST), 8),
        CidrSubnet::from_addr_prefix(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    ];
    names
        .into_iter()
        .chain(addresses.map(GeneralSubtree::IpAddress))
        .collect()
}

fn set_days(params: &mut CertificateParams) {
    let day = |offset: i64| {
        let at = Timestamp::now()
            .saturating_add(SignedDuration::from_hours(offset.saturating_mul(24)))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let date = jiff::tz::Offset::UTC.to_datetime(at).date();
        rcgen::date_time_ymd(
            date.year().into(),
            u8::try_from(date.month()).unwrap_or(1),
            u8::try_from(date.day()).unwrap_or(1),
        )
    };
    params.not_before = day(-DAYS_BEFORE);
    params.not_after = day(DAYS_AFTER);
}
