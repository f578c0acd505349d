//! `home …`, `backup` and `restore`.

pub(crate) mod retention;

use std::io::IsTerminal as _;
use std::path::Path;

use serde_json::json;
use tailorbird_app::{
    App, AppError, BackupProgress, HomeView, MIN_PASSPHRASE, Passphrase, Restore, RestoredView, restore_home,
};
use tailorbird_model::{Failure, Meaning, codes};

use crate::Ended;
use crate::args::{BackupArguments, HomeCommand, RestoreArguments};
use crate::commands::{input, wizard};
use crate::render::Render;

pub(crate) async fn run(home: &Path, command: HomeCommand, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    match command {
        HomeCommand::Show => show(&app.home_view()?, render),
        HomeCommand::Retention {
            keep,
            archive,
            no_archive,
        } => retention::set(&app, keep.as_deref(), archive, no_archive, render).await?,
        HomeCommand::Tidy { dry_run } => retention::tidy(&app, dry_run, render).await?,
        HomeCommand::MarkRestored { backup_at } => {
            app.mark_restored(backup_at).await?;
            show(&app.home_view()?, render);
        }
        HomeCommand::EndRestored { yes } => {
            let Some(view) = app.restored_view()? else {
                return Err(AppError::usage(
                    Failure::new(
                        codes::TRANSITION,
                        Meaning::NotSent,
                        "the home is not marked as restored",
                    )
                    .hint("Nothing was changed. `home show` tells how it stands."),
                ));
            };
            if !yes && view.unsettled().next().is_some() {
                render.talk(&restored_text(&view));
                confirm("End the mark all the same?")?;
            }
            app.end_restored().await?;
            show(&app.home_view()?, render);
        }
    }
    Ok(Ended::Well)
}

pub(crate) async fn backup(
    home: &Path,
    arguments: &BackupArguments,
    render: Render,
) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    let passphrase = match (arguments.with_key, &arguments.passphrase) {
        (false, _) => None,
        (true, Some(file)) => Some(read_passphrase(file)?),
        (true, None) => Some(ask_for_passphrase()?),
    };
    let mut follow = |progress| tell(render, progress);
    let report = app
        .backup(&arguments.file, passphrase.as_ref(), &mut follow)
        .await?;
    render.end_progress();
    for name in &report.left_out {
        render.talk(&format!(
            "note: services/{name} is not in the backup: it is no plain file, or its name is odd"
        ));
    }
    let json = json!({
        "file": report.path,
        "bytes": report.bytes,
        "backup_at": report.manifest.backup_at,
        "deliveries": report.manifest.deliveries,
        "services": report.services,
        "with_key": report.manifest.key.is_some(),
        "head": report.manifest.head,
    });
    render.data(&json, || {
        let key = if report.manifest.key.is_some() {
            "The sealing key is in it, locked with the passphrase."
        } else {
            "The sealing key is NOT in it: keep a copy of sealing.key in another place. Without it the secrets do not open."
        };
        format!(
            "Wrote {} ({} bytes): {} deliveries as of {}.\n{key}",
            report.path.display(),
            report.bytes,
            report.manifest.deliveries,
            report.manifest.backup_at
        )
    });
    Ok(Ended::Well)
}

pub(crate) async fn restore(
    home: &Path,
    arguments: &RestoreArguments,
    render: Render,
) -> Result<Ended, AppError> {
    let passphrase = arguments.passphrase.as_deref().map(read_passphrase).transpose()?;
    let how = Restore {
        force: arguments.force,
        key: arguments.key.as_deref(),
        passphrase: passphrase.as_ref(),
    };
    let returned = restore_home(&arguments.file, home, &how, &mut |progress| {
        tell(render, progress);
    })
    .await?;
    render.end_progress();
    render.data(&json!(returned), || {
        let aside = returned
            .set_aside
            .as_ref()
            .map(|path| format!("The home that was there is at {} now.\n", path.display()))
            .unwrap_or_default();
        format!(
            "The home {} is back as of {}: {} deliveries.\n{aside}It is marked: what is new to it is looked up, or waits \
             for a person, before it is sent, and {} delivery(ies) that were pending are in doubt. `home show` tells \
             how it stands.",
            returned.home.display(),
            returned.backup_at,
            returned.deliveries,
            returned.in_doubt
        )
    });
    Ok(Ended::Well)
}

fn tell(render: Render, progress: BackupProgress) {
    let percent = (progress.done * 100)
        .checked_div(progress.total)
        .unwrap_or(100)
        .min(100);
    render.progress(&format!("{}: {percent} %", progress.doing));
}

fn show(view: &HomeView, render: Render) {
    render.data(&json!(view), || {
        let mut text = format!("Home {}\n", view.home.display());
        match &view.restored {
            None => text.push_str("It is not marked as restored.\n"),
            Some(restored) => text.push_str(&restored_text(restored)),
        }
        text
    });
}

fn restored_text(view: &RestoredView) -> String {
    let mut text = format!(
        "It came back at {} from a backup of {}. What is new to the ledger is looked up, or waits for a person, before \
         it is sent, until a run of its task has read everything once.\n",
        view.times.restored_at, view.times.backup_at
    );
    for task in &view.tasks {
        let stands = match (task.is_met, task.in_doubt) {
            (true, 0) => "● settled: new records are sent as usual".to_owned(),
            (true, doubts) => format!("◆ new records are sent as usual; {doubts} in doubt"),
            (false, doubts) => format!("◆ new records are in doubt first; {doubts} in doubt now"),
        };
        text.push_str(&format!("  {}  {stands}\n", task.task));
    }
    text.push_str(
        "Tasks that webhooks, files or database changes feed, and those that this home has not met, stay so until \
         `tailorbird home end-restored`.\n",
    );
    text
}

/// Asks a person who is there; nobody else may say yes.
pub(crate) fn confirm(question: &str) -> Result<(), AppError> {
    let refused = |message: &str| {
        AppError::usage(
            Failure::new(codes::USAGE, Meaning::NotSent, message)
                .hint("Nothing was changed. In scripts, say it with --yes."),
        )
    };
    if !std::io::stdin().is_terminal() {
        return Err(refused("this needs a yes, and there is no terminal to ask at"));
    }
    let answer = wizard::ask(&format!("{question} [y/N] "))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(refused("it was not confirmed"))
    }
}

fn read_passphrase(file: &Path) -> Result<Passphrase, AppError> {
    let text = input::text(file)?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    Passphrase::new(line).ok_or_else(too_short)
}

fn ask_for_passphrase() -> Result<Passphrase, AppError> {
    if !std::io::stdin().is_terminal() {
        return Err(AppError::usage(
            Failure::new(codes::USAGE, Meaning::NotSent, "--with-key needs a passphrase")
                .hint("Give it by --passphrase FILE, or `-` for standard input."),
        ));
    }
    let first = wizard::ask_hidden("Passphrase for the sealing key (not shown): ")?;
    let second = wizard::ask_hidden("Once more: ")?;
    if first != second {
        return Err(AppError::usage(
            Failure::new(codes::USAGE, Meaning::NotSent, "the two passphrases differ")
                .hint("Nothing was written."),
        ));
    }
    Passphrase::new(first).ok_or_else(too_short)
}

fn too_short() -> AppError {
    let message = format!("the passphrase has fewer than {MIN_PASSPHRASE} characters");
    AppError::usage(
        Failure::new(codes::USAGE, Meaning::NotSent, message)
            .hint("Whoever has the file may try as often as they like: take several words."),
    )
}
