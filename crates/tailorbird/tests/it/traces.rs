//! Traces, as a collector gets them: which spans there are, what is never in them, and that no collector harms a run.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::serve::support::{Server, until};
use crate::support::{Home, Sandbox};

/// What a collector does with a batch.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Takes,
    Refuses,
    IsBusy,
    NeverAnswers,
}

/// A collector in the test's own process. It keeps what it gets.
struct Collector {
    endpoint: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if does == Does::NeverAnswers {
                    silent.push(stream);
                    continue;
                }
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || while answer(&mut stream, does, &kept).is_some() {});
            }
        });
        Self { endpoint, bodies }
    }

    fn text(&self) -> String {
        self.bodies.lock().unwrap().concat()
    }

    fn spans(&self) -> Vec<Value> {
        let bodies = self.bodies.lock().unwrap();
        let batches = bodies
            .iter()
            .map(|body| serde_json::from_str::<Value>(body).unwrap());
        batches
            .flat_map(|batch| {
                batch["resourceSpans"][0]["scopeSpans"][0]["spans"]
                    .as_array()
                    .unwrap()
                    .clone()
            })
            .collect()
    }
}

/// Answers one request of a connection; nothing where it was closed.
fn answer(stream: &mut TcpStream, does: Does, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    assert!(head.contains("\r\napi-key: let me in\r\n"), "{head}");
    let length = head.split("content-length: ").nth(1).unwrap();
    let mut body = vec![0; length.split('\r').next().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    kept.lock().unwrap().push(String::from_utf8(body).unwrap());
    let (status, body) = match does {
        Does::Takes => ("200 OK", "{}"),
        Does::IsBusy => ("503 Service Unavailable", "{}"),
        Does::Refuses | Does::NeverAnswers => ("400 Bad Request", "{}"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// The variables that lead traces there.
fn to(endpoint: &str) -> [(&'static str, String); 3] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.to_owned()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=let%20me%20in".to_owned()),
        ("OTEL_SERVICE_NAME", "erp-bridge".to_owned()),
    ]
}

/// A home that announces five products of which the third meets a limit.
fn announcing(sandbox: &Sandbox) -> (Home, Value) {
    let home = Home::new();
    let products: Vec<(String, String)> = (0..5)
        .map(|number| (format!("SKU-{number}"), format!("Kettle {number}")))
        .collect();
    let products: Vec<(&str, &str)> = products
        .iter()
        .map(|(sku, name)| (sku.as_str(), name.as_str()))
        .collect();
    let keys = home.announcing(sandbox, "read_write", &products);
    (home, keys)
}

fn attribute<'a>(span: &'a Value, name: &str) -> Option<&'a str> {
    let found = span["attributes"]
        .as_array()?
        .iter()
        .find(|one| one["key"] == name)?;
    found["value"]["stringValue"]
        .as_str()
        .or_else(|| found["value"]["intValue"].as_str())
}

fn named<'a>(spans: &'a [Value], beginning: &str) -> Vec<&'a Value> {
    spans
        .iter()
        .filter(|span| span["name"].as_str().unwrap().starts_with(beginning))
        .collect()
}

#[test]
fn a_run_is_told_from_itself_down_to_each_request_and_holds_no_content() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = announcing(&sandbox);
    sandbox.post(
        "faults",
        &json!([{"match": "POST /2/tweets", "nth": 3, "do": "429", "seconds": 1}]),
    );
    let collector = Collector::start(Does::Takes);
    let said = home
        .command(&["task", "run", "announce"])
        .envs(to(&collector.endpoint))
        .output()
        .unwrap();
    assert_eq!(
        said.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    assert_eq!(sandbox.accepted(), 5);

    let spans = collector.spans();
    let by_id: BTreeMap<&str, &Value> = spans
        .iter()
        .map(|span| (span["spanId"].as_str().unwrap(), span))
        .collect();
    assert_eq!(by_id.len(), spans.len(), "ids differ");
    let run = named(&spans, "run announce");
    let [run] = run.as_slice() else {
        panic!("{} runs", run.len())
    };
    assert!(run.get("parentSpanId").is_none());
    assert_eq!(attribute(run, "tailorbird.run.state"), Some("succeeded"));
    assert_eq!(attribute(run, "tailorbird.run.delivered"), Some("5"));
    let steps: Vec<&Value> = named(&spans, "step ");
    for step in ["products", "post"] {
        assert!(
            steps
                .iter()
                .any(|span| attribute(span, "tailorbird.step") == Some(step)),
            "{step}"
        );
    }
    assert!(!named(&spans, "chunk").is_empty() && !named(&spans, "send").is_empty());
    let deliveries = named(&spans, "deliver create_post");
    let with = |outcome| {
        deliveries
            .iter()
            .filter(|span| attribute(span, "tailorbird.delivery.outcome") == Some(outcome))
            .count()
    };
    assert_eq!(
        (with("delivered"), with("pending")),
        (5, 1),
        "five went through, one was put off once"
    );
    let requests = named(&spans, "POST create_post");
    let status = |code| {
        requests
            .iter()
            .filter(|span| attribute(span, "http.response.status_code") == Some(code))
            .count()
    };
    assert_eq!((requests.len(), status("201"), status("429")), (6, 5, 1));
    assert!(
        requests
            .iter()
            .all(|span| span["kind"] == 3 && attribute(span, "tailorbird.connection") == Some("company-x"))
    );
    let events: Vec<&Value> = spans
        .iter()
        .flat_map(|span| span["events"].as_array().unwrap())
        .collect();
    assert!(
        events
            .iter()
            .any(|event| event["name"] == "waits for a limit or a time"),
        "{events:?}"
    );

    well_formed(&spans, run);
    tells_no_content(&collector.text(), &keys);
}

/// All of one trace, each below the right one, none ends before it begins.
fn well_formed(spans: &[Value], run: &Value) {
    let name = |id: &str| {
        let found = spans.iter().find(|span| span["spanId"] == id);
        found.map_or("nothing", |span| span["name"].as_str().unwrap())
    };
    for span in spans {
        assert_eq!(span["traceId"], run["traceId"]);
        let time = |member: &str| span[member].as_str().unwrap().parse::<u64>().unwrap();
        let (began, ended) = (time("startTimeUnixNano"), time("endTimeUnixNano"));
        assert!(began <= ended && began > 1_700_000_000_000_000_000);
    }
    for (below, above) in [
        ("POST create_post", "deliver create_post"),
        ("deliver create_post", "send"),
        ("send", "step post"),
        ("step ", "run announce"),
    ] {
        let found = named(spans, below);
        assert!(!found.is_empty(), "{below}");
        for span in found {
            assert_eq!(name(span["parentSpanId"].as_str().unwrap()), above, "{below}");
        }
    }
}

/// The receiver knows who it is from, and nothing of what was sent.
fn tells_no_content(text: &str, keys: &Value) {
    assert!(text.contains(r#"{"key":"service.name","value":{"stringValue":"erp-bridge"}}"#));
    for secret in [
        "Kettle",
        "SKU-",
        "product-",
        keys["client_key"].as_str().unwrap(),
        keys["client_secret"].as_str().unwrap(),
        "oauth_",
    ] {
        assert!(!text.contains(secret), "{secret:?} left the machine");
    }
}

#[test]
fn a_collector_that_is_dead_or_silent_or_unwilling_harms_no_run() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for endpoint in [
        dead,
        Collector::start(Does::NeverAnswers).endpoint,
        "no address".to_owned(),
    ] {
        let sandbox = Sandbox::start(&[]);
        let (home, _) = announcing(&sandbox);
        let said = home
            .command(&["task", "run", "announce"])
            .envs(to(&endpoint))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(0), "{stderr}");
        assert_eq!(
            serde_json::from_slice::<Value>(&said.stdout).unwrap()["state"],
            "succeeded"
        );
        assert_eq!(
            stderr.contains("nothing is traced"),
            endpoint == "no address",
            "{stderr}"
        );
        assert_eq!(sandbox.accepted(), 5);
    }
}

/// Somebody waits for the prompt: at the end a collector that is busy is asked once, and not after pauses.
#[test]
fn the_end_of_a_run_does_not_ask_a_busy_collector_again_and_again() {
    let sandbox = Sandbox::start(&[]);
    let (home, _) = announcing(&sandbox);
    let collector = Collector::start(Does::IsBusy);
    let mut command = home.command(&["task", "run", "announce"]);
    let said = command.envs(to(&collector.endpoint)).output().unwrap();
    assert_eq!(said.status.code(), Some(0));
    // One of them at most went before the end.
    let asked = collector.bodies.lock().unwrap().len();
    assert!((1..=2).contains(&asked), "{asked}");
}

#[test]
fn a_server_counts_what_was_taken_and_what_was_lost() {
    for (does, counted) in [(Does::Takes, "exported"), (Does::Refuses, "dropped")] {
        let sandbox = Sandbox::start(&[]);
        let (home, _) = announcing(&sandbox);
        let collector = Collector::start(does);
        let server = Server::start_in(&home, &to(&collector.endpoint));
        home.run(&["task", "run", "announce"]).expect(0);
        let is_counted = |outcome: &str| {
            let (_, page) = server.get("/metrics");
            let start = format!("tailorbird_trace_spans_total{{outcome=\"{outcome}\"}} ");
            let line = page
                .lines()
                .find_map(|line| line.strip_prefix(&start))
                .unwrap()
                .to_owned();
            line.parse::<u64>().unwrap()
        };
        until("the spans are counted", || is_counted(counted) >= 10);
        let other = if counted == "exported" {
            "dropped"
        } else {
            "exported"
        };
        assert_eq!(is_counted(other), 0);
        assert!(!collector.spans().is_empty());
        assert_eq!(server.stop(), Some(0));
    }
}

#[test]
fn nothing_is_traced_where_nobody_wants_it() {
    let sandbox = Sandbox::start(&[]);
    let (home, _) = announcing(&sandbox);
    let collector = Collector::start(Does::Takes);
    for (variable, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let mut command = home.command(&["task", "run", "announce"]);
        let said = command
            .envs(to(&collector.endpoint))
            .env(variable, value)
            .output()
            .unwrap();
        assert_eq!(said.status.code(), Some(0));
        assert_eq!(collector.text(), "", "{variable}");
    }
    let server = Server::start(&home);
    let (_, page) = server.get("/metrics");
    assert!(
        page.contains("# TYPE tailorbird_trace_spans_total counter")
            && !page.contains("tailorbird_trace_spans_total{")
    );
}
