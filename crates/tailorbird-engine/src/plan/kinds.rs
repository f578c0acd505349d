//! The kinds of steps, each made ready to run.

use std::collections::BTreeMap;

use tailorbird_model::Name;
use tailorbird_model::expression::{Expressions, Template};
use tailorbird_model::service::Span;
use tailorbird_model::task::trigger::Trigger;
use tailorbird_model::task::{ApproveStep, CallStep, CallTaskStep, FilterStep, QueryStep, WriteStep};

use crate::seen::Keeps;

/// A query made ready to run.
#[derive(Debug)]
pub struct QueryPlan {
    pub(crate) id: Name,
    /// The `for_each` step around it, for each of whose records it is run.
    pub(crate) source: Option<Name>,
    pub(crate) step: QueryStep,
    pub(crate) expressions: Expressions,
    pub(crate) parameters: BTreeMap<String, Template>,
}

/// A call made ready to run.
#[derive(Debug)]
pub struct CallPlan {
    pub(crate) id: Name,
    /// The step for each of whose records it is made: `for_each`, or else the `for_each` step around it.
    pub(crate) source: Option<Name>,
    /// The names of the records around it, which its deliveries keep.
    pub(crate) outer: Vec<String>,
    /// What it and the steps behind it read beside the record's columns; stored with each record.
    pub(crate) keeps: Keeps,
    pub(crate) step: CallStep,
    pub(crate) expressions: Expressions,
    pub(crate) key: Option<Template>,
    pub(crate) when: Option<Template>,
    pub(crate) parameters: BTreeMap<String, Template>,
}

/// A write made ready to run.
#[derive(Debug)]
pub struct WritePlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    pub(crate) step: WriteStep,
    pub(crate) expressions: Expressions,
    pub(crate) columns: BTreeMap<String, Template>,
}

/// A transformation made ready to run.
#[derive(Debug)]
pub struct TransformPlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    pub(crate) keep: bool,
    pub(crate) expressions: Expressions,
    pub(crate) columns: BTreeMap<String, Template>,
}

/// A filter made ready to run.
#[derive(Debug)]
pub struct FilterPlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    pub(crate) step: FilterStep,
    pub(crate) expressions: Expressions,
    pub(crate) when: Option<Template>,
    pub(crate) key: Option<Template>,
}

/// A decision made ready to run.
#[derive(Debug)]
pub struct DecidePlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    pub(crate) expressions: Expressions,
    /// The branches by the names under which later steps take them.
    pub(crate) branches: Vec<(Name, Option<Template>)>,
}

/// A wait made ready to run.
#[derive(Debug)]
pub struct WaitPlan {
    pub(crate) id: Name,
    pub(crate) length: Option<Span>,
    pub(crate) until: Option<Template>,
    pub(crate) expressions: Expressions,
}

/// A setting of variables made ready to run.
#[derive(Debug)]
pub struct SetPlan {
    pub(crate) id: Name,
    pub(crate) source: Option<Name>,
    pub(crate) expressions: Expressions,
    pub(crate) variables: BTreeMap<String, Template>,
}

/// An approval made ready to run.
#[derive(Debug)]
pub struct ApprovePlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    /// The names of the records around it, which its questions keep.
    pub(crate) outer: Vec<String>,
    /// What it and the steps behind it read beside the record's columns; stored with each record.
    pub(crate) keeps: Keeps,
    pub(crate) step: ApproveStep,
    pub(crate) expressions: Expressions,
    pub(crate) key: Template,
    pub(crate) show: Option<Template>,
}

/// A call of another task made ready to run.
#[derive(Debug)]
pub struct CallTaskPlan {
    pub(crate) id: Name,
    pub(crate) source: Option<Name>,
    /// The names of the records around it, which its calls keep.
    pub(crate) outer: Vec<String>,
    /// What it and the steps behind it read beside the record's columns; stored with each record.
    pub(crate) keeps: Keeps,
    pub(crate) step: CallTaskStep,
    pub(crate) expressions: Expressions,
    pub(crate) key: Option<Template>,
    pub(crate) variables: BTreeMap<String, Template>,
}

/// A loop made ready to run; the steps inside it stand behind it in the plan.
#[derive(Debug)]
pub struct ForEachPlan {
    pub(crate) id: Name,
    pub(crate) source: Name,
    /// The name under which the steps inside see the record.
    pub(crate) name: String,
}

/// What fired the run, made ready to be handed on.
#[derive(Debug)]
pub struct TriggerPlan {
    pub(crate) id: Name,
    pub(crate) trigger: Trigger,
}
