//! Checks of triggers that bring events: webhooks, files, changed rows.

use super::{Catalogue, Checker};
use crate::Name;
use crate::change::ChangeKind;
use crate::task::trigger::{
    DatabaseTrigger, EventKey, FileTrigger, HMAC_BODY, HMAC_TIMESTAMP, HmacStyle, Trigger, Verify,
    WebhookTrigger,
};
use crate::task::{MAX_CALL_DEPTH, Step, Task};
use crate::yaml::shape::suggest;

/// The longest tolerance for signed times: beyond it a replay would be a habit.
const MAX_TOLERANCE_SECONDS: u32 = 3_600;

/// The longest pause between two looks.
const MAX_EVERY_SECONDS: u32 = 86_400;

impl Checker<'_> {
    pub(super) fn events(&mut self, task: &Task) {
        let trigger = &task.trigger;
        self.one_source(trigger);
        if let Some(hook) = &trigger.webhook {
            self.webhook("/trigger/webhook", hook);
        }
        if let Some(file) = &trigger.file {
            self.file("/trigger/file", file);
        }
        if let Some(database) = &trigger.database {
            self.database_trigger("/trigger/database", database, &task.steps);
        }
    }

    /// A run has one cause, so that what it works on is never a question.
    fn one_source(&mut self, trigger: &Trigger) {
        let given: Vec<&str> = [
            ("schedule", trigger.schedule.is_some()),
            ("after", trigger.after.is_some()),
            ("webhook", trigger.webhook.is_some()),
            ("file", trigger.file.is_some()),
            ("database", trigger.database.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
        // Without one that brings events, the schedule's own checks tell.
        if let ([_, second, ..], Some(_)) = (given.as_slice(), trigger.event_source()) {
            self.error(
                &format!("/trigger/{second}"),
                format!("the trigger has several sources: {}", given.join(", ")),
                "Give one, and put what several have in common into a task of its own.",
            );
        }
    }

    fn webhook(&mut self, at: &str, hook: &WebhookTrigger) {
        let verify = format!("{at}/verify");
        match (&hook.verify, &hook.connection) {
            (Verify::X, None) => self.error(
                &verify,
                "`connection` is missing",
                "X signs with the client secret of a connection: add `connection: NAME`.",
            ),
            (Verify::X, Some(name)) => {
                let known = self.catalogue.map(Catalogue::connections);
                if let Some(known) = known.filter(|known| !known.iter().any(|one| one == name.as_str())) {
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    self.error(
                        &format!("{at}/connection"),
                        format!("there is no connection `{name}`"),
                        suggest(name.as_str(), &known, "Connections"),
                    );
                }
            }
            (_, Some(_)) => self.error(
                &format!("{at}/connection"),
                "`connection` goes with `verify: x` only",
                "Other styles use the task's own secret: `tailorbird task secret NAME`.",
            ),
            (Verify::None, None) => self.warning(
                &verify,
                "anybody who reaches this webhook can start the task",
                "It is answered on a loopback address only. Choose a style that verifies before real use.",
            ),
            _ => {}
        }
        match &hook.verify {
            Verify::Hmac(style) => self.hmac(&format!("{verify}/hmac"), style),
            Verify::Token(style) => self.header(&format!("{verify}/token/header"), &style.header),
            _ => {}
        }
        let seconds = hook.tolerance.seconds();
        if seconds == 0 || seconds > MAX_TOLERANCE_SECONDS {
            self.error(
                &format!("{at}/tolerance"),
                format!("{} is no tolerance for a clock", hook.tolerance),
                "Give between 1s and 1h; 5m suits nearly everybody.",
            );
        }
        if let Some(pointer) = &hook.records {
            self.pointer(&format!("{at}/records"), pointer, true);
        }
        if hook.has_only_a_digest() {
            self.warning(
                at,
                "two requests with the same body count as one event",
                "Nothing else tells them apart. Give `id: /POINTER` or `id: { header: NAME }` if the provider sends an id.",
            );
        }
        match &hook.id {
            Some(EventKey::Pointer(pointer)) => self.pointer(&format!("{at}/id"), pointer, false),
            Some(EventKey::Header(key)) => self.header(&format!("{at}/id/header"), &key.header),
            None => {}
        }
    }

    fn hmac(&mut self, at: &str, style: &HmacStyle) {
        self.header(&format!("{at}/header"), &style.header);
        if let Some(time) = &style.timestamp {
            self.header(&format!("{at}/timestamp/header"), &time.header);
            for part in [HMAC_TIMESTAMP, HMAC_BODY] {
                if time.signed.matches(part).count() != 1 {
                    self.error(
                        &format!("{at}/timestamp/signed"),
                        format!("`signed` does not hold {part} once"),
                        "For example `{timestamp}.{body}`, or `v0:{timestamp}:{body}`.",
                    );
                }
            }
        }
    }

    fn header(&mut self, path: &str, name: &str) {
        let is_token = !name.is_empty()
            && name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_token {
            self.error(
                path,
                format!("{name:?} is not the name of a header"),
                "It is made of letters, digits and `-`, for example `X-Signature`.",
            );
        }
    }

    fn pointer(&mut self, path: &str, pointer: &str, may_be_empty: bool) {
        let is_well = pointer.starts_with('/') || (may_be_empty && pointer.is_empty());
        if !is_well {
            self.error(
                path,
                format!("{pointer:?} is not a JSON Pointer"),
                "It begins with a slash, for example `/data/items`.",
            );
        }
    }

    fn file(&mut self, at: &str, file: &FileTrigger) {
        let folders = [
            ("folder", Some(&file.folder)),
            ("done", file.done.as_ref()),
            ("failed", file.failed.as_ref()),
        ];
        for (name, folder) in folders {
            let Some(folder) = folder else { continue };
            let path = format!("{at}/{name}");
            let is_whole = std::path::Path::new(folder).is_absolute()
                && !folder.split('/').any(|part| part == "..")
                && !folder.contains('\0');
            if !is_whole {
                self.error(
                    &path,
                    format!("{folder:?} is not a whole path"),
                    "Give it from the root on, without `..`, so that it does not depend on where a command runs.",
                );
            } else if name != "folder" && same_folder(folder, &file.folder) {
                self.error(
                    &path,
                    "files would be moved to where they are",
                    "Give another folder, so that a file is taken once.",
                );
            }
        }
        if file.pattern.is_empty() || file.pattern.contains(['/', '\0']) {
            self.error(
                &format!("{at}/pattern"),
                format!("{:?} is not a pattern for a file's name", file.pattern),
                "For example `*.csv`. Folders inside the folder are not looked into.",
            );
        }
        if file.settled.seconds() > MAX_EVERY_SECONDS {
            self.error(
                &format!("{at}/settled"),
                format!("{} is too long to wait for a file to rest", file.settled),
                "Give at most 1d.",
            );
        }
        self.every(at, file.every.seconds());
    }

    fn database_trigger(&mut self, at: &str, database: &DatabaseTrigger, steps: &[Step]) {
        self.database(at, &database.database, true);
        if database.table.trim().is_empty() {
            self.error(&format!("{at}/table"), "`table` is empty", "");
        }
        if database.on.is_empty() {
            self.error(
                &format!("{at}/on"),
                "`on` names no change",
                "Give some of insert, update and delete, or leave it out for all.",
            );
        }
        self.every(at, database.every.seconds());
        self.starts_itself(database, steps, "");
    }

    /// A step that writes to the table whose changes start the task would start it for ever.
    fn starts_itself(&mut self, database: &DatabaseTrigger, steps: &[Step], at: &str) {
        for (index, step) in steps.iter().enumerate() {
            if let Some(each) = &step.for_each {
                self.starts_itself(database, &each.steps, &format!("{at}/steps/{index}/for_each"));
            }
            let mut way = vec![self.task.task.clone()];
            if let Some(call) = &step.call_task
                && database.on.contains(&ChangeKind::Update)
                && self.writes_to(&call.task, database, &mut way)
            {
                let way: Vec<&str> = way.iter().map(Name::as_str).collect();
                self.error(
                    &format!("{at}/steps/{index}/call_task/task"),
                    format!(
                        "the task starts itself: {} writes to `{}`, whose updates start it",
                        way.join(" → "),
                        database.table
                    ),
                    "Write to a table of its own, or let only `on: [insert, delete]` start the task.",
                );
            }
            let Some(write) = &step.write else { continue };
            if write.database != database.database || !write.table.eq_ignore_ascii_case(&database.table) {
                continue;
            }
            let path = format!("{at}/steps/{index}/write/table");
            if database.on.contains(&ChangeKind::Update) {
                self.error(
                    &path,
                    format!(
                        "the task starts itself: it writes to `{}`, whose updates start it",
                        write.table
                    ),
                    "Write to a table of its own, or let only `on: [insert, delete]` start the task.",
                );
            } else if database.on.contains(&ChangeKind::Insert) {
                self.warning(
                    &path,
                    format!(
                        "a row that this step inserts into `{}` starts the task again",
                        write.table
                    ),
                    "Rows that are there already are updated, which does not start it.",
                );
            }
        }
    }

    /// Tells whether a called task writes to the table. The way holds the tasks that lead there then.
    fn writes_to(&self, name: &Name, database: &DatabaseTrigger, way: &mut Vec<Name>) -> bool {
        // A circle of calls is told elsewhere, and what is deeper is refused at run time.
        if way.contains(name) || way.len() > MAX_CALL_DEPTH {
            return false;
        }
        let Some(task) = self.find(name) else {
            return false;
        };
        way.push(name.clone());
        for flat in task.flat_steps() {
            let writes = flat.step.write.as_ref().is_some_and(|write| {
                write.database == database.database && write.table.eq_ignore_ascii_case(&database.table)
            });
            let leads_there = flat
                .step
                .call_task
                .as_ref()
                .is_some_and(|call| self.writes_to(&call.task, database, way));
            if writes || leads_there {
                return true;
            }
        }
        way.pop();
        false
    }

    fn every(&mut self, at: &str, seconds: u32) {
        if seconds == 0 || seconds > MAX_EVERY_SECONDS {
            self.error(
                &format!("{at}/every"),
                "`every` is out of range",
                "Give between 1s and 1d.",
            );
        }
    }
}

fn same_folder(a: &str, b: &str) -> bool {
    let parts = |path: &str| {
        std::path::Path::new(path)
            .components()
            .map(|part| part.as_os_str().to_owned())
            .collect::<Vec<_>>()
    };
    parts(a) == parts(b)
}
