//! What `task check` says about triggers.

use crate::support::Home;

/// What is wrong with a trigger, with line and column.
fn problems(home: &Home, trigger: &str, step: &str) -> String {
    let file = home.write(
        "task.yaml",
        &format!("task: t\ntrigger:\n{trigger}steps:\n  - {step}\n"),
    );
    let said = home.run(&["task", "check", &file]);
    let mut lines = Vec::new();
    let json = said.json();
    for problem in json.as_array().unwrap_or_else(|| panic!("{json}")) {
        lines.push(format!(
            "{}:{} {} {}",
            problem["line"],
            problem["column"],
            problem["message"].as_str().unwrap(),
            problem["hint"].as_str().unwrap_or_default()
        ));
    }
    lines.join("\n")
}

const KEEP: &str = "{ id: keep, write: { database: erp, table: seen, from: trigger, key: [id] } }";

/// Triggers, and words of what is said about each.
const CASES: &[(&str, &str)] = &[
    (
        "  webhook: { path: /orders, verify: github }\n",
        "is not valid here Letters, digits",
    ),
    (
        "  webhook: { path: orders/, verify: github }\n",
        "is not valid here Letters, digits",
    ),
    (
        "  webhook: { path: a/../b, verify: github }\n",
        "is not valid here Letters, digits",
    ),
    ("  webhook: { path: orders }\n", "verify"),
    ("  webhook: { path: orders, verify: gitlab }\n", "gitlab"),
    (
        "  webhook: { path: orders, verify: x }\n",
        "`connection` is missing",
    ),
    (
        "  webhook: { path: orders, verify: x, connection: nobody }\n",
        "there is no connection `nobody`",
    ),
    (
        "  webhook: { path: orders, verify: github, connection: c }\n",
        "goes with `verify: x` only",
    ),
    (
        "  webhook: { path: orders, verify: none }\n",
        "anybody who reaches",
    ),
    (
        "  webhook: { path: orders, verify: { token: { header: X-T } } }\n",
        "same body count as one",
    ),
    (
        "  webhook: { path: orders, verify: { token: { header: 'X T' } } }\n",
        "not the name of a header",
    ),
    (
        "  webhook: { path: orders, verify: { hmac: { header: X, algorithm: md5 } } }\n",
        "md5",
    ),
    (
        "  webhook: { path: o, verify: { hmac: { header: X, timestamp: { header: T, signed: '{body}' } } } }\n",
        "does not hold {timestamp} once",
    ),
    (
        "  webhook: { path: orders, verify: github, records: items }\n",
        "not a JSON Pointer",
    ),
    (
        "  webhook: { path: orders, verify: github, id: '' }\n",
        "not a JSON Pointer",
    ),
    (
        "  webhook: { path: orders, verify: github, tolerance: 2h }\n",
        "no tolerance",
    ),
    ("  file: { folder: in }\n", "not a whole path"),
    ("  file: { folder: /srv/../in }\n", "not a whole path"),
    (
        "  file: { folder: /srv/in, done: /srv/in/ }\n",
        "moved to where they are",
    ),
    ("  file: { folder: /srv/in, pattern: a/b }\n", "not a pattern"),
    ("  file: { folder: /srv/in, every: 0s }\n", "out of range"),
    (
        "  file: { folder: /srv/in, patern: '*' }\n",
        "unknown key `patern`",
    ),
    ("  database: { database: erp, table: ' ' }\n", "`table` is empty"),
    (
        "  database: { database: nope, table: p }\n",
        "there is no database `nope`",
    ),
    (
        "  database: { database: crm, table: p }\n",
        "not open for writing",
    ),
    (
        "  database: { database: erp, table: p, on: [] }\n",
        "names no change",
    ),
    (
        "  database: { database: erp, table: p, on: [upsert] }\n",
        "upsert",
    ),
    (
        "  database: { database: erp, table: SEEN }\n",
        "the task starts itself",
    ),
    (
        "  schedule: '* * * * *'\n  webhook: { path: o, verify: github }\n",
        "several sources: schedule, webhook",
    ),
    ("  schedule: '* * * * *'\n", "the trigger brings no records"),
];

#[test]
fn every_problem_of_a_trigger_is_told_with_its_place() {
    let home = Home::new();
    home.database(
        "erp",
        "create table products (sku text primary key); create table seen (id text primary key)",
    );
    home.run(&[
        "database",
        "add",
        "crm",
        "--kind",
        "sqlite",
        "--set",
        "path=crm.sqlite",
    ])
    .expect(0);
    for (trigger, words) in CASES {
        let told = problems(&home, trigger, KEEP);
        assert!(told.contains(words), "{trigger}: {told}");
        assert!(!told.starts_with("1:"), "its place is known: {told}");
    }
    let told = problems(
        &home,
        "  webhook: { path: o, verify: github }\n",
        "{ id: trigger, query: { database: erp, sql: select 1 } }",
    );
    assert!(told.contains("`trigger` is a reserved name"), "{told}");
    let good = "  webhook: { path: o/p.v1, verify: { hmac: { header: X-S, encoding: base64 } }, id: { header: X-Id } }\n";
    assert_eq!(problems(&home, good, KEEP), "");
    let insert = "  database: { database: erp, table: seen, on: [insert] }\n";
    assert!(problems(&home, insert, KEEP).contains("starts the task again"));
}
