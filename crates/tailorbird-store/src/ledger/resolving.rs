//! What people decide about a delivery, and requests rendered anew (rules 3, 10, 12).

use tailorbird_model::Record;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState, Event, next_state};

use super::check_batch;
use super::rows::deliveries;
use super::sending::{Current, result_id_of};
use crate::codec::to_json;
use crate::error::{Kind, RefusalReason, RefusedTransition};
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
            let db = writing.connection;
            let unknown = || StoreError::Unknown { kind: Kind::Delivery, name: format!("#{id}") };
            let current = Current::find(db, id)?.ok_or_else(unknown)?;
            let event = resolution.event();
            let next = next_state(current.state, event).ok_or_else(|| StoreError::Transition {
                refused: vec![RefusedTransition { id, event, reason: RefusalReason::State(current.state) }],
            })?;
            let now = writing.now.as_microsecond();
            let (result, result_id) = match &resolution {
                Resolution::Sent { result: Some(result) } => (Some(to_json("result", result)?), result_id_of(result)),
                _ => (None, None),
            };
            let delivered_at =
                (next == DeliveryState::Delivered).then(|| current.attempted_at.unwrap_or(now));
            db.execute(
                "UPDATE delivery SET state = ?2, result_id = ?3, delivered_at = ?4, not_before = NULL, settled = 0,
                        updated_at = ?5 WHERE id = ?1",
                (id.0, next.as_str(), result_id, delivered_at, now),
            )?;
            db.execute(
                "UPDATE delivery_content SET result = ?2, failure = CASE WHEN ?3 THEN NULL ELSE failure END
                 WHERE delivery = ?1",
                (id.0, result, next != DeliveryState::Skipped),
            )?;
            db.execute(
                "INSERT INTO resolution (delivery, at, who, decision, from_state) VALUES (?1, ?2, ?3, ?4, ?5)",
                (id.0, now, &who, resolution.as_str(), current.state.as_str()),
            )?;
            writing.touch(id.0);
            deliveries(db, "WHERE d.id = ?1", [id.0])?.pop().ok_or_else(unknown)
        })
        .await
    }

    /// Puts newly rendered requests in place of the stored ones (`--mapping new`): id, request, fingerprint.
    /// Only what is known not to have been sent takes one: pending and rejected. The state stays.
    ///
    /// # Errors
    /// [`StoreError::Transition`] names those in another state; then nothing is changed.
    pub async fn replace_requests(
        &self,
        requests: Vec<(DeliveryId, serde_json::Value, String)>,
    ) -> Result<(), StoreError> {
        check_batch("requests", requests.len())?;
        self.write(move |writing| {
            let db = writing.connection;
            let mut refused = Vec::new();
            for (id, request, fingerprint) in &requests {
                let changed = db
                    .prepare_cached(
                        "UPDATE delivery SET fingerprint = ?2, updated_at = ?3
                         WHERE id = ?1 AND state IN ('pending', 'rejected')",
                    )?
                    .execute((id.0, fingerprint, writing.now.as_microsecond()))?;
                if changed == 0 {
                    let reason = match Current::find(db, *id)? {
                        Some(current) => RefusalReason::State(current.state),
                        None => RefusalReason::Unknown,
                    };
                    refused.push(RefusedTransition {
                        id: *id,
                        event: Event::ContentChanged,
                        reason,
                    });
                    continue;
                }
                db.prepare_cached("UPDATE delivery_content SET request = ?2 WHERE delivery = ?1")?
                    .execute((id.0, to_json("request", request)?))?;
                writing.touch(id.0);
            }
            if refused.is_empty() {
                Ok(())
            } else {
                Err(StoreError::Transition { refused })
            }
        })
        .await
    }
}
