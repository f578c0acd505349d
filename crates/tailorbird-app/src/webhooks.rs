//! Webhooks: from a request as it came to an event in the inbox, or to a refusal that a person can see.
//!
//! Invariant: a request is accepted only once its event is synced to disk. A sender that is told so may forget it;
//! any other sender tries again, and the same event again is known by its identity.

mod bytes;
#[cfg(test)]
pub(crate) mod fuzz;
mod headers;
mod identity;
mod pace;
mod routes;
mod verify;

use std::sync::{Arc, Mutex, PoisonError};

use tailorbird_model::event::EventSource;
use tailorbird_model::task::trigger::{ReceivedRequest, Verify};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{NewEvent, Received};
use tokio::sync::Notify;

use crate::App;
use pace::{Noting, Pace};
use routes::{Route, Routes};
use verify::{Disbelief, Presented};

/// The largest body of a request, in bytes.
pub const MAX_HOOK_BODY: usize = 1 << 20;

/// Headers of a request that are looked at; a request with more is refused.
pub const MAX_HOOK_HEADERS: usize = 100;

/// When a sender may try again while too many events wait.
const FULL_RETRY_SECONDS: u32 = 60;

/// A request to a webhook.
#[derive(Debug, Clone)]
pub struct HookRequest {
    /// The path behind `/hooks/`.
    pub path: String,
    /// Its headers; names in small letters.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its body, at most [`MAX_HOOK_BODY`] bytes.
    pub body: Vec<u8>,
    /// Whether it surely comes from this machine: the listener is on loopback, and no proxy and no browser of
    /// another site stands between.
    pub is_local: bool,
}

/// What to tell the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAnswer {
    /// It is on disk.
    Accepted,
    /// It was received before; nothing happens.
    Known,
    /// There is no webhook at that path.
    Unknown,
    /// It does not come from whom it says.
    NotBelieved,
    /// It is believed, and its body cannot be used; the text is the end of "the body …".
    Unfit(String),
    /// Not now: try again after so many seconds. Too many requests came, or too many events wait.
    Later {
        /// When.
        seconds: u32,
        /// Whether the sender was too fast, and not we too slow.
        too_fast: bool,
    },
    /// It could not be stored; try again.
    Failed,
}

/// The webhooks of a home. Cheap to clone.
#[derive(Clone)]
pub struct Hooks {
    app: App,
    routes: Arc<Mutex<Routes>>,
    pace: Arc<Mutex<Pace>>,
    arrived: Arc<Notify>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl App {
    /// The webhooks of this home.
    pub fn hooks(&self) -> Hooks {
        Hooks {
            app: self.clone(),
            routes: Arc::default(),
            pace: Arc::default(),
            arrived: Arc::clone(&self.arrived),
        }
    }
}

impl Hooks {
    /// Tells whether a webhook is at a path, and whether its sender may send now. Asked before a body is read, so
    /// that nobody makes us read what is not wanted.
    ///
    /// # Errors
    /// What to tell the sender instead.
    pub fn admits(&self, path: &str) -> Result<(), HookAnswer> {
        let route = self.route(path)?;
        let admitted = self.pace().admit(path, self.app.store.now());
        if admitted {
            return Ok(());
        }
        let failure = Failure::new(
            codes::HOOK_REFUSED,
            Meaning::Rejected,
            format!("requests to the webhook {path} come too fast"),
        )
        .detail(format!(
            "At most {} in a second are taken, for a while {}.",
            pace::PER_SECOND,
            pace::BURST
        ))
        .hint("The provider was told to come again. If this goes on, look for who else sends to this path.");
        self.refuse(&route, failure);
        Err(HookAnswer::Later {
            seconds: 1,
            too_fast: true,
        })
    }

    /// Notes that a body was too large to be read.
    pub fn note_too_large(&self, path: &str) {
        if let Ok(route) = self.route(path) {
            let failure = refused(&route, &format!("its body has more than {MAX_HOOK_BODY} bytes"))
                .hint("Let the provider send less in one request, or only ids, and fetch the rest by a `call` step.");
            self.refuse(&route, failure);
        }
    }

    /// The answer to a challenge, by which X makes sure that we know the client secret. Nothing where the webhook
    /// is not X's, or the challenge makes no sense.
    ///
    /// # Errors
    /// What to tell the sender instead.
    pub fn challenge(&self, path: &str, crc_token: &str) -> Result<String, HookAnswer> {
        let route = self.route(path)?;
        if route.hook.verify != Verify::X {
            return Err(HookAnswer::Unknown);
        }
        let secret = self.secret(&route).map_err(|failure| {
            self.refuse(&route, failure);
            HookAnswer::Failed
        })?;
        verify::crc_answer(secret.expose_for_sealing().as_bytes(), crc_token)
            .ok_or_else(|| HookAnswer::Unfit("has no challenge".to_owned()))
    }

    /// Takes a request in. When this answers [`HookAnswer::Accepted`], the event is on disk.
    pub async fn receive(&self, request: HookRequest) -> HookAnswer {
        let route = match self.route(&request.path) {
            Ok(route) => route,
            Err(answer) => return answer,
        };
        let event = match self.judge(&route, &request) {
            Ok(event) => event,
            Err((answer, failure)) => {
                self.refuse(&route, failure);
                return answer;
            }
        };
        match self.app.store.receive_events(vec![event]).await.as_deref() {
            Ok([Received::New(_)]) => {
                self.arrived.notify_one();
                HookAnswer::Accepted
            }
            Ok([Received::Known(_)]) => HookAnswer::Known,
            Ok(_) => {
                let failure = full(&route.task);
                self.refuse(&route, failure);
                HookAnswer::Later {
                    seconds: FULL_RETRY_SECONDS,
                    too_fast: false,
                }
            }
            Err(error) => {
                tracing::error!(task = %route.task, %error, "an event could not be stored");
                HookAnswer::Failed
            }
        }
    }

    /// Everything that can be said about a request without storing it.
    fn judge(&self, route: &Route, request: &HookRequest) -> Result<NewEvent, (HookAnswer, Failure)> {
        let hook = &route.hook;
        let presented = Presented {
            headers: &request.headers,
            body: &request.body,
        };
        if hook.verify == Verify::None && !request.is_local {
            let failure = refused(
                route,
                "it does not come from this machine, and `verify: none` takes nothing else",
            )
            .hint("Choose a style that verifies, and set its secret with `tailorbird task secret`.");
            return Err((HookAnswer::NotBelieved, failure));
        }
        let secret = match &hook.verify {
            Verify::None => None,
            _ => Some(
                self.secret(route)
                    .map_err(|failure| (HookAnswer::Failed, failure))?,
            ),
        };
        let secret = secret.as_ref().map_or("", |secret| secret.expose_for_sealing());
        let verified = verify::verify(
            &hook.verify,
            hook.tolerance,
            secret.as_bytes(),
            presented,
            self.app.store.now(),
        )
        .map_err(|why| (HookAnswer::NotBelieved, disbelieved(route, &why)))?;
        let unfit = |problem: String| {
            let failure = refused(route, &format!("its body {problem}")).hint(
                "The provider was told so. Compare what it sends with `records` and `id` of the trigger.",
            );
            (HookAnswer::Unfit(problem), failure)
        };
        let received = ReceivedRequest {
            path: request.path.clone(),
            headers: headers::telling(&request.headers, hook),
            form: headers::is_form(&request.headers),
            body: String::from_utf8(request.body.clone())
                .map_err(|_| unfit("is not UTF-8 text".to_owned()))?,
        };
        // What no run could read is better refused now, while the sender listens.
        received.records(hook.records.as_deref()).map_err(unfit)?;
        let named = identity::identity(hook, presented, &received, verified).map_err(unfit)?;
        Ok(NewEvent {
            task: route.task.clone(),
            source: EventSource::Webhook,
            identity: named.identity,
            label: named.label,
            payload: serde_json::to_value(&received).unwrap_or_default(),
        })
    }

    fn route(&self, path: &str) -> Result<Route, HookAnswer> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        match routes.find(&self.app, path) {
            Ok(Some(route)) => Ok(route),
            Ok(None) => Err(HookAnswer::Unknown),
            Err(error) => {
                tracing::error!(%error, "the tasks could not be looked at");
                Err(HookAnswer::Failed)
            }
        }
    }

    fn secret(&self, route: &Route) -> Result<tailorbird_oauth::ClientSecret, Failure> {
        match &route.hook.connection {
            Some(connection) => self.app.client_secret(connection),
            None => self.app.task_secret(&route.task),
        }
    }

    /// Makes a refusal visible: in the log, and in what `task show` tells.
    fn refuse(&self, route: &Route, failure: Failure) {
        tracing::warn!(task = %route.task, code = %failure.code, reason = %failure.message, "a webhook refused a request");
        let noting = self
            .pace()
            .note_refusal(&route.task, failure, self.app.store.now());
        match noting {
            Noting::Now => self.write_refusals(&route.task),
            Noting::Soon => {
                let (hooks, task) = (self.clone(), route.task.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(pace::REFUSAL_PAUSE).await;
                    hooks.write_refusals(&task);
                });
            }
            Noting::Arranged => {}
        }
    }

    fn write_refusals(&self, task: &Name) {
        let taken = self.pace().take_refusals(task, self.app.store.now());
        if let Some((count, why)) = taken {
            self.app.store.note_refusals(task, count, why);
        }
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(route: &Route, why: &str) -> Failure {
    let message = format!("the webhook {} refused a request: {why}", route.hook.path);
    Failure::new(codes::HOOK_REFUSED, Meaning::Rejected, message)
}

fn disbelieved(route: &Route, why: &Disbelief) -> Failure {
    let hint = match why {
        Disbelief::Signature | Disbelief::Token => {
            "Compare the secret at the provider with the one of `tailorbird task secret`. If only some requests are \
             refused, somebody else sends them."
        }
        Disbelief::TooOld { .. } | Disbelief::TooNew { .. } => {
            "Compare the clocks: `tailorbird doctor` tells about this one. A request that was held up for long is \
             sent again by most providers."
        }
        Disbelief::Missing(_) | Disbelief::Several(_) | Disbelief::Malformed { .. } => {
            "Compare the provider's description of its signatures with `verify` of the trigger. A proxy between may \
             drop headers."
        }
    };
    refused(route, &why.to_string()).hint(hint)
}

/// Why nothing more is received for a task.
pub(crate) fn full(task: &Name) -> Failure {
    let message = format!("too many events of the task `{task}` wait for a run");
    Failure::new(codes::INBOX_FULL, Meaning::Rejected, message)
        .detail(format!(
            "{} events wait. Nothing more is received until some of them were worked on; the senders keep theirs.",
            tailorbird_store::MAX_WAITING_EVENTS
        ))
        .hint("Look at why its runs do not get on: `tailorbird run list`. Is the task disabled, or a run held?")
}
