//! A task: a trigger and steps; the types behind a task file.
//!
//! Field documentation here is written for users: it becomes the reference and the JSON Schema.

pub mod approve;
pub mod call_task;
pub mod check;
pub mod decide;
pub mod fields;
pub mod filter;
mod flat;
pub mod for_each;
pub mod notify;
pub mod stop;
pub mod transform;
pub mod trigger;
pub mod typed;
pub mod variable;
pub mod wait;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use approve::ApproveStep;
pub use call_task::{CallTaskStep, MAX_CALL_DEPTH};
pub use decide::{Branch, DecideStep};
pub use filter::{FilterStep, Only};
pub use flat::FlatStep;
pub use for_each::{ForEachStep, MAX_NESTING};
pub use notify::{Notify, NotifyMail, NotifyOn, NotifyWebhook};
pub use stop::{LEAST_FOR_SHARE, Share, StopAfter};
pub use transform::TransformStep;
pub use trigger::Trigger;
pub use variable::{SetStep, Variable, VariableScope};
pub use wait::WaitStep;

use crate::Name;
use crate::service::Span;

/// A task: a trigger and steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name.
    pub task: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name it had before, so that what was sent stays sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<Name>,
    /// What starts a run.
    #[serde(default)]
    pub trigger: Trigger,
    /// Values that steps set and all expressions read as `{{ variables.NAME }}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Variable>,
    /// Whom the task tells when something needs a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// When a run stops sending because too much is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopAfter>,
    /// What a run does, in order; at least one step.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
}

/// One stage of a task: a name and exactly one kind of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, unique in the task; later steps refer to it.
    pub id: Name,
    /// The name it had before, so that what was sent stays sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<Name>,
    /// Reads rows from a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryStep>,
    /// Calls an operation, once or for each record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallStep>,
    /// Writes records to a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<WriteStep>,
    /// Gives records new columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<TransformStep>,
    /// Lets only some records go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterStep>,
    /// Sends each record down one of several branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide: Option<DecideStep>,
    /// Changes variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetStep>,
    /// Does steps for each record of another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEachStep>,
    /// Holds records until a person releases them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<ApproveStep>,
    /// Runs another task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_task: Option<CallTaskStep>,
    /// Waits for a length of time, or until a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<WaitStep>,
}

impl Step {
    /// The words that name a kind.
    pub const KINDS: &[&str] = &[
        "query",
        "call",
        "write",
        "transform",
        "filter",
        "decide",
        "set",
        "for_each",
        "approve",
        "call_task",
        "wait",
    ];

    /// The kinds that the step was given; exactly one is right.
    pub fn kinds(&self) -> Vec<&'static str> {
        [
            self.query.is_some(),
            self.call.is_some(),
            self.write.is_some(),
            self.transform.is_some(),
            self.filter.is_some(),
            self.decide.is_some(),
            self.set.is_some(),
            self.for_each.is_some(),
            self.approve.is_some(),
            self.call_task.is_some(),
            self.wait.is_some(),
        ]
        .into_iter()
        .zip(Self::KINDS)
        .filter_map(|(is_given, kind)| is_given.then_some(*kind))
        .collect()
    }
}

/// Reads rows from a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryStep {
    /// The database.
    pub database: Name,
    /// One SELECT statement. It is no template; values go in as `:named` parameters.
    pub sql: String,
    /// Values of the `:named` parameters: literals or expressions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Reads only rows that are new since the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<QueryCursor>,
}

/// Remembers how far a query has read. The statement uses it as `:cursor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryCursor {
    /// The column that grows at the moment a row becomes due, and is unique.
    pub column: String,
    /// The value before the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<serde_json::Value>,
    /// How much is read again to catch late commits: a number of ids, or a length of time for timestamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
}

/// How much a cursor reads again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Overlap {
    /// So many ids.
    Ids(u32),
    /// So much time.
    Time(Span),
}

/// Calls an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallStep {
    /// The connection.
    pub connection: Name,
    /// The operation of its service.
    pub operation: Name,
    /// The step whose records are sent one by one. Where absent, the operation is called once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<Name>,
    /// The key of a record: it is delivered once per key, whatever happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which records are due: an expression that yields true or false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The operation's parameters and fields: literals, or texts with expressions. A text that is one
    /// expression keeps its type.
    #[serde(default, rename = "with", skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Packs so many records into one request, where the operation takes a list. The list's parameter in `with` is
    /// then one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub batch: Option<u32>,
    /// How many pages to read: a number, or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
    /// Reads only what is new since the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<CallCursor>,
}

/// How many pages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Pages {
    /// So many; positive.
    Count(u32),
    /// All, up to the limit of 10,000 pages.
    All(AllPages),
}

/// The word `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllPages {
    /// All pages.
    All,
}

/// Remembers the greatest value of a result column and sends it with the next run's call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallCursor {
    /// The result column that grows, for example `id`.
    pub result: String,
    /// The parameter that asks for what is newer, for example `since_id`.
    pub parameter: String,
    /// The value before the first run; the parameter is left out where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

/// Writes records to a table: updates the row with that key, or inserts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteStep {
    /// The database; it must be writable.
    pub database: Name,
    /// The table.
    pub table: String,
    /// The step whose records are written.
    pub from: Name,
    /// The columns that identify a row.
    #[schemars(length(min = 1))]
    pub key: Vec<String>,
    /// The table's columns, each a literal or a text with expressions. Where absent, each column of the
    /// record is written to the column of the same name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, serde_json::Value>,
}
