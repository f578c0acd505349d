//! Keeps spans while they are open, and queues them when they end.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tailorbird_model::trace::{RUN_ID, TARGET};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Counts;
use super::otlp::{Attribute, Happened, Kind, Span};
use super::sampler::Sampler;

/// Attributes of one span or event at most; further ones are left out.
pub const MAX_ATTRIBUTES: usize = 32;
/// Events of one span at most; the first are kept.
pub const MAX_EVENTS: usize = 32;
/// Characters of a value that is a text at most; what is longer is cut.
pub const MAX_VALUE_CHARS: usize = 256;

/// Takes the spans and events of [`TARGET`] and nothing else: what is for the log alone may say more.
pub struct TraceLayer {
    sampler: Sampler,
    queue: mpsc::Sender<Span>,
    counts: Arc<Counts>,
    ids: Ids,
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceLayer").finish_non_exhaustive()
    }
}

/// A span that has not ended.
struct Open {
    span: Span,
    begun: Instant,
}

/// Makes ids that differ. They guard nothing, so nobody has to be unable to guess them.
struct Ids {
    random: RandomState,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        Self {
            random: RandomState::new(),
            next: AtomicU64::new(1),
        }
    }

    fn one(&self) -> [u8; 8] {
        let mut hasher = self.random.build_hasher();
        hasher.write_u64(self.next.fetch_add(1, Ordering::Relaxed));
        // All zeros is no id by the protocol.
        hasher.finish().max(1).to_be_bytes()
    }

    /// The trace of a run, the same in every process; of anything else a new one.
    fn trace(&self, run: Option<&str>) -> [u8; 16] {
        let Some(run) = run else {
            let mut trace = [0; 16];
            trace
                .iter_mut()
                .zip(self.one().into_iter().chain(self.one()))
                .for_each(|(to, from)| *to = from);
            return trace;
        };
        let digest: [u8; 32] = Sha256::digest(run.as_bytes()).into();
        digest.first_chunk::<16>().copied().unwrap_or([1; 16])
    }
}

impl TraceLayer {
    pub(super) fn new(sampler: Sampler, queue: mpsc::Sender<Span>, counts: Arc<Counts>) -> Self {
        Self {
            sampler,
            queue,
            counts,
            ids: Ids::new(),
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(new) = context.span(id).filter(|span| is_ours(span.metadata())) else {
            return;
        };
        let mut fields = Fields::new(attributes.metadata().name());
        attributes.record(&mut fields);
        // The nearest span of ours around it; others are not told.
        let above = new.scope().skip(1).find_map(|span| {
            let extensions = span.extensions();
            extensions
                .get::<Open>()
                .map(|open| (open.span.trace, open.span.id, open.span.is_kept))
        });
        let trace = above.map_or_else(|| self.ids.trace(fields.run.as_deref()), |(trace, ..)| trace);
        let is_kept = above.map_or_else(|| self.sampler.keeps(trace), |(.., is_kept)| is_kept);
        let span = Span {
            trace,
            id: self.ids.one(),
            parent: above.map(|(_, id, _)| id),
            is_kept,
            name: fields.name,
            kind: fields.kind,
            is_error: fields.is_error,
            began: Timestamp::now(),
            took: std::time::Duration::ZERO,
            attributes: fields.attributes,
            events: Vec::new(),
        };
        new.extensions_mut().insert(Open {
            span,
            begun: Instant::now(),
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<Open>() else {
            return;
        };
        let mut fields = Fields::new("");
        values.record(&mut fields);
        open.span.is_error |= fields.is_error;
        let room = MAX_ATTRIBUTES.saturating_sub(open.span.attributes.len());
        open.span
            .attributes
            .extend(fields.attributes.into_iter().take(room));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !is_ours(event.metadata()) {
            return;
        }
        let Some(span) = context.event_span(event) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions
            .get_mut::<Open>()
            .filter(|open| open.span.events.len() < MAX_EVENTS)
        else {
            return;
        };
        let mut fields = Fields::new("event");
        event.record(&mut fields);
        open.span.events.push(Happened {
            at: Timestamp::now(),
            name: fields.message.unwrap_or(fields.name),
            attributes: fields.attributes,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(open) = context
            .span(&id)
            .and_then(|span| span.extensions_mut().remove::<Open>())
        else {
            return;
        };
        let Open { mut span, begun } = open;
        if !span.is_kept {
            return;
        }
        // By a clock that nobody sets, so that no span ends before it began.
        span.took = begun.elapsed();
        if self.queue.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

/// The fields of a span or event. Those that begin with `otel.` say how it is told and are no attributes.
struct Fields {
    name: String,
    kind: Kind,
    is_error: bool,
    message: Option<String>,
    run: Option<String>,
    attributes: Vec<(&'static str, Attribute)>,
}

impl Fields {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: Kind::Internal,
            is_error: false,
            message: None,
            run: None,
            attributes: Vec::new(),
        }
    }

    fn take(&mut self, field: &Field, value: Attribute) {
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((field.name(), value));
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        let text = || text.chars().take(MAX_VALUE_CHARS).collect::<String>();
        match field.name() {
            "otel.name" => self.name = text(),
            "otel.kind" => {
                self.kind = if text() == "client" {
                    Kind::Client
                } else {
                    Kind::Internal
                }
            }
            "otel.status_code" => self.is_error = text() == "ERROR",
            "message" => self.message = Some(text()),
            name => {
                if name == RUN_ID {
                    self.run = Some(text());
                }
                let text = text();
                if !text.is_empty() {
                    self.take(field, Attribute::Text(text));
                }
            }
        }
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, Attribute::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, Attribute::Number(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, Attribute::Truth(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }
}
