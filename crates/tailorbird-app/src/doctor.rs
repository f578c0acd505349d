//! `doctor`: looks over an installation and says what would fail, before it does.

use std::path::Path;

use serde::Serialize;
use tailorbird_model::codes;

use crate::{App, Services};

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Bad,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// How it came out.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

fn check(what: &str, health: Health, found: impl Into<String>, hint: impl Into<String>) -> Check {
    Check {
        what: what.to_owned(),
        health,
        found: found.into(),
        hint: hint.into(),
    }
}

/// The earliest time that a working clock shows: this program was not built before it.
const EARLIEST: i64 = 1_767_225_600;

/// Looks over an installation; nothing leaves this machine.
pub async fn doctor(home: &Path) -> Vec<Check> {
    let mut checks = vec![check("version", Health::Good, env!("CARGO_PKG_VERSION"), "")];
    let now = jiff::Timestamp::now();
    checks.push(if now.as_second() < EARLIEST {
        check(
            "clock",
            Health::Bad,
            format!("it shows {now}"),
            "Set the clock; OAuth 1.0a signatures carry the time.",
        )
    } else {
        check("clock", Health::Good, format!("it shows {now}"), "")
    });
    match Services::load(home) {
        Ok(services) => checks.push(check(
            "services",
            Health::Good,
            format!("{} can be used", services.list().len()),
            "",
        )),
        Err(error) => checks.push(check(
            "services",
            Health::Bad,
            error.failure.to_string(),
            error.failure.hint,
        )),
    }
    let app = match App::open(home) {
        Ok(app) => app,
        Err(error) => {
            let health = if error.failure.code == codes::NO_HOME {
                Health::Warning
            } else {
                Health::Bad
            };
            checks.push(check("home", health, error.failure.message, error.failure.hint));
            return checks;
        }
    };
    checks.push(check(
        "home",
        Health::Good,
        format!("{} is there, its key fits and its ledger opens", home.display()),
        "",
    ));
    checks.extend(key_checks(&app));
    if let Ok(Some(view)) = app.restored_view() {
        checks.push(check(
            "restored home",
            Health::Warning,
            format!(
                "it came back from a backup of {}; new records of {} task(s) are in doubt first",
                view.times.backup_at,
                view.tasks.iter().filter(|task| !task.is_met).count()
            ),
            "`home show` tells how each task stands; `home end-restored` ends it.",
        ));
    }
    for view in app.connections().unwrap_or_default() {
        let what = format!("connection {}", view.connection);
        checks.push(if view.missing.is_empty() {
            check(
                &what,
                Health::Good,
                "complete (`connection test` asks the provider)",
                "",
            )
        } else {
            check(
                &what,
                Health::Warning,
                format!("incomplete: {}", view.missing.join(", ")),
                view.next_step.unwrap_or_default(),
            )
        });
    }
    for database in app.databases().unwrap_or_default() {
        let what = format!("database {}", database.database);
        checks.push(match app.test_database(&database.database) {
            Ok(_) => check(&what, Health::Good, "opens", ""),
            Err(error) => check(&what, Health::Bad, error.failure.message, error.failure.hint),
        });
    }
    for task in app.tasks().unwrap_or_default() {
        let what = format!("task {}", task.task);
        let problems = app
            .task(&task.task)
            .map(|(_, text)| crate::check_tasks(Some(&app), &[(what.clone(), text)]).1)
            .unwrap_or_default();
        let first = problems
            .iter()
            .map(|(_, problem)| problem)
            .find(|problem| problem.is_error());
        checks.push(match first {
            None => check(&what, Health::Good, "can run", ""),
            Some(problem) => check(&what, Health::Bad, problem.to_string(), problem.hint.clone()),
        });
    }
    checks
}

fn key_checks(app: &App) -> Vec<Check> {
    let home = app.store.home();
    let mut checks = Vec::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for (what, path, most) in [
            ("home folder", home.path().to_owned(), 0o700),
            ("sealing key", home.key_path(), 0o600),
        ] {
            let Ok(metadata) = std::fs::metadata(&path) else {
                continue;
            };
            let mode = metadata.permissions().mode() & 0o777;
            checks.push(if mode & !most == 0 {
                check(
                    what,
                    Health::Good,
                    format!("only its owner can read it (mode {mode:o})"),
                    "",
                )
            } else {
                let hint = format!("Run `chmod {most:o} {}`.", path.display());
                check(
                    what,
                    Health::Bad,
                    format!("others can read it (mode {mode:o})"),
                    hint,
                )
            });
        }
    }
    checks.push(check(
        "sealing key",
        Health::Warning,
        "it lies beside the ledger, so a copy of the folder holds both",
        "On a server, back the two up apart from each other. On one person's machine this is fine.",
    ));
    checks
}
