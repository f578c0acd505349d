//! Rule 2: what makes a record the same record.

use crate::flow::{ANNOUNCE, Flow};

#[test]
fn one_key_in_several_spellings_goes_once() {
    let flow = Flow::new();
    flow.apply(ANNOUNCE);
    flow.item("Caf\u{e9}", "composed");
    flow.item("Cafe\u{301}", "decomposed");
    flow.item("Caf\u{e9}  ", "trailing spaces");
    flow.item("caf\u{e9}", "another letter case is another key");
    let said = flow.run().expect(0);
    said.counted(
        "succeeded",
        &[("read", 4), ("delivered", 2), ("already", 2), ("written", 2)],
    );
    assert_eq!(
        said.stderr.matches("came twice in one recordset").count(),
        2,
        "{}",
        said.stderr
    );
    let mut texts = flow.sandbox.texts();
    texts.sort();
    assert_eq!(texts, ["another letter case is another key", "composed"]);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 4), ("already", 4)]);
}

#[test]
fn decimals_in_keys_lose_trailing_zeros() {
    let flow = Flow::new();
    flow.apply(
        &ANNOUNCE
            .replace("select sku, text", "select sku, text, price")
            .replace("item-{{ sku }}", "at-{{ price }}")
            .replace("text: \"{{ text }}\"", "text: \"{{ text }} at {{ price }}\""),
    );
    flow.sql("insert into items (sku, text, price) values ('A', 'tea', 1.1)");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("delivered", 1), ("written", 1)]);
    assert_eq!(flow.states(), [("at-1.1".to_owned(), "delivered".to_owned())]);
    assert_eq!(flow.sandbox.texts(), ["tea at 1.10"], "texts keep their digits");
    // Another program declares the column anew: the number is the same, and so is the record.
    flow.sql(
        "create table copy (id integer primary key, sku text, text text, price decimal(10,4));
         insert into copy select id, sku, text, price from items; drop table items; alter table copy rename to items;",
    );
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("already", 1)]);
}

#[test]
fn a_record_that_cannot_be_named_stops_the_run_before_anything_leaves() {
    let flow = Flow::new();
    flow.apply(&ANNOUNCE.replace("\"item-{{ sku }}\"", "\"{{ sku }}\""));
    flow.item("A", "fine");
    flow.sql("insert into items (sku, text) values (null, 'nameless')");
    let said = flow.run();
    said.failed(3, "MAP-003").says(&["empty", "nameless"]);
    said.counted("needs_attention", &[("read", 2)]);
    assert_eq!(flow.sandbox.accepted(), 0);

    flow.sql_with("update items set sku = ?1 where sku is null", &[&"k".repeat(513)]);
    flow.run().failed(3, "MAP-003").says(&["513 bytes", "512"]);
    assert_eq!(flow.sandbox.accepted(), 0);

    flow.sql_with("update items set sku = ?1 where id = 2", &[&"k".repeat(512)]);
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 2);
}

/// The two rows come in different chunks of 500. Texts that are too long are refused before anything is sent.
#[test]
fn the_same_key_in_two_chunks_counts_once_and_is_told() {
    let flow = Flow::new();
    flow.apply(ANNOUNCE);
    flow.sql(
        "with recursive n(i) as (values(1) union all select i + 1 from n where i < 600)
         insert into items (sku, text) select 'S' || i, printf('%.300c', 'x') from n;
         update items set sku = 'S1' where id = 600;",
    );
    let said = flow.run().expect(3);
    said.counted("succeeded", &[("read", 600), ("rejected", 599), ("already", 1)]);
    assert!(
        said.stderr.contains("the key item-S1 came twice"),
        "{}",
        said.stderr
    );
}
