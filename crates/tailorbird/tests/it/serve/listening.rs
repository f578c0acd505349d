//! Where it listens, to whom it answers, and how it starts and stops.

use serde_json::Value;

use super::support::{Server, raw, until};
use crate::support::Home;

fn home() -> Home {
    let home = Home::new();
    home.database("erp", "create table products (sku text)");
    home
}

#[test]
fn it_answers_health_readiness_and_figures_and_stops_when_asked() {
    let home = home();
    let server = Server::start(&home);
    assert_eq!(server.get("/healthz").0, 200);
    until("it is ready", || {
        server.get("/readyz") == (200, "{\"state\":\"ready\"}".to_owned())
    });
    let (status, front) = server.get("/");
    assert_eq!(status, 401);
    assert!(front.contains("tailorbird open"), "{front}");
    let (status, figures) = server.get("/metrics");
    assert_eq!(status, 200);
    assert!(
        figures.contains("tailorbird_http_answers_total{listener=\"main\",class=\"2xx\"} 2\n"),
        "{figures}"
    );
    let (status, problem) = server.get("/nowhere");
    let problem: Value = serde_json::from_str(&problem).unwrap();
    assert_eq!((status, problem["code"].as_str()), (404, Some("SRV-002")));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_second_server_of_a_home_is_told_so_and_without_a_home_there_is_none() {
    let home = home();
    let _server = Server::start(&home);
    home.run(&["serve", "--listen", "127.0.0.1:0"])
        .refused(1, "RUN-002")
        .says(&["process"]);
    Home::new()
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .refused(2, "HOME-001");
}

#[test]
fn an_address_that_others_can_reach_and_one_that_is_taken_are_refused() {
    let home = home();
    home.run(&["serve", "--listen", "0.0.0.0:0"])
        .refused(2, "SRV-001")
        .says(&["loopback", "ssh -L"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(&["serve", "--listen", &address])
        .refused(1, "SRV-001")
        .says(&[&address]);
}

#[test]
fn only_this_machine_is_answered_and_webhooks_have_a_listener_of_their_own() {
    let home = home();
    let server = Server::start_with(&home, &["--webhook-listen", "127.0.0.1:0"]);
    let main = &server.url;
    let own = main.strip_prefix("http://").unwrap();
    let request = |host: &str, more: &str| {
        let text = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n");
        raw(main, &text)
    };
    assert_eq!(request(own, ""), 200);
    assert_eq!(request("rebound.example", ""), 403);
    assert_eq!(request(own, "X-Forwarded-For: 203.0.113.9\r\n"), 403);
    // What needs no session, what needs one, and what is not there stand behind the same guard.
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/",
        "/runs",
        "/enter",
        "/assets/look.js",
        "/hooks/any",
        "/nowhere",
    ] {
        for host in [
            "Host: rebound.example",
            &format!("Host: {own}\r\nForwarded: for=203.0.113.9"),
        ] {
            let text = format!("GET {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n");
            assert_eq!(raw(main, &text), 403, "{path} {host}");
        }
    }
    assert_eq!(
        raw(
            main,
            &format!("DELETE / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n")
        ),
        405
    );
    // The webhook listener answers under any name, and has nothing but webhooks.
    let hooks = server.ready["webhooks"].as_str().unwrap();
    let hooks = hooks.strip_suffix("/hooks/").unwrap();
    assert_ne!(hooks, main);
    for path in ["/metrics", "/", "/readyz", "/hooks/none"] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: hooks.example\r\nConnection: close\r\n\r\n");
        assert_eq!(raw(hooks, &text), 404, "{path}");
    }
}

/// Each metric has its line in the documentation, and each line its metric.
#[test]
fn the_documentation_names_each_metric_with_its_kind() {
    let server = Server::start(&home());
    let (_, page) = server.get("/metrics");
    let mut told: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(str::to_owned)
        .collect();
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md")).unwrap();
    let mut documented: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `tailorbird_"))
        .map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let name = cells.next().unwrap().trim_end_matches('`');
            format!("tailorbird_{name} {}", cells.next().unwrap())
        })
        .collect();
    told.sort();
    documented.sort();
    assert_eq!(told, documented);
}
