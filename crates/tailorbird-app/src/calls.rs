//! One call over a connection.

mod tried;

use std::collections::BTreeMap;

use serde_json::json;
use tailorbird_connector as connector;
use tailorbird_connector::{Answer, RawCall, Request, Resolved};
use tailorbird_model::access::Right;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, Name, Value, codes};

use crate::actor::Act;
use crate::{App, AppError};

pub use tried::{MAX_TRIED_PAGES, MAX_TRIED_RECORDS, Tried};

/// What is called.
#[derive(Debug, Clone)]
pub enum CallTarget {
    /// An operation of the connection's service.
    Operation(Name),
    /// Any method and path below the root URL.
    Raw(Method, String),
}

/// A body as it is.
#[derive(Debug, Clone)]
pub struct CallBody {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The connection.
    pub connection: Name,
    /// What is called.
    pub target: CallTarget,
    /// Parameters, in order.
    pub parameters: Vec<(String, String)>,
    /// The body.
    pub body: Option<CallBody>,
}

/// What came back, secrets masked.
#[derive(Debug, Clone, Default)]
pub struct CallAnswer {
    /// The HTTP status; none where nothing came back.
    pub status: Option<u16>,
    /// The headers.
    pub headers: serde_json::Value,
    /// The body: JSON where it is JSON, else text.
    pub body: serde_json::Value,
    /// Why it is a failure, where it is one.
    pub failure: Option<Failure>,
    /// What a person should know of the answer: a corrected clock, a body that was cut.
    pub notes: Vec<String>,
}

impl App {
    /// Sends one call.
    ///
    /// # Errors
    /// Where the request cannot be built; what came back, or did not, is in the answer.
    pub async fn call(&self, call: &Call) -> Result<CallAnswer, AppError> {
        self.actor().need(Right::Design)?;
        let (resolved, credentials, _) = self.usable(&call.connection)?;
        let request = build(&resolved, call)?;
        // Before it is sent: what left this machine is never without its line.
        self.note(Act::CALL_MADE, &call.connection, told(&call.target))
            .await?;
        let answer = match self.connector.send(&resolved, &credentials, &request).await {
            Ok(answer) => answer,
            Err(failure) => return Ok(unanswered(failure)),
        };
        Ok(answered(&resolved, &request, &answer))
    }

    /// The request that would be sent, secrets masked; nothing is sent.
    ///
    /// # Errors
    /// Where the request cannot be built or signed.
    pub fn call_dry_run(&self, call: &Call) -> Result<serde_json::Value, AppError> {
        let (request, resolved, credentials) = self.prepared(call)?;
        let signed = self.connector.preview(&resolved, &credentials, &request)?;
        serde_json::to_value(signed).map_err(|error| {
            Failure::new(
                codes::INTERNAL,
                Meaning::NotSent,
                format!("the request cannot be shown: {error}"),
            )
            .into()
        })
    }

    /// The request as a curl command, secrets masked; nothing is sent.
    ///
    /// # Errors
    /// As [`App::call_dry_run`].
    pub fn call_as_curl(&self, call: &Call) -> Result<String, AppError> {
        let (request, resolved, credentials) = self.prepared(call)?;
        Ok(self
            .connector
            .preview(&resolved, &credentials, &request)?
            .as_curl())
    }

    fn prepared(&self, call: &Call) -> Result<(Request, Resolved, Credentials), AppError> {
        let (resolved, credentials, _) = self.resolved(&call.connection)?;
        Ok((build(&resolved, call)?, resolved, credentials))
    }
}

/// What is called, without parameters and body.
fn told(target: &CallTarget) -> String {
    match target {
        CallTarget::Operation(operation) => operation.to_string(),
        CallTarget::Raw(method, path) => {
            let path = path.split_once('?').map_or(path.as_str(), |(path, _)| path);
            format!("{} {path}", method.as_str())
        }
    }
}

/// What came of a request that got no answer.
fn unanswered(failure: Failure) -> CallAnswer {
    CallAnswer {
        status: failure.status,
        headers: json!({}),
        failure: Some(failure),
        ..CallAnswer::default()
    }
}

/// An answer, judged and masked.
fn answered(resolved: &Resolved, request: &Request, answer: &Answer) -> CallAnswer {
    let failure = connector::judge(resolved, request, answer).err();
    let headers: serde_json::Map<String, serde_json::Value> = answer
        .masked_headers()
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let text = answer.masked_body();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
    let mut notes = answer.notes.clone();
    if let Some(why) = &answer.cut {
        notes.push(format!("The answer's body is not whole: {why}"));
    }
    CallAnswer {
        status: Some(answer.status),
        headers: headers.into(),
        body,
        failure,
        notes,
    }
}

fn build(resolved: &Resolved, call: &Call) -> Result<Request, Failure> {
    match (&call.target, &call.body) {
        (CallTarget::Operation(operation), None) => {
            let mut arguments = BTreeMap::new();
            for (name, value) in &call.parameters {
                arguments.insert(name.clone(), Value::from(value.as_str()));
            }
            connector::build(resolved, operation.as_str(), &arguments)
        }
        (CallTarget::Operation(operation), Some(body)) => {
            let known = resolved.operation(operation.as_str())?;
            let raw = RawCall {
                path: &known.path,
                parameters: &call.parameters,
                body: Some(&body.bytes),
                content_type: Some(&body.content_type),
            };
            connector::build_raw(resolved, known.method, &raw)
        }
        (CallTarget::Raw(method, path), body) => {
            let raw = RawCall {
                path,
                parameters: &call.parameters,
                body: body.as_ref().map(|body| body.bytes.as_slice()),
                content_type: body.as_ref().map(|body| body.content_type.as_str()),
            };
            connector::build_raw(resolved, *method, &raw)
        }
    }
}
