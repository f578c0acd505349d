//! `sandbox`: the ready line, the switches, and `/_sandbox/` for scripts.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Home, Sandbox, http, members, program};

/// Starts a sandbox with all its addresses and gives the ready line.
fn ready(arguments: &[&str]) -> (std::process::Child, Value) {
    let mut child = Command::new(program())
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn end(mut child: std::process::Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_ready_line() {
    let (child, line) = ready(&[]);
    assert_eq!(members(&line), ["portal", "api", "tls", "proxy", "ca", "admin"]);
    for absent in ["tls", "proxy", "ca"] {
        assert_eq!(line[absent], Value::Null);
    }
    for there in ["portal", "api", "admin"] {
        let address = line[there].as_str().unwrap();
        assert!(
            address.starts_with("http://127.0.0.1:") && !address.contains(":0"),
            "{line}"
        );
    }
    assert!(line["admin"].as_str().unwrap().ends_with("/_sandbox/"), "{line}");
    let (status, _) = http(
        "GET",
        &format!("{}posts", line["admin"].as_str().unwrap()),
        &[],
        "",
    );
    assert_eq!(status, 200);
    end(child);

    let home = Home::new();
    let ca = home.file("ca.pem");
    let (child, line) = ready(&[
        "--tls-listen",
        "127.0.0.1:0",
        "--proxy-listen",
        "127.0.0.1:0",
        "--ca-out",
        ca.to_str().unwrap(),
    ]);
    assert!(line["tls"].as_str().unwrap().starts_with("https://"), "{line}");
    assert!(line["proxy"].as_str().unwrap().starts_with("http://"), "{line}");
    assert_eq!(line["ca"], ca.to_str().unwrap());
    let pem = std::fs::read_to_string(&ca).unwrap();
    assert!(
        pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE KEY"),
        "the certificate only"
    );
    end(child);
}

#[test]
fn the_sandbox_for_scripts() {
    let sandbox = Sandbox::start(&[]);
    let keys = sandbox.application("read");
    assert_eq!(members(&keys), ["client_key", "client_secret"]);
    let key = keys["client_key"].as_str().unwrap();
    assert_eq!(
        sandbox.post(&format!("apps/{key}"), &json!({"level": "read_write_dm"}))["level"],
        "read_write_dm"
    );

    let home = Home::new();
    home.run_with_input(
        &[
            "connection",
            "add",
            "company-x",
            "--service",
            "x",
            "--set",
            &format!("root_url={}", sandbox.api),
            "--secrets",
            "-",
        ],
        &keys.to_string(),
    )
    .expect(0);
    home.authorize(&sandbox, "company-x");
    let post = ["call", "company-x", "create_post", "--param", "text=Hello"];
    home.run(&post).expect(0);
    home.run(&post).expect(1);
    let posts = sandbox.get("posts");
    assert_eq!(posts["accepted"], 1);
    assert_eq!(posts["refused_duplicates"], 1);
    assert_eq!(posts["posts"].as_array().unwrap().len(), 1);
    assert_eq!(
        sandbox.post("duplicates", &json!({"refuse": false}))["refuse"],
        false
    );
    home.run(&post).expect(0);
    assert_eq!(sandbox.accepted(), 2);

    let requests = sandbox.get("requests");
    let newest = &requests[0];
    assert_eq!(newest["path"], "/2/tweets");
    assert!(
        newest["base_string"]
            .as_str()
            .unwrap()
            .starts_with("POST&http%3A%2F%2F127.0.0.1%3A"),
        "{newest:#}"
    );
    assert!(
        newest["verdict"].as_str().unwrap().contains("signature is right"),
        "{newest:#}"
    );

    let before = sandbox.post("clock", &json!({"advance_s": 0}))["ahead_s"]
        .as_i64()
        .unwrap();
    assert_eq!(
        sandbox.post("clock", &json!({"advance_s": 90}))["ahead_s"],
        before + 90
    );

    sandbox.post(
        "faults",
        &json!([{"match": "POST /2/tweets", "nth": 1, "do": "503", "seconds": 1}]),
    );
    let failed = home.run(&post).expect(1).json();
    assert_eq!(failed["status"], 503);
    home.run(&post).expect(0);
    for (fault, status) in [
        ("429", json!(429)),
        ("bad_json", json!(201)),
        ("cut", json!(201)),
        ("lose_answer", Value::Null),
    ] {
        sandbox.post("faults", &json!([{"match": "POST /2/tweets", "do": fault}]));
        let answered = home.run(&post);
        assert_eq!(
            answered.json()["status"],
            status,
            "{fault}: {} {}",
            answered.stdout,
            answered.stderr
        );
    }
}

#[test]
fn faults_from_a_file_and_a_state_that_stays() {
    let home = Home::new();
    let state = home.file("state").display().to_string();
    let faults = home.write(
        "faults.json",
        "[{\"match\":\"GET /2/users/me\",\"nth\":2,\"do\":\"503\"}]",
    );
    let sandbox = Sandbox::start(&["--state", &state, "--faults", &faults]);
    home.connect(&sandbox, "company-x", "x", "read_write");
    home.authorize(&sandbox, "company-x");
    home.run(&["call", "company-x", "get_me"]).expect(1);
    home.run(&["call", "company-x", "create_post", "--param", "text=Kept"])
        .expect(0);
    let address = sandbox.api.strip_prefix("http://").unwrap().to_owned();
    drop(sandbox);
    let sandbox = Sandbox::start_at(&address, &["--state", &state]);
    assert_eq!(sandbox.texts(), ["Kept"]);
    home.run(&["call", "company-x", "get_me"]).expect(0);

    let said = home.run(&["sandbox", "--listen", &address]);
    said.refused(1, "SBX-001").says(&[&address, "Port 0"]);
    let bad = home.write("bad.json", "[{\"match\":\"GET /\",\"do\":\"explode\"}]");
    home.run(&["sandbox", "--listen", "127.0.0.1:0", "--faults", &bad])
        .refused(2, "FILE-001")
        .says(&["bad.json", "lose_answer"]);
    home.run(&["sandbox", "--listen", "0.0.0.0:0"])
        .refused(1, "SBX-001")
        .says(&["loopback"]);
}
