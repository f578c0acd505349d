//! What people decide about a delivery, and requests rendered anew (rules 3, 10, 12).

use tailorbird_model::Record;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState, Event, next_state};

use super::check_batch;
use super::outcome::{Current, put_aside, result_id_of};
use super::rows::deliveries;
use crate::codec::to_json;
use crate::error::{Kind, RefusalReason, RefusedTransition};
use crate::writer::Writing;
use crate::{Store, StoreError};

/// What a person says about a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// It arrived.
    Sent {
        /// The columns of the provider's answer, where the person knows them.
        result: Option<Record>,
    },
    /// Send it again.
    Again,
    /// Leave it out.
    Skip,
}

impl Resolution {
    fn event(&self) -> Event {
        match self {
            Self::Sent { .. } => Event::ResolvedSent,
            Self::Again => Event::ResolvedAgain,
            Self::Skip => Event::ResolvedSkip,
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Again => "again",
            Self::Skip => "skip",
        }
    }
}

impl Store {
    /// Carries out a person's decision and keeps who took it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such delivery, [`StoreError::Transition`] where its state
    /// does not allow the decision.
    pub async fn resolve(
        &self,
        id: DeliveryId,
        resolution: Resolution,
        who: &str,
    ) -> Result<Delivery, StoreError> {
        let who = who.to_owned();
        self.write(move |writing| {
            writing.at("ledger.resolved");
            let unknown = || StoreError::Unknown {
                kind: Kind::Delivery,
                name: format!("#{id}"),
            };
            match resolve_one(writing, id, &resolution, &who)? {
                Ok(()) => {}
                Err(RefusalReason::Unknown) => return Err(unknown()),
                Err(reason) => {
                    let event = resolution.event();
                    return Err(StoreError::Transition {
                        refused: vec![RefusedTransition { id, event, reason }],
                    });
                }
            }
            deliveries(writing.connection, "WHERE d.id = ?1", [id.0])?
                .pop()
                .ok_or_else(unknown)
        })
        .await
    }

    /// Carries out a person's decision on many deliveries in one commit; those whose state does not allow it
    /// (any more) are left as they are and returned.
    ///
    /// # Errors
    /// Where the database refuses; then nothing is changed.
    pub async fn resolve_many(
        &self,
        ids: Vec<DeliveryId>,
        resolution: Resolution,
        who: &str,
    ) -> Result<Vec<RefusedTransition>, StoreError> {
        check_batch("decisions", ids.len())?;
        let who = who.to_owned();
        self.write(move |writing| {
            let event = resolution.event();
            let mut refused = Vec::new();
            for id in ids {
                if let Err(reason) = resolve_one(writing, id, &resolution, &who)? {
                    refused.push(RefusedTransition { id, event, reason });
                }
            }
            Ok(refused)
        })
        .await
    }

    /// Makes rejected or pending deliveries pending with newly rendered requests (`--mapping new`): id, request,
    /// fingerprint. Both happen in one commit, so that no delivery is sent again with its old request. Those in
    /// another state are left as they are and returned.
    ///
    /// # Errors
    /// Where the database refuses; then nothing is changed.
    pub async fn send_anew(
        &self,
        requests: Vec<(DeliveryId, serde_json::Value, String)>,
        who: &str,
    ) -> Result<Vec<RefusedTransition>, StoreError> {
        check_batch("requests", requests.len())?;
        let who = who.to_owned();
        self.write(move |writing| {
            let event = Event::ResolvedAgain;
            let mut refused = Vec::new();
            for (id, request, fingerprint) in &requests {
                let reason = match replace_request(writing, *id, request, fingerprint)? {
                    // What was pending is pending still, with the new request.
                    Ok(DeliveryState::Pending) => Ok(()),
                    Ok(_) => resolve_one(writing, *id, &Resolution::Again, &who)?,
                    Err(reason) => Err(reason),
                };
                if let Err(reason) = reason {
                    refused.push(RefusedTransition {
                        id: *id,
                        event,
                        reason,
                    });
                }
            }
            Ok(refused)
        })
        .await
    }
}

/// Carries out one decision. The inner error says why it was not carried out.
fn resolve_one(
    writing: &mut Writing<'_>,
    id: DeliveryId,
    resolution: &Resolution,
    who: &str,
) -> Result<Result<(), RefusalReason>, StoreError> {
    let db = writing.connection;
    let Some(current) = Current::find(db, id)? else {
        return Ok(Err(RefusalReason::Unknown));
    };
    let Some(next) = next_state(current.state, resolution.event()) else {
        return Ok(Err(RefusalReason::State(current.state)));
    };
    let now = writing.now.as_microsecond();
    let (result, result_id) = match resolution {
        Resolution::Sent { result: Some(result) } => (Some(to_json("result", result)?), result_id_of(result)),
        _ => (None, None),
    };
    let delivered_at = (next == DeliveryState::Delivered).then(|| current.attempted_at.unwrap_or(now));
    put_aside(db, id.0)?;
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, result_id = ?3, delivered_at = ?4, not_before = NULL, settled = 0,
                updated_at = ?5 WHERE id = ?1",
    )?
    .execute((id.0, next.as_str(), result_id, delivered_at, now))?;
    db.prepare_cached(
        "UPDATE delivery_content SET result = ?2, failure = CASE WHEN ?3 THEN NULL ELSE failure END
         WHERE delivery = ?1",
    )?
    .execute((id.0, result, next != DeliveryState::Skipped))?;
    db.prepare_cached(
        "INSERT INTO resolution (delivery, at, who, decision, from_state) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((id.0, now, who, resolution.as_str(), current.state.as_str()))?;
    writing.touch(id.0);
    writing.count(&current.run, Some(current.state), next);
    Ok(Ok(()))
}

/// Puts another request in place of the stored one. Only what is known not to have been sent takes one: pending
/// and rejected; tells which of the two.
fn replace_request(
    writing: &mut Writing<'_>,
    id: DeliveryId,
    request: &serde_json::Value,
    fingerprint: &str,
) -> Result<Result<DeliveryState, RefusalReason>, StoreError> {
    let db = writing.connection;
    let state = match Current::find(db, id)? {
        None => return Ok(Err(RefusalReason::Unknown)),
        Some(current) => current.state,
    };
    if !matches!(state, DeliveryState::Pending | DeliveryState::Rejected) {
        return Ok(Err(RefusalReason::State(state)));
    }
    db.prepare_cached("UPDATE delivery SET fingerprint = ?2, updated_at = ?3 WHERE id = ?1")?
        .execute((id.0, fingerprint, writing.now.as_microsecond()))?;
    db.prepare_cached("UPDATE delivery_content SET request = ?2 WHERE delivery = ?1")?
        .execute((id.0, to_json("request", request)?))?;
    writing.touch(id.0);
    Ok(Ok(state))
}
