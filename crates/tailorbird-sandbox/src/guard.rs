//! Who may talk to the sandbox at all: loopback is not trust.
//!
//! A web page in somebody's browser can send requests to 127.0.0.1, and with a rebound name it can even read
//! the answers. So the `Host` must be a loopback name (by TLS also one of X's), and a write that a browser
//! sends must come from the sandbox's own pages. Programs send no `Origin` and are not touched by that.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, Method, header};

/// The host names of X that the TLS certificate carries and the proxy lets through.
pub(crate) const X_HOSTS: [&str; 8] = [
    "api.x.com",
    "api.twitter.com",
    "upload.x.com",
    "upload.twitter.com",
    "x.com",
    "twitter.com",
    "www.x.com",
    "www.twitter.com",
];

/// Whether a request came by plain HTTP or by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Why a request is turned away before anything looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The `Host` header is absent, unreadable or names another machine.
    Host(String),
    /// A browser sends a write from another site.
    Origin(String),
}

/// Checks the Host rule and, for writes, the Origin rule.
pub(crate) fn check(scheme: Scheme, method: &Method, host: &str, headers: &HeaderMap) -> Result<(), Refused> {
    let known =
        host_name(host).is_some_and(|name| is_loopback(name) || (scheme == Scheme::Https && is_x_host(name)));
    // Of two `Host` lines nobody knows which one counts (RFC 9112 §3.2).
    if !known || headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Refused::Host(host.to_owned()));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or("unreadable");
        let own = format!("{}://{host}", scheme.as_str());
        if !origin.eq_ignore_ascii_case(&own) {
            return Err(Refused::Origin(origin.to_owned()));
        }
    } else if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return Err(Refused::Origin(format!(
            "{} request",
            site.to_str().unwrap_or("unreadable")
        )));
    }
    Ok(())
}

/// Whether `name` is one of X's host names that the sandbox stands in for.
pub(crate) fn is_x_host(name: &str) -> bool {
    X_HOSTS.iter().any(|host| name.eq_ignore_ascii_case(host))
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host without port and brackets. None where the text is no host with an optional port: a part that is
/// passed over (`127.0.0.1:1@elsewhere`, `[::1].elsewhere`) would make two readers see two hosts.
fn host_name(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, after)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let port_fits = port.is_empty()
        || (port.starts_with(':')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u16>().is_ok());
    port_fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(scheme: Scheme, method: &Method, host: &str, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        check(scheme, method, host, &map).is_ok()
    }

    #[test]
    fn only_loopback_names_and_by_tls_xs_hosts_are_answered() {
        for host in [
            "127.0.0.1:7081",
            "localhost:7081",
            "[::1]:7081",
            "127.8.9.1",
            "LOCALHOST",
        ] {
            assert!(checked(Scheme::Http, &Method::GET, host, &[]), "{host}");
        }
        for host in [
            "evil.example",
            "api.x.com",
            "127.0.0.1.evil.example",
            "",
            "0.0.0.0:7081",
            "10.0.0.1",
            "127.0.0.1:1@evil.example",
            "[::1].evil.example",
            "[::1]evil",
            "[::1",
            "[127.0.0.1]",
            "127.0.0.1:",
            "127.0.0.1:+80",
            "127.0.0.1:99999",
            "localhost:80:80",
        ] {
            assert!(!checked(Scheme::Http, &Method::GET, host, &[]), "{host}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::HOST, "127.0.0.1".parse().unwrap());
        twice.append(header::HOST, "evil.example".parse().unwrap());
        assert!(check(Scheme::Http, &Method::GET, "127.0.0.1", &twice).is_err());
        assert!(checked(Scheme::Https, &Method::GET, "api.x.com:443", &[]));
        assert!(checked(Scheme::Https, &Method::GET, "api.x.com", &[]));
        assert!(!checked(Scheme::Https, &Method::GET, "ads.x.com", &[]));
    }

    #[test]
    fn a_write_from_another_site_is_refused() {
        let host = "127.0.0.1:7081";
        assert!(checked(Scheme::Http, &Method::POST, host, &[]));
        assert!(checked(
            Scheme::Http,
            &Method::POST,
            host,
            &[("origin", "http://127.0.0.1:7081")]
        ));
        assert!(checked(
            Scheme::Http,
            &Method::POST,
            host,
            &[("sec-fetch-site", "same-origin")]
        ));
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:7082",
            "https://127.0.0.1:7081",
        ] {
            assert!(
                !checked(Scheme::Http, &Method::POST, host, &[("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!checked(
            Scheme::Http,
            &Method::DELETE,
            host,
            &[("sec-fetch-site", "cross-site")]
        ));
        assert!(checked(
            Scheme::Http,
            &Method::GET,
            host,
            &[("origin", "http://evil.example")]
        ));
    }
}
