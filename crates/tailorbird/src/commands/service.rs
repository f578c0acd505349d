//! `service …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, Services};

use crate::Ended;
use crate::args::ServiceCommand;
use crate::commands::connection::tell;
use crate::commands::input;
use crate::render::{Render, table};

pub(crate) async fn run(home: &Path, command: ServiceCommand, render: Render) -> Result<Ended, AppError> {
    match command {
        ServiceCommand::List => {
            let services = Services::load(home)?;
            let list = services.list();
            let rows: Vec<Vec<String>> = list
                .iter()
                .map(|entry| {
                    vec![
                        entry.name.to_string(),
                        entry.title.clone(),
                        entry.operations.to_string(),
                        entry.origin.to_owned(),
                        entry.verified.clone(),
                    ]
                })
                .collect();
            render.data(&json!(list), || {
                table(
                    &["SERVICE", "TITLE", "OPERATIONS", "FROM", "VERIFIED"],
                    &rows,
                    "There are no services.",
                )
            });
            Ok(Ended::Well)
        }
        ServiceCommand::Show { name } => {
            let services = Services::load(home)?;
            let (service, text) = services.find(&input::name(&name)?)?;
            render.document(&json!(**service), || text.to_owned());
            Ok(Ended::Well)
        }
        ServiceCommand::Check { files } => {
            let mut found = Vec::new();
            let mut count = 0;
            for file in &files {
                let text = input::text(file)?;
                let (services, problems) = tailorbird_app::check_services(&text);
                count += services;
                found.extend(
                    problems
                        .into_iter()
                        .map(|problem| (file.display().to_string(), problem)),
                );
            }
            Ok(checked(render, "service", count, &found))
        }
        ServiceCommand::Add { file } => {
            let text = input::text(&file)?;
            let (app, made) = App::create(home)?;
            if made {
                render.talk(&format!("Made the home folder {}.", home.display()));
            }
            let added = app.add_services(&file.display().to_string(), &text).await?;
            tell(render, &[], &added.warnings);
            render.data(&json!(added.names), || {
                format!("Added: {}", added.names.join(", "))
            });
            Ok(Ended::Well)
        }
        ServiceCommand::Schema => {
            render.json(&tailorbird_app::service_schema());
            Ok(Ended::Well)
        }
    }
}

/// Prints what a check found; shared with `task check`.
pub(crate) fn checked(
    render: Render,
    noun: &str,
    count: usize,
    found: &[(String, tailorbird_model::yaml::Problem)],
) -> Ended {
    let errors = found.iter().filter(|(_, problem)| problem.is_error()).count();
    if render.is_json() {
        let list: Vec<_> = found
            .iter()
            .map(|(file, problem)| {
                let mut entry = json!({"file": file});
                if let (Some(entry), serde_json::Value::Object(members)) =
                    (entry.as_object_mut(), json!(problem))
                {
                    entry.extend(members);
                }
                entry
            })
            .collect();
        render.json(&list.into());
    } else {
        render.problems(found);
        let warnings = found.len() - errors;
        let verdict = if errors == 0 {
            "good"
        } else {
            "not usable as they are"
        };
        render.talk(&format!(
            "{count} {noun}(s) read: {verdict}; {errors} error(s), {warnings} warning(s)."
        ));
    }
    if errors == 0 { Ended::Well } else { Ended::Invalid }
}
