//! File in, all problems out: each file's problems are pinned as a snapshot.

use std::collections::BTreeSet;

use tailorbird_model::service::{self, Service};
use tailorbird_model::task::{self, Task};
use tailorbird_model::yaml::{Problem, shape};

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{problem}\n    {}", problem.hint))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_task_files_of_the_product_description_are_good() {
    let (tasks, problems) = task::check::read(include_str!("../files/good-tasks.yaml"), None);
    assert_eq!(lines(&problems), "");
    assert_eq!(tasks.len(), 2);
    assert!(
        tasks[0]
            .document
            .source
            .contains("# delivered once per key, whatever happens")
    );
    assert!(
        tasks[1].document.source.starts_with("task: collect-mentions"),
        "{}",
        tasks[1].document.source
    );
    assert!(
        tasks[1].document.source.ends_with("key: [id] }\n"),
        "{}",
        tasks[1].document.source
    );
    assert_eq!(
        tasks[1].value.steps[0]
            .call
            .as_ref()
            .unwrap()
            .cursor
            .as_ref()
            .unwrap()
            .parameter,
        "since_id"
    );
}

#[test]
fn every_problem_of_a_task_file_is_said_at_once_with_its_place() {
    let (_, problems) = task::check::read(include_str!("../files/bad-tasks.yaml"), None);
    insta::assert_snapshot!(lines(&problems));
}

#[test]
fn every_problem_of_a_service_file_is_said_at_once_with_its_place() {
    let (_, problems) = service::check::read(include_str!("../files/bad-service.yaml"));
    insta::assert_snapshot!(lines(&problems));
}

#[test]
fn broken_yaml_has_a_place_and_keeps_what_came_before() {
    let text =
        "task: a\nsteps:\n  - id: q\n    query: { database: d, sql: 'select 1' }\n---\ntask: [b\n  steps: }";
    let (tasks, problems) = task::check::read(text, None);
    assert_eq!(tasks.len(), 1);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("YAML:"), "{}", problems[0]);
    assert!(problems[0].position.line >= 6, "{}", problems[0]);
}

#[test]
fn aliases_and_endless_files_are_refused() {
    let (_, problems) = task::check::read("task: &a x\ndescription: *a\nsteps: []\n", None);
    assert!(
        problems.iter().any(|p| p.message.contains("aliases")),
        "{}",
        lines(&problems)
    );
    let (_, problems) = task::check::read(&"[".repeat(100), None);
    assert!(
        problems.iter().any(|p| p.message.contains("levels deep")),
        "{}",
        lines(&problems)
    );
    let (_, problems) = task::check::read(&" ".repeat(2_000_000), None);
    assert!(problems[0].message.contains("at most"), "{}", lines(&problems));
}

#[test]
fn the_checker_understands_every_keyword_of_our_schemas() {
    fn walk(value: &serde_json::Value, inside_names: bool, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    if !inside_names {
                        found.insert(name.clone());
                    }
                    let names = !inside_names
                        && matches!(name.as_str(), "properties" | "patternProperties" | "$defs");
                    if !matches!(name.as_str(), "default" | "const" | "enum" | "examples") || inside_names {
                        walk(member, names, found);
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, false, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&shape::schema_of::<Task>(), false, &mut found);
    walk(&shape::schema_of::<Service>(), false, &mut found);
    let unknown: Vec<_> = found
        .iter()
        .filter(|keyword| !shape::KEYWORDS.contains(&keyword.as_str()))
        .collect();
    assert!(unknown.is_empty(), "shape.rs does not understand {unknown:?}");
}

#[test]
fn every_problem_of_steps_that_change_and_choose_records_is_said() {
    let (_, problems) = task::check::read(include_str!("../files/bad-steps.yaml"), None);
    insta::assert_snapshot!(lines(&problems));
}

#[test]
fn a_task_that_starts_itself_by_way_of_another_is_found() {
    let outer = |on: &str| {
        format!(
            "task: outer\ntrigger: {{ database: {{ database: erp, table: out, key: [id], on: [{on}], every: 10s }} }}\n\
             steps:\n  - {{ id: go, call_task: {{ task: middle }} }}\n---\n\
             task: middle\nsteps:\n  - {{ id: go, call_task: {{ task: inner }} }}\n---\n\
             task: inner\nsteps:\n  - {{ id: q, query: {{ database: erp, sql: select 1 as id }} }}\n  \
             - {{ id: w, write: {{ database: erp, table: OUT, from: q, key: [id] }} }}\n"
        )
    };
    let (_, problems) = task::check::read(&outer("insert, update"), None);
    let said = lines(&problems);
    assert!(
        said.starts_with("4:34: error: the task starts itself: outer → middle → inner writes to `out`"),
        "{said}"
    );
    let (_, problems) = task::check::read(&outer("delete"), None);
    assert_eq!(lines(&problems), "");
}
