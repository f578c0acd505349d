//! Opens runs when schedules say so, and when runs of other tasks end.
//!
//! All it must not forget is in the store: how far each trigger is decided, and what became of each occasion. It may
//! be killed between any two steps, and the clock may jump: an occasion has one name, and is decided once.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tailorbird_model::run::{Run, RunState};
use tailorbird_model::schedule::Schedule;
use tailorbird_model::schedule::due::{Due, Missed, Verdict};
use tailorbird_model::task::Trigger;
use tailorbird_model::task::trigger::{After, WhileRunning};
use tailorbird_model::{Failure, Name};
use tailorbird_store::{Firing, FiringVerdict, Occasion, StoredTask, Wish, after_occasion};

use super::ServeNews;
use super::worker::{Watch, Work};
use crate::tasks;

/// The longest sleep. Whoever sleeps for hours does not see that the clock was set, a run ended or a calendar changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much of the past is looked through again for ends of runs: another process stamps the end before it commits,
/// and waits for the database in between for some seconds at most.
const LATE_ENDS: SignedDuration = SignedDuration::from_secs(60);

/// Begins the watch.
pub(super) fn start(watch: Watch) -> Work {
    Box::pin(run(watch))
}

async fn run(mut watch: Watch) {
    let mut plans: Vec<Plan> = Vec::new();
    let mut is_first = true;
    loop {
        if watch.tasks.has_changed().unwrap_or(false) || is_first || plans.iter().any(Plan::is_outdated) {
            watch.tasks.mark_unchanged();
            match load(&watch).await {
                Ok(loaded) => {
                    plans = loaded;
                    is_first = false;
                }
                Err(failure) => tracing::error!(%failure, "the schedules could not be read"),
            }
        }
        for plan in &mut plans {
            if let Err(failure) = plan.look(&watch).await {
                tracing::error!(task = %plan.task, %failure, "a trigger could not be decided; it is tried again");
            }
        }
        let now = (watch.clock)();
        let next = plans.iter().filter_map(Plan::next).min();
        let left = next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
        if !watch.pause(left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)).await {
            return;
        }
    }
}

/// A task that starts by itself.
struct Plan {
    task: Name,
    version: i64,
    overlap: WhileRunning,
    source: Source,
    /// The calendar file's path and stamp, where there is one.
    calendar: Option<(std::path::PathBuf, Option<SystemTime>)>,
}

enum Source {
    Schedule {
        schedule: Box<Schedule>,
        missed: Missed,
        decided: Timestamp,
        next: Option<Timestamp>,
    },
    After {
        after: After,
        begun: Timestamp,
        since: Timestamp,
    },
    /// Its calendar cannot be used: nobody knows on which days it must not fire, so it does not.
    Held,
}

/// What tells a trigger from the one that was there before it. What is done about missed times does not.
fn source_of(trigger: &Trigger) -> String {
    json!([trigger.schedule, trigger.timezone, trigger.after]).to_string()
}

/// Reads the triggers of all enabled tasks anew.
async fn load(watch: &Watch) -> Result<Vec<Plan>, Failure> {
    let mut plans = Vec::new();
    for stored in watch
        .app
        .store
        .tasks()?
        .into_iter()
        .filter(|stored| stored.enabled)
    {
        match tasks::parse(&stored) {
            Ok(task) => plans.extend(plan(watch, &stored, &task.trigger).await?),
            Err(failure) => tracing::warn!(task = %stored.name, %failure, "a task cannot be read"),
        }
    }
    Ok(plans)
}

async fn plan(watch: &Watch, stored: &StoredTask, trigger: &Trigger) -> Result<Option<Plan>, Failure> {
    let (app, task) = (&watch.app, &stored.name);
    if trigger.schedule.is_none() && trigger.after.is_none() {
        return Ok(None);
    }
    // Ends of runs are stamped by the store's clock, times of schedules are told by the watch's.
    let now = if trigger.schedule.is_some() {
        (watch.clock)()
    } else {
        app.store.now()
    };
    let name = source_of(trigger);
    let known = app
        .store
        .trigger_clock(task)?
        .filter(|clock| clock.source == name);
    let (begun, decided) = if let Some(clock) = known {
        (clock.begun_at, clock.decided_at)
    } else {
        app.store.begin_trigger(task, &name, now).await?;
        (now, now)
    };
    let calendar = trigger.except.as_ref().and_then(|except| except.file.as_ref());
    let calendar = calendar.map(|file| app.home.join(file)).map(|path| {
        let stamp = stamp(&path);
        (path, stamp)
    });
    let source = match (&trigger.after, app.schedule_of(trigger)) {
        (_, Ok(Some(schedule))) => Source::Schedule {
            next: schedule.next_after(decided.min(now)),
            schedule: Box::new(schedule),
            missed: trigger.missed.unwrap_or_default(),
            decided,
        },
        (Some(after), Ok(None)) => Source::After {
            after: after.clone(),
            begun,
            since: decided,
        },
        (None, Ok(None)) => return Ok(None),
        (_, Err(failure)) => {
            (watch.report)(ServeNews::Held {
                task: task.clone(),
                failure,
            });
            Source::Held
        }
    };
    Ok(Some(Plan {
        task: task.clone(),
        version: stored.version,
        overlap: trigger.overlap.unwrap_or_default(),
        source,
        calendar,
    }))
}

/// When a file was last changed; none where it is not there.
fn stamp(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

impl Plan {
    /// Whether its calendar changed since it was read.
    fn is_outdated(&self) -> bool {
        self.calendar
            .as_ref()
            .is_some_and(|(path, known)| stamp(path) != *known)
    }

    /// When it has to be looked at.
    fn next(&self) -> Option<Timestamp> {
        match &self.source {
            Source::Schedule { next, .. } => *next,
            Source::After { .. } | Source::Held => None,
        }
    }

    /// Decides what is due.
    async fn look(&mut self, watch: &Watch) -> Result<(), Failure> {
        let now = (watch.clock)();
        match &mut self.source {
            Source::Schedule {
                schedule,
                missed,
                decided,
                next,
            } => {
                if now < *decided {
                    // The clock was set back. What was decided stays decided, by its name.
                    *decided = now;
                    *next = schedule.next_after(now);
                }
                if next.is_none_or(|next| next > now) {
                    return Ok(());
                }
                let due = Due::of(schedule, *missed, *decided, now);
                let is_late = due.times.len() > 1;
                let wish = |verdict| match (verdict, self.overlap) {
                    (Verdict::Missed, _) => Wish::Miss,
                    (Verdict::Fires, WhileRunning::Queue) => Wish::Queue,
                    // All that was missed is to be caught up, one after the other.
                    (Verdict::Fires, _) if *missed == Missed::All && is_late => Wish::Queue,
                    (Verdict::Fires, WhileRunning::Skip) => Wish::Fire,
                };
                let occasions: Vec<Occasion> = due
                    .times
                    .iter()
                    .map(|(at, verdict)| Occasion {
                        name: format!("schedule {at}"),
                        cause: "schedule",
                        due_at: *at,
                        wish: wish(*verdict),
                    })
                    .collect();
                if due.more {
                    tracing::warn!(task = %self.task, "more times were missed than are caught up or noted");
                }
                let following = schedule.next_after(now);
                if !occasions.is_empty() {
                    decide(watch, &self.task, self.version, occasions, now).await?;
                    *decided = now;
                }
                *next = following;
                Ok(())
            }
            Source::After { after, begun, since } => {
                let looked_at = watch.app.store.now();
                let from = since.checked_sub(LATE_ENDS).unwrap_or(*since).max(*begun);
                let occasions = ends(watch, &self.task, self.overlap, after, from)?;
                // Where nothing ended, the store need not know how far was looked.
                *since = match occasions.last().map(|last| last.due_at) {
                    Some(last) => {
                        decide(watch, &self.task, self.version, occasions, last).await?;
                        last
                    }
                    None => looked_at,
                };
                Ok(())
            }
            Source::Held => Ok(()),
        }
    }
}

/// The ends of another task's runs of which nothing is decided yet.
fn ends(
    watch: &Watch,
    task: &Name,
    overlap: WhileRunning,
    after: &After,
    from: Timestamp,
) -> Result<Vec<Occasion>, Failure> {
    let states: Vec<RunState> = after.when.iter().map(|end| end.state()).collect();
    let ended = watch.app.store.ends_to_decide(&after.task, &states, from, task)?;
    let occasion = |run: Run| Occasion {
        name: after_occasion(&run.id),
        cause: "after",
        due_at: run.ended_at.unwrap_or(from),
        wish: match overlap {
            WhileRunning::Skip => Wish::Fire,
            WhileRunning::Queue => Wish::Queue,
        },
    };
    Ok(ended.into_iter().map(occasion).collect())
}

/// Stores what is decided. Each run is opened in a commit of its own, so that runs keep the order of their times;
/// what was missed before it goes along.
async fn decide(
    watch: &Watch,
    task: &Name,
    version: i64,
    occasions: Vec<Occasion>,
    decided: Timestamp,
) -> Result<(), Failure> {
    let store = &watch.app.store;
    let mut group = Vec::new();
    let mut left = occasions.into_iter().peekable();
    while let Some(occasion) = left.next() {
        let opens = occasion.wish != Wish::Miss;
        let up_to = occasion.due_at;
        group.push(occasion);
        let is_last = left.peek().is_none();
        if !opens && !is_last {
            continue;
        }
        let up_to = if is_last { decided } else { up_to };
        let firings = store
            .decide_occasions(task, version, std::mem::take(&mut group), up_to)
            .await?;
        tell(watch, task, firings);
    }
    watch.runs.look();
    Ok(())
}

/// Counts and reports what became of occasions.
fn tell(watch: &Watch, task: &Name, firings: Vec<Firing>) {
    let missed = firings
        .iter()
        .filter(|firing| firing.verdict == FiringVerdict::Missed);
    if let Some(last) = missed.clone().next_back() {
        (watch.report)(ServeNews::Missed {
            task: task.clone(),
            due_at: last.due_at,
            times: missed.count(),
        });
    }
    for Firing { due_at, verdict, .. } in firings {
        watch.tally.fired(task, verdict.as_str());
        match verdict {
            FiringVerdict::Fired(run) => tracing::info!(%task, %due_at, %run, "a run is opened"),
            FiringVerdict::Overlapped(run) => (watch.report)(ServeNews::LeftOut {
                task: task.clone(),
                due_at,
                run,
            }),
            FiringVerdict::Missed => {}
        }
    }
}
