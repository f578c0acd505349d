//! Reads about many records with one call, where the operation takes a list.

use std::collections::HashMap;

use tailorbird_connector::{BatchOutcome, ItemOutcome, Piece, batch_outcome, build_item, pack};
use tailorbird_model::ports::Budget as _;
use tailorbird_model::{Failure, Meaning, Record};

use crate::charge::most_items;
use crate::deliver::Route;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::packing::groups;
use crate::plan::{CallPlan, Plan, evaluate};
use crate::progress::ProgressEvent;
use crate::tail::Emitted;

/// What is asked about: each item once, however many records name it.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) pieces: Vec<Piece>,
    by_piece: HashMap<String, Vec<usize>>,
}

impl Asked {
    /// Adds an item; tells its place.
    pub(crate) fn add(&mut self, piece: Piece) -> usize {
        let known = self.by_piece.entry(piece.item().to_owned()).or_default();
        let same = known
            .iter()
            .find(|place| self.pieces.get(**place).is_some_and(|other| other.fits(&piece)));
        if let Some(place) = same {
            return *place;
        }
        let place = self.pieces.len();
        known.push(place);
        self.pieces.push(piece);
        place
    }
}

impl Driver {
    /// As [`Driver::enrich`], with as many records in a call as the operation takes.
    pub(crate) async fn enrich_in_batches(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        asked: u32,
        sources: &[Emitted],
    ) -> Result<(), RunEnd> {
        let route = self.route(call)?;
        let name = call.step.operation.as_str();
        let operation = route.resolved.operation(name).map_err(RunEnd::Attention)?;
        let mut about = Asked::default();
        let mut places: Vec<(usize, &Emitted)> = Vec::with_capacity(sources.len());
        for source in sources {
            let scope = self.call_scope(&route, source);
            if let Some(when) = &call.when
                && !call.expressions.truth(when, &scope).map_err(RunEnd::Attention)?
            {
                self.counts.not_due += 1;
                continue;
            }
            let arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            match build_item(&route.resolved, name, &arguments) {
                Ok(request) => {
                    // What was built as one item is taken apart as one.
                    if let Some(piece) = Piece::of(operation, &request) {
                        places.push((about.add(piece), source));
                    }
                }
                Err(failure) if failure.meaning == Meaning::Rejected => {
                    self.pass_over(call, &failure);
                }
                Err(failure) => return Err(RunEnd::Attention(failure)),
            }
        }
        let most = most_items(asked, operation, &route.charges(name));
        let mut found: Vec<Option<Result<Record, Failure>>> = vec![None; about.pieces.len()];
        for group in groups(operation, &about.pieces, most) {
            self.read_group(call, &route, &about.pieces, group, &mut found)
                .await?;
        }
        let mut emitted = Vec::with_capacity(places.len());
        for (place, source) in places {
            match found.get(place).cloned().flatten() {
                Some(Ok(result)) => emitted.push(Emitted {
                    record: source.flattened(),
                    result: Some(result),
                    ..Emitted::inside(Record::from_pairs([]), source)
                }),
                Some(Err(failure)) => self.pass_over(call, &failure),
                None => {}
            }
        }
        self.hand_on(plan, &call.id, &emitted).await
    }

    /// A record that the provider does not know, or refuses to tell of.
    fn pass_over(&mut self, call: &CallPlan, failure: &Failure) {
        self.counts.rejected += 1;
        (self.progress)(ProgressEvent::Note(format!("step {}: {failure}", call.id)));
    }

    /// Reads about one group. A refusal that names no item is halved until the bad one stands alone.
    async fn read_group(
        &mut self,
        call: &CallPlan,
        route: &Route,
        pieces: &[Piece],
        group: Vec<usize>,
        found: &mut [Option<Result<Record, Failure>>],
    ) -> Result<(), RunEnd> {
        let (mut tries, mut laters) = (0, 0);
        // Each part is smaller than the one it came from, or comes again after a wait that is counted.
        let mut parts = vec![group];
        while let Some(part) = parts.pop() {
            self.look_up_requests().await?;
            let of_part: Vec<&Piece> = part.iter().filter_map(|place| pieces.get(*place)).collect();
            let Some(request) = pack(&of_part) else {
                continue;
            };
            self.wait_for_budget(call, route, &request).await?;
            let sent = self
                .engine
                .connector
                .send(&route.resolved, &route.credentials, &request)
                .await;
            let outcome = match sent {
                Err(failure) => BatchOutcome::Whole(failure),
                Ok(answer) => {
                    let outcome = batch_outcome(&route.resolved, &request, &answer, part.len());
                    let retry_at = match &outcome {
                        BatchOutcome::Whole(failure) => failure.retry_at,
                        BatchOutcome::Each(_) => None,
                    };
                    let operation = call.step.operation.as_str();
                    self.engine
                        .store
                        .report(route.budget(), operation, &answer.reports, retry_at);
                    outcome
                }
            };
            let mut keep = |place: usize, what: Result<Record, Failure>| {
                if let Some(slot) = found.get_mut(place) {
                    *slot = Some(what);
                }
            };
            let is_refusal =
                |failure: &Failure| matches!(failure.meaning, Meaning::Rejected | Meaning::Duplicate);
            match outcome {
                BatchOutcome::Whole(failure) if is_refusal(&failure) => match part.as_slice() {
                    [only] => keep(*only, Err(failure)),
                    several => {
                        let (first, second) = several.split_at(several.len() / 2);
                        parts.push(second.to_vec());
                        parts.push(first.to_vec());
                    }
                },
                BatchOutcome::Whole(failure) => {
                    self.after_failure(&call.step.connection, failure, &mut tries, &mut laters)
                        .await?;
                    parts.push(part);
                }
                BatchOutcome::Each(outcomes) => {
                    let (mut rest, mut later) = (Vec::new(), None);
                    for (place, outcome) in part.into_iter().zip(outcomes) {
                        match outcome {
                            ItemOutcome::Accepted(Some(record)) => keep(place, Ok(record)),
                            // It asks for what is there now; not to be told of is not to be there.
                            ItemOutcome::Unknown(failure) => keep(place, Err(failure)),
                            ItemOutcome::Failed(failure) if is_refusal(&failure) => keep(place, Err(failure)),
                            ItemOutcome::Failed(failure) => {
                                rest.push(place);
                                later = Some(failure);
                            }
                            ItemOutcome::NotTaken(_) => rest.push(place),
                            ItemOutcome::Accepted(None) => {}
                        }
                    }
                    if let Some(failure) = later {
                        self.after_failure(&call.step.connection, failure, &mut tries, &mut laters)
                            .await?;
                    }
                    if !rest.is_empty() {
                        parts.push(rest);
                    }
                }
            }
        }
        Ok(())
    }
}
