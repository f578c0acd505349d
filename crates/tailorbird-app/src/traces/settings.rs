//! What the environment says about traces: the variables that OpenTelemetry has for every program.
//!
//! Honoured are those in [`TraceSettings::read`]. Not honoured: `OTEL_BSP_*`, `OTEL_*_LIMIT` (limits here are named
//! constants), `OTEL_EXPORTER_OTLP_COMPRESSION`, `_CERTIFICATE`, `_CLIENT_*`, `OTEL_PROPAGATORS` (nothing is propagated),
//! and all of metrics and logs. As the specification wants it, an empty value is none, and one that is wrong is said and
//! passed over.

use std::fmt;
use std::time::Duration;

use tailorbird_oauth::percent_decode;

use super::sampler::{NAMES, Sampler};

/// The path of traces below a collector's address.
const TRACES: &str = "v1/traces";
/// How long a collector may take to answer where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time that it may take.
const MAX_TIMEOUT_MS: u64 = 60_000;
/// Pairs that are read of a list at most.
const MAX_PAIRS: usize = 64;

/// Where traces go, and how.
#[derive(Clone)]
pub struct TraceSettings {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Duration,
    /// What tells this program from others: `service.name` first.
    pub(super) resource: Vec<(String, String)>,
    pub(crate) sampler: Sampler,
}

// Headers hold the key of a collector, and an address may.
impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSettings").finish_non_exhaustive()
    }
}

impl TraceSettings {
    /// Reads the variables; `variable` gives the value of one. None where nothing is to be traced. The second part says
    /// what was wrong or is not done, in sentences for people that repeat no value.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> (Option<Self>, Vec<String>) {
        let value = |name: &str| {
            variable(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let mut notes = Vec::new();
        let is_off = value("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || value("OTEL_TRACES_EXPORTER").is_some_and(|text| text.eq_ignore_ascii_case("none"));
        let url = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| {
            let root = value("OTEL_EXPORTER_OTLP_ENDPOINT")?;
            Some(format!("{}/{TRACES}", root.trim_end_matches('/')))
        });
        let Some(url) = url.filter(|_| !is_off) else {
            return (None, notes);
        };
        if value("OTEL_TRACES_EXPORTER").is_some_and(|text| text != "otlp") {
            notes.push(
                "OTEL_TRACES_EXPORTER names exporters that this program does not have; traces go by otlp."
                    .to_owned(),
            );
        }
        let either = |one: &str| {
            value(&format!("OTEL_EXPORTER_OTLP_TRACES_{one}"))
                .or_else(|| value(&format!("OTEL_EXPORTER_OTLP_{one}")))
        };
        if either("PROTOCOL").is_some_and(|protocol| protocol != "http/json") {
            notes.push(
                "Traces are sent as http/json, whatever OTEL_EXPORTER_OTLP_PROTOCOL says; a collector takes it at the \
                 port of http/protobuf, usually 4318."
                    .to_owned(),
            );
        }
        let timeout = match either("TIMEOUT").map(|text| text.parse::<u64>()) {
            None => TIMEOUT,
            Some(Ok(milliseconds)) if (1..=MAX_TIMEOUT_MS).contains(&milliseconds) => {
                Duration::from_millis(milliseconds)
            }
            Some(_) => {
                notes.push(format!("OTEL_EXPORTER_OTLP_TIMEOUT is no number from 1 to {MAX_TIMEOUT_MS} (milliseconds); {} s count.", TIMEOUT.as_secs()));
                TIMEOUT
            }
        };
        let mut list = |name: &str, text: Option<String>| {
            let (pairs, is_whole) = pairs(&text.unwrap_or_default());
            if !is_whole {
                notes.push(format!(
                    "{name} has parts that are not of the form name=value; they are left out."
                ));
            }
            pairs
        };
        let headers = list("OTEL_EXPORTER_OTLP_HEADERS", either("HEADERS"));
        let mut resource = list("OTEL_RESOURCE_ATTRIBUTES", value("OTEL_RESOURCE_ATTRIBUTES"));
        let named = resource.iter().position(|(name, _)| name == "service.name");
        let named = named.map(|place| resource.remove(place).1);
        let service = value("OTEL_SERVICE_NAME")
            .or(named)
            .unwrap_or_else(|| "tailorbird".to_owned());
        resource.insert(0, ("service.name".to_owned(), service));
        let sampler = value("OTEL_TRACES_SAMPLER").map_or(Some(Sampler::All), |name| {
            Sampler::of(&name, value("OTEL_TRACES_SAMPLER_ARG").as_deref())
        });
        if sampler.is_none() {
            notes.push(format!(
                "OTEL_TRACES_SAMPLER or its argument is not known, so everything is traced; there are: {}.",
                NAMES.join(", ")
            ));
        }
        let settings = Self {
            url,
            headers,
            timeout,
            resource,
            sampler: sampler.unwrap_or(Sampler::All),
        };
        (Some(settings), notes)
    }
}

/// The pairs of `a=b,c=d`, values percent-encoded, and whether all parts were pairs.
pub(super) fn pairs(text: &str) -> (Vec<(String, String)>, bool) {
    let mut pairs = Vec::new();
    let mut is_whole = true;
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let pair = part.split_once('=').and_then(|(name, value)| {
            let value = String::from_utf8(percent_decode(value.trim())).ok()?;
            let name = name.trim();
            let is_well = !name.is_empty() && name.is_ascii() && !value.contains(char::is_control);
            is_well.then(|| (name.to_owned(), value))
        });
        match pair {
            Some(pair) if pairs.len() < MAX_PAIRS => pairs.push(pair),
            _ => is_whole = false,
        }
    }
    (pairs, is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<TraceSettings>, Vec<String>) {
        TraceSettings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const AT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");

    #[test]
    fn nothing_is_traced_unless_somebody_says_where_to() {
        assert!(read(&[]).0.is_none());
        assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).0.is_none());
        assert!(read(&[AT, ("OTEL_SDK_DISABLED", "True")]).0.is_none());
        assert!(read(&[AT, ("OTEL_TRACES_EXPORTER", "none")]).0.is_none());
        let (settings, notes) = read(&[AT]);
        let settings = settings.unwrap();
        assert_eq!(settings.url, "http://127.0.0.1:4318/v1/traces");
        assert_eq!(
            settings.resource,
            [("service.name".to_owned(), "tailorbird".to_owned())]
        );
        assert_eq!((settings.timeout, settings.sampler), (TIMEOUT, Sampler::All));
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn the_variables_for_traces_come_first() {
        let (settings, notes) = read(&[
            AT,
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "https://collector.example/otlp",
            ),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=can%20ary, x=1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test,service.name=other",
            ),
            ("OTEL_SERVICE_NAME", "erp-bridge"),
            ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
        ]);
        let settings = settings.unwrap();
        assert_eq!(
            settings.url, "https://collector.example/otlp",
            "as it stands, without a path added"
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(settings.headers, [pair("api-key", "can ary"), pair("x", "1")]);
        assert_eq!(settings.timeout, Duration::from_secs(2));
        assert_eq!(
            settings.resource,
            [
                pair("service.name", "erp-bridge"),
                pair("deployment.environment.name", "test")
            ]
        );
        assert_eq!(settings.sampler, Sampler::None);
        assert!(notes.is_empty(), "{notes:?}");
        assert!(!format!("{settings:?}").contains("can"), "no key in a debug form");
    }

    #[test]
    fn what_is_wrong_is_said_and_passed_over() {
        let (settings, notes) = read(&[
            AT,
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
        ]);
        assert_eq!(settings.unwrap().sampler, Sampler::All);
        assert_eq!(notes.len(), 5, "{notes:?}");
        assert!(!notes.concat().contains("canary"));
    }
}
