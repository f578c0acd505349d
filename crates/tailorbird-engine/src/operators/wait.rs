//! `wait`: the run goes on later. The time is worked out once and kept, so a restart does not begin the wait anew.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use tailorbird_model::expression::Scope;
use tailorbird_model::task::wait::MAX_WAIT;
use tailorbird_model::{Failure, Meaning, Record, Value, codes};

use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd, Wait};
use crate::plan::WaitPlan;

impl Driver {
    /// Says until when; asked a second time, after that, that the step has ended.
    pub(crate) fn wait(&self, wait: &WaitPlan, place: Option<&Json>) -> Result<EffectOutput, RunEnd> {
        if place.is_some() {
            return Ok(EffectOutput::default());
        }
        let now = self.engine.store.now();
        let until = match (&wait.length, &wait.until) {
            (Some(length), _) => now
                .checked_add(SignedDuration::from_secs(length.seconds().into()))
                .unwrap_or(now),
            (None, Some(until)) => {
                let scope = self.see(Scope::of(&Record::from_pairs([])));
                let value = wait
                    .expressions
                    .evaluate(until, &scope)
                    .map_err(RunEnd::Attention)?;
                time_of(wait, &value)?
            }
            (None, None) => now,
        };
        let longest = SignedDuration::from_secs(MAX_WAIT.seconds().into());
        if until.duration_since(now) > longest {
            let message = format!(
                "step `{}` would wait until {until}, longer than {MAX_WAIT}",
                wait.id
            );
            return Err(RunEnd::Attention(Failure::new(
                codes::EXPRESSION,
                Meaning::NotSent,
                message,
            )));
        }
        Ok(EffectOutput {
            more: true,
            cursor: Some(Json::Bool(true)),
            wait: Some(Wait::until(until, format!("the time of step {}", wait.id))),
            ..EffectOutput::default()
        })
    }
}

/// A time, also where it is written as text.
fn time_of(wait: &WaitPlan, value: &Value) -> Result<Timestamp, RunEnd> {
    let time = match value {
        Value::Timestamp(at) => Some(*at),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    time.ok_or_else(|| {
        let message = format!(
            "step `{}`: `until` yields no time but {} `{value}`",
            wait.id,
            value.type_name()
        );
        RunEnd::Attention(
            Failure::new(codes::EXPRESSION, Meaning::NotSent, message)
                .hint("A time is a timestamp, or a text such as 2026-12-24T18:00:00Z."),
        )
    })
}
