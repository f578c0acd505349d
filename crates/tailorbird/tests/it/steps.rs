//! The kinds of steps, end to end: YAML in, rows and posts out, twice the same.

mod approvals;
mod calling;
mod choosing;
mod loops;
mod memory;
mod rehearsing;
mod variables;

use crate::flow::Flow;

/// A home with an ERP and one more table for what comes out.
fn flow(items: &[(&str, &str, &str)]) -> Flow {
    let flow = Flow::new();
    flow.sql("create table out (sku text primary key, text text, price text, cents text, note text);");
    for (sku, text, price) in items {
        let insert = "insert into items (sku, text, price) values (?1, ?2, ?3)";
        flow.sql_with(insert, &[sku, text, price]);
    }
    flow
}

/// The rows that a statement yields, each as one line.
fn lines(flow: &Flow, query: &str) -> Vec<String> {
    let erp = rusqlite::Connection::open(&flow.erp).unwrap();
    let mut statement = erp.prepare(query).unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..count).map(|index| match row.get_unwrap::<_, rusqlite::types::Value>(index) {
            rusqlite::types::Value::Null => "null".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(_) => "blob".to_owned(),
        });
        Ok(cells.collect::<Vec<_>>().join("|"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The examples are read by people first; they must be right.
#[test]
fn every_example_of_a_task_passes_the_check() {
    let home = crate::support::Home::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|ending| ending == "yaml") && text.contains("\ntask: ") {
            home.run(&["task", "check", &path.display().to_string()])
                .expect(0);
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
}
