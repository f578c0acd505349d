//! `database …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{AddDatabase, App, AppError, Watched};
use tailorbird_model::database::DatabaseKind;

use crate::Ended;
use crate::args::{DatabaseCommand, database::Kind};
use crate::commands::input;
use crate::render::{Render, table};

pub(crate) async fn run(home: &Path, command: DatabaseCommand, render: Render) -> Result<Ended, AppError> {
    match command {
        DatabaseCommand::Add {
            name,
            kind,
            settings,
            writable,
        } => {
            let (app, made) = App::create(home)?;
            if made {
                render.talk(&format!("Made the home folder {}.", home.display()));
            }
            let kind = kind.map(|Kind::Sqlite| DatabaseKind::Sqlite);
            let add = AddDatabase {
                name: input::name(&name)?,
                kind,
                settings: input::pairs(&settings)?,
                writable: writable.then_some(true),
            };
            let (database, notes) = app.add_database(add).await?;
            for note in notes {
                render.talk(&format!("note: {note}"));
            }
            render.data(&json!(database), || format!("Database {name} is saved."));
        }
        DatabaseCommand::List => list(home, render)?,
        DatabaseCommand::Test { name } => {
            let found = App::open(home)?.test_database(&input::name(&name)?)?;
            render.data(&found, || {
                format!(
                    "{name} can be opened: {} tables.",
                    found.get("tables").map(ToString::to_string).unwrap_or_default()
                )
            });
        }
        DatabaseCommand::Tables { name } => {
            let tables = App::open(home)?.database_tables(&input::name(&name)?)?;
            let rows: Vec<Vec<String>> = tables
                .iter()
                .flat_map(|t| {
                    t.columns.iter().map(|c| {
                        let key = if c.primary_key.is_some() { "key" } else { "" };
                        vec![
                            t.name.clone(),
                            c.name.clone(),
                            c.declared_type.clone(),
                            key.to_owned(),
                        ]
                    })
                })
                .collect();
            render.data(&json!(tables), || {
                table(&["TABLE", "COLUMN", "TYPE", "KEY"], &rows, "There are no tables.")
            });
        }
        DatabaseCommand::Query { name, sql, limit } => {
            let found = App::open(home)?.query_database(&input::name(&name)?, &sql, limit)?;
            if found.truncated {
                render.talk(&format!(
                    "note: there are more rows; only {limit} are shown (`--limit N` shows more)."
                ));
            }
            let (head, records) = (found.columns, found.records);
            let rows: Vec<Vec<String>> = records
                .iter()
                .map(|r| r.values().iter().map(ToString::to_string).collect())
                .collect();
            let json: Vec<_> = records.iter().map(tailorbird_model::Record::to_json).collect();
            render.data(&json.into(), || {
                table(
                    &head.iter().map(String::as_str).collect::<Vec<_>>(),
                    &rows,
                    "No rows.",
                )
            });
        }
        DatabaseCommand::TriggerSql {
            name,
            table,
            key,
            on,
            install,
            remove,
        } => {
            let on = on.into_iter().map(Into::into).collect();
            let watched = Watched { table, key, on };
            trigger_sql(home, &name, &watched, (install, remove), render).await?;
        }
    }
    Ok(Ended::Well)
}

fn list(home: &Path, render: Render) -> Result<(), AppError> {
    let databases = App::open(home)?.databases()?;
    let rows: Vec<Vec<String>> = databases
        .iter()
        .map(|d| {
            let settings: Vec<String> = d.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
            vec![
                d.database.to_string(),
                "sqlite".to_owned(),
                if d.writable { "yes" } else { "no" }.to_owned(),
                settings.join(" "),
            ]
        })
        .collect();
    render.data(&json!(databases), || {
        table(
            &["DATABASE", "KIND", "WRITABLE", "SETTINGS"],
            &rows,
            "There are no databases. `tailorbird database add --help` shows how to add one.",
        )
    });
    Ok(())
}

/// `database trigger-sql`: shows, installs or removes.
async fn trigger_sql(
    home: &Path,
    name: &str,
    watched: &Watched,
    (install, remove): (bool, bool),
    render: Render,
) -> Result<(), AppError> {
    let app = App::open(home)?;
    let name = input::name(name)?;
    let table = &watched.table;
    if remove {
        let removed = app.remove_outbox(&name, table).await?;
        let json = json!({
            "database": name, "table": table, "removed_triggers": removed.triggers,
            "dropped_changes": removed.changes, "removed_outbox": removed.outbox,
        });
        render.data(&json, || {
            format!(
                "Removed {} trigger(s) of {table}; {} change(s) that nobody had received went with them.",
                removed.triggers, removed.changes
            )
        });
        return Ok(());
    }
    let statements = if install {
        app.install_outbox(&name, watched).await?
    } else {
        app.outbox_sql(&name, watched)?
    };
    let json = json!({
        "database": name, "table": table, "installed": install, "statements": statements,
    });
    render.document(&json, || statements.join(";\n\n") + ";\n");
    render.talk(if install {
        "Installed. From now on these changes are written down."
    } else {
        "Nothing was changed. `--install` runs these statements; any SQL shell does as well."
    });
    Ok(())
}
