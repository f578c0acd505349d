//! Databases: what there is, its tables and columns, and a bounded look at rows.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tailorbird_app::{App, AppError, Recordset, Table, TableKind};
use tailorbird_model::{Failure, Value};

use super::filters;
use super::look;
use super::page::{Chrome, failed, show as show_page};
use super::tasks::named;
use super::view::plural;
use super::visit::Visit;
use crate::server::Shared;

/// Rows that a page shows.
const ROWS: usize = 50;

/// Characters of a cell.
const CELL: usize = 200;

#[derive(Template)]
#[template(path = "databases/list.html")]
struct List {
    chrome: Chrome,
    tiles: Vec<Tile>,
}

struct Tile {
    name: String,
    kind: String,
    place: String,
    writable: bool,
}

/// `GET /databases`.
pub(super) async fn list(State(shared): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    match look(&shared, App::databases).await {
        Ok(databases) => show_page(&List {
            chrome: visit.chrome("Databases", "databases"),
            tiles: databases
                .iter()
                .map(|database| Tile {
                    name: database.database.to_string(),
                    kind: database.kind.as_str().to_owned(),
                    place: database
                        .settings
                        .iter()
                        .map(|(name, value)| format!("{name} {value}"))
                        .collect::<Vec<_>>()
                        .join(", "),
                    writable: database.writable,
                })
                .collect(),
        }),
        Err(error) => failed(&visit, "databases", error),
    }
}

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    sql: String,
    #[serde(default)]
    table: String,
}

#[derive(Template)]
#[template(path = "databases/show.html")]
struct Show {
    chrome: Chrome,
    name: String,
    writable: bool,
    /// Why it does not open.
    closed: Option<Failure>,
    tables: Vec<TableRow>,
    words: Vec<Word>,
    sql: String,
    rows: Option<Rows>,
    problem: Option<(String, String)>,
}

struct TableRow {
    name: String,
    link: String,
    is_view: bool,
    columns: Vec<ColumnRow>,
    is_open: bool,
}

struct ColumnRow {
    name: String,
    kind: &'static str,
    is_key: bool,
}

/// A word that the statement may hold: what the field offers while somebody types.
struct Word {
    text: String,
    about: String,
    /// The table that it is a column of.
    of: String,
}

/// Words that are offered; a database with more has its first ones.
const MAX_WORDS: usize = 3_000;

fn words(tables: &[Table]) -> Vec<Word> {
    let table = |table: &Table| Word {
        text: table.name.clone(),
        about: "table".to_owned(),
        of: String::new(),
    };
    let columns = tables.iter().flat_map(|table| {
        table.columns.iter().map(|column| Word {
            text: column.name.clone(),
            about: format!("{}, {}", table.name, column.value_type),
            of: table.name.clone(),
        })
    });
    tables.iter().map(table).chain(columns).take(MAX_WORDS).collect()
}

/// Rows as cells.
struct Rows {
    /// Each with whether its values are numbers.
    columns: Vec<(String, bool)>,
    cells: Vec<Vec<Cell>>,
    words: String,
}

struct Cell {
    text: String,
    is_null: bool,
    is_number: bool,
}

/// `GET /databases/{name}`; with `?table=` or `?sql=`, also rows.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let chrome = visit.chrome(&name, "databases");
    match look(&shared, move |app| page_of(app, &name, &asked, chrome)).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "databases", error),
    }
}

fn page_of(app: &App, name: &str, asked: &Asked, chrome: Chrome) -> Result<Show, AppError> {
    let name = named(name)?;
    let writable = app.known_database(&name)?.writable;
    let (tables, closed) = match app.database_tables(&name) {
        Ok(tables) => (tables, None),
        Err(error) => (Vec::new(), Some(error.failure)),
    };
    // A table is chosen from those that are there, so its name needs no trust, only quotes.
    let chosen = tables.iter().find(|table| table.name == asked.table);
    let sql = match chosen {
        Some(table) => format!("select * from \"{}\"", table.name.replace('"', "\"\"")),
        None => asked.sql.trim().to_owned(),
    };
    let (mut rows, mut problem) = (None, None);
    if !sql.is_empty() && closed.is_none() {
        match app.look_into_database(&name, &sql, ROWS) {
            Ok(found) => rows = Some(cells(&found)),
            // A slip in a statement belongs beside the statement.
            Err(error) => {
                let failure = error.failure;
                problem = Some((
                    format!("{} [{}]", failure.message, failure.code),
                    [failure.detail, failure.hint].join(" "),
                ));
            }
        }
    }
    Ok(Show {
        chrome,
        name: name.to_string(),
        writable,
        closed,
        words: words(&tables),
        tables: tables
            .iter()
            .map(|table| TableRow {
                name: table.name.clone(),
                link: url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("table", &table.name)
                    .finish(),
                is_view: table.kind == TableKind::View,
                columns: table
                    .columns
                    .iter()
                    .map(|column| ColumnRow {
                        name: column.name.clone(),
                        kind: column.value_type,
                        is_key: column.primary_key.is_some(),
                    })
                    .collect(),
                is_open: chosen.is_some_and(|chosen| chosen.name == table.name),
            })
            .collect(),
        sql,
        rows,
        problem,
    })
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Decimal(_))
}

fn cells(found: &Recordset) -> Rows {
    let cell = |value: &Value| {
        let text = value.to_string();
        Cell {
            is_null: value.is_null(),
            is_number: is_number(value),
            text: if text.chars().count() > CELL {
                text.chars().take(CELL).chain(['…']).collect()
            } else {
                text
            },
        }
    };
    let count = found.records.len();
    Rows {
        columns: found
            .columns
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let first = found
                    .records
                    .iter()
                    .find_map(|record| record.values().get(place).filter(|value| !value.is_null()));
                (name.clone(), first.is_some_and(is_number))
            })
            .collect(),
        cells: found
            .records
            .iter()
            .map(|record| record.values().iter().map(cell).collect())
            .collect(),
        words: if found.truncated {
            format!("the first {ROWS} rows")
        } else {
            plural(u64::try_from(count).unwrap_or(0), "row", "rows")
        },
    }
}
