//! Who may talk to the main listener at all: loopback is not trust.
//!
//! A web page in somebody's browser can send requests to 127.0.0.1, and with a rebound name it can even read
//! the answers. So `Host` must name loopback, and a write that a browser sends must come from our own pages.
//! Programs send no `Origin` and are not touched by that.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, Method, header};

/// What proxies add. A request that was forwarded came from another machine, and without user accounts
/// nobody knows whether that one may be here.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Why a request is turned away before anything looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The `Host` header is absent, unreadable or names another machine.
    Host(String),
    /// A browser sends a write from another site.
    Origin(String),
    /// A proxy forwarded it.
    Forwarded(&'static str),
}

/// Checks a request to the main listener.
pub(crate) fn check(method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts
        .next()
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    // Of two `Host` lines nobody knows which one counts (RFC 9112 §3.2).
    if hosts.next().is_some() || !host_name(host).is_some_and(is_loopback) {
        return Err(Refused::Host(host.to_owned()));
    }
    if let Some(name) = FORWARDED.into_iter().find(|name| headers.contains_key(*name)) {
        return Err(Refused::Forwarded(name));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let readable = |value: &http::HeaderValue| value.to_str().unwrap_or("unreadable").to_owned();
    if let Some(origin) = headers.get(header::ORIGIN).map(readable) {
        if !origin.eq_ignore_ascii_case(&format!("http://{host}")) {
            return Err(Refused::Origin(origin));
        }
    } else if let Some(site) = headers.get("sec-fetch-site").map(readable)
        && site != "same-origin"
        && site != "none"
    {
        return Err(Refused::Origin(format!("a {site} page")));
    }
    Ok(())
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
    if port.is_empty() {
        return Some(name);
    }
    let digits = port.strip_prefix(':')?;
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    is_port.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: &Method, headers: &[(&str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        check(method, &map)
    }

    #[test]
    fn only_loopback_names_are_answered() {
        for host in [
            "127.0.0.1:7080",
            "localhost:7080",
            "[::1]:7080",
            "127.8.9.1",
            "LOCALHOST",
        ] {
            assert_eq!(checked(&Method::GET, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "rebound.example",
            "127.0.0.1.rebound.example",
            "",
            "0.0.0.0:7080",
            "10.0.0.1",
            "127.0.0.1:1@rebound.example",
            "[::1].rebound.example",
            "[::1]rebound",
            "[::1",
            "[127.0.0.1]",
            "127.0.0.1:",
            "127.0.0.1:+80",
            "127.0.0.1:99999",
            "localhost:80:80",
        ] {
            let refused = checked(&Method::GET, &[("host", host)]);
            assert_eq!(refused, Err(Refused::Host(host.to_owned())), "{host}");
        }
        assert!(checked(&Method::GET, &[]).is_err(), "no host at all");
        assert!(
            checked(
                &Method::GET,
                &[("host", "127.0.0.1"), ("host", "rebound.example")]
            )
            .is_err(),
            "two hosts"
        );
    }

    #[test]
    fn a_write_from_another_site_is_refused() {
        let own = ("host", "127.0.0.1:7080");
        for allowed in [
            vec![own],
            vec![own, ("origin", "http://127.0.0.1:7080")],
            vec![own, ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(checked(&Method::POST, &allowed), Ok(()), "{allowed:?}");
        }
        for refused in [
            ("origin", "http://elsewhere.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:7082"),
            ("origin", "https://127.0.0.1:7080"),
            ("sec-fetch-site", "cross-site"),
        ] {
            assert!(checked(&Method::DELETE, &[own, refused]).is_err(), "{refused:?}");
        }
        assert_eq!(
            checked(&Method::GET, &[own, ("origin", "http://elsewhere.example")]),
            Ok(()),
            "reading is open; the browser keeps the answer from the other site"
        );
    }

    #[test]
    fn what_a_proxy_forwarded_is_refused() {
        for name in FORWARDED {
            let refused = checked(&Method::GET, &[("host", "127.0.0.1:7080"), (name, "203.0.113.9")]);
            assert_eq!(refused, Err(Refused::Forwarded(name)));
        }
    }
}
