//! What a server says on standard error while it works.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use tailorbird_app::{Reporter, ServeNews};
use tailorbird_model::run::{Run, RunState};

use crate::render::{Render, letter};

/// Lines that may wait until somebody reads standard error. Further ones are dropped: a full pipe must not hold the
/// runs up, and everything is in the home besides.
const MAX_WAITING: usize = 256;

/// Says what is told, from a thread of its own.
pub(crate) fn reporter(render: Render) -> Reporter {
    let (say, said) = sync_channel::<ServeNews>(MAX_WAITING);
    std::thread::spawn(move || {
        // It ends when the server has dropped its end.
        while let Ok(news) = said.recv() {
            if let Some(words) = words(&news) {
                render.talk(&words);
            }
        }
    });
    Arc::new(move |news| drop(say.try_send(news)))
}

/// The words for it; none where nobody has to know.
fn words(news: &ServeNews) -> Option<String> {
    match news {
        ServeNews::Rests(run) => rests(run),
        ServeNews::LeftOut { task, due_at, run } => Some(format!(
            "{task}: left out at {due_at}, because {run} has not ended."
        )),
        ServeNews::Missed { task, due_at, times } => Some(format!(
            "{task}: {times} time(s) were missed, the last one at {due_at}."
        )),
        ServeNews::Held { task, failure } => Some(format!(
            "{task}: its schedule does not fire.\n{}",
            letter("why", failure)
        )),
    }
}

fn rests(run: &Run) -> Option<String> {
    let c = &run.counts;
    let told: Vec<String> = [
        (c.delivered, "delivered"),
        (c.written, "written"),
        (c.rejected, "rejected"),
        (c.in_doubt, "in doubt"),
        (c.skipped, "skipped"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if run.state == RunState::Succeeded && told.is_empty() {
        // A task that looks every five minutes and finds nothing is no news.
        return None;
    }
    let mut line = format!("{}: {}", run.task, run.state.as_str().replace('_', " "));
    for part in &told {
        line.push_str(", ");
        line.push_str(part);
    }
    if let Some(at) = run.resume_at {
        line.push_str(&format!(", goes on at {at}"));
    }
    line.push_str(&format!(" ({})", run.id));
    if let Some(failure) = &run.failure {
        line.push('\n');
        line.push_str(&letter("why", failure));
    }
    Some(line)
}
