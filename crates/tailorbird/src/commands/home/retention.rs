//! `home retention` and `home tidy`.

use std::path::PathBuf;

use serde_json::json;
use tailorbird_app::{App, AppError, Retention, Stop};
use tailorbird_model::service::Span;
use tailorbird_model::{Failure, Meaning, codes};

use crate::commands::signals::Signals;
use crate::render::Render;

/// The word for contents that are never dropped.
const FOREVER: &str = "forever";

pub(super) async fn set(
    app: &App,
    keep: Option<&str>,
    archive: Option<PathBuf>,
    no_archive: bool,
    render: Render,
) -> Result<(), AppError> {
    let mut retention = app.retention()?;
    if keep.is_some() || archive.is_some() || no_archive {
        if let Some(keep) = keep {
            retention.keep_seconds = parse_keep(keep)?;
        }
        if archive.is_some() || no_archive {
            retention.archive = archive;
        }
        retention = app.set_retention(retention).await?;
    }
    let keep = shown_keep(&retention);
    let json = json!({"keep": keep, "archive": retention.archive});
    render.data(&json, || {
        let archive = match &retention.archive {
            Some(folder) => format!("Before they go they are written to files in {}.", folder.display()),
            None => "They are not written anywhere before they go.".to_owned(),
        };
        if keep == FOREVER {
            "Contents of deliveries are kept for ever.".to_owned()
        } else {
            format!("Contents of delivered and skipped records are kept for {keep}; their keys for ever.\n{archive}")
        }
    });
    Ok(())
}

pub(super) async fn tidy(app: &App, dry_run: bool, render: Render) -> Result<(), AppError> {
    let tidied = if dry_run {
        app.count_tidy()?
    } else {
        let mut signals = Signals::catch();
        let stop = Stop::default();
        let mut progress = |dropped| render.progress(&format!("{dropped} dropped"));
        let working = app.tidy(u64::MAX, &stop, &mut progress);
        tokio::pin!(working);
        loop {
            tokio::select! {
                done = &mut working => break done?,
                () = signals.next() => stop.set(),
            }
        }
    };
    render.end_progress();
    render.data(&json!(tidied), || {
        let archive = tidied
            .archive
            .as_ref()
            .map(|path| format!(" They are in {} now.", path.display()))
            .unwrap_or_default();
        format!(
            "{} contents were dropped; {} may still go.{archive} What was sent stays known.",
            tidied.dropped, tidied.left
        )
    });
    Ok(())
}

fn shown_keep(retention: &Retention) -> String {
    match retention.keep_seconds {
        Some(seconds) => Span::from_seconds(u32::try_from(seconds).unwrap_or(u32::MAX)).to_string(),
        None => FOREVER.to_owned(),
    }
}

pub(crate) fn parse_keep(text: &str) -> Result<Option<u64>, AppError> {
    if text == FOREVER {
        return Ok(None);
    }
    let least = tailorbird_app::MIN_KEEP.as_secs();
    let wrong = |message: String| {
        AppError::usage(
            Failure::new(codes::USAGE, Meaning::NotSent, message)
                .hint("Write for example `400d`, or `forever`."),
        )
    };
    let span: Span = text.parse().map_err(wrong)?;
    let seconds = u64::from(span.seconds());
    if seconds < least {
        return Err(wrong("contents are kept for a day at least".to_owned()));
    }
    Ok(Some(seconds))
}
