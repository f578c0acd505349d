//! `doctor`: checks this installation.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{AppError, Health};

use crate::Ended;
use crate::render::Render;

pub(crate) async fn run(home: &Path, render: Render) -> Result<Ended, AppError> {
    let checks = tailorbird_app::doctor(home).await;
    let bad = checks.iter().any(|check| check.health == Health::Bad);
    render.data(&json!({"checks": checks}), || {
        let mut text = String::new();
        for check in &checks {
            let mark = match check.health {
                Health::Good => "● good   ",
                Health::Warning => "◆ warning",
                Health::Bad => "✕ bad    ",
            };
            text.push_str(&format!("{mark}  {}: {}\n", check.what, check.found));
            if !check.hint.is_empty() {
                text.push_str(&format!("             {}\n", check.hint));
            }
        }
        text
    });
    Ok(if bad { Ended::Failed } else { Ended::Well })
}
