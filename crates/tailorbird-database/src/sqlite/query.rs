//! Reading: one SELECT, named parameters, rows in chunks.

use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::{Row, Statement};
use tailorbird_model::{Record, Value};

use super::SqliteLink;
use super::bind::bind;
use super::decode::{self, Declared};
use crate::DatabaseError;
use crate::link::{Chunk, MAX_CHUNK_ROWS, MAX_TIED_ROWS, Parameters, Recordset, StreamOptions};

/// The words that a statement which reads may begin with.
const READING_WORDS: [&str; 3] = ["select", "with", "values"];

/// The columns of a result.
struct Shape {
    names: Arc<[String]>,
    declared: Vec<Declared>,
}

impl SqliteLink {
    pub(crate) fn query(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        limit: usize,
    ) -> Result<Recordset, DatabaseError> {
        let mut statement = self.prepare(sql)?;
        let shape = Shape::of(&statement)?;
        bind(&mut statement, parameters)?;
        let mut rows = statement.raw_query();
        let mut records = Vec::new();
        let mut truncated = false;
        while let Some(row) = rows.next().map_err(|error| self.error(error, sql))? {
            if records.len() == limit {
                truncated = true;
                break;
            }
            records.push(shape.record(row, records.len() + 1, self.limits.value_bytes)?);
        }
        Ok(Recordset {
            columns: shape.names,
            records,
            truncated,
        })
    }

    pub(crate) fn describe(&mut self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        let statement = self.prepare(sql)?;
        Ok(Shape::of(&statement)?.names.to_vec())
    }

    pub(crate) fn stream<E: From<DatabaseError>>(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        options: &StreamOptions,
        mut sink: impl FnMut(Chunk) -> Result<ControlFlow<()>, E>,
    ) -> Result<u64, E> {
        let chunk_rows = options.chunk_rows.clamp(1, MAX_CHUNK_ROWS);
        let mut statement = self.prepare(sql)?;
        let shape = Shape::of(&statement)?;
        let cursor_index = options
            .cursor_column
            .as_deref()
            .map(|name| shape.index(name))
            .transpose()?;
        bind(&mut statement, parameters)?;
        let mut rows = statement.raw_query();
        let mut chunk = Chunk {
            records: Vec::new(),
            cursor: Vec::new(),
        };
        let mut read = 0_usize;
        let mut given = 0_u64;
        while let Some(row) = rows.next().map_err(|error| self.error(error, sql))? {
            read += 1;
            let record = shape.record(row, read, self.limits.value_bytes)?;
            let cursor = cursor_index
                .map(|index| shape.storage(row, index, read, self.limits.value_bytes))
                .transpose()?;
            if chunk.records.len() >= chunk_rows {
                // Rows with the same cursor value belong together: the next run begins after that value.
                let tied = cursor.is_some() && cursor.as_ref() == chunk.cursor.last();
                if tied && chunk.records.len() >= chunk_rows + MAX_TIED_ROWS {
                    let column = options.cursor_column.clone().unwrap_or_default();
                    return Err(DatabaseError::TooManyTies {
                        column,
                        limit: MAX_TIED_ROWS,
                    }
                    .into());
                }
                if !tied {
                    let full = std::mem::replace(
                        &mut chunk,
                        Chunk {
                            records: Vec::new(),
                            cursor: Vec::new(),
                        },
                    );
                    given += u64::try_from(full.records.len()).unwrap_or(u64::MAX);
                    if sink(full)?.is_break() {
                        return Ok(given);
                    }
                    // The time that the sink took is not the database's.
                    self.watch.allow(self.limits.statement);
                }
            }
            chunk.records.push(record);
            chunk.cursor.extend(cursor);
        }
        if !chunk.records.is_empty() {
            given += u64::try_from(chunk.records.len()).unwrap_or(u64::MAX);
            // The stream is at its end, so it makes no difference whether the sink wants more.
            let (ControlFlow::Continue(()) | ControlFlow::Break(())) = sink(chunk)?;
        }
        Ok(given)
    }

    /// Compiles a user's statement, which must be one that reads.
    fn prepare(&self, sql: &str) -> Result<Statement<'_>, DatabaseError> {
        self.watch.set_own(false);
        self.watch.allow(self.limits.statement);
        let reads =
            first_word(sql).is_none_or(|word| READING_WORDS.contains(&word.to_ascii_lowercase().as_str()));
        let statement = self
            .connection
            .prepare(sql)
            .map_err(|error| match self.error(error, sql) {
                // What it may not do matters less than that this is no place for it.
                DatabaseError::Refused { .. } if !reads => DatabaseError::NotASelect,
                other => other,
            })?;
        if !reads || !statement.readonly() || statement.column_count() == 0 {
            return Err(DatabaseError::NotASelect);
        }
        Ok(statement)
    }
}

impl Shape {
    fn of(statement: &Statement<'_>) -> Result<Self, DatabaseError> {
        let columns = statement.columns();
        let (mut names, mut declared): (Vec<String>, Vec<Declared>) = (Vec::new(), Vec::new());
        let mut twice = Vec::new();
        for column in columns {
            let name = column.name().to_owned();
            if names.contains(&name) && !twice.contains(&name) {
                twice.push(name.clone());
            }
            names.push(name);
            declared.push(Declared::of(column.decl_type()));
        }
        if !twice.is_empty() {
            return Err(DatabaseError::DuplicateColumns { names: twice });
        }
        Ok(Self {
            names: names.into(),
            declared,
        })
    }

    fn index(&self, name: &str) -> Result<usize, DatabaseError> {
        self.names
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| DatabaseError::CursorColumn {
                name: name.to_owned(),
                valid: self.names.to_vec(),
            })
    }

    fn record(&self, row: &Row<'_>, number: usize, max_bytes: usize) -> Result<Record, DatabaseError> {
        let mut values = Vec::with_capacity(self.names.len());
        for (index, (name, declared)) in self.names.iter().zip(&self.declared).enumerate() {
            let problem = |problem| DatabaseError::Value {
                column: name.clone(),
                row: number,
                problem,
            };
            let cell = row.get_ref(index).map_err(|error| problem(error.to_string()))?;
            values.push(decode::value(cell, *declared, max_bytes).map_err(problem)?);
        }
        Ok(Record::new(Arc::clone(&self.names), values))
    }

    fn storage(
        &self,
        row: &Row<'_>,
        index: usize,
        number: usize,
        max_bytes: usize,
    ) -> Result<Value, DatabaseError> {
        let column = self.names.get(index).cloned().unwrap_or_default();
        let problem = |problem| DatabaseError::Value {
            column: column.clone(),
            row: number,
            problem,
        };
        let cell = row.get_ref(index).map_err(|error| problem(error.to_string()))?;
        decode::storage_value(cell, max_bytes).map_err(problem)
    }
}

/// The first word of a statement, after white space and comments.
fn first_word(sql: &str) -> Option<&str> {
    let mut rest = sql.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            break;
        }
        .trim_start();
    }
    rest.split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .filter(|word| !word.is_empty())
}
