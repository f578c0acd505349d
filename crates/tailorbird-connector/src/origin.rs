//! Where an address points: scheme, host and port, and nothing else.
//!
//! Credentials belong to origins. Every comparison of the kind "may this be sent there?" goes through
//! [`Origin`], so that `HTTPS://API.X.COM:443` and `https://api.x.com` are one and `http` is another.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// An http or https address that was read once, for all who check it, sign it and send to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: Url,
    origin: Origin,
}

impl Address {
    /// Reads an address; none where it is neither http nor https.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::of(Url::parse(text).ok()?)
    }

    fn of(url: Url) -> Option<Self> {
        let origin = Origin::of(&url)?;
        Some(Self { url, origin })
    }

    /// The whole address, as it goes onto the wire.
    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The whole address.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The whole address.
    pub(crate) fn into_url(self) -> Url {
        self.url
    }

    /// Where it points.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// Scheme, host and port of an http or https address (RFC 6454 §4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address; none where the scheme is neither http nor https.
    pub fn of(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            secure,
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// The origin of an address given as text.
    pub fn parse(url: &str) -> Option<Self> {
        Self::of(&Url::parse(url).ok()?)
    }

    /// The host in its normalised spelling; IPv6 addresses stand in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where it is the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells whether the scheme is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Tells whether the host is this machine for certain: a loopback address, or the name `localhost` itself.
    /// Names below it (`crm.localhost`) are looked up like any other by many systems, so a secret in clear
    /// could leave the machine; [`Origin::may_be_loopback`] counts them.
    pub fn is_loopback(&self) -> bool {
        match Host::parse(&self.host) {
            Ok(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Ok(Host::Ipv6(address)) => address.is_loopback(),
            Ok(Host::Domain(name)) => name == "localhost",
            Err(_) => false,
        }
    }

    /// Tells whether the host may be this machine: as [`Origin::is_loopback`], and names below `localhost`
    /// (RFC 6761 §6.3).
    pub fn may_be_loopback(&self) -> bool {
        self.is_loopback() || self.host.ends_with(".localhost")
    }

    /// Moves an address to this origin; path and query stay.
    ///
    /// None where the address cannot take a host, which no http address does.
    pub fn adopt(&self, url: &Url) -> Option<Url> {
        let mut moved = url.clone();
        moved
            .set_scheme(if self.secure { "https" } else { "http" })
            .ok()?;
        moved.set_host(Some(&self.host)).ok()?;
        moved.set_port(Some(self.port)).ok()?;
        Some(moved)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_localhost_itself_are_this_machine_for_certain() {
        let origin = |host: &str| Origin::parse(&format!("http://{host}:7081/")).unwrap();
        for host in ["127.0.0.1", "127.8.9.1", "[::1]", "localhost", "LOCALHOST"] {
            assert!(
                origin(host).is_loopback() && origin(host).may_be_loopback(),
                "{host}"
            );
        }
        assert!(!origin("crm.localhost").is_loopback());
        assert!(origin("crm.localhost").may_be_loopback());
        for host in ["localhost.example", "mylocalhost", "10.0.0.1", "[::2]"] {
            assert!(
                !origin(host).is_loopback() && !origin(host).may_be_loopback(),
                "{host}"
            );
        }
    }
}
