//! `delivery verify`.

use serde_json::json;
use tailorbird_app::{App, AppError, Verified, noted_link};

use crate::Ended;
use crate::render::{Render, letter};

pub(crate) fn run(app: &App, head: Option<&str>, render: Render) -> Result<Ended, AppError> {
    let noted = head.map(noted_link).transpose()?;
    let verified = app.verify_ledger(noted.as_ref(), &mut |done, total| {
        render.progress(&format!("checking link {done} of {total}"));
    })?;
    render.end_progress();
    let report = &verified.report;
    let head = report.head.as_ref();
    let json = json!({
        "whole": report.is_whole(),
        "links": report.links,
        "deliveries": report.deliveries,
        "head": head.map(|head| format!("{}:{}", head.number, head.mac)),
        "misfits": report.misfits,
        "named": verified.misfits,
        "failure": verified.failure,
    });
    render.data(&json, || text(&verified));
    Ok(if report.is_whole() {
        Ended::Well
    } else {
        Ended::Failed
    })
}

fn text(verified: &Verified) -> String {
    let report = &verified.report;
    let mut text = format!("{} links, {} deliveries\n", report.links, report.deliveries);
    for line in &verified.misfits {
        text.push_str(&format!("✕ {}\n", line.text));
    }
    let unnamed = report
        .misfits
        .saturating_sub(u64::try_from(verified.misfits.len()).unwrap_or(u64::MAX));
    if unnamed > 0 {
        text.push_str(&format!("✕ and {unnamed} more\n"));
    }
    match &verified.failure {
        Some(failure) => text.push_str(&letter("error", failure)),
        None => text.push_str("● Everything fits: nobody changed it past this program.\n"),
    }
    if let Some(head) = &report.head {
        text.push_str(&format!(
            "\nThe newest link is {}:{}\nNote it elsewhere: `delivery verify --head` shows later that no end was cut off.\n",
            head.number, head.mac
        ));
    }
    text
}
