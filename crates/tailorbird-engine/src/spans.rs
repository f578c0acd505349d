//! What a run tells to whoever traces it: spans of the run, its steps, its effects and its deliveries.
//!
//! Only names, numbers, states and codes are told, never a content of a record, a key, or a word of a provider: traces
//! leave the machine. Where nobody traces, a span costs one comparison. The fields `otel.name`, `otel.kind` and
//! `otel.status_code` are those that exporters of the OpenTelemetry world understand.

use tailorbird_model::delivery::Event;
use tailorbird_model::run::{Run, RunState};
use tailorbird_model::task::Task;
use tailorbird_model::trace::TARGET;
use tailorbird_model::{Failure, Name};
use tailorbird_store::{Intended, Outcome};
use tracing::field::Empty;
use tracing::{Span, info, info_span};

use crate::durable::{EffectCall, RunEnd, Wait};
use crate::effects::Performed;
use crate::send::Sent;

/// A run, or the part of it that this process drives without a pause. All parts of a run are of one trace, which the
/// exporter makes from `tailorbird.run.id`.
pub(crate) fn run(run: &Run, task: &Task) -> Span {
    info_span!(
        target: TARGET,
        parent: None,
        "run",
        otel.name = format!("run {}", task.task),
        otel.status_code = Empty,
        tailorbird.task = %task.task,
        tailorbird.task.version = run.task_version,
        tailorbird.run.id = %run.id,
        tailorbird.run.state = Empty,
        tailorbird.run.delivered = Empty,
        tailorbird.run.rejected = Empty,
        tailorbird.run.in_doubt = Empty,
        error.type = Empty,
    )
}

/// How the part ended.
pub(crate) fn ended(span: &Span, ended: &Result<Run, Failure>) {
    if span.is_disabled() {
        return;
    }
    match ended {
        Ok(run) => {
            span.record("tailorbird.run.state", run.state.as_str());
            span.record("tailorbird.run.delivered", run.counts.delivered);
            span.record("tailorbird.run.rejected", run.counts.rejected);
            span.record("tailorbird.run.in_doubt", run.counts.in_doubt);
            if let Some(failure) = &run.failure {
                span.record("error.type", failure.code.as_str());
            }
            if matches!(run.state, RunState::Failed | RunState::NeedsAttention) {
                span.record("otel.status_code", "ERROR");
            }
            if let Some(until) = run.resume_at {
                info!(target: TARGET, parent: span, { tailorbird.until = %until }, "the run rests");
            }
        }
        Err(failure) => failed(span, failure),
    }
}

fn failed(span: &Span, failure: &Failure) {
    span.record("error.type", failure.code.as_str());
    span.record("otel.status_code", "ERROR");
}

/// The span of the step that is worked on: effects of one step that follow each other are in one.
#[derive(Debug, Default)]
pub(crate) struct StepSpan(Option<(Name, Span)>);

impl StepSpan {
    /// The span of an effect, in that of its step.
    pub(crate) fn effect(&mut self, call: &EffectCall) -> Span {
        if self.0.as_ref().is_none_or(|(step, _)| *step != call.step) {
            let span = info_span!(
                target: TARGET,
                "step",
                otel.name = format!("step {}", call.step),
                tailorbird.step = %call.step,
            );
            self.0 = Some((call.step.clone(), span));
        }
        let parent = self.0.as_ref().map_or_else(Span::none, |(_, span)| span.clone());
        info_span!(
            target: TARGET,
            parent: &parent,
            "effect",
            otel.name = call.kind.as_str(),
            otel.status_code = Empty,
            tailorbird.step = %call.step,
            tailorbird.effect.records = Empty,
            error.type = Empty,
        )
    }
}

/// What came of an effect; a wait that it asks for is an event of it.
pub(crate) fn performed(span: &Span, done: &Result<Performed, RunEnd>) {
    if span.is_disabled() {
        return;
    }
    match done {
        Ok(performed) => {
            span.record("tailorbird.effect.records", performed.output.moved);
            if let Some(wait) = &performed.output.wait {
                waits(span, wait);
            }
        }
        Err(RunEnd::Attention(failure) | RunEnd::Failed(failure) | RunEnd::TryAgain(failure)) => {
            failed(span, failure);
        }
        Err(RunEnd::Waiting(until, _)) => {
            info!(target: TARGET, parent: span, { tailorbird.until = %until }, "the run rests");
        }
        Err(RunEnd::Stopped | RunEnd::Paused | RunEnd::Cancelled) => {}
    }
}

fn waits(span: &Span, wait: &Wait) {
    let code = wait.failure.as_ref().map_or("", |failure| failure.code.as_str());
    info!(
        target: TARGET,
        parent: span,
        { tailorbird.until = %wait.until, error.type = code },
        "waits for a limit or a time"
    );
}

/// One attempt at a delivery, from its durable intent to its answer.
pub(crate) fn delivery(parent: &Span, connection: &Name, operation: &str, intended: Intended) -> Span {
    info_span!(
        target: TARGET,
        parent: parent,
        "delivery",
        otel.name = format!("deliver {operation}"),
        otel.status_code = Empty,
        tailorbird.connection = %connection,
        tailorbird.operation = operation,
        tailorbird.delivery.id = %intended.id,
        tailorbird.delivery.attempt = intended.attempt,
        tailorbird.delivery.outcome = Empty,
        error.type = Empty,
    )
}

/// What came of an attempt. Nothing, where another decision came between.
pub(crate) fn attempted(span: &Span, attempted: Option<&(Outcome, Sent)>) {
    if span.is_disabled() {
        return;
    }
    let Some((outcome, sent)) = attempted else {
        span.record("tailorbird.delivery.outcome", "not_ours");
        return;
    };
    span.record("tailorbird.delivery.outcome", state(outcome.event));
    if let Some(failure) = &outcome.failure {
        span.record("error.type", failure.code.as_str());
        if !matches!(sent, Sent::Later(_) | Sent::Again) {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// The state that a delivery comes to by an event.
fn state(event: Event) -> &'static str {
    match event {
        Event::Accepted => "delivered",
        Event::Refused => "rejected",
        Event::Lost => "in_doubt",
        // It waits for a limit, for the connection, or for a smaller batch.
        _ => "pending",
    }
}

/// One request that carries several deliveries.
pub(crate) fn batch(parent: &Span, connection: &Name, operation: &str, size: usize) -> Span {
    info_span!(
        target: TARGET,
        parent: parent,
        "batch",
        otel.name = format!("deliver {operation} in a batch"),
        tailorbird.connection = %connection,
        tailorbird.operation = operation,
        tailorbird.batch.size = size,
        tailorbird.batch.delivered = Empty,
        tailorbird.batch.rejected = Empty,
        tailorbird.batch.pending = Empty,
        tailorbird.batch.in_doubt = Empty,
    )
}

/// What a batch came to.
pub(crate) fn batched(span: &Span, ended: &[(Outcome, Sent)]) {
    if span.is_disabled() {
        return;
    }
    for (field, wanted) in [
        ("tailorbird.batch.delivered", "delivered"),
        ("tailorbird.batch.rejected", "rejected"),
        ("tailorbird.batch.pending", "pending"),
        ("tailorbird.batch.in_doubt", "in_doubt"),
    ] {
        let count = ended
            .iter()
            .filter(|(outcome, _)| state(outcome.event) == wanted)
            .count();
        span.record(field, count);
    }
}

/// A limit keeps workers from beginning another request.
pub(crate) fn limited(span: &Span, connection: &Name, operation: &str) {
    info!(
        target: TARGET,
        parent: span,
        { tailorbird.connection = %connection, tailorbird.operation = operation },
        "a limit is reached: nothing more is begun"
    );
}
