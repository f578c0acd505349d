//! What the file says about its tables.

use super::SqliteLink;
use super::decode::Declared;
use crate::{Column, DatabaseError, Table, TableKind};

impl SqliteLink {
    pub(crate) fn tables(&mut self) -> Result<Vec<Table>, DatabaseError> {
        self.begin_own();
        let names = self.read(
            "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             ORDER BY name",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )?;
        names
            .into_iter()
            .map(|(name, kind)| {
                let kind = if kind == "view" {
                    TableKind::View
                } else {
                    TableKind::Table
                };
                self.describe_table(name, kind)
            })
            .collect()
    }

    /// A table by name; letter case does not matter, as in SQL.
    pub(super) fn table(&mut self, name: &str) -> Result<Table, DatabaseError> {
        self.begin_own();
        let found = self.read(
            "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?1)",
            [name],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )?;
        let unfit = |problem, valid| DatabaseError::Table {
            name: name.to_owned(),
            problem,
            valid,
        };
        match found.into_iter().next() {
            None => Err(unfit("does not exist", self.table_names()?)),
            Some((_, kind)) if kind == "view" => {
                Err(unfit("is a view and cannot be written to", self.table_names()?))
            }
            Some((name, _)) => self.describe_table(name, TableKind::Table),
        }
    }

    /// The tables that can be written to, by name.
    pub(super) fn table_names(&self) -> Result<Vec<String>, DatabaseError> {
        self.read(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             ORDER BY name",
            [],
            |row| row.get(0),
        )
    }

    /// From here on statements are our own.
    pub(super) fn begin_own(&self) {
        self.watch.set_own(true);
        self.watch.allow(self.limits.statement);
    }

    fn describe_table(&self, name: String, kind: TableKind) -> Result<Table, DatabaseError> {
        let columns = self.read(
            "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
            [&name],
            |row| {
                let declared_type: String = row.get(1)?;
                Ok(Column {
                    name: row.get(0)?,
                    value_type: Declared::of(Some(&declared_type)).value_type(),
                    declared_type,
                    not_null: row.get(2)?,
                    primary_key: row.get::<_, Option<u32>>(3)?.filter(|place| *place > 0),
                    generated: row.get::<_, i64>(4)? > 1,
                })
            },
        )?;
        let unique_keys = self.unique_keys(&name, &columns)?;
        Ok(Table {
            name,
            kind,
            columns,
            unique_keys,
        })
    }

    /// The primary key and all unique indexes that hold for every row and name only columns.
    fn unique_keys(&self, table: &str, columns: &[Column]) -> Result<Vec<Vec<String>>, DatabaseError> {
        let mut keys = Vec::new();
        let mut primary: Vec<&Column> = columns
            .iter()
            .filter(|column| column.primary_key.is_some())
            .collect();
        primary.sort_by_key(|column| column.primary_key);
        if !primary.is_empty() {
            keys.push(primary.into_iter().map(|column| column.name.clone()).collect());
        }
        let indexes: Vec<String> = self.read(
            "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND partial = 0 ORDER BY seq DESC",
            [table],
            |row| row.get(0),
        )?;
        for index in indexes {
            let names: Vec<Option<String>> = self.read(
                "SELECT name FROM pragma_index_info(?1) ORDER BY seqno",
                [&index],
                |row| row.get(0),
            )?;
            // A part without a name is an expression; a conflict on it cannot be named by columns.
            if let Some(names) = names.into_iter().collect::<Option<Vec<String>>>()
                && !keys.contains(&names)
            {
                keys.push(names);
            }
        }
        Ok(keys)
    }

    /// Reads rows by a statement of our own.
    pub(super) fn read<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement
                .query_map(parameters, read)?
                .collect::<Result<Vec<T>, rusqlite::Error>>()
        };
        rows().map_err(|error| self.error(error, sql))
    }
}
