//! Reads rows from a business database, chunk by chunk, and hands them on.

use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};
use tailorbird_database::{Chunk, StreamOptions};
use tailorbird_model::expression::Scope;
use tailorbird_model::service::Span;
use tailorbird_model::task::Overlap;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::{CursorMove, RunChange};
use tokio::sync::mpsc;

use crate::drive::{Driver, RunEnd};
use crate::limits::{CHUNK, MAX_BUFFERED_RECORDS};
use crate::plan::{Plan, QueryPlan, StepPlan, evaluate};
use crate::tail::Emitted;

/// How many chunks wait between the reader and the ledger.
const READ_AHEAD: usize = 2;
/// What is read again where a cursor's overlap is not given (never-twice rule 14).
const DEFAULT_OVERLAP_IDS: u32 = 1_000;
const DEFAULT_OVERLAP_TIME: Span = Span::from_seconds(60);

impl Driver {
    /// Reads the rows of a query and hands them on. A row that leaves by a call is in the ledger before the
    /// cursor passes it (rule 15).
    pub(crate) async fn query(&mut self, plan: &Plan, query: &QueryPlan) -> Result<(), RunEnd> {
        let run = Record::from_pairs([("id".to_owned(), Value::from(self.run.0.as_str()))]);
        let scope = Scope::of(&Record::from_pairs([])).with_record("run", &run);
        let mut parameters =
            evaluate(&query.expressions, &query.parameters, &scope).map_err(RunEnd::Attention)?;
        let mut greatest = self.query_cursor(query)?;
        if let Some(from) = &greatest {
            parameters.insert("cursor".to_owned(), less_overlap(from, query));
        }
        let must_buffer = plan
            .takers(&query.id)
            .any(|step| matches!(step, StepPlan::Write(write) if write.step.database == query.step.database));
        let (rows, mut chunks) = mpsc::channel::<Chunk>(READ_AHEAD);
        let (resources, step) = (std::sync::Arc::clone(&self.engine.resources), query.step.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut link = resources.database(&step.database)?;
            let options = StreamOptions {
                chunk_rows: CHUNK,
                cursor_column: step.cursor.as_ref().map(|cursor| cursor.column.clone()),
            };
            link.stream(&step.sql, &parameters, &options, |chunk| {
                let sent = rows.blocking_send(chunk);
                Ok::<_, Failure>(if sent.is_ok() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            })
        });
        let mut buffer: Vec<Record> = Vec::new();
        while let Some(chunk) = chunks.recv().await {
            self.look_up_requests().await?;
            let Chunk {
                records: chunk,
                cursor,
            } = chunk;
            self.counts.read += u64::try_from(chunk.len()).unwrap_or_default();
            for value in &cursor {
                greatest = greater(query, greatest, value)?;
            }
            if must_buffer {
                buffer.extend(chunk);
                if buffer.len() > MAX_BUFFERED_RECORDS {
                    return Err(RunEnd::Failed(too_many(&query.id)));
                }
            } else {
                self.hand_rows_on(plan, query, chunk).await?;
            }
        }
        let read = reading.await.map_err(|error| {
            RunEnd::Failed(Failure::new(
                codes::INTERNAL,
                Meaning::NotSent,
                format!("reading rows ended abruptly: {error}"),
            ))
        })?;
        read.map_err(|failure| match failure.code.as_str() {
            codes::DATABASE_LOCKED | codes::DATABASE_MISSING => RunEnd::Failed(failure),
            _ => RunEnd::Attention(failure),
        })?;
        let mut buffered = buffer.into_iter().peekable();
        while buffered.peek().is_some() {
            let chunk: Vec<Record> = buffered.by_ref().take(CHUNK).collect();
            self.hand_rows_on(plan, query, chunk).await?;
        }
        if let (Some(_), Some(value)) = (&query.step.cursor, greatest) {
            let value = serde_json::to_value(&value).unwrap_or_default();
            let change = RunChange {
                cursors: vec![CursorMove {
                    step: query.id.clone(),
                    value,
                }],
                ..RunChange::default()
            };
            self.engine.store.change_run(&self.run, change).await?;
        }
        Ok(())
    }

    async fn hand_rows_on(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        rows: Vec<Record>,
    ) -> Result<(), RunEnd> {
        let records: Vec<Emitted> = rows.into_iter().map(Emitted::plain).collect();
        self.hand_on(plan, &query.id, &records).await?;
        self.store_counts(plan, Some(&query.id)).await
    }

    /// Where the last run ended; the given start before the first one.
    fn query_cursor(&self, query: &QueryPlan) -> Result<Option<Value>, RunEnd> {
        let Some(cursor) = &query.step.cursor else {
            return Ok(None);
        };
        let stored = self.engine.store.step_cursor(&self.task, &query.id)?;
        let stored = stored.and_then(|json| serde_json::from_value::<Value>(json).ok());
        Ok(stored.or_else(|| cursor.start.as_ref().map(Value::from_json)))
    }
}

/// The greater of the cursor's value so far and a row's.
fn greater(query: &QueryPlan, known: Option<Value>, value: &Value) -> Result<Option<Value>, RunEnd> {
    if value.is_null() {
        let column = query
            .step
            .cursor
            .as_ref()
            .map(|cursor| cursor.column.as_str())
            .unwrap_or_default();
        let message = format!(
            "step `{}`: the cursor column `{column}` is null in a row",
            query.id
        );
        return Err(RunEnd::Attention(
            Failure::new(codes::COLUMN_UNKNOWN, Meaning::NotSent, message)
                .hint("A cursor needs a column that is never null, and that grows."),
        ));
    }
    Ok(Some(match known {
        Some(known) if !is_greater(value, &known) => known,
        _ => value.clone(),
    }))
}

/// Compares two values of one type; a value of another type counts as greater, so that the start value's
/// type does not matter.
fn is_greater(new: &Value, known: &Value) -> bool {
    match (new, known) {
        (Value::Integer(a), Value::Integer(b)) => a > b,
        (Value::Decimal(a), Value::Decimal(b)) => a > b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a > b,
        (Value::Date(a), Value::Date(b)) => a > b,
        (Value::Text(a), Value::Text(b)) => a > b,
        _ => true,
    }
}

/// The cursor's value less what is read again to catch rows that were committed late.
fn less_overlap(from: &Value, query: &QueryPlan) -> Value {
    let overlap = query.step.cursor.as_ref().and_then(|cursor| cursor.overlap);
    let seconds = |span: Span| SignedDuration::from_secs(span.seconds().into());
    match (from, overlap) {
        (Value::Integer(id), Some(Overlap::Ids(ids))) => Value::Integer(id.saturating_sub(ids.into())),
        (Value::Integer(id), None) => Value::Integer(id.saturating_sub(DEFAULT_OVERLAP_IDS.into())),
        (Value::Timestamp(at), overlap) => {
            let span = if let Some(Overlap::Time(span)) = overlap {
                span
            } else {
                DEFAULT_OVERLAP_TIME
            };
            Value::Timestamp(at.checked_sub(seconds(span)).unwrap_or(*at))
        }
        (Value::Text(text), overlap) => text.parse::<Timestamp>().map_or_else(
            |_| from.clone(),
            |at| {
                let span = if let Some(Overlap::Time(span)) = overlap {
                    span
                } else {
                    DEFAULT_OVERLAP_TIME
                };
                Value::Text(at.checked_sub(seconds(span)).unwrap_or(at).to_string())
            },
        ),
        _ => from.clone(),
    }
}

fn too_many(step: &Name) -> Failure {
    Failure::new(
        codes::STATEMENT,
        Meaning::NotSent,
        format!("step `{step}` reads more than {MAX_BUFFERED_RECORDS} rows and writes to the same database"),
    )
    .hint("Let the statement select fewer rows at a time, or do the work in SQL.")
}
