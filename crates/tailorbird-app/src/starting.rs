//! Starting a run by hand with values for the variables of its own.

use std::collections::BTreeMap;

use serde_json::Value;
use tailorbird_model::run::{Run, RunInput};
use tailorbird_model::task::{Task, VariableScope};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::{App, AppError};

/// A variable that a person may give a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunVariable {
    /// Its name.
    pub name: String,
    /// What it is where nothing is given.
    pub value: Value,
}

impl RunVariable {
    /// What fits, in words.
    pub fn takes(&self) -> &'static str {
        match self.value {
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a whole number",
            Value::Array(_) | Value::Object(_) => "JSON",
            Value::Null | Value::String(_) => "a text",
        }
    }

    /// The value of a typed text; nothing where the text is the value that it has anyway.
    fn value_of(&self, text: &str) -> Result<Option<Value>, String> {
        let value = match &self.value {
            Value::Bool(_) => match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err("It is true or false.".to_owned()),
            },
            // Amounts are kept as texts, so a number here is a count or an id.
            Value::Number(_) => match text.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => return Err("It is a whole number, such as 100.".to_owned()),
            },
            Value::Array(_) | Value::Object(_) => {
                serde_json::from_str(text).map_err(|error| format!("It is JSON: {error}."))?
            }
            Value::Null if text.is_empty() => Value::Null,
            Value::Null | Value::String(_) => Value::String(text.to_owned()),
        };
        Ok(Some(value).filter(|value| *value != self.value))
    }
}

/// A value that does not fit its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongValue {
    /// The variable.
    pub name: String,
    /// Why it does not fit, and what does.
    pub why: String,
}

fn of(task: &Task) -> Vec<RunVariable> {
    task.variables
        .iter()
        .filter(|(_, variable)| variable.scope == VariableScope::Run)
        .map(|(name, variable)| RunVariable {
            name: name.clone(),
            value: variable.value.clone(),
        })
        .collect()
}

impl App {
    /// The variables of a task that one run may be given: those of scope `run`.
    ///
    /// # Errors
    /// TASK-001 where there is no such task.
    pub fn run_variables(&self, name: &Name) -> Result<Vec<RunVariable>, AppError> {
        Ok(of(&self.task(name)?.0))
    }

    /// Opens a run with values for variables, for whoever drives this home. What is not given is as the task says.
    ///
    /// # Errors
    /// TASK-001 where there is no such task. The inner error names each value that does not fit; nothing is opened then.
    pub async fn start_run(
        &self,
        name: &Name,
        given: &[(String, String)],
    ) -> Result<Result<Run, Vec<WrongValue>>, AppError> {
        let known = self.run_variables(name)?;
        let (mut values, mut wrong) = (BTreeMap::new(), Vec::new());
        for (variable, text) in given {
            let Some(known) = known.iter().find(|known| known.name == *variable) else {
                let message = format!("the task `{name}` has no run variable `{variable}`");
                return Err(Failure::new(codes::REQUEST_REFUSED, Meaning::NotSent, message).into());
            };
            match known.value_of(text) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    values.insert(variable.clone(), value);
                }
                Err(why) => wrong.push(WrongValue {
                    name: variable.clone(),
                    why,
                }),
            }
        }
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let input = RunInput {
            variables: values,
            ..RunInput::manual()
        };
        Ok(Ok(self.open_run(name, input).await?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value, text: &str) -> Result<Option<Value>, String> {
        let name = "one".to_owned();
        RunVariable { name, value }.value_of(text)
    }

    #[test]
    fn a_typed_text_becomes_a_value_of_the_variables_type() {
        assert_eq!(read(json!(1), "25"), Ok(Some(json!(25))));
        assert_eq!(read(json!(25), "25"), Ok(None), "as it is anyway");
        assert!(read(json!(1), "2.5").is_err());
        assert!(read(json!(1), "").is_err());
        assert_eq!(read(json!(true), "false"), Ok(Some(json!(false))));
        assert!(read(json!(true), "no").is_err());
        assert_eq!(read(json!("a"), "25"), Ok(Some(json!("25"))));
        assert_eq!(read(json!(null), ""), Ok(None));
        assert_eq!(read(json!([]), "[1]"), Ok(Some(json!([1]))));
        assert!(read(json!([]), "[1").is_err());
    }
}
