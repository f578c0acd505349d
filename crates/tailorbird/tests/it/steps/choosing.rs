//! `transform`, `filter` by condition, `decide`.

use super::{flow, lines};

#[test]
fn a_transformation_adds_columns_or_leaves_only_its_own() {
    let flow = flow(&[("A", "one", "1.50"), ("B", "two", "20.00")]);
    flow.apply(
        r#"
task: shape
steps:
  - id: items
    query: { database: erp, sql: "select sku, text, price from items order by id" }
  - id: wide
    transform: { from: items, columns: { text: "{{ text | upper }}", cents: "{{ price | times(100) | round(0) }}" } }
  - id: store
    write: { database: erp, table: out, from: wide, key: [sku] }
  - id: narrow
    transform: { from: wide, keep: false, columns: { sku: "n-{{ sku }}", note: "{{ text }} {{ cents }}" } }
  - id: store-narrow
    write: { database: erp, table: out, from: narrow, key: [sku] }
"#,
    );
    flow.run_task("shape")
        .expect(0)
        .counted("succeeded", &[("read", 2), ("written", 4)]);
    let rows = lines(
        &flow,
        "select sku, text, price, cents, note from out order by sku",
    );
    assert_eq!(
        rows,
        [
            "A|ONE|1.50|150|null",
            "B|TWO|20.00|2000|null",
            "n-A|null|null|null|ONE 150",
            "n-B|null|null|null|TWO 2000"
        ]
    );
}

#[test]
fn a_transformed_record_is_sent_and_keeps_its_columns_for_the_write_back() {
    let flow = flow(&[("A", "one", "1.50")]);
    flow.apply(
        r#"
task: announce
steps:
  - id: items
    query: { database: erp, sql: "select sku, text from items order by id" }
  - id: loud
    transform: { from: items, columns: { loud: "{{ text | upper }}!" } }
  - id: post
    call: { connection: company-x, operation: create_post, for_each: loud, key: "{{ sku }}", with: { text: "{{ loud }}" } }
  - id: result
    transform: { from: post, columns: { link: "post {{ result.id }}" } }
  - id: store
    write: { database: erp, table: out, from: result, key: [sku], columns: { sku: "{{ sku }}", text: "{{ loud }}", note: "{{ link }}" } }
"#,
    );
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("delivered", 1), ("written", 1)]);
    let rows = lines(&flow, "select sku, text, note glob 'post [0-9]*' from out");
    assert_eq!(rows, ["A|ONE!|1"]);
}

#[test]
fn a_record_that_cannot_be_transformed_stops_the_run_and_is_named() {
    let flow = flow(&[("A", "one", "1.50"), ("B", "two", "dear")]);
    flow.apply(
        r#"
task: shape
steps:
  - id: items
    query: { database: erp, sql: "select sku, cast(price as text) price from items order by id" }
  - id: cents
    transform: { from: items, columns: { cents: "{{ price | times(100) }}" } }
  - id: store
    write: { database: erp, table: out, from: cents, key: [sku] }
"#,
    );
    flow.run_task("shape")
        .failed(3, "MAP-001")
        .says(&["step `cents`", "\"sku\":\"B\""]);
    assert_eq!(flow.number("select count(*) from out"), 0);
}

#[test]
fn each_record_takes_the_first_branch_that_holds() {
    let flow = flow(&[
        ("A", "one", "1500"),
        ("B", "two", "20"),
        ("C", "three", "0"),
        ("D", "four", "2000"),
    ]);
    let task = |rest: &str| {
        format!(
            r#"
task: sort
steps:
  - id: items
    query: {{ database: erp, sql: "select sku, text, price from items order by id" }}
  - id: dear
    filter: {{ from: items, when: "{{{{ sku is ne('D') }}}}" }}
  - id: route
    decide:
      from: dear
      branches:
        - {{ name: big, when: "{{{{ price is gt(1000) }}}}" }}
        - {{ name: some, when: "{{{{ price is gt(0) }}}}" }}
        {rest}
  - id: big
    write: {{ database: erp, table: out, from: route.big, key: [sku], columns: {{ sku: "{{{{ sku }}}}", note: big }} }}
  - id: some
    write: {{ database: erp, table: out, from: route.some, key: [sku], columns: {{ sku: "{{{{ sku }}}}", note: some }} }}
"#
        )
    };
    flow.apply(&task(""));
    flow.run_task("sort")
        .expect(0)
        .counted("succeeded", &[("read", 4), ("written", 2), ("not_due", 2)]);
    let rows = lines(&flow, "select sku, note from out order by sku");
    assert_eq!(rows, ["A|big", "B|some"]);
    let rest = r#"
  - id: rest
    write: { database: erp, table: out, from: route.rest, key: [sku], columns: { sku: "{{ sku }}", note: rest } }
"#;
    flow.apply(&(task("- { name: rest }") + rest));
    flow.run_task("sort")
        .expect(0)
        .counted("succeeded", &[("read", 4), ("written", 3), ("not_due", 1)]);
    let rows = lines(&flow, "select sku, note from out order by sku");
    assert_eq!(rows, ["A|big", "B|some", "C|rest"]);
}
