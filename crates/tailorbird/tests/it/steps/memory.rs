//! `filter` with memory: only what is new, only what has changed.

use super::{flow, lines};
use crate::flow::wait_until;

fn task(filter: &str) -> String {
    format!(
        r#"
task: watch
steps:
  - id: items
    query: {{ database: erp, sql: "select sku, text, price from items order by id" }}
  - id: fresh
    filter: {{ from: items, {filter} }}
  - id: store
    write: {{ database: erp, table: out, from: fresh, key: [sku], columns: {{ sku: "{{{{ sku }}}}", text: "{{{{ text }}}}" }} }}
"#
    )
}

#[test]
fn only_new_lets_each_key_through_once() {
    let flow = flow(&[("A", "one", "1"), ("B", "two", "2"), ("B", "again", "2")]);
    flow.apply(&task(r#"only: new, key: "{{ sku }}""#));
    let run = || flow.run_task("watch").expect(0);
    run().counted("succeeded", &[("read", 3), ("written", 2), ("not_due", 1)]);
    assert_eq!(
        lines(&flow, "select sku, text from out order by sku"),
        ["A|one", "B|two"]
    );
    run().counted("succeeded", &[("read", 3), ("not_due", 3)]);
    flow.sql("update items set text = 'other'");
    flow.item("C", "three");
    run().counted("succeeded", &[("read", 4), ("written", 1), ("not_due", 3)]);
    // Renamed, and told so: it remembers.
    flow.apply(
        &task(r#"only: new, key: "{{ sku }}""#)
            .replace("id: fresh", "id: unseen\n    formerly: fresh")
            .replace("from: fresh", "from: unseen"),
    );
    run().counted("succeeded", &[("read", 4), ("not_due", 4)]);
}

#[test]
fn only_changed_compares_the_columns_that_count() {
    let flow = flow(&[("A", "one", "1.50"), ("B", "two", "2.00")]);
    flow.apply(&task(r#"only: changed, key: "{{ sku }}", compare: [price]"#));
    let run = || flow.run_task("watch").expect(0);
    run().counted("succeeded", &[("read", 2), ("written", 2)]);
    flow.sql("update items set text = 'other'");
    run().counted("succeeded", &[("read", 2), ("not_due", 2)]);
    flow.sql("update items set price = '1.60' where sku = 'A'");
    run().counted("succeeded", &[("read", 2), ("written", 1), ("not_due", 1)]);
    assert_eq!(
        lines(&flow, "select sku, text from out order by sku"),
        ["A|other", "B|two"]
    );
    flow.sql("update items set price = '1.50' where sku = 'A'");
    run().counted("succeeded", &[("read", 2), ("written", 1), ("not_due", 1)]);
    run().counted("succeeded", &[("read", 2), ("not_due", 2)]);
}

/// The memory is written after the later steps have taken the records: a kill in between repeats, it loses
/// nothing.
#[test]
fn what_a_kill_kept_from_being_written_is_not_remembered() {
    let flow = flow(&[("A", "one", "1"), ("B", "two", "2")]);
    flow.apply(&task(r#"only: new, key: "{{ sku }}""#));
    let lock = rusqlite::Connection::open(&flow.erp).unwrap();
    lock.execute_batch("begin immediate").unwrap();
    let running = crate::flow::Running::start(flow.home.command(&["task", "run", "watch"]));
    wait_until("the run", || flow.last_run()["counts"]["read"].is_number());
    std::thread::sleep(std::time::Duration::from_millis(500));
    running.kill();
    lock.execute_batch("rollback").unwrap();
    flow.run_task("watch").expect(0);
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["A", "B"]);
    flow.run_task("watch")
        .expect(0)
        .counted("succeeded", &[("read", 2), ("not_due", 2)]);
}
