//! Broken YAML, unknown keys, and all the rest that a file can get wrong: every problem at once, with its place.

use serde_json::{Value, json};

use crate::support::Home;

/// The problems of `task check` or `service check`, as (line, column, severity, message and hint).
fn check(home: &Home, noun: &str, text: &str, exit: i32) -> Vec<(u64, u64, String, String)> {
    let path = home.write("file.yaml", text);
    let found = home.run(&[noun, "check", &path]).expect(exit).json();
    found
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| entry(problem, &path))
        .collect()
}

fn entry(problem: &Value, path: &str) -> (u64, u64, String, String) {
    assert_eq!(problem["file"], path);
    (
        problem["line"].as_u64().unwrap(),
        problem["column"].as_u64().unwrap(),
        problem["severity"].as_str().unwrap().to_owned(),
        format!(
            "{} {}",
            problem["message"].as_str().unwrap(),
            problem["hint"].as_str().unwrap_or_default()
        ),
    )
}

fn says(found: &[(u64, u64, String, String)], line: u64, column: u64, words: &[&str]) {
    let here: Vec<_> = found.iter().filter(|p| p.0 == line && p.1 == column).collect();
    let fits = here.iter().any(|p| words.iter().all(|word| p.3.contains(word)));
    assert!(fits, "{line}:{column} {words:?} is not in {found:#?}");
}

#[test]
fn broken_yaml() {
    let home = Home::new();
    let found = check(&home, "task", "task: a\nsteps:\n  - id: x\n   query: {\n", 2);
    assert_eq!(found.len(), 1);
    says(&found, 4, 4, &["YAML", "indentation"]);
    for (text, words) in [
        ("task: [a\n", "YAML"),
        ("task: \"a\n", "YAML"),
        ("task: a\ntask: b\nsteps: []\n", "task"),
    ] {
        let found = check(&home, "task", text, 2);
        assert!(found.iter().any(|p| p.3.contains(words)), "{text:?}: {found:#?}");
    }
    // Nothing of it is taken in.
    let path = home.write("broken.yaml", "task: a\nsteps:\n  - id: x\n   query: {\n");
    home.run(&["task", "apply", &path])
        .refused(2, "TASK-002")
        .says(&["broken.yaml:4:4", "Nothing was taken in"]);
    assert_eq!(home.run(&["task", "list"]).expect(0).json(), json!([]));
}

#[test]
fn every_problem_at_once_with_its_place() {
    let home = Home::new();
    let text = "\
task: announce
descripton: Posts.
trigger: { schedule: \"61 * * * *\", timezone: Europe/London, shedule: x }
steps:
  - id: products
    query:
      database: erp
      sql: delete from products
      limt: 3
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: prodcts
      key: \"{{ sku + }}\"
      when: maybe
  - id: post
    writ: { table: x }
";
    let found = check(&home, "task", text, 2);
    says(&found, 2, 1, &["descripton", "Did you mean `description`?"]);
    says(&found, 3, 61, &["shedule", "schedule"]);
    assert!(
        found.iter().any(|p| p.0 == 3 && p.1 == 22 && p.3.contains("61")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 8 && p.3.contains("SELECT")),
        "{found:#?}"
    );
    says(&found, 9, 7, &["limt", "database, sql, parameters, cursor"]);
    assert!(
        found
            .iter()
            .any(|p| p.0 == 14 && p.3.contains("prodcts") && p.3.contains("products")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 15 && p.3.contains('+')),
        "the key's expression: {found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 16 && p.3.contains("when")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 17 && p.3.contains("post")),
        "the same id twice: {found:#?}"
    );
    says(&found, 18, 5, &["writ", "write"]);
    assert!(
        found
            .windows(2)
            .all(|pair| (pair[0].0, pair[0].1) <= (pair[1].0, pair[1].1)),
        "in order: {found:#?}"
    );
}

#[test]
fn several_files_and_the_form_that_compilers_use() {
    let home = Home::new();
    let good = home.write(
        "good.yaml",
        "task: good\nsteps:\n  - id: q\n    query: { database: erp, sql: select 1 }\n",
    );
    let bad = home.write("bad.yaml", "task: bad\nstep: []\n");
    let worse = home.write("worse.yaml", "a: [\n");
    let said = home
        .run_as_text(&["task", "check", &good, &bad, &worse])
        .expect(2);
    assert_eq!(said.stdout, "");
    assert!(
        said.stderr
            .contains(&format!("{bad}:2:1: error: unknown key `step`")),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains(&format!("{worse}:")), "{}", said.stderr);
    assert!(!said.stderr.contains(&format!("{good}:")), "{}", said.stderr);
    home.run_as_text(&["task", "check", &good]).expect(0);
    // All or nothing: one bad file keeps the good one out.
    home.run(&["task", "apply", &good, &bad])
        .refused(2, "TASK-002")
        .says(&["bad.yaml:2:1"]);
    home.run(&["task", "check", "nowhere.yaml"])
        .refused(2, "FILE-001")
        .says(&["nowhere.yaml", "path"]);
    home.run(&["task", "check"]).expect(2);
}

#[test]
fn what_a_task_names_has_to_be_there() {
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    home.database("erp", "create table products (sku text)");
    home.run(&[
        "database",
        "add",
        "crm",
        "--kind",
        "sqlite",
        "--set",
        "path=/nowhere/crm.sqlite",
    ])
    .expect(0);
    let text = "\
task: announce
steps:
  - id: products
    query: { database: epr, sql: select sku from products }
  - id: post
    call: { connection: company-y, operation: create_post, for_each: products, key: \"{{ sku }}\", with: { text: x } }
  - id: more
    call: { connection: company-x, operation: create_pst, for_each: products, key: \"{{ sku }}\", with: { text: x } }
  - id: params
    call: { connection: company-x, operation: create_post, for_each: products, key: \"{{ sku }}\", with: { txt: x } }
  - id: nokey
    call: { connection: company-x, operation: create_post, for_each: products, with: { text: x } }
  - id: store
    write: { database: crm, table: t, from: products, key: [sku] }
";
    let found = check(&home, "task", text, 2);
    says(&found, 4, 24, &["`epr`", "Did you mean `erp`?"]);
    says(&found, 6, 25, &["`company-y`", "Did you mean `company-x`?"]);
    assert!(
        found
            .iter()
            .any(|p| p.0 == 8 && p.3.contains("create_pst") && p.3.contains("create_post")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|p| p.0 == 10 && p.3.contains("txt") && p.3.contains("text")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 12 && p.3.contains("key")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 14 && p.3.contains("writ")),
        "not writable: {found:#?}"
    );
}

#[test]
fn a_service_file_with_problems() {
    let home = Home::new();
    let text = "\
service: crm
titel: CRM
root_url: ftp://example.com
operations:
  create_note:
    metod: POST
    path: notes
    body: { jsn: {} }
verified: yes
";
    let found = check(&home, "service", text, 2);
    says(&found, 2, 1, &["titel", "title"]);
    says(&found, 6, 5, &["metod", "method"]);
    assert!(
        found
            .iter()
            .any(|p| p.0 == 8 && p.3.contains("json") && p.3.contains("multipart")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 9 && p.3.contains("sandbox")),
        "{found:#?}"
    );
    // What is of the right shape and still cannot be right.
    let text = "\
service: crm
title: CRM
root_url: ftp://example.com
operations:
  create_note:
    method: POST
    path: notes
  list_notes:
    method: GET
    path: /notes/{id}
    in_doubt: { look_up: { operation: list_nots, match: { text: text } } }
";
    let found = check(&home, "service", text, 2);
    assert!(
        found.iter().any(|p| p.0 == 3 && p.3.contains("http")),
        "{found:#?}"
    );
    assert!(found.iter().any(|p| p.0 == 7 && p.3.contains('/')), "{found:#?}");
    assert!(
        found.iter().any(|p| p.0 == 10 && p.3.contains("id")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|p| p.0 == 11 && p.3.contains("list_nots")),
        "{found:#?}"
    );
    let path = home.write("crm.yaml", text);
    home.run(&["service", "add", &path])
        .refused(2, "SVC-002")
        .says(&["crm.yaml", "service check"]);
    let services = home.run(&["service", "list"]).expect(0).json();
    assert!(
        services
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["name"] != "crm" && s["service"] != "crm"),
        "{services:#}"
    );
}

#[test]
fn secrets_that_cannot_be_read_are_not_repeated() {
    let home = Home::new();
    for text in [
        "{\"client_key\":\"CANARY-1\",\"client_secret\":",
        "{\"client_key\":\"CANARY-2\",\"clientsecret\":\"CANARY-3\"}",
        "{\"client_key\":17, \"token\":\"CANARY-4\"}",
        "CANARY-5",
    ] {
        let said = home.run_with_input(
            &[
                "connection",
                "add",
                "company-x",
                "--service",
                "x",
                "--secrets",
                "-",
            ],
            text,
        );
        said.refused(2, "CONN-005")
            .says(&["line 1", "client_key", "token_secret"]);
        assert!(!said.stderr.contains("CANARY"), "{}", said.stderr);
    }
    let path = home.write("connection.yaml", "connection: a\nservices: x\n");
    home.run(&["connection", "import", &path])
        .refused(2, "CONN-002")
        .says(&["services", "connection export"]);
}
