//! `task …`, and following a run to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tailorbird_app::{App, AppError, Progress, Stop};
use tailorbird_model::Name;
use tailorbird_model::run::{Run, RunState};

mod trigger;

use crate::Ended;
use crate::args::TaskCommand;
use crate::commands::signals::Signals;
use crate::commands::{input, rehearsal, service::checked};
use crate::render::{Render, letter, table};

pub(crate) async fn run(home: &Path, command: TaskCommand, render: Render) -> Result<Ended, AppError> {
    match command {
        TaskCommand::Check { files } => {
            let app = App::open_if_there(home)?;
            if app.is_none() {
                render.talk(&format!(
                    "note: there is no home folder at {}; connections and databases are not checked.",
                    home.display()
                ));
            }
            let mut texts = Vec::new();
            for file in &files {
                texts.push((file.display().to_string(), input::text(file)?));
            }
            let (count, found) = tailorbird_app::check_tasks(app.as_ref(), &texts);
            Ok(checked(render, "task", count, &found))
        }
        TaskCommand::Apply { files, accept_rekey } => {
            let (app, made) = App::create(home)?;
            if made {
                render.talk(&format!("Made the home folder {}.", home.display()));
            }
            let mut texts = Vec::new();
            for file in &files {
                texts.push((file.display().to_string(), input::text(file)?));
            }
            let applied = app.apply_tasks(&texts, accept_rekey).await?;
            let rows: Vec<Vec<String>> = applied
                .iter()
                .map(|a| vec![a.task.to_string(), a.version.to_string(), a.change.to_owned()])
                .collect();
            render.data(&json!(applied), || {
                table(&["TASK", "VERSION", "CHANGE"], &rows, "The files hold no tasks.")
            });
            Ok(Ended::Well)
        }
        TaskCommand::List => {
            let tasks = App::open(home)?.tasks()?;
            let rows: Vec<Vec<String>> = tasks
                .iter()
                .map(|t| {
                    vec![
                        t.task.to_string(),
                        t.version.to_string(),
                        if t.enabled { "enabled" } else { "disabled" }.to_owned(),
                        t.trigger.clone(),
                        match &t.problem {
                            Some(problem) => problem.clone(),
                            None => t.next.first().map(ToString::to_string).unwrap_or_default(),
                        },
                        t.last_run.clone().unwrap_or_default(),
                        t.description.clone(),
                    ]
                })
                .collect();
            render.data(&json!(tasks), || {
                table(
                    &["TASK", "VERSION", "STATE", "TRIGGER", "NEXT", "LAST RUN", "WHAT"],
                    &rows,
                    "There are no tasks. `tailorbird task apply FILE` takes one in.",
                )
            });
            Ok(Ended::Well)
        }
        TaskCommand::Show { name } => show(&App::open(home)?, &input::name(&name)?, render),
        TaskCommand::Enable { name } => enable(home, &name, true, render).await,
        TaskCommand::Disable { name } => enable(home, &name, false, render).await,
        TaskCommand::Run {
            name,
            dry_run: true,
            limit,
            ..
        } => rehearsal::run(home, &input::name(&name)?, limit, render).await,
        TaskCommand::Run { name, restored, .. } => {
            let app = App::open(home)?;
            if restored {
                app.mark_restored(None).await?;
            }
            let name = input::name(&name)?;
            let served = app.is_served()?;
            follow(render, served, |progress, stop| async move {
                app.run_task(&name, progress, stop).await
            })
            .await
        }
        TaskCommand::Secret { name, secrets } => {
            trigger::secret(home, &name, secrets.as_deref(), render).await
        }
        TaskCommand::Schema => {
            render.json(&tailorbird_app::task_schema());
            Ok(Ended::Well)
        }
    }
}

/// A task as YAML; when it fires next is talk, because the text may go into a file.
fn show(app: &App, name: &Name, render: Render) -> Result<Ended, AppError> {
    let (task, text) = app.task(name)?;
    let (next, problem) = match app.task_times(name) {
        Ok(next) => (next, None),
        Err(error) => (Vec::new(), Some(error.failure)),
    };
    let firings = app.firings(name)?;
    let trigger = app.trigger_view(name)?;
    let mut json = json!(task);
    if let Some(json) = json.as_object_mut() {
        json.insert("next".to_owned(), json!(next));
        json.insert("problem".to_owned(), json!(problem));
        json.insert("firings".to_owned(), json!(firings));
        if let Some(trigger) = &trigger {
            json.insert("trigger_state".to_owned(), json!(trigger));
        }
    }
    render.document(&json, || text);
    if !render.is_json() {
        if let Some(problem) = &problem {
            render.talk(&letter("it cannot fire", problem));
        }
        if let Some(trigger) = &trigger {
            render.talk(&trigger::text(trigger));
        }
        if !next.is_empty() {
            let times: Vec<String> = next.iter().map(ToString::to_string).collect();
            render.talk(&format!("It fires next at {}.", times.join(", ")));
        }
        for firing in &firings {
            let why = match (firing.verdict, &firing.run) {
                ("fired", Some(run)) => format!("opened {run}"),
                ("overlapped", Some(run)) => format!("left out, because {run} had not ended"),
                _ => "missed".to_owned(),
            };
            render.talk(&format!("Due at {}: {why}.", firing.due_at));
        }
    }
    Ok(Ended::Well)
}

async fn enable(home: &Path, name: &str, enabled: bool, render: Render) -> Result<Ended, AppError> {
    App::open(home)?.enable_task(&input::name(name)?, enabled).await?;
    let state = if enabled { "enabled" } else { "disabled" };
    render.data(&json!({"task": name, "enabled": enabled}), || {
        format!("Task {name} is {state}.")
    });
    Ok(Ended::Well)
}

/// How often the line of progress is drawn anew.
const PROGRESS_EVERY: Duration = Duration::from_millis(120);

/// What shells expect of a program that Ctrl-C ended.
const KILLED_BY_INTERRUPT: i32 = 130;

/// Follows a run: progress on standard error, Ctrl-C stops safely, the run's counts at the end. Where a server
/// drives it, Ctrl-C ends the following and not the run.
pub(crate) async fn follow<F, R>(render: Render, served: bool, start: F) -> Result<Ended, AppError>
where
    F: FnOnce(Progress, Stop) -> R,
    R: Future<Output = Result<Run, AppError>>,
{
    let stop = Stop::default();
    let last = std::sync::Mutex::new(None::<Instant>);
    let progress: Progress = Arc::new(move |event| {
        if let tailorbird_app::ProgressEvent::Note(note) = event {
            render.end_progress();
            render.talk(&format!("note: {note}"));
            return;
        }
        if let Ok(mut last) = last.lock() {
            let is_due = last.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
            if is_due {
                *last = Some(Instant::now());
                render.progress(&event.to_string());
            }
        }
    });
    let mut signals = Signals::catch();
    let running = start(progress, stop.clone());
    tokio::pin!(running);
    let run = loop {
        tokio::select! {
            run = &mut running => break run,
            () = signals.next() => {
                render.end_progress();
                if stop.is_set() && !served {
                    // Asked twice: as safe as a power cut. What is on its way is in doubt, and is looked up later.
                    render.talk("Ended at once; the next run settles what was on its way.");
                    std::process::exit(KILLED_BY_INTERRUPT);
                }
                stop.set();
                render.talk(if served {
                    "No longer following: the run goes on in the server. `tailorbird run show` tells how it stands, `run pause` holds it."
                } else {
                    "Stopping: what is under way is finished first. Ctrl-C again ends at once."
                });
            }
        }
    }?;
    render.end_progress();
    render.data(&run_json(&run), || run_text(&run));
    Ok(ended(&run))
}

/// How a run's end is told to the shell.
fn ended(run: &Run) -> Ended {
    match run.state {
        RunState::Failed | RunState::Cancelled => Ended::Failed,
        RunState::NeedsAttention | RunState::Waiting | RunState::Paused => Ended::NeedsPerson,
        // Nobody follows it any more; a server goes on with it.
        RunState::Queued | RunState::Running => Ended::NeedsPerson,
        _ if run.counts.rejected > 0 || run.counts.in_doubt > 0 => Ended::NeedsPerson,
        RunState::Succeeded => Ended::Well,
    }
}

/// The fixed form of a run.
pub(crate) fn run_json(run: &Run) -> serde_json::Value {
    json!({
        "id": run.id,
        "task": run.task,
        "state": run.state,
        "counts": run.counts,
        "task_version": run.task_version,
        "started_at": run.started_at,
        "updated_at": run.updated_at,
        "ended_at": run.ended_at,
        "resume_at": run.resume_at,
        "failure": run.failure,
    })
}

/// A run in plain words.
pub(crate) fn run_text(run: &Run) -> String {
    let c = &run.counts;
    let mut text = format!(
        "Run {} of task {}: {}\n",
        run.id,
        run.task,
        run.state.as_str().replace('_', " ")
    );
    for (count, words) in [
        (c.read, "read"),
        (c.delivered, "delivered"),
        (c.already, "delivered already, not sent again"),
        (
            c.rejected,
            "rejected (`tailorbird delivery list --state rejected`)",
        ),
        (
            c.in_doubt,
            "in doubt (`tailorbird delivery list --state in_doubt`)",
        ),
        (c.skipped, "left out by a person's decision"),
        (c.not_due, "not due (`when` was false)"),
        (c.written, "written to a database"),
    ] {
        if count > 0 {
            text.push_str(&format!("  {count:>7}  {words}\n"));
        }
    }
    if *c == tailorbird_model::run::Counts::default() {
        text.push_str("  Nothing was due.\n");
    }
    if let Some(at) = run.resume_at {
        text.push_str(&format!("  It can go on at {at}.\n"));
    }
    if let Some(failure) = &run.failure {
        text.push_str(&letter("why", failure));
        text.push('\n');
    }
    text
}
