//! Reads rows from a business database, chunk by chunk, and hands them on.

mod edge;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tailorbird_database::{Chunk, StreamOptions};
use tailorbird_model::expression::Scope;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::CursorMove;
use tokio::sync::mpsc;

use crate::cursor::{Fitness, from_value, greater, has_no_overlap, is_greater};
use crate::deliver::Enrolling;
use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd};
use crate::effects::Performed;
use crate::limits::{CHUNK, MAX_BUFFERED_RECORDS, MAX_CATCH_UP_READS};
use crate::plan::{CallPlan, Plan, QueryPlan, StepPlan, evaluate};
use crate::progress::ProgressEvent;
use crate::tail::{Emitted, is_passing};
use edge::{Limited, passes_over};

/// How many chunks wait between the reader and the ledger.
pub(crate) const READ_AHEAD: usize = 2;

/// Where a query with a cursor goes on.
#[derive(Debug, Serialize, Deserialize)]
struct QueryPlace {
    /// Rows after this value are read.
    from: Option<Value>,
    /// The greatest value so far: where the next run begins.
    greatest: Option<Value>,
    /// How many readings there were.
    reads: usize,
    /// Whether rows seemed to be cut off at the last look from here. A row that was committed between the reading and
    /// the count looks so once.
    #[serde(default)]
    doubted: bool,
}

/// The rows of one reading.
#[derive(Default)]
struct Reading {
    /// Rows that wait until the reading has ended.
    buffer: Vec<Record>,
    /// The greatest value of the cursor's column that was seen.
    seen: Option<Value>,
    /// Whether that column is fit for a cursor.
    fitness: Fitness,
    /// How many rows there were.
    rows: u64,
}

impl Driver {
    /// Reads the rows of a query and hands them on: one reading. A row that leaves by a call is in the ledger
    /// before the cursor passes it (rule 15). A reading that is cut off is repeated from its beginning, because
    /// nobody knows in which order the statement gives its rows.
    pub(crate) async fn query(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        place: Option<serde_json::Value>,
    ) -> Result<Performed, RunEnd> {
        let scope = self.see(Scope::of(&Record::from_pairs([])));
        let mut parameters =
            evaluate(&query.expressions, &query.parameters, &scope).map_err(RunEnd::Attention)?;
        let must_buffer = self.writes_while_reading(plan, &query.id, &query.step.database)?;
        let Some(cursor) = &query.step.cursor else {
            let reading = self.read_rows(plan, query, parameters, must_buffer).await?;
            self.hand_buffer_on(plan, query, reading.buffer).await?;
            return Ok(Performed::default());
        };
        let last = self.query_cursor(query)?;
        let place = match place {
            Some(json) => serde_json::from_value(json).map_err(|error| unreadable(&query.id, &error))?,
            None => QueryPlace {
                from: last
                    .as_ref()
                    .map(|last| from_value(last, cursor, &query.id))
                    .transpose()
                    .map_err(RunEnd::Attention)?,
                greatest: last.clone(),
                reads: 0,
                doubted: false,
            },
        };
        if let Some(start) = &place.from {
            parameters.insert("cursor".to_owned(), start.clone());
        }
        let reading = self
            .read_rows(plan, query, parameters.clone(), must_buffer)
            .await?;
        self.hand_buffer_on(plan, query, reading.buffer).await?;
        if let Some(unfit) = reading.fitness.unfit(cursor, &query.step.sql, &query.id) {
            return Err(RunEnd::Attention(unfit));
        }
        if let Some(note) = reading.fitness.doubtful(cursor, &query.id)
            && place.reads == 0
        {
            (self.progress)(ProgressEvent::Note(note));
        }
        let (mut greatest, mut next) = (place.greatest.clone(), None);
        if let Some(seen) = reading.seen {
            let is_new = last.as_ref().is_none_or(|last| is_greater(&seen, last));
            // What the next run reads again anyway needs no look.
            if (!is_new || has_no_overlap(cursor))
                && let Some(limited) = Limited::of(&query.step.sql, &parameters)
                && limited.is_filled_by(reading.rows)
                && let Some(left @ 1..) = self
                    .cut_off(query, &limited, &parameters, &seen, reading.rows)
                    .await?
            {
                if place.doubted {
                    return Err(RunEnd::Attention(passes_over(
                        &query.id, cursor, &limited, &seen, left,
                    )));
                }
                let again = QueryPlace {
                    doubted: true,
                    ..place
                };
                let output = EffectOutput {
                    more: true,
                    cursor: serde_json::to_value(&again).ok(),
                    ..EffectOutput::default()
                };
                return Ok(output.into());
            }
            greatest = greater(greatest, &seen, cursor, &query.id).map_err(RunEnd::Attention)?;
            // A statement whose LIMIT is not greater than the overlap ends before it reaches anything new. It
            // would read the same rows for ever, so it goes on after the last of them.
            let is_further = place.from.as_ref().is_some_and(|start| is_greater(&seen, start));
            if !is_new && is_further && place.reads + 1 < MAX_CATCH_UP_READS {
                next = Some(QueryPlace {
                    from: Some(seen),
                    greatest: greatest.clone(),
                    reads: place.reads + 1,
                    doubted: false,
                });
            }
        }
        let moved = greatest.filter(|_| next.is_none()).map(|value| CursorMove {
            step: query.id.clone(),
            value: serde_json::to_value(&value).unwrap_or_default(),
        });
        let output = EffectOutput {
            more: next.is_some(),
            cursor: next.map(|next| serde_json::to_value(&next).unwrap_or_default()),
            ..EffectOutput::default()
        };
        Ok(Performed {
            output,
            cursors: moved.into_iter().collect(),
        })
    }

    /// Runs the statement once. Rows are handed on as they come, or kept where handing them on would write
    /// to the file that is being read.
    async fn read_rows(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        parameters: BTreeMap<String, Value>,
        must_buffer: bool,
    ) -> Result<Reading, RunEnd> {
        let (rows, mut chunks) = mpsc::channel::<Chunk>(READ_AHEAD);
        let (resources, step) = (Arc::clone(&self.engine.resources), query.step.clone());
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
        let mut taken = Reading::default();
        let mut ahead = None;
        let ended = self
            .take_rows(plan, query, &mut chunks, (&mut taken, &mut ahead), must_buffer)
            .await;
        // What is given to the ledger is waited for also where the reading ends early.
        let enrolled = match ahead {
            Some((call, enrolling)) => self.end_enrolling(plan, call, enrolling).await,
            None => Ok(()),
        };
        ended?;
        enrolled?;
        drop(chunks);
        let read = reading.await.map_err(|error| {
            let message = format!("reading rows ended abruptly: {error}");
            RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
        })?;
        read.map_err(|failure| {
            if is_passing(&failure) {
                RunEnd::TryAgain(failure)
            } else {
                RunEnd::Attention(failure)
            }
        })?;
        Ok(taken)
    }

    /// Takes the rows as they come. Where one call takes them all, a chunk's requests are made while the ledger stores
    /// those of the chunk before.
    async fn take_rows<'p>(
        &mut self,
        plan: &'p Plan,
        query: &'p QueryPlan,
        chunks: &mut mpsc::Receiver<Chunk>,
        (taken, ahead): (&mut Reading, &mut Option<(&'p CallPlan, Enrolling)>),
        must_buffer: bool,
    ) -> Result<(), RunEnd> {
        let sole = self.sole_call(plan, &query.id)?;
        while let Some(Chunk {
            records,
            cursor: values,
        }) = chunks.recv().await
        {
            self.look_up_requests().await?;
            let rows = u64::try_from(records.len()).unwrap_or_default();
            self.counts.read += rows;
            taken.rows += rows;
            if let Some(cursor) = &query.step.cursor {
                for value in &values {
                    taken.fitness.see(value);
                    taken.seen =
                        greater(taken.seen.take(), value, cursor, &query.id).map_err(RunEnd::Attention)?;
                }
            }
            if must_buffer {
                taken.buffer.extend(records);
                if taken.buffer.len() > MAX_BUFFERED_RECORDS {
                    return Err(RunEnd::Failed(too_many(&query.id)));
                }
            } else if let Some(call) = sole {
                let records: Vec<Emitted> = records.into_iter().map(Emitted::plain).collect();
                let made = self.make_requests(call, &records)?;
                if let Some((call, enrolling)) = ahead.take() {
                    self.end_enrolling(plan, call, enrolling).await?;
                }
                *ahead = Some((call, self.begin_to_enrol(made)));
                self.show_counts(plan, &query.id).await?;
            } else {
                self.hand_rows_on(plan, query, records).await?;
            }
        }
        Ok(())
    }

    /// The delivering call that alone takes what a step yields, if there is one.
    fn sole_call<'p>(&self, plan: &'p Plan, source: &'p Name) -> Result<Option<&'p CallPlan>, RunEnd> {
        let mut takers = plan.takers(source);
        Ok(match (takers.next(), takers.next()) {
            (Some(StepPlan::Call(call)), None) if self.is_delivering(call)? => Some(call),
            _ => None,
        })
    }

    /// Tells whether handing a step's records on writes to a database at once: directly, or through steps that
    /// pass them on. A call that delivers puts a record into the ledger first, and the writing comes later.
    pub(crate) fn writes_while_reading(
        &self,
        plan: &Plan,
        source: &Name,
        database: &Name,
    ) -> Result<bool, RunEnd> {
        for taker in plan.takers(source) {
            let writes = match taker {
                StepPlan::Write(write) => write.step.database == *database,
                StepPlan::Call(call) if self.is_delivering(call)? => false,
                StepPlan::Approve(_) | StepPlan::CallTask(_) => false,
                other => {
                    let mut writes = false;
                    for name in other.yields() {
                        writes = writes || self.writes_while_reading(plan, name, database)?;
                    }
                    writes
                }
            };
            if writes {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn hand_buffer_on(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        buffer: Vec<Record>,
    ) -> Result<(), RunEnd> {
        let mut rows = buffer.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<Record> = rows.by_ref().take(CHUNK).collect();
            self.hand_rows_on(plan, query, chunk).await?;
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
        self.show_counts(plan, &query.id).await
    }

    /// Where the last run ended; the given start before the first one.
    pub(crate) fn query_cursor(&self, query: &QueryPlan) -> Result<Option<Value>, RunEnd> {
        let Some(cursor) = &query.step.cursor else {
            return Ok(None);
        };
        let stored = self.engine.store.step_cursor(&self.task, &query.id)?;
        let stored = stored.and_then(|json| serde_json::from_value::<Value>(json).ok());
        Ok(stored.or_else(|| cursor.start.as_ref().map(Value::from_json)))
    }
}

/// A place that cannot be read back.
pub(crate) fn unreadable(step: &Name, error: &serde_json::Error) -> RunEnd {
    let message = format!("step `{step}`: the place where it goes on cannot be read back: {error}");
    RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
}

pub(crate) fn too_many(step: &Name) -> Failure {
    Failure::new(
        codes::STATEMENT,
        Meaning::NotSent,
        format!("step `{step}` reads more than {MAX_BUFFERED_RECORDS} rows and writes to the same database"),
    )
    .hint("Let the statement select fewer rows at a time, or do the work in SQL.")
}
