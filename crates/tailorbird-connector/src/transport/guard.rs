//! The address guard: which machines a connection may reach (security rule 5).
//!
//! The check happens inside the name look-up that the client library connects by, so the address that was
//! checked is the address that is connected to; a name that answers differently the second time gains
//! nothing. Addresses written as numbers never reach the look-up and are checked before.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::Unanswered;
use crate::origin::Address;

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;

/// An address that may not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {what}")]
pub(crate) struct AddressRefused {
    host: String,
    what: &'static str,
}

/// Metadata services of clouds that lie outside the link-local range.
const METADATA_V4: [[u8; 4]; 3] = [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]];

/// What stands before an IPv4 address inside an IPv6 one: compatible (RFC 4291 §2.5.5.1), NAT64 (RFC 6052
/// §2.1), and stateless translators (RFC 2765 §2.1). The mapped form has a method of its own.
const IPV4_INSIDE: [[u16; 6]; 3] = [[0; 6], [0x0064, 0xff9b, 0, 0, 0, 0], [0, 0, 0, 0, 0xffff, 0]];

/// How near an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// On the public internet.
    Public,
    /// Private, shared or loopback: allowed only where the connection names the place.
    Private(&'static str),
    /// Never allowed.
    Never(&'static str),
}

/// Checks where requests go.
#[derive(Debug)]
pub(crate) struct Guard {
    own_listeners: Vec<SocketAddr>,
}

impl Guard {
    pub(crate) fn new(own_listeners: Vec<SocketAddr>) -> Self {
        Self { own_listeners }
    }

    /// Checks what can be told without a name look-up.
    pub(crate) fn check(&self, place: &Address, private_allowed: bool) -> Result<(), Unanswered> {
        let origin = place.origin();
        let address = match place.url().host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        // A loopback name reaches our own listeners as well as a loopback number does.
        let own_port = self.own_listeners.iter().any(|own| own.port() == origin.port());
        if own_port
            && (origin.may_be_loopback()
                || address.is_some_and(|address| self.is_own(address, origin.port())))
        {
            return Err(Unanswered::refused(format!(
                "{} is this program itself",
                origin.host()
            )));
        }
        match address {
            Some(address) => refuse_place(origin.host(), address, private_allowed)
                .map_err(|refused| Unanswered::refused(refused.to_string())),
            None => Ok(()),
        }
    }

    fn is_own(&self, address: IpAddr, port: u16) -> bool {
        self.own_listeners
            .iter()
            .any(|own| own.port() == port && (own.ip() == address || own.ip().is_unspecified()))
    }
}

/// Looks names up and drops what may not be reached.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    private_allowed: bool,
}

impl GuardedResolver {
    pub(crate) fn new(private_allowed: bool) -> Self {
        Self { private_allowed }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_allowed = self.private_allowed;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            // Port 0 means "the port of the address", which the library fills in.
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            let mut refused = None;
            for address in found.take(MAX_ADDRESSES) {
                match refuse_place(&host, address.ip(), private_allowed) {
                    Ok(()) => allowed.push(address),
                    Err(refusal) => refused = Some(refusal),
                }
            }
            match (allowed.is_empty(), refused) {
                (false, _) => {
                    let addresses: Addrs = Box::new(allowed.into_iter());
                    Ok(addresses)
                }
                (true, Some(refusal)) => Err(refusal.into()),
                (true, None) => Err(format!("{host} has no address").into()),
            }
        })
    }
}

/// Refuses an address that the connection may not reach.
pub(crate) fn refuse_place(host: &str, address: IpAddr, private_allowed: bool) -> Result<(), AddressRefused> {
    let refused = |what| {
        Err(AddressRefused {
            host: host.to_owned(),
            what,
        })
    };
    match kind(address) {
        Kind::Public => Ok(()),
        Kind::Private(_) if private_allowed => Ok(()),
        Kind::Private(what) | Kind::Never(what) => refused(what),
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, d] = address.octets();
    if a == 0 {
        return Kind::Never("an unspecified address");
    }
    if address.is_link_local() || METADATA_V4.contains(&[a, b, c, d]) {
        return Kind::Never("a link-local or metadata address");
    }
    if address.is_multicast() || a >= 240 {
        return Kind::Never("a multicast or reserved address");
    }
    if address.is_loopback() {
        return Kind::Private("a loopback address");
    }
    let shared = a == 100 && (64..128).contains(&b);
    let special =
        [a, b, c] == [192, 0, 0] || (a == 198 && (18..20).contains(&b)) || address.is_documentation();
    if address.is_private() || shared || special {
        return Kind::Private("a private address");
    }
    Kind::Public
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if address.is_unspecified() {
        return Kind::Never("an unspecified address");
    }
    if address.is_loopback() {
        return Kind::Private("a loopback address");
    }
    let segments = address.segments();
    let [first, second, ..] = segments;
    // An IPv4 address inside: mapped, compatible, NAT64 and 6to4 all end at the inner one.
    let [_, _, _, _, _, _, high, low] = segments;
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return kind_v4(mapped);
    }
    if IPV4_INSIDE.iter().any(|prefix| segments.starts_with(prefix)) {
        return kind_v4(inner(high, low));
    }
    match segments {
        // A network's own NAT64 prefix (RFC 8215) may end anywhere inside that network.
        [0x0064, 0xff9b, 1, ..] => {
            return match kind_v4(inner(high, low)) {
                never @ Kind::Never(_) => never,
                _ => Kind::Private("a private address"),
            };
        }
        [0x2002, outer_high, outer_low, ..] => return kind_v4(inner(outer_high, outer_low)),
        _ => {}
    }
    if first & 0xffc0 == 0xfe80 || segments == [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] {
        return Kind::Never("a link-local or metadata address");
    }
    if first & 0xff00 == 0xff00 {
        return Kind::Never("a multicast address");
    }
    if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 || (first == 0x0064 && second == 0xff9b) {
        return Kind::Private("a private address");
    }
    if first == 0x2001 && second == 0 {
        return Kind::Private("an address inside a tunnel");
    }
    if first == 0x2001 && second == 0x0db8 {
        return Kind::Private("a documentation address");
    }
    Kind::Public
}

#[cfg(test)]
mod tests {
    use super::{AddressRefused, refuse_place};

    fn check(address: &str, private_allowed: bool) -> Result<(), AddressRefused> {
        refuse_place("host", address.parse().unwrap(), private_allowed)
    }

    #[test]
    fn private_places_need_leave_and_some_places_never_get_it() {
        for public in [
            "93.184.215.14",
            "104.244.42.1",
            "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
            "::ffff:8.8.8.8",
        ] {
            assert!(check(public, false).is_ok(), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "fd12:3456::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fec0::1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "2001::1",
        ] {
            assert!(check(private, false).is_err(), "{private}");
            assert!(check(private, true).is_ok(), "{private}");
        }
        for never in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "64:ff9b:1::a9fe:a9fe",
            "::ffff:0:169.254.169.254",
            "::ffff:192.0.0.192",
        ] {
            assert!(check(never, false).is_err(), "{never}");
            assert!(check(never, true).is_err(), "{never}");
        }
    }
}
