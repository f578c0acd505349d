//! The form of an operation, from what its service file says, and the call that is made of it.

use tailorbird_app::{AppError, Call, CallBody, CallTarget, MAX_TRIED_PAGES};
use tailorbird_model::service::{Field as BodyField, FieldType, Method, Operation, Parameter, Service};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::web::fields::{Field, Kind};
use crate::web::form::Form;

/// What the names of parameter fields begin with.
const PARAMETER: &str = "p.";

/// So many fields that need not be given are shown all the same, where there are no others.
const FEW: usize = 4;

/// What stands for a call by method and path.
pub(super) const RAW: &str = "*";

/// An operation to choose.
pub(super) struct OperationChoice {
    pub name: String,
    pub words: String,
    pub is_chosen: bool,
}

/// The form of what is tried.
pub(super) struct Pane {
    pub operation: String,
    pub title: String,
    pub description: String,
    pub docs: Option<String>,
    pub line: String,
    pub changes: bool,
    pub fields: Vec<Field>,
    pub pages: Option<Field>,
    /// What need not be given, folded away.
    pub more: Vec<Field>,
    /// Whether some of it is given.
    pub is_open: bool,
}

pub(super) fn choices(service: &Service, chosen: &str) -> Vec<OperationChoice> {
    let known = service
        .operations
        .iter()
        .map(|(name, operation)| OperationChoice {
            words: if operation.title.is_empty() {
                name.to_string()
            } else {
                format!("{name}: {}", operation.title)
            },
            is_chosen: name.as_str() == chosen,
            name: name.to_string(),
        });
    let raw = OperationChoice {
        name: RAW.to_owned(),
        words: "any method and path".to_owned(),
        is_chosen: chosen == RAW,
    };
    known.chain([raw]).collect()
}

impl Pane {
    /// Puts a problem beside the parameter that its words name; gives it back where they name none.
    pub(super) fn refuse(&mut self, message: &str, words: String) -> Option<String> {
        let named = |field: &&mut Field| {
            let plain = field.name.strip_prefix(PARAMETER).unwrap_or(&field.name);
            message.contains(&format!("\"{plain}\""))
        };
        match self.fields.iter_mut().chain(&mut self.more).find(named) {
            Some(field) => {
                self.is_open |= field.is_optional;
                field.error = Some(words);
                None
            }
            None => Some(words),
        }
    }
}

/// The form of an operation with what was typed; none where no operation is chosen.
pub(super) fn pane_of(service: &Service, chosen: &str, form: Option<&Form>) -> Option<Pane> {
    if chosen == RAW {
        return Some(raw_pane(form));
    }
    let (name, operation) = service
        .operations
        .iter()
        .find(|(name, _)| name.as_str() == chosen)?;
    let parameters = operation.parameters.iter();
    let mut fields: Vec<Field> = parameters
        .map(|(name, parameter)| parameter_field(name, parameter))
        .collect();
    if let Some(body) = &operation.body {
        fields.extend(body.fields().iter().map(|(name, field)| body_field(name, field)));
    }
    for field in &mut fields {
        let typed = form
            .and_then(|form| form.raw(&field.name))
            .unwrap_or_default()
            .to_owned();
        *field = field.clone().with(typed);
    }
    let (mut more, mut fields): (Vec<Field>, Vec<Field>) =
        fields.into_iter().partition(|field| field.is_optional);
    if fields.is_empty() && more.len() <= FEW {
        std::mem::swap(&mut fields, &mut more);
    }
    if let Some(first) = fields.first_mut() {
        first.has_focus = true;
    }
    Some(Pane {
        operation: name.to_string(),
        title: operation.title.clone(),
        description: operation.description.clone(),
        docs: operation.docs.clone(),
        line: format!("{} {}", operation.method, operation.path),
        changes: !operation.method.is_safe(),
        is_open: more.iter().any(|field| !field.value.is_empty()),
        fields,
        more,
        pages: operation.pagination.as_ref().map(|_| pages_field(form)),
    })
}

fn raw_pane(form: Option<&Form>) -> Pane {
    let given = |name: &str| {
        form.and_then(|form| form.raw(name))
            .unwrap_or_default()
            .to_owned()
    };
    let method = match given("method") {
        text if text.is_empty() => "GET".to_owned(),
        text => text,
    };
    Pane {
        operation: RAW.to_owned(),
        title: "Any method and path".to_owned(),
        description: "Calls any path below the root URL, signed as every other call.".to_owned(),
        docs: None,
        line: String::new(),
        changes: method.parse::<Method>().is_ok_and(|method| !method.is_safe()),
        fields: vec![
            Field::new(Kind::Choice, "method", "Method", "")
                .with(method)
                .choices(Method::ALL.map(|method| (method.as_str(), method.as_str()))),
            Field::new(
                Kind::Data,
                "path",
                "Path",
                "Below the root URL, with its query, for example `/items?page=2`.",
            )
            .with(given("path"))
            .placeholder("/")
            .focused(),
            Field::new(Kind::LongData, "body", "Body", "As it is sent.")
                .with(given("body"))
                .optional(),
            Field::new(Kind::Data, "content_type", "Content type of the body", "")
                .with(given("content_type"))
                .placeholder("application/json")
                .optional(),
        ],
        pages: None,
        more: Vec::new(),
        is_open: false,
    }
}

fn pages_field(form: Option<&Form>) -> Field {
    let given = form
        .map(|form| form.get("pages").to_owned())
        .filter(|text| !text.is_empty());
    Field::new(
        Kind::Choice,
        "pages",
        "Pages",
        "How many pages are read, one request each.",
    )
    .with(given.unwrap_or_else(|| "1".to_owned()))
    .choices((1..=MAX_TRIED_PAGES).map(|number| (number.to_string(), number.to_string())))
}

fn parameter_field(name: &str, parameter: &Parameter) -> Field {
    let own = if parameter.account_id {
        " The account's own id where it is empty."
    } else {
        ""
    };
    let hint = format!("{}{own}", parameter.description);
    let field = typed(name, parameter.kind, hint.trim(), parameter.default.as_ref());
    if parameter.required {
        field
    } else {
        field.optional()
    }
}

fn body_field(name: &str, field: &BodyField) -> Field {
    let mut made = typed(name, field.kind, &field.description, field.default.as_ref());
    if !field.values.is_empty() {
        let none = (String::new(), "(not given)".to_owned());
        let values = field
            .values
            .iter()
            .map(|(value, means)| (value.clone(), format!("{value}: {means}")));
        made = made.choices(std::iter::once(none).chain(values));
    } else if field.kind == FieldType::Text && (field.length.is_some() || field.max_length.is_some()) {
        made.kind = Kind::Long;
    }
    if field.required { made } else { made.optional() }
}

fn typed(name: &str, kind: FieldType, description: &str, default: Option<&serde_json::Value>) -> Field {
    let (drawn, form) = match kind {
        FieldType::Text => (Kind::Data, ""),
        FieldType::Integer => (Kind::Data, "A whole number."),
        FieldType::Decimal => (Kind::Data, "A decimal number."),
        FieldType::Boolean => (Kind::Choice, ""),
        FieldType::Timestamp => (Kind::Data, "A point in time such as `2026-01-31T09:00:00Z`."),
        FieldType::Json => (Kind::LongData, "JSON."),
        FieldType::List => (Kind::LongData, "A JSON list, or one item."),
        FieldType::Bytes => (Kind::LongData, "A text; its bytes are sent."),
    };
    let hint = [description, form].join(" ");
    let mut field = Field::new(drawn, &format!("{PARAMETER}{name}"), name, hint.trim());
    if kind == FieldType::Boolean {
        field = field.choices([("", "(not given)"), ("true", "true"), ("false", "false")]);
    }
    match default {
        Some(serde_json::Value::String(text)) => field.placeholder(text.clone()),
        Some(other) => field.placeholder(other.to_string()),
        None => field,
    }
}

/// The call that a form describes.
pub(super) fn call_of(connection: &Name, service: &Service, form: &Form) -> Result<Call, AppError> {
    let chosen = form.get("operation");
    if chosen == RAW {
        return raw_call(connection, form);
    }
    let name: Option<&Name> = service.operations.keys().find(|name| name.as_str() == chosen);
    let name = name.ok_or_else(|| {
        let message = format!("the service has no operation {chosen:?}");
        AppError::usage(Failure::new(
            codes::OPERATION_UNKNOWN,
            Meaning::ConnectionFault,
            message,
        ))
    })?;
    let operation = service.operations.get(name);
    // An empty field is one that was not given.
    let parameters = form
        .beginning(PARAMETER)
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (name.to_owned(), lines_of(operation, name, value)))
        .collect();
    Ok(Call {
        connection: connection.clone(),
        target: CallTarget::Operation(name.clone()),
        parameters,
        body: None,
    })
}

/// A text as it was typed: a browser ends lines with CR LF, people mean a new line. All else is trimmed.
fn lines_of(operation: Option<&Operation>, name: &str, value: &str) -> String {
    let body = operation.and_then(|operation| operation.body.as_ref());
    let is_text = body
        .and_then(|body| body.fields().get(name))
        .is_some_and(|field| field.kind == FieldType::Text);
    let value = value.replace("\r\n", "\n");
    if is_text { value } else { value.trim().to_owned() }
}

fn raw_call(connection: &Name, form: &Form) -> Result<Call, AppError> {
    let method: Method =
        form.get("method")
            .parse()
            .map_err(|error: tailorbird_model::service::UnknownMethod| {
                AppError::usage(Failure::new(
                    codes::PARAMETER,
                    Meaning::Rejected,
                    error.to_string(),
                ))
            })?;
    let body = form.raw("body").filter(|body| !body.trim().is_empty());
    let content_type = match form.get("content_type") {
        "" => "application/json",
        given => given,
    };
    Ok(Call {
        connection: connection.clone(),
        target: CallTarget::Raw(method, form.get("path").to_owned()),
        parameters: Vec::new(),
        body: body.map(|body| CallBody {
            content_type: content_type.to_owned(),
            bytes: body.replace("\r\n", "\n").into_bytes(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        let yaml = "service: s\ntitle: S\nroot_url: https://s.example\noperations:\n  post:\n    method: POST\n    path: \
                    /items/{shelf}\n    parameters: { shelf: { in: path, required: true }, note: { default: none } }\n    body: { json: { text: { required: true, \
                    max_length: 9 }, is_new: { type: boolean }, colour: { values: { red: warm } } } }\n";
        let (mut services, problems) = tailorbird_model::service::check::read(yaml);
        assert!(problems.is_empty(), "{problems:#?}");
        services.remove(0).value
    }

    #[test]
    fn a_form_asks_for_what_the_operation_takes_and_becomes_its_call() {
        let service = service();
        let form = Form::sent(b"operation=post&p.text=a%0D%0Ab&p.shelf=+top+&p.note=&p.is_new=true");
        let pane = pane_of(&service, "post", Some(&form)).unwrap();
        let names: Vec<&str> = pane.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["p.shelf", "p.text"]);
        assert!(pane.changes && pane.is_open && pane.fields[0].has_focus);
        let all = || pane.fields.iter().chain(&pane.more);
        let of = |name: &str| all().find(|field| field.name == name).unwrap();
        assert!(
            of("p.text").is("long") && of("p.colour").is("choice") && of("p.is_new").choices[1].is_chosen
        );
        assert_eq!(of("p.note").placeholder, "none");
        let call = call_of(&"c".parse().unwrap(), &service, &form).unwrap();
        let text = |name: &str| {
            call.parameters
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, text)| text.as_str())
        };
        assert_eq!(
            (text("text"), text("shelf"), text("note")),
            (Some("a\nb"), Some("top"), None)
        );
    }

    #[test]
    fn a_problem_stands_beside_the_parameter_that_it_names() {
        let mut pane = pane_of(&service(), "post", None).unwrap();
        assert_eq!(
            pane.refuse("operation \"post\" needs \"text\"", "no".to_owned()),
            None
        );
        assert!(
            pane.fields
                .iter()
                .any(|field| field.name == "p.text" && field.error.is_some())
        );
        assert_eq!(
            pane.refuse("something else", "no".to_owned()).as_deref(),
            Some("no")
        );
    }
}
