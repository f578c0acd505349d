//! `for_each`: steps inside steps. The records of a loop are handed to the steps inside it chunk by chunk, so
//! memory stays small however many there are.

use std::ops::ControlFlow;
use std::sync::Arc;

use tailorbird_database::{Chunk, StreamOptions};
use tailorbird_model::expression::Scope;
use tailorbird_model::{Failure, Meaning, Record, codes};
use tokio::sync::mpsc;

use super::unusable;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::limits::{CHUNK, MAX_BUFFERED_RECORDS};
use crate::plan::{ForEachPlan, Plan, QueryPlan, evaluate};
use crate::query::{READ_AHEAD, too_many};
use crate::tail::{Emitted, is_passing};

impl Driver {
    pub(crate) async fn for_each(
        &mut self,
        plan: &Plan,
        each: &ForEachPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let inside: Vec<Emitted> = records.iter().map(|record| stepped_into(each, record)).collect();
        self.hand_on(plan, &each.id, &inside).await
    }

    /// Runs a query once for each record of the loop around it. Its rows see those records.
    pub(crate) async fn query_each(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        parents: &[Emitted],
    ) -> Result<(), RunEnd> {
        let mut bound = Vec::with_capacity(parents.len());
        for parent in parents {
            let parameters = evaluate(&query.expressions, &query.parameters, &self.around(parent))
                .map_err(|failure| unusable(&query.id, &parent.record, failure))?;
            bound.push(parameters);
        }
        let must_buffer = self.writes_while_reading(plan, &query.id, &query.step.database)?;
        let (rows, mut chunks) = mpsc::channel::<(usize, Chunk)>(READ_AHEAD);
        let (resources, step) = (Arc::clone(&self.engine.resources), query.step.clone());
        let reading = tokio::task::spawn_blocking(move || {
            // One link for the whole chunk: opening a file for each record would cost more than reading it.
            let mut link = resources.database(&step.database)?;
            let options = StreamOptions {
                chunk_rows: CHUNK,
                cursor_column: None,
            };
            for (index, parameters) in bound.iter().enumerate() {
                link.stream(&step.sql, parameters, &options, |chunk| {
                    let sent = rows.blocking_send((index, chunk));
                    Ok::<_, Failure>(if sent.is_ok() {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    })
                })?;
                if rows.is_closed() {
                    break;
                }
            }
            Ok::<_, Failure>(())
        });
        let mut batch: Vec<Emitted> = Vec::new();
        while let Some((index, chunk)) = chunks.recv().await {
            self.look_up_requests().await?;
            self.counts.read += u64::try_from(chunk.records.len()).unwrap_or_default();
            let Some(parent) = parents.get(index) else {
                continue;
            };
            let inside = |record| Emitted::inside(record, parent);
            batch.extend(chunk.records.into_iter().map(inside));
            if must_buffer && batch.len() > MAX_BUFFERED_RECORDS {
                return Err(RunEnd::Failed(too_many(&query.id)));
            }
            // The few rows of one record are handed on together with those of the next ones: each handing on
            // is a commit.
            if !must_buffer && batch.len() >= CHUNK {
                self.hand_chunks_on(plan, query, &batch).await?;
                batch.clear();
            }
        }
        let read = reading.await.map_err(|error| {
            let message = format!("reading rows ended abruptly: {error}");
            RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
        })?;
        read.map_err(|failure| {
            if is_passing(&failure) {
                RunEnd::Failed(failure)
            } else {
                RunEnd::Attention(failure)
            }
        })?;
        self.hand_chunks_on(plan, query, &batch).await
    }

    /// What a query inside a loop sees: the records of the loops around it, and no columns of its own.
    pub(crate) fn around(&self, parent: &Emitted) -> Scope {
        self.see_of(&Emitted::inside(Record::from_pairs([]), parent))
    }

    async fn hand_chunks_on(
        &mut self,
        plan: &Plan,
        query: &QueryPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        for chunk in records.chunks(CHUNK) {
            self.hand_on(plan, &query.id, chunk).await?;
        }
        Ok(())
    }
}

/// A record as the steps inside a loop see it: itself, and under its name.
pub(crate) fn stepped_into(each: &ForEachPlan, record: &Emitted) -> Emitted {
    let own = (each.name.clone(), record.flattened());
    Emitted {
        outer: record
            .outer
            .iter()
            .filter(|(name, _)| *name != each.name)
            .cloned()
            .chain([own])
            .collect(),
        ..record.clone()
    }
}
