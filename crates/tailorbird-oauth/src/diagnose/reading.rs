//! Wrong base strings that libraries make.
//!
//! This is a second, plain implementation of RFC 5849 §3.4.1, slow and with a switch for each mistake. It
//! is kept apart from the signer's own: that one is fast, and knows only the right way.

use std::collections::HashSet;

use crate::diagnose::cause::Cause;
use crate::percent_encoding::{form_decode, percent_decode, percent_encode};
use crate::signing::parameter_sources::form_pairs;
use crate::wire_url::{Scheme, WireUrl};

/// A request to read in several ways.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) method: String,
    /// With its query.
    pub(crate) url: String,
    /// Decoded pairs of the header, with the signature or without.
    pub(crate) header: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) is_form: bool,
    pub(crate) realm: Option<String>,
    /// Whether equal protocol parameters in two places count once.
    pub(crate) repeated_once: bool,
}

/// One way to read a request; `None` is the right one.
type Reading<'a> = Option<&'a Cause>;

/// A parameter while it is being read.
struct Parameter {
    name: Vec<u8>,
    value: Vec<u8>,
    in_header: bool,
}

impl Parameter {
    fn is_protocol(&self) -> bool {
        self.name.starts_with(b"oauth_")
    }
}

/// The right base string first, then the wrong ones that differ from it, each once.
pub(crate) fn request_mistakes(case: &Case, hosts: &[&str]) -> Vec<(Option<Cause>, String)> {
    let mut causes = vec![
        Cause::OtherScheme,
        Cause::DefaultPortSigned,
        Cause::PortLeftOut,
        Cause::HostNotLowerCase,
        Cause::MethodLowerCase,
        Cause::PlusKept,
        Cause::SpaceAsPlus,
        Cause::NamesEncodedTwice,
        Cause::ValuesEncodedTwice,
        Cause::SortedBeforeEncoding,
        Cause::SameNamesMerged,
        Cause::FormBodyLeftOut,
        Cause::OtherBodySigned,
        Cause::QueryLeftOut,
        Cause::PathDecoded,
        Cause::TrailingSlash,
        Cause::RealmSigned,
        Cause::OrdinaryRealmLeftOut,
        Cause::RepetitionSignedTwice,
        Cause::ProtocolValuesDecodedTwice,
        Cause::BodyHashEncodedOnce,
    ];
    causes.extend(hosts.iter().map(|host| Cause::OtherHost {
        host: (*host).to_owned(),
    }));
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
    causes.extend(methods.into_iter().map(|method| Cause::OtherMethod { method }));
    let mut names: Vec<_> = case
        .parameters(None)
        .into_iter()
        .filter(Parameter::is_protocol)
        .collect();
    names.truncate(MAX_LEFT_OUT);
    causes.extend(names.into_iter().map(|parameter| Cause::ParameterLeftOut {
        name: String::from_utf8_lossy(&parameter.name).into_owned(),
    }));

    let mut seen = HashSet::new();
    let mut readings = Vec::with_capacity(causes.len() + 1);
    for cause in std::iter::once(None).chain(causes.into_iter().map(Some)) {
        if let Some(base_string) = case.base_string(cause.as_ref())
            && seen.insert(base_string.clone())
        {
            readings.push((cause, base_string));
        }
    }
    readings
}

/// How many protocol parameters are tried as forgotten ones.
const MAX_LEFT_OUT: usize = 20;

impl Case {
    fn base_string(&self, reading: Reading<'_>) -> Option<String> {
        let method = match reading {
            Some(Cause::MethodLowerCase) => self.method.to_ascii_lowercase(),
            Some(Cause::OtherMethod { method }) => (*method).to_owned(),
            _ => self.method.to_ascii_uppercase(),
        };
        let uri = self.base_uri(reading)?;
        let normalized = self.normalized(reading);
        Some(format!(
            "{method}&{}&{}",
            percent_encode(uri),
            percent_encode(normalized)
        ))
    }

    fn base_uri(&self, reading: Reading<'_>) -> Option<Vec<u8>> {
        let url = WireUrl::parse(&self.url).ok()?;
        let scheme = match (url.scheme, reading == Some(&Cause::OtherScheme)) {
            (Scheme::Http, false) | (Scheme::Https, true) => Scheme::Http,
            (Scheme::Https, false) | (Scheme::Http, true) => Scheme::Https,
        };
        let mut uri = match scheme {
            Scheme::Http => b"http://".to_vec(),
            Scheme::Https => b"https://".to_vec(),
        };
        match reading {
            Some(Cause::OtherHost { host }) => uri.extend_from_slice(host.to_ascii_lowercase().as_bytes()),
            Some(Cause::HostNotLowerCase) => uri.extend_from_slice(url.host),
            _ => uri.extend(url.host.to_ascii_lowercase()),
        }
        let default = url.scheme.default_port();
        let port = match reading {
            Some(Cause::OtherHost { .. } | Cause::PortLeftOut) => None,
            Some(Cause::DefaultPortSigned) => Some(url.port.unwrap_or(default)),
            _ => url.port.filter(|port| *port != default),
        };
        if let Some(port) = port {
            uri.extend_from_slice(format!(":{port}").as_bytes());
        }
        let path = if url.path.is_empty() { &b"/"[..] } else { url.path };
        match reading {
            Some(Cause::PathDecoded) => uri.extend(percent_decode(path)),
            Some(Cause::TrailingSlash) => {
                if let Some(shorter) = path.strip_suffix(b"/") {
                    uri.extend_from_slice(shorter);
                } else {
                    uri.extend_from_slice(path);
                    uri.push(b'/');
                }
            }
            _ => uri.extend_from_slice(path),
        }
        Some(uri)
    }

    fn parameters(&self, reading: Reading<'_>) -> Vec<Parameter> {
        let mut parameters: Vec<_> = self
            .header
            .iter()
            .map(|(name, value)| Parameter {
                name: name.clone(),
                value: value.clone(),
                in_header: true,
            })
            .collect();
        if let (Some(Cause::RealmSigned), Some(realm)) = (reading, &self.realm) {
            let value = realm.as_bytes().to_vec();
            parameters.push(Parameter {
                name: b"realm".to_vec(),
                value,
                in_header: true,
            });
        }
        if reading != Some(&Cause::QueryLeftOut) {
            let (url, _) = self.url.split_once('#').unwrap_or((&self.url, ""));
            let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
            parameters.extend(read_form(query.as_bytes(), reading));
        }
        let body_is_signed = match reading {
            Some(Cause::FormBodyLeftOut) => false,
            Some(Cause::OtherBodySigned) => true,
            _ => self.is_form,
        };
        if body_is_signed {
            parameters.extend(read_form(&self.body, reading));
        }
        parameters.retain(|parameter| parameter.name != b"oauth_signature");
        if self.repeated_once && reading != Some(&Cause::RepetitionSignedTwice) {
            let mut seen = HashSet::new();
            parameters.retain(|parameter| {
                !parameter.is_protocol() || seen.insert((parameter.name.clone(), parameter.value.clone()))
            });
        }
        match reading {
            Some(Cause::OrdinaryRealmLeftOut) => parameters.retain(|parameter| parameter.name != b"realm"),
            Some(Cause::ParameterLeftOut { name }) => {
                parameters.retain(|parameter| parameter.name != name.as_bytes());
            }
            Some(Cause::ProtocolValuesDecodedTwice) => {
                for parameter in parameters
                    .iter_mut()
                    .filter(|one| one.is_protocol() && !one.in_header)
                {
                    parameter.value = percent_decode(&parameter.value);
                }
            }
            Some(Cause::SameNamesMerged) => {
                let mut seen = HashSet::new();
                parameters.reverse();
                parameters.retain(|parameter| seen.insert(parameter.name.clone()));
            }
            _ => {}
        }
        parameters
    }

    fn normalized(&self, reading: Reading<'_>) -> String {
        let mut parameters = self.parameters(reading);
        let sorted_before = reading == Some(&Cause::SortedBeforeEncoding);
        if sorted_before {
            parameters.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
        }
        let encode = |bytes: &[u8]| {
            let encoded = percent_encode(bytes);
            if reading == Some(&Cause::SpaceAsPlus) {
                encoded.replace("%20", "+")
            } else {
                encoded
            }
        };
        let mut pairs: Vec<(String, String)> = parameters
            .iter()
            .map(|parameter| {
                let as_is =
                    reading == Some(&Cause::BodyHashEncodedOnce) && parameter.name == b"oauth_body_hash";
                let value = if as_is {
                    String::from_utf8_lossy(&parameter.value).into_owned()
                } else {
                    encode(&parameter.value)
                };
                (encode(&parameter.name), value)
            })
            .collect();
        if !sorted_before {
            pairs.sort();
        }
        pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// Reads a query or form, decoding as the reading has it.
fn read_form<'a>(encoded: &'a [u8], reading: Reading<'a>) -> impl Iterator<Item = Parameter> + 'a {
    let decode = move |bytes: &[u8]| {
        if reading == Some(&Cause::PlusKept) {
            percent_decode(bytes)
        } else {
            form_decode(bytes)
        }
    };
    form_pairs(encoded).map(move |(name, value)| Parameter {
        name: if reading == Some(&Cause::NamesEncodedTwice) {
            name.to_vec()
        } else {
            decode(name)
        },
        value: if reading == Some(&Cause::ValuesEncodedTwice) {
            value.to_vec()
        } else {
            decode(value)
        },
        in_header: false,
    })
}
