//! A new name must not make old records look new (never-twice rule 1).

use crate::support::{Home, Sandbox};

const TASK: &str = "task: announce
steps:
  - id: rows
    query: { database: erp, sql: \"select id, name from items order by id\" }
  - id: post
    call: { connection: c, operation: create_post, for_each: rows, key: \"item-{{ id }}\", with: { text: \"{{ name }}\" } }
";

fn announced() -> (Sandbox, Home) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.connect(&sandbox, "c", "x", "read_write");
    home.authorize(&sandbox, "c");
    home.database(
        "erp",
        "create table items (id integer, name text); insert into items values (1, 'One'), (2, 'Two')",
    );
    home.apply("task.yaml", TASK).expect(0);
    home.run(&["task", "run", "announce"]).expect(0);
    assert_eq!(sandbox.texts().len(), 2);
    (sandbox, home)
}

#[test]
fn a_renamed_step_is_refused_until_it_says_so() {
    let (sandbox, home) = announced();
    let renamed = TASK.replace("id: post", "id: posting");
    let refused = home.apply("task.yaml", &renamed).expect(2);
    assert_eq!(refused.error()["code"], "TASK-003");
    assert!(
        refused.error()["detail"]
            .as_str()
            .unwrap()
            .contains("2 record(s) were sent"),
        "{}",
        refused.stderr
    );

    let said = renamed.replace("id: posting", "id: posting\n    formerly: post");
    home.apply("task.yaml", &said).expect(0);
    let run = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(
        (&run["counts"]["delivered"], &run["counts"]["already"]),
        (&0.into(), &2.into())
    );
    assert_eq!(sandbox.texts().len(), 2);
}

#[test]
fn a_renamed_task_is_refused_until_it_says_so_and_its_old_name_is_gone() {
    let (sandbox, home) = announced();
    let renamed = TASK.replace("task: announce", "task: announce-new");
    assert_eq!(
        home.apply("task.yaml", &renamed).expect(2).error()["code"],
        "TASK-003"
    );
    let misspelt = renamed.replace("steps:", "formerly: anounce\nsteps:");
    assert_eq!(
        home.apply("task.yaml", &misspelt).expect(2).error()["code"],
        "TASK-003"
    );

    let said = renamed.replace("steps:", "formerly: announce\nsteps:");
    home.apply("task.yaml", &said).expect(0);
    let run = home.run(&["task", "run", "announce-new"]).expect(0).json();
    assert_eq!(
        (&run["counts"]["delivered"], &run["counts"]["already"]),
        (&0.into(), &2.into())
    );
    assert_eq!(
        home.run(&["task", "run", "announce"]).expect(1).error()["code"],
        "TASK-001"
    );
    assert_eq!(sandbox.texts().len(), 2);
}

#[test]
fn another_task_for_the_same_records_needs_a_word() {
    let (sandbox, home) = announced();
    let path = home.write(
        "other.yaml",
        &TASK
            .replace("task: announce", "task: other")
            .replace("{{ name }}", "{{ name }} again"),
    );
    assert_eq!(
        home.run(&["task", "apply", &path]).expect(2).error()["code"],
        "TASK-003"
    );
    home.run(&["task", "apply", &path, "--accept-rekey"]).expect(0);
    home.run(&["task", "run", "other"]).expect(0);
    assert_eq!(sandbox.texts().len(), 4);
}
