//! Tasks: check, apply, list, show, enable.

use jiff::Timestamp;
use serde::Serialize;
use tailorbird_database::{DatabaseError, Table};
use tailorbird_engine::Resources;
use tailorbird_model::access::Right;
use tailorbird_model::service::Operation;
use tailorbird_model::task::check::{Catalogue, FoundOperation, SqlProblem};
use tailorbird_model::task::{self, Task, Trigger};
use tailorbird_model::yaml::{Position, Problem, Typed, shape, typed};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{Applied, RunFilter, StoreError, StoredTask};

use crate::actor::Act;
use crate::{App, AppError, drafts, triggers};

/// A line of `task list`.
#[derive(Debug, Clone, Serialize)]
pub struct TaskView {
    /// The name.
    pub task: Name,
    /// The newest version.
    pub version: i64,
    /// Whether its trigger starts runs.
    pub enabled: bool,
    /// Its schedule, if it has one.
    pub schedule: Option<String>,
    /// What starts it, in words.
    pub trigger: String,
    /// When it fires next; empty without a schedule, and while it is disabled.
    pub next: Vec<Timestamp>,
    /// Why it cannot fire, if so.
    pub problem: Option<String>,
    /// What it is for.
    pub description: String,
    /// The newest run, and how it stands.
    pub last_run: Option<String>,
}

/// A line of `task apply`.
#[derive(Debug, Clone, Serialize)]
pub struct AppliedTask {
    /// The task.
    pub task: Name,
    /// The version it has now.
    pub version: i64,
    /// New, changed or unchanged.
    pub change: &'static str,
}

/// Checks task files, each with its name; counts the tasks and gives all problems with the file's name.
pub fn check_tasks(app: Option<&App>, files: &[(String, String)]) -> (usize, Vec<(String, Problem)>) {
    let (tasks, problems) = read(app.map(|app| -> &dyn Catalogue { app }), files);
    let count = tasks.iter().map(Vec::len).sum();
    (count, problems)
}

/// The tasks of files.
pub(crate) type Tasks = Vec<Vec<Typed<Task>>>;

/// The tasks of each file, and the problems of all of them.
pub(crate) fn read(
    catalogue: Option<&dyn Catalogue>,
    files: &[(String, String)],
) -> (Tasks, Vec<(String, Problem)>) {
    let (mut all, mut all_problems) = (Tasks::new(), Vec::new());
    // They may call each other, whatever their order.
    let beside: Vec<Task> = files
        .iter()
        .flat_map(|(_, text)| typed::<Task>(text).0)
        .map(|typed| typed.value)
        .collect();
    for (file, text) in files {
        let (found, mut problems) = task::check::read_beside(text, catalogue, &beside);
        if found.is_empty() && problems.is_empty() {
            let start = Position { line: 1, column: 1 };
            problems.push(
                Problem::error(start, "", "the file holds no task")
                    .hint("A task file begins with `task: NAME`."),
            );
        }
        for typed in &found {
            if all
                .iter()
                .flatten()
                .any(|other| other.value.task == typed.value.task)
            {
                let message = format!("the task `{}` is given in another file too", typed.value.task);
                problems.push(Problem::error(typed.document.position("/task"), "/task", message));
            }
        }
        all.push(found);
        all_problems.extend(problems.into_iter().map(|problem| (file.clone(), problem)));
    }
    let slices: Vec<&[Typed<Task>]> = all.iter().map(Vec::as_slice).collect();
    for (index, problem) in task::check::across(&slices, catalogue) {
        if let Some((file, _)) = files.get(index) {
            all_problems.push((file.clone(), problem));
        }
    }
    (all, all_problems)
}

/// The JSON Schema of task files.
pub fn task_schema() -> serde_json::Value {
    shape::schema_of::<Task>()
}

/// The definitions, without asking databases what they hold: a task may be taken in before its tables are made.
struct WithoutDatabases<'a>(&'a App);

impl Catalogue for WithoutDatabases<'_> {
    fn operation(&self, connection: &Name, operation: &Name) -> FoundOperation {
        self.0.operation(connection, operation)
    }

    fn database(&self, name: &Name) -> Option<bool> {
        Catalogue::database(self.0, name)
    }

    fn databases(&self) -> Vec<String> {
        Catalogue::databases(self.0)
    }

    fn connections(&self) -> Vec<String> {
        Catalogue::connections(self.0)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.0.file(path)
    }

    fn describe(&self, _: &Name, _: &str) -> Option<Result<Vec<String>, SqlProblem>> {
        None
    }

    fn tables(&self, _: &Name) -> Option<Vec<(String, Vec<String>)>> {
        None
    }

    fn tasks(&self) -> Vec<Task> {
        Catalogue::tasks(self.0)
    }

    fn task(&self, name: &Name) -> Option<Task> {
        Catalogue::task(self.0, name)
    }
}

impl Catalogue for App {
    fn operation(&self, connection: &Name, operation: &Name) -> FoundOperation {
        let Ok(stored) = self.stored_connection(connection) else {
            let known = self.store.connections().unwrap_or_default();
            return FoundOperation::NoConnection(
                known
                    .iter()
                    .map(|stored| stored.value.connection.to_string())
                    .collect(),
            );
        };
        let services = self.services();
        let service = services.find(&stored.service).ok().map(|(service, _)| service);
        let found: Option<&Operation> = service.and_then(|service| service.operations.get(operation));
        match (found, service) {
            (Some(operation), _) => FoundOperation::Found(Box::new(operation.clone())),
            (None, Some(service)) => {
                FoundOperation::NoOperation(service.operations.keys().map(ToString::to_string).collect())
            }
            (None, None) => FoundOperation::NoOperation(Vec::new()),
        }
    }

    fn database(&self, name: &Name) -> Option<bool> {
        self.store
            .database(name)
            .ok()
            .flatten()
            .map(|stored| stored.value.writable)
    }

    fn task(&self, name: &Name) -> Option<Task> {
        let stored = self.store.task(name).ok().flatten()?;
        parse(&stored).ok()
    }

    fn describe(&self, database: &Name, sql: &str) -> Option<Result<Vec<String>, SqlProblem>> {
        let mut database = Resources::database(self, database).ok()?;
        match database.describe(sql) {
            Ok(columns) => Some(Ok(columns)),
            Err(error @ (DatabaseError::Statement { .. } | DatabaseError::DuplicateColumns { .. })) => {
                let place = match &error {
                    DatabaseError::Statement {
                        position: Some((line, column)),
                        ..
                    } => Some((line.saturating_sub(1), column.saturating_sub(1))),
                    _ => None,
                };
                let failure = Failure::from(error);
                Some(Err(SqlProblem {
                    place,
                    message: failure.message,
                    hint: failure.hint,
                }))
            }
            // It is locked, or the file is told of elsewhere.
            Err(_) => None,
        }
    }

    fn tables(&self, database: &Name) -> Option<Vec<(String, Vec<String>)>> {
        let tables = Resources::database(self, database).ok()?.tables().ok()?;
        let columns = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect();
        Some(
            tables
                .iter()
                .map(|table| (table.name.clone(), columns(table)))
                .collect(),
        )
    }

    fn databases(&self) -> Vec<String> {
        self.store
            .databases()
            .unwrap_or_default()
            .iter()
            .map(|stored| stored.value.database.to_string())
            .collect()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.calendar(path)
    }

    fn connections(&self) -> Vec<String> {
        self.store
            .connections()
            .unwrap_or_default()
            .iter()
            .map(|stored| stored.value.connection.to_string())
            .collect()
    }

    fn tasks(&self) -> Vec<Task> {
        let stored = self.store.tasks().unwrap_or_default();
        stored.iter().filter_map(|stored| parse(stored).ok()).collect()
    }
}

fn internal(invariant: &str) -> AppError {
    Failure::new(codes::INTERNAL, Meaning::NotSent, invariant).into()
}

/// Refuses task files that cannot be used.
fn refuse(problems: Vec<(String, Problem)>) -> Result<(), AppError> {
    let errors = problems.iter().filter(|(_, problem)| problem.is_error()).count();
    if errors == 0 {
        return Ok(());
    }
    let failure = Failure::new(
        codes::TASK_FILE,
        Meaning::NotSent,
        format!("the task files have {errors} problem(s)"),
    )
    .detail(
        problems
            .iter()
            .take(20)
            .map(|(file, problem)| format!("{file}:{problem}"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
    .hint("Nothing was taken in. Mend the files and apply them again.");
    Err(AppError::file(failure, problems))
}

impl App {
    /// Takes the tasks of files in. All or nothing: a file with a problem changes nothing.
    ///
    /// # Errors
    /// TASK-002 with all problems; TASK-003 where the change would send records again.
    pub async fn apply_tasks(
        &self,
        files: &[(String, String)],
        accept_rekey: bool,
    ) -> Result<Vec<AppliedTask>, AppError> {
        self.actor().need(Right::Design)?;
        let (tasks, all_problems) = read(Some(&WithoutDatabases(self)), files);
        let tasks: Vec<Typed<Task>> = tasks.into_iter().flatten().collect();
        refuse(all_problems)?;
        for typed in &tasks {
            self.guard_renames(&typed.value, accept_rekey)?;
            self.guard_rekey(&typed.value, accept_rekey)?;
        }
        let mut applied = Vec::new();
        for typed in tasks {
            applied.push(self.take_in(typed, None).await?);
        }
        Ok(applied)
    }

    /// Saves the text of an editor: one task, over the version that it was opened at (0 for a new one). `editing` is
    /// the task that the editor was opened for.
    ///
    /// # Errors
    /// TASK-002 with all problems, TASK-003 where the change would send records again, TASK-005 where somebody saved
    /// another version meanwhile.
    pub async fn save_task(
        &self,
        text: &str,
        editing: Option<&Name>,
        over: i64,
        accept_rekey: bool,
    ) -> Result<AppliedTask, AppError> {
        self.actor().need(Right::Design)?;
        let (typed, problems) = drafts::one(&WithoutDatabases(self), text, editing);
        refuse(
            problems
                .into_iter()
                .map(|problem| (drafts::NO_FILE.to_owned(), problem))
                .collect(),
        )?;
        let Some(typed) = typed else {
            return Err(internal("a text without problems holds no task"));
        };
        // Once more in the commit; here so that nothing is adopted for a text that will not be taken in.
        let edited = editing.unwrap_or(&typed.value.task);
        let stands_at = self.store.task(edited)?.map_or(0, |stored| stored.version);
        if stands_at != over {
            return Err(StoreError::Overtaken {
                name: edited.to_string(),
                version: stands_at,
            }
            .into());
        }
        self.guard_renames(&typed.value, accept_rekey)?;
        self.guard_rekey(&typed.value, accept_rekey)?;
        let over = if typed.value.task == *edited { over } else { 0 };
        self.take_in(typed, Some(over)).await
    }

    /// Stores a task that was checked, with what it was called before.
    async fn take_in(&self, typed: Typed<Task>, over: Option<i64>) -> Result<AppliedTask, AppError> {
        let (name, yaml) = (&typed.value.task, &typed.document.source);
        let noting = self.noting(Act::TASK_CHANGED, name, "")?;
        self.adopt_former_names(&typed.value).await?;
        let result = match over {
            Some(over) => noting.store.apply_task_over(name, yaml, over).await?,
            None => noting.store.apply_task(name, yaml).await?,
        };
        self.note_identities(&typed.value).await?;
        Ok(AppliedTask {
            task: typed.value.task,
            version: result.version(),
            change: match result {
                Applied::Created { .. } => "new",
                Applied::Changed { .. } => "changed",
                Applied::Unchanged { .. } => "unchanged",
            },
        })
    }

    /// All tasks, by name.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn tasks(&self) -> Result<Vec<TaskView>, AppError> {
        let mut views = Vec::new();
        for stored in self.store.tasks()? {
            let task = parse(&stored)?;
            let filter = RunFilter {
                task: Some(stored.name.clone()),
                limit: 1,
                ..RunFilter::default()
            };
            let last = self.store.runs(&filter)?.into_iter().next();
            let (next, problem) = match self.coming(&stored, &task.trigger) {
                Ok(next) => (next, None),
                Err(failure) => (Vec::new(), Some(failure.message)),
            };
            views.push(TaskView {
                task: stored.name,
                version: stored.version,
                enabled: stored.enabled,
                trigger: in_words(&task.trigger),
                schedule: task.trigger.schedule,
                next,
                problem,
                description: task.description,
                last_run: last.map(|run| format!("{} {}", run.state.as_str(), run.updated_at)),
            });
        }
        Ok(views)
    }

    fn coming(&self, stored: &StoredTask, trigger: &Trigger) -> Result<Vec<Timestamp>, Failure> {
        if stored.enabled {
            self.next_times(trigger, self.store.now())
        } else {
            Ok(Vec::new())
        }
    }

    /// When a task fires next: the next few times of its schedule; none while it is disabled.
    ///
    /// # Errors
    /// TASK-001 where there is no such task; FILE-001 where its calendar cannot be used.
    pub fn task_times(&self, name: &Name) -> Result<Vec<Timestamp>, AppError> {
        let stored = self.stored_task(name)?;
        Ok(self.coming(&stored, &parse(&stored)?.trigger)?)
    }

    /// A task and its text.
    ///
    /// # Errors
    /// TASK-001 with the tasks there are.
    pub fn task(&self, name: &Name) -> Result<(Task, String), AppError> {
        let stored = self.stored_task(name)?;
        Ok((parse(&stored)?, stored.yaml))
    }

    /// Lets the trigger of a task start runs, or keeps it from doing so.
    ///
    /// # Errors
    /// TASK-001 where there is no such task.
    pub async fn enable_task(&self, name: &Name, enabled: bool) -> Result<(), AppError> {
        let act = if enabled {
            Act::TASK_ENABLED
        } else {
            Act::TASK_DISABLED
        };
        let noting = self.noting(act, name, "")?;
        self.stored_task(name)?;
        noting.store.set_task_enabled(name, enabled).await?;
        Ok(())
    }

    pub(crate) fn stored_task(&self, name: &Name) -> Result<StoredTask, Failure> {
        if let Some(stored) = self.store.task(name)? {
            return Ok(stored);
        }
        let known = self.store.tasks()?;
        let known: Vec<&str> = known.iter().map(|stored| stored.name.as_str()).collect();
        Err(Failure::new(
            codes::TASK_UNKNOWN,
            Meaning::NotSent,
            format!("there is no task `{name}`"),
        )
        .hint(shape::suggest(name.as_str(), &known, "Tasks")))
    }

    pub(crate) fn tasks_that_use_connection(&self, connection: &Name) -> Result<Vec<String>, AppError> {
        let users = self.tasks_of_connection(connection)?;
        Ok(users.iter().map(|task| format!("task `{task}`")).collect())
    }

    /// The tasks that call a connection or tell somebody by it.
    pub(crate) fn tasks_of_connection(&self, connection: &Name) -> Result<Vec<Name>, AppError> {
        let mut users = Vec::new();
        for stored in self.store.tasks()? {
            let task = parse(&stored)?;
            let calls_it = task.flat_steps().iter().any(|step| {
                step.step
                    .call
                    .as_ref()
                    .is_some_and(|call| call.connection == *connection)
            });
            let tells_by_it = task
                .notify
                .as_ref()
                .and_then(|notify| notify.webhook.as_ref())
                .is_some_and(|webhook| webhook.connection == *connection);
            if calls_it || tells_by_it {
                users.push(stored.name.clone());
            }
        }
        Ok(users)
    }
}

/// What starts a task, in a word or two.
fn in_words(trigger: &Trigger) -> String {
    match (&trigger.schedule, &trigger.after) {
        (Some(schedule), _) => schedule.clone(),
        (None, Some(after)) => format!("after {}", after.task),
        (None, None) => triggers::summary(trigger).unwrap_or_else(|| "manual".to_owned()),
    }
}

/// The task in its stored text. It was checked when it was taken in; what could not be checked then (a
/// connection that is gone) shows when the step runs.
pub(crate) fn parse(stored: &StoredTask) -> Result<Task, Failure> {
    // Its meaning was checked with connections and databases at hand; here only its form counts.
    let (tasks, problems) = typed::<Task>(&stored.yaml);
    match (
        tasks.into_iter().next(),
        problems.iter().find(|problem| problem.is_error()),
    ) {
        (Some(typed), None) => Ok(typed.value),
        (_, problem) => Err(Failure::new(
            codes::TASK_FILE,
            Meaning::NotSent,
            format!("the stored task `{}` cannot be read by this version", stored.name),
        )
        .detail(problem.map(ToString::to_string).unwrap_or_default())
        .hint("Mend its file and take it in again with `tailorbird task apply`.")),
    }
}
