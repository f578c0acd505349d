//! Tells the owners of tasks what needs a person: runs that failed or need attention, and doubts.
//!
//! Three moves, each of which may be cut off and done again: events follow from the runs at rest; a notice is made
//! of a task's events, at most one in its digest time; notices are sent until they were received or given up.
//! A receiver that fails never holds up a run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tailorbird_connector::{RawCall, Request, build_raw, sign_webhook};
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::run::{Run, RunState};
use tailorbird_model::service::Method;
use tailorbird_model::task::{Notify, NotifyOn};
use tailorbird_model::{Failure, Meaning, Name, codes, fault};
use tailorbird_store::{DeliveryFilter, Notice, NoticeEvent, NoticeTried};

use crate::serving::worker::{Watch, Work};
use crate::{App, AppError, tasks};

/// The channels, as the outbox names them.
pub(crate) const WEBHOOK: &str = "webhook";
const MAIL: &str = "mail";

/// How often a server looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long the end of a `task run` waits for receivers; what was not received by then goes out another time.
const RUN_PATIENCE: Duration = Duration::from_secs(15);

/// Notices that one look sends.
const MAX_SENT: u32 = 20;

/// How often a notice is tried before it is given up: over two hours in all.
const MAX_TRIES: u32 = 8;
/// The pause after the first try; it doubles each time, up to the greatest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const GREATEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Keys of doubtful or rejected records that a notice names.
const MAX_KEYS: u32 = 10;

/// How long the same number of doubts is no news.
const SAME_DOUBTS: SignedDuration = SignedDuration::from_hours(24);

/// What a run at rest is told as: the first of these that the task wants to hear of. Who asked for runs that need
/// attention hears of thresholds, too.
fn words_for(run: &Run) -> &'static [NotifyOn] {
    let is_threshold = run
        .failure
        .as_ref()
        .is_some_and(|failure| failure.code == codes::THRESHOLD);
    match run.state {
        RunState::Failed => &[NotifyOn::Failed],
        RunState::NeedsAttention if is_threshold => &[NotifyOn::Threshold, NotifyOn::NeedsAttention],
        RunState::NeedsAttention => &[NotifyOn::NeedsAttention],
        RunState::Succeeded if run.counts.in_doubt > 0 => &[NotifyOn::InDoubt],
        _ => &[],
    }
}

impl App {
    /// Notices, the newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn notices(&self, limit: u32) -> Result<Vec<Notice>, AppError> {
        Ok(self.store.notices(limit)?)
    }

    /// Looks for what is to be told, and sends what is due, for as long as a person would wait.
    pub(crate) async fn tell_owners_after_run(&self) {
        match tokio::time::timeout(RUN_PATIENCE, self.tell_owners()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(failure = %error.failure, "notices could not be made"),
            Err(_) => tracing::warn!("a receiver of notices is slow; the rest goes out another time"),
        }
    }

    /// Looks for what is to be told, and sends what is due.
    pub(crate) async fn tell_owners(&self) -> Result<(), AppError> {
        self.collect_events().await?;
        self.make_notices().await?;
        for notice in self.store.due_notices(MAX_SENT)? {
            let tried = match self.send_notice(&notice).await {
                Ok(()) => NoticeTried::Sent,
                Err(failure) => again(&notice, &failure),
            };
            fault::reach("notice.sent");
            self.store.note_tried(notice.id, tried).await?;
        }
        Ok(())
    }

    /// Notes what happened since the last look.
    async fn collect_events(&self) -> Result<(), AppError> {
        let mut after = None;
        loop {
            let page = self.store.runs_at_rest(after)?;
            let Some(last) = page.last() else { return Ok(()) };
            let (until, id) = (last.updated_at, last.id.clone());
            let mut events = Vec::new();
            for run in &page {
                events.extend(self.event_of(run)?);
            }
            self.store.note_events(events, until).await?;
            after = Some((until, id));
        }
    }

    /// What a run at rest has to tell, by the version of its task that it ran.
    fn event_of(&self, run: &Run) -> Result<Option<NoticeEvent>, AppError> {
        let words = words_for(run);
        if words.is_empty() {
            return Ok(None);
        }
        let Some(notify) = self.notify_of(&run.task, Some(run.task_version))? else {
            return Ok(None);
        };
        let Some(what) = words.iter().copied().find(|what| notify.tells(*what)) else {
            return Ok(None);
        };
        let last = self.store.last_event(&run.task, what.as_str())?;
        let is_old_news = what == NotifyOn::InDoubt
            && last.is_some_and(|last| {
                last.run != run.id
                    && last
                        .facts
                        .pointer("/counts/in_doubt")
                        .and_then(serde_json::Value::as_u64)
                        == Some(run.counts.in_doubt)
                    && run.updated_at.duration_since(last.at) < SAME_DOUBTS
            });
        if is_old_news {
            return Ok(None);
        }
        Ok(Some(NoticeEvent {
            id: 0,
            task: run.task.clone(),
            run: run.id.clone(),
            kind: what.as_str().to_owned(),
            at: run.updated_at,
            facts: self.facts(run)?,
        }))
    }

    /// Counts, code, words and keys; no record, and no detail, because details quote records.
    fn facts(&self, run: &Run) -> Result<serde_json::Value, AppError> {
        let keys = |state| -> Result<Vec<String>, AppError> {
            let filter = DeliveryFilter {
                states: vec![state],
                run: Some(run.id.clone()),
                limit: MAX_KEYS,
                ..DeliveryFilter::default()
            };
            let found = self.store.deliveries(&filter)?;
            Ok(found
                .into_iter()
                .map(|delivery| delivery.identity.key.to_string())
                .collect())
        };
        let failure = run
            .failure
            .as_ref()
            .map(|failure| json!({"code": failure.code, "message": failure.message, "hint": failure.hint}));
        Ok(json!({
            "state": run.state,
            "counts": run.counts,
            "failure": failure,
            "keys": {"in_doubt": keys(DeliveryState::InDoubt)?, "rejected": keys(DeliveryState::Rejected)?},
            "commands": [
                format!("tailorbird run show {}", run.id),
                format!("tailorbird delivery list --task {} --state in_doubt", run.task),
                format!("tailorbird delivery list --task {} --state rejected", run.task),
            ],
        }))
    }

    /// Makes notices of the events of each task whose digest time is over.
    async fn make_notices(&self) -> Result<(), AppError> {
        let mut by_task: BTreeMap<Name, (Option<Timestamp>, Vec<NoticeEvent>)> = BTreeMap::new();
        for (event, last_made) in self.store.open_events()? {
            by_task
                .entry(event.task.clone())
                .or_insert((last_made, Vec::new()))
                .1
                .push(event);
        }
        for (task, (last_made, events)) in by_task {
            let ids = events.iter().map(|event| event.id).collect();
            // The newest version says where to: a receiver that was mended gets what its predecessor did not.
            let Some(notify) = self.notify_of(&task, None)? else {
                self.store
                    .make_notice(&task, Vec::new(), serde_json::Value::Null, ids)
                    .await?;
                continue;
            };
            let digest = SignedDuration::from_secs(notify.digest().seconds().into());
            if last_made.is_some_and(|made| Timestamp::now().duration_since(made) < digest) {
                continue;
            }
            let events: Vec<_> = events
                .iter()
                .map(|event| json!({"what": event.kind, "run": event.run, "at": event.at, "facts": event.facts}))
                .collect();
            let body = json!({"type": "tailorbird.notice", "task": task, "events": events});
            let mut channels = Vec::new();
            if notify.webhook.is_some() {
                channels.push(WEBHOOK);
            }
            if notify.mail.is_some() {
                channels.push(MAIL);
            }
            self.store.make_notice(&task, channels, body, ids).await?;
        }
        Ok(())
    }

    /// Sends a notice to where the newest version of its task says.
    async fn send_notice(&self, notice: &Notice) -> Result<(), Failure> {
        let nobody = || {
            let message = format!("the task tells nobody by {} any more", notice.channel);
            Failure::new(codes::TASK_UNKNOWN, Meaning::NotSent, message)
        };
        let notify = self
            .notify_of(&notice.task, None)
            .map_err(|error| error.failure)?
            .ok_or_else(nobody)?;
        if notice.channel == MAIL {
            let mail = notify.mail.ok_or_else(nobody)?;
            return self.mail_notice(notice, &mail.to).await;
        }
        let webhook = notify.webhook.ok_or_else(nobody)?;
        let (resolved, credentials, _) = self.usable(&webhook.connection).map_err(|error| error.failure)?;
        let mut body = notice.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.insert("id".to_owned(), notice.id.to_string().into());
            members.insert("timestamp".to_owned(), json!(notice.made_at));
        }
        let text = body.to_string();
        let call = RawCall {
            path: webhook.path.as_deref().unwrap_or_default(),
            parameters: &[],
            body: Some(text.as_bytes()),
            content_type: Some("application/json"),
        };
        let mut request: Request = build_raw(&resolved, Method::Post, &call)?;
        let id = format!("notice-{}", notice.id);
        sign_webhook(&mut request, &credentials, &id, Timestamp::now().as_second())?;
        let answer = self.connector.send(&resolved, &credentials, &request).await?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        let message = format!("the receiver answered with status {}", answer.status);
        Err(Failure::new(codes::PROVIDER_FAILED, Meaning::NotSent, message))
    }

    fn notify_of(&self, task: &Name, version: Option<i64>) -> Result<Option<Notify>, AppError> {
        let stored = match version {
            Some(version) => self.store.task_version(task, version)?,
            None => self.store.task(task)?,
        };
        // A version that this program cannot read tells nothing; running it says so already.
        Ok(stored
            .and_then(|stored| tasks::parse(&stored).ok())
            .and_then(|task| task.notify))
    }
}

fn again(notice: &Notice, failure: &Failure) -> NoticeTried {
    let why = failure.to_string();
    let tries = notice.attempts + 1;
    if tries >= MAX_TRIES {
        tracing::error!(notice = notice.id, task = %notice.task, %failure, "a notice was given up");
        return NoticeTried::GivenUp { why };
    }
    tracing::warn!(notice = notice.id, task = %notice.task, %failure, "a notice did not arrive");
    let pause = FIRST_PAUSE * (1_i32 << (tries - 1).min(10));
    let at = Timestamp::now()
        .checked_add(pause.min(GREATEST_PAUSE))
        .unwrap_or(Timestamp::MAX);
    NoticeTried::Again { at, why }
}

/// A server's looks.
pub(crate) fn watch(watch: Watch) -> Work {
    Box::pin(async move {
        while !watch.stop.is_set() {
            if let Err(error) = watch.app.tell_owners().await {
                tracing::error!(failure = %error.failure, "notices could not be made");
            }
            watch.stop.wait(LOOK_EVERY).await;
        }
    })
}
