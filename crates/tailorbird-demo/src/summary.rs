//! What happened, in plain words and as data.

use serde::Serialize;
use tailorbird_model::run::{Counts, Run};
use tailorbird_sandbox::Running;

use crate::Settings;
use crate::check::Checked;
use crate::stages::Files;

/// What the demo did and where things lie.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Whether the check holds.
    pub checked: bool,
    /// What was compared, a line each.
    pub comparisons: Vec<String>,
    /// The runs, in order.
    pub runs: Vec<RunLine>,
    /// Posts that the sandbox ever accepted.
    pub accepted: usize,
    /// Posts that the sandbox refused as duplicates.
    pub refused_duplicates: u64,
    /// The demo's home folder.
    pub home: String,
    /// The sample ERP.
    pub erp: String,
    /// The sample CRM.
    pub crm: String,
    /// The developer portal, as long as the sandbox runs.
    pub portal: String,
    #[serde(skip)]
    program: String,
    #[serde(skip)]
    again: String,
}

/// A run of the demo.
#[derive(Debug, Clone, Serialize)]
pub struct RunLine {
    /// The run.
    pub id: String,
    /// Its task.
    pub task: String,
    /// How it ended.
    pub state: String,
    /// What it did.
    pub counts: Counts,
}

impl Summary {
    pub(crate) fn new(
        settings: &Settings,
        sandbox: &Running,
        files: &Files,
        runs: &[Run],
        checked: &Checked,
    ) -> Self {
        let facts = sandbox.facts();
        Self {
            checked: checked.holds(),
            comparisons: checked.lines(),
            runs: runs
                .iter()
                .map(|run| RunLine {
                    id: run.id.to_string(),
                    task: run.task.to_string(),
                    state: run.state.as_str().to_owned(),
                    counts: run.counts,
                })
                .collect(),
            accepted: facts.accepted.len(),
            refused_duplicates: facts.refused_duplicates,
            home: settings.home.display().to_string(),
            erp: files.erp.display().to_string(),
            crm: files.crm.display().to_string(),
            portal: sandbox.addresses().portal.clone(),
            program: settings.program.clone(),
            again: settings.again.clone(),
        }
    }

    /// The summary in plain words.
    pub fn to_text(&self) -> String {
        let mut text = String::from("\nDone.\n");
        for run in &self.runs {
            let c = run.counts;
            let line = if c.delivered > 0 {
                format!(
                    "{} new products were posted, each once, and their addresses are in the ERP.",
                    c.delivered
                )
            } else if c.written > 0 {
                format!(
                    "{} rows of mentions and metrics were written to the CRM.",
                    c.written
                )
            } else {
                format!("{}: nothing was due; nothing was sent twice.", run.task)
            };
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str(&format!(
            "  The sandbox ever accepted {} post(s) and refused {} as duplicates.\n",
            self.accepted, self.refused_duplicates
        ));
        let verdict = if self.checked {
            "All of it was checked and holds."
        } else {
            "The check found a difference."
        };
        text.push_str(&format!("  {verdict}\n\nWhere things lie\n"));
        for (what, place) in [("ERP", &self.erp), ("CRM", &self.crm), ("home", &self.home)] {
            text.push_str(&format!("  {what:<5} {place}\n"));
        }
        let (program, home, again) = (&self.program, &self.home, &self.again);
        text.push_str("\nTry next\n");
        for (command, what) in [
            (again.clone(), "again: nothing is posted twice"),
            (
                format!("{again} --keep-serving"),
                "and walk the same way in a browser",
            ),
            (
                format!("{program} --home {home} delivery list"),
                "each record that left",
            ),
            (
                format!("{program} --home {home} database query erp 'select * from product_posts limit 5'"),
                "what was written back",
            ),
        ] {
            text.push_str(&format!("  {command}\n      {what}\n"));
        }
        text
    }
}
