//! Parts of pages that change by themselves: server-sent events. The part is rendered by the same template as the page,
//! and sent when it has changed.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::StatusCode;
use tailorbird_app::{App, AppError};
use tokio::sync::OwnedSemaphorePermit;

use super::look;
use crate::problem::Problem;
use crate::server::Shared;

/// How often a part is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long one stream lasts; the browser opens the next one by itself.
const LASTS: Duration = Duration::from_mins(10);

/// Streams at a time. A browser keeps six connections to a server, so a tab more than that waits for pages too.
pub(crate) const MAX_STREAMS: usize = 48;

/// What a look at a part yields.
pub(super) enum Part {
    /// It may change again.
    Now(String),
    /// This is its last state.
    Last(String),
}

struct Watch<L> {
    shared: Shared,
    look: L,
    sent: Option<String>,
    began: Instant,
    is_over: bool,
    _slot: OwnedSemaphorePermit,
}

/// Sends a part whenever it has changed, until it is final, the server stops or the stream has lasted long enough.
pub(super) fn watch<L>(shared: Shared, part: L) -> Response
where
    L: Fn(&App) -> Result<Part, AppError> + Clone + Send + 'static,
{
    let Ok(slot) = shared.streams().try_acquire_owned() else {
        return Problem::form(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages are open; this one does not change by itself",
        )
        .into_response();
    };
    let watch = Watch {
        shared,
        look: part,
        sent: None,
        began: Instant::now(),
        is_over: false,
        _slot: slot,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl<L> Watch<L>
where
    L: Fn(&App) -> Result<Part, AppError> + Clone + Send + 'static,
{
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        while self.began.elapsed() < LASTS {
            let (part, is_last) = match look(&self.shared, self.look.clone()).await {
                Ok(Part::Now(part)) => (part, false),
                Ok(Part::Last(part)) => (part, true),
                Err(error) => {
                    tracing::debug!(failure = %error.failure, "a part of a page could not be read");
                    return None;
                }
            };
            if self.sent.as_ref() != Some(&part) {
                self.sent = Some(part.clone());
                return Some(Event::default().event("part").data(part));
            }
            if is_last {
                self.is_over = true;
                return Some(Event::default().event("end").data("it does not change any more"));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.shared.stopped() => return None,
            }
        }
        None
    }
}
