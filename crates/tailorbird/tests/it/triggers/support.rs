//! Tasks that write down what fired them, and the signatures of providers.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::serve::support::until;
use crate::support::Home;

/// The secret of webhooks; it must appear nowhere.
pub(crate) const SECRET: &str = "canary-webhook-secret-7f3a9c";

/// A database `crm` with a table `seen`, in which tasks write down what they got.
pub(crate) const SEEN: &str = "create table seen (id text primary key, what text, kind text, more text);";

pub(crate) fn mac(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// GitHub's headers for a body.
pub(crate) fn github(secret: &str, delivery: &str, body: &str) -> Vec<(String, String)> {
    vec![
        (
            "X-Hub-Signature-256".to_owned(),
            format!("sha256={}", hex(&mac(secret, body))),
        ),
        ("X-GitHub-Delivery".to_owned(), delivery.to_owned()),
        ("X-GitHub-Event".to_owned(), "push".to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ]
}

/// Posts to a webhook; gives status and body.
pub(crate) fn post(url: &str, path: &str, headers: &[(String, String)], body: &str) -> (u16, String) {
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    crate::support::http("POST", &format!("{url}/hooks/{path}"), &headers, body)
}

/// As [`post`], where the server may be dying: nothing where it gave no answer.
pub(crate) fn try_post(url: &str, path: &str, headers: &[(String, String)], body: &str) -> Option<u16> {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    let more = headers.iter().fold(String::new(), |text, (name, value)| {
        text + name + ": " + value + "\r\n"
    });
    write!(
        stream,
        "POST /hooks/{path} HTTP/1.1\r\nHost: {address}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    // What came before the connection broke counts.
    drop(stream.read_to_string(&mut answer));
    answer.get(9..12)?.parse().ok()
}

/// The runs of a task.
pub(crate) fn runs(home: &Home, task: &str) -> Vec<Value> {
    home.run(&["run", "list", "--task", task, "--limit", "1000"])
        .expect(0)
        .json()
        .as_array()
        .unwrap()
        .clone()
}

/// How the trigger of a task stands.
pub(crate) fn trigger_state(home: &Home, task: &str) -> Value {
    home.run(&["task", "show", task]).expect(0).json()["trigger_state"].clone()
}

/// Waits until a task has so many runs, all of them ended.
pub(crate) fn ended(home: &Home, task: &str, count: usize) -> Vec<Value> {
    let is_final = |run: &Value| {
        ["succeeded", "failed", "cancelled"]
            .iter()
            .any(|state| run["state"] == **state)
    };
    until(&format!("{count} run(s) of {task} ended"), || {
        let runs = runs(home, task);
        runs.len() == count && runs.iter().all(is_final)
    });
    runs(home, task)
}

/// Rows of a query as one text, in order.
pub(crate) fn rows(home: &Home, sql: &str) -> String {
    home.run(&["database", "query", "crm", sql])
        .expect(0)
        .json()
        .to_string()
}

/// Sets the secret of a task.
pub(crate) fn set_secret(home: &Home, task: &str) {
    home.run_with_input(
        &["task", "secret", task, "--secrets", "-"],
        &format!("{{\"webhook_secret\":\"{SECRET}\"}}"),
    )
    .expect(0);
}

/// A task whose webhook writes down the records it brings.
pub(crate) fn hook_task(name: &str, hook: &str) -> String {
    format!(
        "task: {name}
trigger:
  webhook: {{ path: {name}, {hook} }}
steps:
  - id: keep
    write:
      database: crm
      table: seen
      from: trigger
      key: [id]
      columns:
        id: \"{{{{ id }}}}\"
        what: \"{{{{ what }}}}\"
        kind: \"{{{{ trigger.kind }}}}\"
        more: \"{{{{ trigger.headers['x-github-event'] | default('-') }}}}\"
"
    )
}
