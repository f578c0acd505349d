//! Checks of the steps that read from and write to databases.

use super::{Checker, Sources};
use crate::Name;
use crate::task::{QueryStep, WriteStep};
use crate::yaml::Problem;
use crate::yaml::shape::suggest;

impl Checker<'_> {
    /// Asks the database what it makes of a statement, without running it.
    fn statement(&mut self, at: &str, query: &QueryStep) {
        let sql = format!("{at}/sql");
        let described = self
            .catalogue
            .and_then(|catalogue| catalogue.describe(&query.database, &query.sql));
        match described {
            None => {}
            Some(Err(problem)) => {
                let position = match problem.place {
                    Some((line, column)) => self.document.position_in_text(&sql, line, column),
                    None => self.document.position(&sql),
                };
                self.problems
                    .push(Problem::error(position, sql, problem.message).hint(problem.hint));
            }
            Some(Ok(columns)) => {
                if let Some(cursor) = &query.cursor
                    && !columns.contains(&cursor.column)
                {
                    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                    self.error(
                        &format!("{at}/cursor/column"),
                        format!("the statement yields no column `{}`", cursor.column),
                        suggest(&cursor.column, &columns, "It yields"),
                    );
                }
            }
        }
    }

    /// Looks whether the table and its columns are there.
    fn table(&mut self, at: &str, write: &WriteStep) {
        let Some(tables) = self
            .catalogue
            .and_then(|catalogue| catalogue.tables(&write.database))
        else {
            return;
        };
        let is_same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let Some((_, known)) = tables.iter().find(|(name, _)| is_same(name, &write.table)) else {
            let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).collect();
            self.error(
                &format!("{at}/table"),
                format!("the database `{}` has no table `{}`", write.database, write.table),
                suggest(&write.table, &names, "It has"),
            );
            return;
        };
        let keys = write.key.iter().enumerate();
        let keys = keys.map(|(index, name)| (format!("{at}/key/{index}"), name));
        let columns = write.columns.keys();
        let columns = columns.map(|name| (format!("{at}/columns/{name}"), name));
        let given: Vec<(String, &String)> = columns.chain(keys).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        for (path, name) in given {
            if !known.iter().any(|column| is_same(column, name)) {
                self.error(
                    &path,
                    format!("the table `{}` has no column `{name}`", write.table),
                    suggest(name, &known, "It has"),
                );
            }
        }
    }

    pub(super) fn query(&mut self, at: &str, query: &QueryStep) {
        self.database(at, &query.database, false);
        let sql = format!("{at}/sql");
        if query.sql.contains("{{") || query.sql.contains("{%") {
            self.error(
                &sql,
                "`sql` is no template",
                "Use a named parameter: write `:name` in the statement and `parameters: { name: … }` beside it.",
            );
        }
        let first = query
            .sql
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase();
        if !matches!(first.as_str(), "select" | "with" | "values") {
            self.error(
                &sql,
                "`sql` does not begin with SELECT",
                "A query only reads; use a `write` step to write.",
            );
        }
        self.statement(at, query);
        for (name, value) in &query.parameters {
            self.expressions(&format!("{at}/parameters/{name}"), value);
            if !mentions(&query.sql, name) {
                self.error(
                    &format!("{at}/parameters/{name}"),
                    format!("the statement does not use `:{name}`"),
                    "Remove the parameter, or use it.",
                );
            }
        }
        if let Some(cursor) = &query.cursor {
            let path = format!("{at}/cursor");
            if !mentions(&query.sql, "cursor") {
                self.error(
                    &path,
                    "the statement does not use `:cursor`",
                    format!(
                        "Write for example `where {} > :cursor order by {}`.",
                        cursor.column, cursor.column
                    ),
                );
            }
            if cursor.start.is_none() {
                self.error(
                    &path,
                    "`start` is missing",
                    "Give the value before the first run: `start: 0` sends all rows, a later value only newer ones.",
                );
            }
        }
    }

    pub(super) fn write(&mut self, at: &str, write: &WriteStep, sources: &Sources) {
        self.database(at, &write.database, true);
        self.table(at, write);
        self.source(&format!("{at}/from"), &write.from, sources);
        for (name, value) in &write.columns {
            self.expressions(&format!("{at}/columns/{name}"), value);
        }
        for (index, key) in write.key.iter().enumerate() {
            if !write.columns.is_empty() && !write.columns.contains_key(key) {
                let known: Vec<&str> = write.columns.keys().map(String::as_str).collect();
                self.error(
                    &format!("{at}/key/{index}"),
                    format!("`columns` does not give the key column `{key}`"),
                    suggest(key, &known, "It gives"),
                );
            }
        }
    }

    pub(super) fn database(&mut self, at: &str, name: &Name, must_write: bool) {
        let Some(catalogue) = self.catalogue else {
            return;
        };
        let path = format!("{at}/database");
        match catalogue.database(name) {
            Some(writable) if must_write && !writable => self.error(
                &path,
                format!("the database `{name}` is not open for writing"),
                format!("Allow it: `tailorbird database add {name} … --writable`."),
            ),
            Some(_) => {}
            None => {
                let known = catalogue.databases();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = suggest(name.as_str(), &known, "Databases");
                self.error(&path, format!("there is no database `{name}`"), hint);
            }
        }
    }
}

/// Tells whether a statement uses a named parameter.
fn mentions(sql: &str, name: &str) -> bool {
    let wanted = format!(":{name}");
    sql.match_indices(&wanted).any(|(at, _)| {
        sql.get(at + wanted.len()..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|next| !(next.is_alphanumeric() || next == '_'))
    })
}
