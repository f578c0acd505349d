//! What a run would pack into one request.

use std::collections::BTreeMap;

use tailorbird_connector::{BatchOutcome, ItemOutcome, Piece, Request, batch_outcome, build_item, pack};
use tailorbird_model::service::Operation;
use tailorbird_model::{Meaning, Record};

use super::walk::{Walk, is_due};
use super::{RehearsedBatch, RehearsedCost};
use crate::charge::{most_items, whole_cost};
use crate::deliver::Route;
use crate::durable::RunEnd;
use crate::listing::batches::Asked;
use crate::packing::groups;
use crate::plan::{CallPlan, evaluate};
use crate::tail::Emitted;

impl Walk<'_> {
    /// Adds what a request would cost.
    pub(super) fn price(&mut self, call: &CallPlan, operation: &Operation, request: &Request) {
        let Some(cost) = &operation.cost else {
            return;
        };
        let (_, amount) = whole_cost(operation, request);
        let connection = &call.step.connection;
        let is_same =
            |told: &&mut RehearsedCost| told.connection == *connection && told.currency == cost.currency;
        if let Some(told) = self.told.costs.iter_mut().find(is_same) {
            told.requests += 1;
            told.amount = told.amount.plus(amount);
            return;
        }
        self.told.costs.push(RehearsedCost {
            connection: connection.clone(),
            requests: 1,
            amount,
            currency: cost.currency.clone(),
        });
    }

    /// The requests that records would share, where the call packs them.
    pub(super) fn pack(
        &mut self,
        call: &CallPlan,
        route: &Route,
        packable: Vec<(usize, Piece)>,
    ) -> Result<(), RunEnd> {
        let (Some(asked), Ok(operation)) = (
            call.step.batch,
            route.resolved.operation(call.step.operation.as_str()),
        ) else {
            return Ok(());
        };
        let most = most_items(asked, operation, &route.charges(call.step.operation.as_str()));
        let (places, pieces): (Vec<usize>, Vec<Piece>) = packable.into_iter().unzip();
        for group in groups(operation, &pieces, most) {
            let of_group: Vec<&Piece> = group.iter().filter_map(|member| pieces.get(*member)).collect();
            let Some(request) = pack(&of_group) else {
                continue;
            };
            self.price(call, operation, &request);
            let request = self.preview(route, &request)?;
            let batch = self.told.batches.len();
            let mut keys = Vec::with_capacity(group.len());
            for place in group.iter().filter_map(|member| places.get(*member)) {
                if let Some(told) = self.told.requests.get_mut(*place) {
                    told.batch = Some(batch);
                    keys.push(told.key.clone());
                }
            }
            self.told.batches.push(RehearsedBatch {
                step: call.id.clone(),
                keys,
                request,
            });
        }
        Ok(())
    }

    /// The same with as many records in a call as the operation takes. A refused call is not split: it is told.
    pub(super) async fn enrich_in_batches(
        &mut self,
        call: &CallPlan,
        asked: u32,
        found: &[Emitted],
    ) -> Result<Vec<Emitted>, RunEnd> {
        let route = self.driver.route(call)?;
        let name = call.step.operation.as_str();
        let operation = route.resolved.operation(name).map_err(RunEnd::Attention)?;
        let mut about = Asked::default();
        let mut places = Vec::new();
        for source in found {
            let scope = self.driver.call_scope(&route, source);
            if !is_due(call, &scope)? {
                self.count(&call.id, 0, 1);
                continue;
            }
            if self.left(&call.id) == 0 {
                self.told.complete = false;
                break;
            }
            self.count(&call.id, 1, 0);
            let arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            match build_item(&route.resolved, name, &arguments) {
                Ok(request) => {
                    if let Some(piece) = Piece::of(operation, &request) {
                        places.push((about.add(piece), source));
                    }
                }
                Err(failure) if failure.meaning == Meaning::Rejected => self.count(&call.id, 0, 1),
                Err(failure) => return Err(RunEnd::Attention(failure)),
            }
        }
        let most = most_items(asked, operation, &route.charges(name));
        let mut results: BTreeMap<usize, Record> = BTreeMap::new();
        for group in groups(operation, &about.pieces, most) {
            let of_group: Vec<&Piece> = group
                .iter()
                .filter_map(|place| about.pieces.get(*place))
                .collect();
            let Some(request) = pack(&of_group) else {
                continue;
            };
            let answer = self.ask(call, &route, &request).await?;
            match batch_outcome(&route.resolved, &request, &answer, group.len()) {
                BatchOutcome::Whole(failure) => return Err(RunEnd::Attention(failure)),
                BatchOutcome::Each(outcomes) => {
                    for (place, outcome) in group.into_iter().zip(outcomes) {
                        if let ItemOutcome::Accepted(Some(record)) = outcome {
                            results.insert(place, record);
                        }
                    }
                }
            }
        }
        let mut enriched = Vec::new();
        for (place, source) in places {
            match results.get(&place) {
                Some(result) => enriched.push(Emitted {
                    record: source.flattened(),
                    result: Some(result.clone()),
                    ..Emitted::inside(Record::from_pairs([]), source)
                }),
                None => self.count(&call.id, 0, 1),
            }
        }
        Ok(enriched)
    }
}
