//! Databases, services, doctor, explain, completions, the home folder, errors in both forms.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Home, members, program};

/// Decimals and 64-bit numbers keep every digit, also where a reader of JSON counts in doubles.
#[test]
fn database_query_prints_an_array_of_objects() {
    let home = Home::new();
    home.database(
        "erp",
        "create table items (id integer primary key, price decimal(10,2), big bigint, ok boolean, name text, at timestamp, raw blob, ratio real);
         insert into items values (1, '9.90', 9223372036854775807, 1, 'Grüße', '2026-01-02 03:04:05', x'00ff', 0.5);
         insert into items values (2, '1234567890.12', -1, 0, null, null, null, null)",
    );
    let query = |sql: &str| home.run(&["database", "query", "erp", sql]).expect(0).json();
    let rows = query("select id, price, big, name from items order by id");
    assert_eq!(rows[0]["price"], "9.90");
    assert_eq!(rows[0]["big"], "9223372036854775807");
    assert_eq!(rows[0]["name"], "Grüße");
    assert_eq!(rows[1]["name"], Value::Null);
    assert_eq!(rows[1]["price"], "1234567890.12");
    let columns: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(columns.len(), 4);
    assert_eq!(query("select id from items where id > 5"), json!([]));
    let limited = home
        .run(&["database", "query", "erp", "select id from items", "--limit", "1"])
        .expect(0);
    assert_eq!(limited.json().as_array().unwrap().len(), 1);
    assert!(limited.stderr.contains("more rows"), "{}", limited.stderr);
    let text = home
        .run_as_text(&[
            "database",
            "query",
            "erp",
            "select name, price from items order by id",
        ])
        .expect(0)
        .stdout;
    assert!(text.starts_with("name") && text.contains("9.90"), "{text}");

    let tables = home.run(&["database", "tables", "erp"]).expect(0).json();
    assert_eq!(tables[0]["name"], "items");
    let tested = home.run(&["database", "test", "erp"]).expect(0).json();
    assert_eq!(tested["tables"], 1);
    let listed = home.run(&["database", "list"]).expect(0).json();
    assert_eq!(listed[0]["database"], "erp");
    assert_eq!(listed[0]["kind"], "sqlite");
    assert_eq!(listed[0]["writable"], true);
}

#[test]
fn services() {
    let home = Home::new();
    let listed = home.run(&["service", "list"]).expect(0).json();
    let text = listed.to_string();
    for name in ["\"x\"", "\"x-1.1\"", "\"generic-oauth1\""] {
        assert!(text.contains(name), "{text}");
    }
    // What is shown can be checked and added under another name.
    for name in ["x", "x-1.1", "generic-oauth1"] {
        let yaml = home.run_as_text(&["service", "show", name]).expect(0).stdout;
        let path = home.write(
            "own.yaml",
            &yaml.replacen(&format!("service: {name}\n"), "service: own\n", 1),
        );
        home.run(&["service", "check", &path]).expect(0);
        home.run(&["service", "add", &path]).expect(0);
    }
    let listed = home.run(&["service", "list"]).expect(0).json();
    assert!(listed.to_string().contains("\"own\""), "{listed:#}");
    home.run(&["connection", "add", "mine", "--service", "own"])
        .expect(0);
    let schema = home.run(&["service", "schema"]).expect(0).json();
    assert!(schema.is_object());
    // A file in the home's folder is a service, too.
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/example-crm.yaml");
    std::fs::create_dir_all(home.path().join("services")).unwrap();
    std::fs::copy(&example, home.path().join("services/example-crm.yaml")).unwrap();
    assert_eq!(
        home.run(&["service", "show", "example-crm"]).expect(0).json()["service"],
        "example-crm"
    );
    home.run(&["service", "check", example.to_str().unwrap()])
        .expect(0);
}

#[test]
fn explain_every_code() {
    let home = Home::new();
    let all = home.run(&["explain"]).expect(0).json();
    let all = all.as_array().unwrap();
    assert!(all.len() >= 55, "{}", all.len());
    for entry in all {
        let code = entry["code"].as_str().unwrap();
        let page = home.run(&["explain", code]).expect(0).json();
        assert_eq!(page["code"], code);
        assert_eq!(page["title"], entry["title"]);
        let text = page["text"].as_str().unwrap();
        assert!(
            text.starts_with(&format!("# {code}")) && text.len() > 150,
            "{code}: {text}"
        );
    }
    let text = home.run_as_text(&["explain", "auth-001"]).expect(0).stdout;
    assert!(
        text.starts_with("# AUTH-001"),
        "letter case does not matter: {text}"
    );
    assert!(!home.path().exists());
}

#[test]
fn completions_for_each_shell() {
    let home = Home::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef tailorbird"),
        ("fish", "complete -c tailorbird"),
    ] {
        let script = home.run_as_text(&["completions", shell]).expect(0).stdout;
        assert!(
            script.contains(word),
            "{shell}: {}",
            &script[..200.min(script.len())]
        );
        for command in ["authorize", "diagnose", "resolve", "sandbox"] {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
        // Where the shell is there, it reads the script.
        let path = home.write("completions", &script);
        if let Ok(read) = Command::new(shell)
            .args(["-n", &path])
            .stdin(Stdio::null())
            .output()
        {
            assert!(
                read.status.success(),
                "{shell}: {}",
                String::from_utf8_lossy(&read.stderr)
            );
        }
    }
}

#[test]
fn doctor() {
    let home = Home::new();
    let without = home.run(&["doctor"]).expect(0).json();
    let health = |checks: &Value, what: &str| {
        let all = checks["checks"].as_array().unwrap();
        all.iter()
            .find(|c| c["what"] == what)
            .unwrap_or_else(|| panic!("{what}: {checks:#}"))["health"]
            .clone()
    };
    assert_eq!(health(&without, "home"), "warning");
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    home.database("erp", "create table products (sku text)");
    let checks = home.run(&["doctor"]).expect(0).json();
    for (what, expected) in [
        ("version", "good"),
        ("clock", "good"),
        ("services", "good"),
        ("home", "good"),
        ("connection company-x", "warning"),
        ("database erp", "good"),
    ] {
        assert_eq!(health(&checks, what), expected, "{what}");
    }
    std::fs::remove_file(home.file("erp.sqlite")).unwrap();
    let checks = home.run(&["doctor"]).expect(1).json();
    assert_eq!(health(&checks, "database erp"), "bad");
    std::fs::create_dir_all(home.path().join("services")).unwrap();
    std::fs::write(home.path().join("services/odd.yaml"), "service: [").unwrap();
    assert_eq!(health(&home.run(&["doctor"]).expect(1).json(), "services"), "bad");
}

#[test]
fn the_home_is_named_by_flag_by_environment_or_is_here() {
    let home = Home::new();
    let folder = home.file("work");
    std::fs::create_dir(&folder).unwrap();
    let run = |home_flag: Option<&str>, environment: Option<&str>, arguments: &[&str]| {
        let mut command = Command::new(program());
        command
            .current_dir(&folder)
            .env_remove("TAILORBIRD_HOME")
            .stdin(Stdio::null());
        if let Some(value) = environment {
            command.env("TAILORBIRD_HOME", value);
        }
        if let Some(value) = home_flag {
            command.args(["--home", value]);
        }
        command.args(arguments).output().unwrap().status.code().unwrap()
    };
    let add = ["connection", "add", "c", "--service", "x"];
    assert_eq!(run(None, None, &["connection", "list"]), 2);
    assert_eq!(run(None, None, &add), 0);
    assert!(folder.join(".tailorbird/ledger.db").exists());
    assert_eq!(run(None, Some("by-environment"), &add), 0);
    assert!(folder.join("by-environment/ledger.db").exists());
    assert_eq!(run(Some("by-flag"), Some("by-environment"), &add), 0);
    assert!(folder.join("by-flag/ledger.db").exists());
    assert_eq!(
        run(None, None, &["connection", "show", "c", "--home", "by-flag"]),
        0,
        "it may stand after the command"
    );
}

/// An error in both forms: for people with a letter, for programs as one line of JSON; standard output stays
/// empty.
#[test]
fn errors_in_both_forms() {
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    let said = home.run(&["connection", "show", "company-y"]).expect(1);
    assert_eq!(said.stdout, "");
    let whole: Value = serde_json::from_str(said.stderr.trim()).unwrap();
    assert_eq!(members(&whole), ["error"]);
    assert_eq!(members(&whole["error"]), ["code", "message", "detail", "hint"]);

    let said = home.run_as_text(&["connection", "show", "company-y"]).expect(1);
    assert_eq!(said.stdout, "");
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert_eq!(lines[0], "error: there is no connection `company-y` [CONN-001]");
    assert!(
        lines[1].starts_with("  hint:   Did you mean `company-x`?"),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), &"  more:   tailorbird explain CONN-001");
    assert!(
        !said.stderr.contains('\u{1b}'),
        "no colour where NO_COLOR is set and no terminal is there"
    );
}

/// With `--output json`, standard output is one JSON value and nothing else, for every command that prints data.
#[test]
fn one_json_value_on_standard_output() {
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0)
        .json();
    home.database("erp", "create table products (sku text)");
    let task = "task: t\nsteps:\n  - id: q\n    query: { database: erp, sql: select sku from products }\n";
    home.apply("t.yaml", task).expect(0).json();
    home.run(&["task", "run", "t"]).expect(0).json();
    for arguments in [
        "connection list",
        "connection show company-x",
        "connection export company-x",
        "service list",
        "service show x",
        "service schema",
        "database list",
        "database test erp",
        "database tables erp",
        "task list",
        "task show t",
        "task schema",
        "task enable t",
        "task disable t",
        "run list",
        "delivery list",
        "doctor",
        "explain",
        "explain AUTH-001",
        "connection remove company-x",
    ] {
        let said = home.run(&arguments.split(' ').collect::<Vec<_>>()).expect(0);
        serde_json::from_str::<Value>(&said.stdout)
            .unwrap_or_else(|error| panic!("{arguments}: {error}: {}", said.stdout));
    }
    for lists in [
        "connection list",
        "database list",
        "task list",
        "run list",
        "delivery list",
        "service list",
        "explain",
    ] {
        let said = home.run(&lists.split(' ').collect::<Vec<_>>());
        assert!(said.json().is_array(), "{lists} is one array");
    }
}

/// The example files of the repository are good.
#[test]
fn the_examples_pass_their_check() {
    let home = Home::new();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let noun = if text.lines().any(|line| line.starts_with("task:")) {
            "task"
        } else {
            "service"
        };
        home.run(&[noun, "check", path.to_str().unwrap()]).expect(0);
        count += 1;
    }
    assert!(count >= 5);
}
