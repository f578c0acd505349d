//! Compares two base strings part by part, for someone who got one from a provider's log and has the other
//! from here.

use std::collections::BTreeMap;

use crate::percent_encoding::percent_decode;

/// One difference between two base strings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseStringDifference {
    /// One of them does not consist of three parts joined by `&`.
    NotABaseString {
        /// Whether it is the first of the two.
        first: bool,
    },
    /// The HTTP methods differ.
    Method {
        /// In the first.
        first: String,
        /// In the second.
        second: String,
    },
    /// The base string URIs differ.
    Uri {
        /// In the first.
        first: String,
        /// In the second.
        second: String,
    },
    /// A parameter has other values.
    Values {
        /// Its name.
        name: String,
        /// Its values in the first, once decoded; empty if it is not there.
        first: Vec<String>,
        /// Its values in the second.
        second: Vec<String>,
    },
    /// The parameters are the same, but their order or encoding is not.
    OrderOrEncoding,
}

type Parameters = BTreeMap<String, Vec<String>>;

fn text(encoded: &str) -> String {
    String::from_utf8_lossy(&percent_decode(encoded)).into_owned()
}

fn split(base_string: &str) -> Option<(&str, String, Parameters)> {
    let (method, rest) = base_string.split_once('&')?;
    let (uri, normalized) = rest.split_once('&')?;
    let mut parameters = Parameters::new();
    let normalized = text(normalized);
    for pair in normalized.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(text(name)).or_default().push(text(value));
    }
    Some((method, text(uri), parameters))
}

/// Names every difference between two base strings; empty if they are the same.
pub fn compare_base_strings(first: &str, second: &str) -> Vec<BaseStringDifference> {
    if first == second {
        return Vec::new();
    }
    let (a, b) = match (split(first), split(second)) {
        (Some(a), Some(b)) => (a, b),
        (None, _) => return vec![BaseStringDifference::NotABaseString { first: true }],
        (_, None) => return vec![BaseStringDifference::NotABaseString { first: false }],
    };
    let mut differences = Vec::new();
    if a.0 != b.0 {
        differences.push(BaseStringDifference::Method {
            first: a.0.to_owned(),
            second: b.0.to_owned(),
        });
    }
    if a.1 != b.1 {
        differences.push(BaseStringDifference::Uri {
            first: a.1,
            second: b.1,
        });
    }
    let names: std::collections::BTreeSet<_> = a.2.keys().chain(b.2.keys()).collect();
    for name in names {
        let mut values = [
            a.2.get(name).cloned().unwrap_or_default(),
            b.2.get(name).cloned().unwrap_or_default(),
        ];
        for values in &mut values {
            values.sort();
        }
        let [first, second] = values;
        if first != second {
            differences.push(BaseStringDifference::Values {
                name: name.clone(),
                first,
                second,
            });
        }
    }
    if differences.is_empty() {
        differences.push(BaseStringDifference::OrderOrEncoding);
    }
    differences
}
