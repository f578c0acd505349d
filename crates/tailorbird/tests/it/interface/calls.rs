//! `call`: one call, its four members, and the two ways to look before sending.

use serde_json::{Value, json};

use crate::support::{Home, Sandbox, members};

fn world() -> (Sandbox, Home, Value) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = home.connect(&sandbox, "company-x", "x", "read_write");
    home.authorize(&sandbox, "company-x");
    (sandbox, home, keys)
}

#[test]
fn status_headers_body_failure() {
    let (_sandbox, home, _) = world();
    let good = home.run(&["call", "company-x", "get_me"]).expect(0).json();
    assert_eq!(members(&good), ["status", "headers", "body", "failure"]);
    assert_eq!(good["status"], 200);
    assert_eq!(good["failure"], Value::Null);
    assert_eq!(good["headers"]["x-access-level"], "read-write");
    assert_eq!(good["body"]["data"]["username"], "tailorbird_demo");

    // A call prints JSON with `--output text` too; only the failure is talk.
    let bad = home
        .run_as_text(&["call", "company-x", "get_post", "--param", "id=1"])
        .expect(1);
    let answer = bad.json();
    assert_eq!(members(&answer), ["status", "headers", "body", "failure"]);
    for member in ["code", "message", "detail", "hint"] {
        assert!(answer["failure"][member].is_string(), "{answer:#}");
    }
    assert!(
        bad.stderr.contains("error:") && bad.stderr.contains("tailorbird explain"),
        "{}",
        bad.stderr
    );
}

#[test]
fn any_method_and_path() {
    let (sandbox, home, _) = world();
    let me = home
        .run(&["call", "company-x", "GET /2/users/me"])
        .expect(0)
        .json();
    let id = me["body"]["data"]["id"].as_str().unwrap();
    let own = format!("id={id}");
    let listed = home.run(&[
        "call",
        "company-x",
        "GET /2/users/{id}/tweets",
        "--param",
        &own,
        "--param",
        "max_results=5",
    ]);
    assert_eq!(listed.expect(0).json()["status"], 200);
    let posted = home
        .run_with_input(
            &["call", "company-x", "POST /2/tweets", "--body", "-"],
            "{\"text\":\"Raw\"}",
        )
        .expect(0)
        .json();
    assert_eq!(posted["status"], 201);
    let post = format!("id={}", posted["body"]["data"]["id"].as_str().unwrap());
    home.run(&["call", "company-x", "DELETE /2/tweets/{id}", "--param", &post])
        .expect(0);
    for method in ["HEAD", "OPTIONS", "PUT", "PATCH"] {
        let said = home.run(&["call", "company-x", &format!("{method} /2/users/me")]);
        let status = said.json()["status"].as_u64().unwrap();
        assert_eq!(
            said.code,
            i32::from(!(200..300).contains(&status)),
            "{method}: a non-2xx exits 1"
        );
    }
    let newest = sandbox.get("requests")[0].clone();
    assert_eq!(newest["method"], "PATCH");
}

/// `--param` fills placeholders, then the query for GET, HEAD, DELETE and OPTIONS, else a form.
#[test]
fn where_parameters_go() {
    let (sandbox, home, _) = world();
    let parameters = [
        "--param", "id=a/b c", "--param", "q=x y+z&", "--param", "q=2", "--param", "empty=",
    ];
    for (method, in_query) in [
        ("GET", true),
        ("HEAD", true),
        ("DELETE", true),
        ("OPTIONS", true),
        ("POST", false),
        ("PUT", false),
        ("PATCH", false),
    ] {
        let target = format!("{method} /2/things/{{id}}");
        let mut arguments = vec!["call", "company-x", &target];
        arguments.extend(parameters);
        let preview = home
            .run(&[&arguments[..], &["--dry-run"]].concat())
            .expect(0)
            .json();
        assert_eq!(preview["method"], method);
        let (url, body) = (
            preview["url"].as_str().unwrap(),
            preview["body"].as_str().unwrap_or_default(),
        );
        let path = format!("{}/2/things/a%2Fb%20c", sandbox.api);
        let form = "q=x%20y%2Bz%26&q=2&empty=";
        if in_query {
            assert_eq!((url, body), (format!("{path}?{form}").as_str(), ""), "{method}");
        } else {
            assert_eq!((url, body), (path.as_str(), form), "{method}");
            assert!(
                preview["headers"]
                    .to_string()
                    .contains("application/x-www-form-urlencoded"),
                "{preview:#}"
            );
        }
        // What is sent is what was shown, and its signature is right.
        let sent = home.run(&arguments);
        assert_ne!(sent.json()["status"], Value::Null, "{}", sent.stderr);
        let request = sandbox.get("requests")[0].clone();
        assert_eq!(request["method"], method);
        assert_eq!(request["path"], "/2/things/a%2Fb%20c");
        let there = if in_query {
            &request["query"]
        } else {
            &request["body"]
        };
        assert_eq!(there, form, "{request:#}");
    }
    home.run(&["call", "company-x", "GET /2/things/{id}"])
        .refused(1, "SVC-004")
        .says(&["\"id\""]);
    home.run(&["call", "company-x", "GET /2/../up"])
        .refused(1, "CONN-003");
    home.run(&["call", "company-x", "GET //other.example/2"])
        .refused(1, "SVC-004");
    home.run(&["call", "company-x", "get_user", "--param", "id=.."])
        .expect(1)
        .error();
}

#[test]
fn body_and_content_type() {
    let (sandbox, home, _) = world();
    let file = home.write("note.xml", "<note>Grüße</note>");
    home.run(&[
        "call",
        "company-x",
        "PUT /2/notes",
        "--body",
        &file,
        "--content-type",
        "application/xml",
    ])
    .expect(1);
    let request = sandbox.get("requests")[0].clone();
    assert_eq!(request["body"], "<note>Grüße</note>");
    let header = |name: &str| {
        let headers = request["headers"].as_array().unwrap();
        headers.iter().find(|h| h[0] == name).unwrap()[1]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("content-type"), "application/xml");
    let preview = home
        .run(&[
            "call",
            "company-x",
            "POST /2/tweets",
            "--body",
            &file,
            "--dry-run",
        ])
        .expect(0)
        .json();
    assert!(
        preview["headers"].to_string().contains("application/json"),
        "the default: {preview:#}"
    );
    home.run(&["call", "company-x", "POST /2/tweets", "--body", "nowhere.json"])
        .refused(2, "FILE-001")
        .says(&["nowhere.json"]);
}

#[test]
fn look_before_sending() {
    let (sandbox, home, keys) = world();
    let asked = || sandbox.get("requests").as_array().unwrap().len();
    let before = asked();
    let call = [
        "call",
        "company-x",
        "create_post",
        "--param",
        "text=It's \"new\" & 50 % off",
    ];
    let preview = home.run(&[&call[..], &["--dry-run"]].concat()).expect(0).json();
    assert_eq!(preview["method"], "POST");
    assert_eq!(preview["url"], format!("{}/2/tweets", sandbox.api));
    let body: Value = serde_json::from_str(preview["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"text": "It's \"new\" & 50 % off"}));
    let headers = preview["headers"].to_string();
    assert!(headers.contains("oauth_signature=\\\"(masked)\\\""), "{headers}");
    assert!(headers.contains("oauth_token=\\\"(masked)\\\""), "{headers}");

    let curl = home
        .run_as_text(&[&call[..], &["--as-curl"]].concat())
        .expect(0)
        .stdout;
    assert!(
        curl.starts_with("curl ") && curl.contains("--request POST"),
        "{curl}"
    );
    assert!(curl.contains("(masked)") && curl.contains(r"It'\''s"), "{curl}");
    let in_json = home.run(&[&call[..], &["--as-curl"]].concat()).expect(0).json();
    assert_eq!(members(&in_json), ["curl"]);
    for text in [&headers, &curl] {
        assert!(!text.contains(keys["client_secret"].as_str().unwrap()), "{text}");
    }
    assert_eq!(asked(), before, "nothing was sent");
    assert_eq!(sandbox.accepted(), 0);
}

/// The shell reads the printed command back to the same words.
#[cfg(unix)]
#[test]
fn the_curl_command_is_one_that_a_shell_reads() {
    let (_sandbox, home, _) = world();
    let text = "It's $HOME `id` \\ \"new\"\nline two";
    let parameter = format!("text={text}");
    let curl = home
        .run_as_text(&[
            "call",
            "company-x",
            "create_post",
            "--param",
            &parameter,
            "--as-curl",
        ])
        .expect(0)
        .stdout;
    let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{curl}");
    let words = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let last = words.split('\0').rfind(|word| word.starts_with('{')).unwrap();
    let body: Value = serde_json::from_str(last).unwrap();
    assert_eq!(body["text"], text);
}

#[test]
fn a_path_without_a_method_says_how_to_write_it() {
    let (_sandbox, home, _) = world();
    home.run(&["call", "company-x", "/2/users/me"])
        .refused(2, "SVC-004")
        .says(&["without a method", "'GET /2/users/me'"]);
}
