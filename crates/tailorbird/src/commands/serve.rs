//! `serve`: the program as a server.

mod talk;

use std::error::Error as _;
use std::path::Path;

use tailorbird_app::{App, AppError, STOP_GRACE, ServeSettings};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_server::{Settings, StartError};

use crate::args::ServeArguments;
use crate::commands::signals::Signals;
use crate::render::Render;
use crate::{Ended, config};

pub(crate) async fn run(home: &Path, arguments: ServeArguments, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    if arguments.restored {
        app.mark_restored(None).await?;
    }
    let settings = Settings {
        listen: arguments.listen,
        webhook_listen: arguments.webhook_listen,
        serve: ServeSettings {
            clock: config::clock(),
            report: talk::reporter(render),
        },
    };
    let links = app.clone();
    let running = tailorbird_server::start(app, settings)
        .await
        .map_err(start_failure)?;
    let mut signals = Signals::catch();
    render.json_line(&serde_json::to_value(running.addresses()).unwrap_or_default());
    render.talk(&format!(
        "Serving {} at {}. Ctrl-C stops it.",
        home.display(),
        running.addresses().url
    ));
    // Told on standard error: whoever reads only the addresses does not get a way in with them.
    match links.entry_link().await {
        Ok(link) => render.talk(&format!(
            "Open it in a browser, once, within an hour; `tailorbird open` makes another link:\n  {link}"
        )),
        Err(error) => render.talk(&format!("No link to the pages could be made: {}", error.failure)),
    }
    signals.next().await;
    render.talk(&format!(
        "Stopping: what is under way is finished first, for {} seconds at most. Ctrl-C again ends at once.",
        STOP_GRACE.as_secs()
    ));
    tokio::select! {
        () = running.stop() => Ok(Ended::Well),
        // As safe as a power cut: what is on its way is in doubt, and is looked up at the next start.
        () = signals.next() => {
            render.talk("Ended at once; the next start settles what was on its way.");
            Ok(Ended::Failed)
        }
    }
}

/// Says why the server could not start.
fn start_failure(error: StartError) -> AppError {
    let hint = match &error {
        StartError::NotLoopback { .. } => {
            "Listen on 127.0.0.1 or [::1], and reach it from elsewhere by a tunnel (`ssh -L 7080:127.0.0.1:7080 HOST`). \
             Webhooks may listen elsewhere: --webhook-listen."
        }
        _ => "Port 0 takes a free port. `ss -ltnp` shows who has which.",
    };
    let detail = error
        .source()
        .map(|source| format!("{source}."))
        .unwrap_or_default();
    let failure = Failure::new(codes::SERVER_START, Meaning::NotSent, error.to_string())
        .detail(detail)
        .hint(hint);
    match error {
        StartError::Work(error) => *error,
        // An address that cannot be used is a word of the command line.
        StartError::NotLoopback { .. } => AppError::usage(failure),
        _ => AppError::from(failure),
    }
}
