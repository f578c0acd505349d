use super::valid::{callbacks, description, name, website};

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, String>, with: &str) {
    let error = result.unwrap_err();
    assert!(error.contains(with), "{error}");
    assert!(error.ends_with('.'), "a refusal is a whole sentence: {error}");
}

#[test]
fn names_are_one_short_line() {
    assert_eq!(name("  ERP   announcer ").unwrap(), "ERP announcer");
    assert_eq!(name(&"ü".repeat(32)).unwrap().chars().count(), 32);
    refused(name(" \t "), "Give the app a name");
    refused(name(&"ü".repeat(33)), "has 33");
    refused(name("a\tb"), "control characters");
    assert_eq!(
        name("<script>alert(1)</script>").unwrap(),
        "<script>alert(1)</script>"
    );
}

#[test]
fn descriptions_say_enough_and_not_too_much() {
    assert_eq!(description("Posts new products.").unwrap(), "Posts new products.");
    refused(description("short"), "10 to 200 characters");
    refused(description(&"x".repeat(201)), "has 201");
    refused(description("a null \0 inside here"), "control characters");
}

#[test]
fn websites_are_web_addresses() {
    assert_eq!(
        website(" https://www.example.com ").unwrap(),
        "https://www.example.com"
    );
    refused(website(""), "Give the address");
    for wrong in [
        "example",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "http://a b.example",
        "42",
    ] {
        refused(website(wrong), "not a web address");
    }
    refused(
        website(&format!("https://example.com/{}", "x".repeat(500))),
        "at most 500",
    );
}

#[test]
fn callbacks_are_exact_and_harmless() {
    let typed = "https://www.example.com/cb\r\n\r\n  http://127.0.0.1:7082/oauth/callback  \nmyapp://done";
    assert_eq!(
        callbacks(typed).unwrap(),
        [
            "https://www.example.com/cb",
            "http://127.0.0.1:7082/oauth/callback",
            "myapp://done"
        ]
    );
    assert!(callbacks(" \n ").unwrap().is_empty());
    refused(callbacks("javascript:alert(1)"), "javascript:");
    refused(callbacks("JavaScript:alert(1)"), "javascript:");
    refused(callbacks("data:text/html,hi"), "data:");
    refused(callbacks("http://localhost:8080/cb"), "http://127.0.0.1:8080/cb");
    refused(callbacks("https://example.com/cb?a=1"), "query string");
    refused(callbacks("https://example.com/cb?"), "query string");
    refused(callbacks("https://example.com/cb#x"), "fragment");
    refused(callbacks("https://me:pw@example.com/cb"), "user name");
    refused(callbacks("oob"), "PIN");
    refused(callbacks("/callback"), "no URL");
    refused(callbacks("https://example.com/a b"), "space");
    refused(callbacks("https://example.com/\nhttps://example.com/"), "twice");
    let eleven: Vec<String> = (0..11).map(|n| format!("https://example.com/{n}")).collect();
    refused(callbacks(&eleven.join("\n")), "at most 10");
}
