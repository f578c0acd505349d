//! Rows that change.

use serde_json::json;

use super::support::{SEEN, ended, rows, runs, trigger_state};
use crate::serve::support::{Server, until};
use crate::support::{Home, number, sql};

const PRODUCTS: &str = "create table products (sku text primary key, name text, price decimal(10, 2));
    insert into products values ('A', 'Kettle', 10), ('B', 'Cup', 2.5);";

const TASK: &str = "task: follow
trigger:
  database: { database: erp, table: products, every: 1s }
steps:
  - id: keep
    write:
      database: crm
      table: seen
      from: trigger
      key: [id]
      columns: { id: \"{{ change_id }}\", what: \"{{ operation }} {{ sku }}\", kind: \"{{ trigger.kind }}\", more: \"{{ price }}\" }
";

fn following() -> Home {
    let home = Home::new();
    home.database("crm", SEEN);
    home.database("erp", PRODUCTS);
    home.apply("follow.yaml", TASK).expect(0);
    home
}

fn install(home: &Home) {
    home.run(&["database", "trigger-sql", "erp", "products", "--install"])
        .expect(0);
}

fn seen(home: &Home) -> String {
    rows(home, "select what, more from seen order by cast(id as integer)")
}

#[test]
fn what_changed_while_nobody_looked_is_seen_in_order() {
    let home = following();
    install(&home);
    let erp = home.file("erp.sqlite");
    sql(
        &erp,
        "update products set price = 11 where sku = 'A'; insert into products values ('C', 'Spoon', 1);
         delete from products where sku = 'B'; update products set price = price;",
    );
    let server = Server::start(&home);
    let runs = ended(&home, "follow", 1);
    assert_eq!(runs[0]["counts"]["read"], 3);
    assert_eq!(
        seen(&home),
        r#"[{"what":"update A","more":"11.00"},{"what":"insert C","more":"1.00"},{"what":"delete B","more":"2.50"}]"#
    );
    until("the outbox is empty", || {
        number(&erp, "select count(*) from _tailorbird_outbox") == 0
    });
    sql(&erp, "delete from products where sku = 'A'");
    ended(&home, "follow", 2);
    assert!(seen(&home).contains(r#"{"what":"delete A","more":"11.00"}"#));
    drop(server);
    assert_eq!(
        trigger_state(&home, "follow")["summary"],
        "changes of erp.products"
    );
}

#[test]
fn kills_lose_no_change_and_double_none() {
    let home = following();
    install(&home);
    let erp = home.file("erp.sqlite");
    let writer = std::thread::spawn({
        let erp = erp.clone();
        move || {
            for number in 0..300 {
                sql(
                    &erp,
                    &format!("insert into products values ('N{number}', 'n', {number})"),
                );
                std::thread::sleep(std::time::Duration::from_millis(8));
            }
        }
    });
    for round in 1..=4 {
        let server = Server::start(&home);
        std::thread::sleep(std::time::Duration::from_millis(500 + round * 130));
        drop(server);
    }
    writer.join().unwrap();
    let _server = Server::start(&home);
    let crm = home.file("crm.sqlite");
    until("every change is seen", || {
        number(&crm, "select count(*) from seen") == 300
    });
    until("every run has ended", || {
        runs(&home, "follow")
            .iter()
            .all(|run| run["state"] == "succeeded")
    });
    // One event for each change: no number was received twice.
    assert_eq!(trigger_state(&home, "follow")["events"], 300);
    assert_eq!(number(&erp, "select count(*) from _tailorbird_outbox"), 0);
}

#[test]
fn a_trigger_that_is_not_installed_is_told_with_its_fix() {
    let home = following();
    let server = Server::start(&home);
    until("the reason is shown", || {
        trigger_state(&home, "follow")["problem"]["code"] == "TRIG-006"
    });
    let problem = trigger_state(&home, "follow")["problem"].clone();
    assert!(
        problem["message"]
            .as_str()
            .unwrap()
            .ends_with("lacks the triggers for insert and update and delete"),
        "{problem}"
    );
    let hint = problem["hint"].as_str().unwrap();
    assert!(
        hint.contains("tailorbird database trigger-sql erp products --on insert,update,delete --install"),
        "{hint}"
    );
    install(&home);
    until("the problem is over", || {
        trigger_state(&home, "follow")["problem"].is_null()
    });
    // Altered: changes are seen without the new column, and that is said.
    let erp = home.file("erp.sqlite");
    sql(
        &erp,
        "alter table products add column colour text; insert into products values ('D', 'd', 4, 'red')",
    );
    ended(&home, "follow", 1);
    until("the alteration is told", || {
        trigger_state(&home, "follow")["problem"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("altered"))
    });
    drop(server);
}

#[test]
fn the_statements_can_be_read_before_they_are_run_and_taken_back() {
    let home = following();
    let printed = home
        .run(&["database", "trigger-sql", "erp", "products"])
        .expect(0)
        .json();
    assert_eq!(
        (&printed["installed"], &printed["table"]),
        (&json!(false), &json!("products"))
    );
    let erp = home.file("erp.sqlite");
    assert_eq!(
        number(
            &erp,
            "select count(*) from sqlite_schema where name like '\\_tailor%' escape '\\'"
        ),
        0
    );
    let text = home
        .run_as_text(&["database", "trigger-sql", "erp", "products"])
        .expect(0);
    sql(&erp, &text.stdout);
    sql(&erp, "delete from products");
    let run = home.run(&["task", "run", "follow"]).expect(0).json();
    assert_eq!(run["counts"]["written"], 2, "no server is needed for one run");

    sql(&erp, "insert into products values ('E', 'e', 5)");
    let removed = home
        .run(&["database", "trigger-sql", "erp", "products", "--remove"])
        .expect(0)
        .json();
    assert_eq!(
        (
            &removed["removed_triggers"],
            &removed["dropped_changes"],
            &removed["removed_outbox"]
        ),
        (&json!(3), &json!(1), &json!(true))
    );
    assert_eq!(
        number(
            &erp,
            "select count(*) from sqlite_schema where name like '\\_tailor%' escape '\\'"
        ),
        0
    );

    home.run(&["database", "trigger-sql", "erp", "product"])
        .refused(1, "DB-006")
        .says(&["does not exist", "products"]);
    home.run(&["database", "trigger-sql", "erp", "products", "--key", "nope"])
        .refused(1, "DB-006");
}

#[test]
fn two_tasks_see_the_same_changes() {
    let home = following();
    install(&home);
    home.apply(
        "second.yaml",
        &TASK
            .replace("task: follow", "task: second")
            .replace("every: 1s", "every: 1s, on: [delete]")
            .replace("{{ change_id }}", "second {{ change_id }}"),
    )
    .expect(0);
    sql(
        &home.file("erp.sqlite"),
        "update products set name = 'x'; delete from products where sku = 'A'",
    );
    let _server = Server::start(&home);
    ended(&home, "follow", 1);
    ended(&home, "second", 1);
    assert_eq!(
        rows(&home, "select what from seen where id like 'second%'"),
        r#"[{"what":"delete A"}]"#
    );
}
