//! Stored requests as people see them.

use serde_json::{Value, json};

use super::shown_request;

#[test]
fn a_stored_request_is_shown_masked() {
    let stored = json!({
        "method": "POST",
        "url": "https://api.example.com/items?api_key=canary-1&page=2",
        "headers": [["X-Api-Key", "canary-2"], ["Accept", "application/json"]],
        "body": { "json": "{\"text\":\"Kettle\",\"access_token\":\"canary-3\"}" },
    });
    let shown = shown_request(&stored);
    assert_eq!(shown["method"], "POST");
    let text = shown.to_string();
    assert!(!text.contains("canary"), "{text}");
    assert!(
        text.contains("page=2") && text.contains("Kettle") && text.contains("application/json"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_masked_whole_and_nothing_stays_nothing() {
    assert_eq!(shown_request(&json!({ "token": "canary" })), json!("(masked)"));
    assert_eq!(shown_request(&Value::Null), Value::Null);
}
