//! Checks of a service file that need to understand what is meant.

mod batch;

use std::collections::BTreeSet;

use url::Url;

use super::{Body, IdempotencyKey, InDoubtPolicy, Operation, Pagination, ParameterPlace, Service};
use crate::yaml::shape::suggest;
use crate::yaml::{Document, Problem, Typed, typed};

/// Reads service files: one service per YAML document, with all problems.
pub fn read(text: &str) -> (Vec<Typed<Service>>, Vec<Problem>) {
    let (services, mut problems) = typed::<Service>(text);
    for service in &services {
        problems.extend(check(service));
    }
    problems.sort_by_key(|problem| problem.position);
    (services, problems)
}

/// Placeholders of a path, in order: `/users/{id}` has `id`.
pub fn placeholders(path: &str) -> Vec<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect()
}

fn check(service: &Typed<Service>) -> Vec<Problem> {
    let mut checker = Checker {
        document: &service.document,
        problems: Vec::new(),
    };
    checker.service(&service.value);
    checker.problems
}

struct Checker<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn say(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .push(Problem::error(self.document.position(path), path, message).hint(hint));
    }

    fn service(&mut self, service: &Service) {
        if let Some(root) = &service.root_url {
            self.address("/root_url", root);
        }
        if let Some(oauth1) = &service.authentication.oauth1 {
            let addresses = [
                ("temporary_credentials_url", &oauth1.temporary_credentials_url),
                ("authorization_url", &oauth1.authorization_url),
                ("token_url", &oauth1.token_url),
            ];
            let mut seen = BTreeSet::new();
            for (name, address) in addresses {
                let Some(address) = address else { continue };
                let path = format!("/authentication/oauth1/{name}");
                self.address(&path, address);
                if !seen.insert(address) {
                    self.say(
                        &path,
                        format!("`{name}` is the same address as another OAuth step's"),
                        "The three steps have three addresses, for example …/request_token, …/authorize and …/access_token.",
                    );
                }
            }
        }
        for (name, operation) in &service.operations {
            self.operation(service, &format!("/operations/{name}"), operation);
        }
        for (index, family) in service.shared_limit_headers.iter().enumerate() {
            if !service.limit_headers.contains(family) {
                self.say(
                    &format!("/shared_limit_headers/{index}"),
                    format!("`{family}` is not among `limit_headers`"),
                    "Name in `limit_headers` every family that is read, and here those that count several operations together.",
                );
            }
        }
        if let Some(probe) = &service.account {
            match service.operations.get(&probe.operation) {
                None => self.unknown_operation(service, "/account/operation", probe.operation.as_str()),
                Some(operation) => {
                    for (field, column) in [("id", &probe.id), ("name", &probe.name)] {
                        self.column(operation, &format!("/account/{field}"), column);
                    }
                }
            }
        }
        for (index, limit) in service.limits.iter().enumerate() {
            if let Some(operation) = &limit.operation
                && !service.operations.contains_key(operation)
            {
                self.unknown_operation(service, &format!("/limits/{index}/operation"), operation.as_str());
            }
        }
        self.counted_items(service);
        for (index, rule) in service.errors.iter().enumerate() {
            if rule.status.is_none() && rule.code.is_none() && rule.contains.is_none() {
                self.say(
                    &format!("/errors/{index}"),
                    "this rule fits every refusal",
                    "Give at least one of `status`, `code` and `contains`.",
                );
            }
            if let Some(page) = &rule.page
                && crate::codes::page(page).is_none()
            {
                self.say(
                    &format!("/errors/{index}/page"),
                    format!("there is no page {page:?}"),
                    String::new(),
                );
            }
        }
    }

    fn address(&mut self, path: &str, address: &str) {
        let problem = match Url::parse(address) {
            Err(error) => format!("{address:?} is not an address: {error}"),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                format!("{}: is not http or https", url.scheme())
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "a user name or password in an address is not read".to_owned()
            }
            Ok(url) if url.fragment().is_some() => "an address here has no fragment (`#…`)".to_owned(),
            Ok(url) if path == "/root_url" && url.query().is_some() => {
                "the root URL has no query; give parameters to the operations".to_owned()
            }
            Ok(_) => return,
        };
        self.say(path, problem, "Write for example https://api.example.com/1.");
    }

    fn operation(&mut self, service: &Service, at: &str, operation: &Operation) {
        if operation.path.starts_with("http://") || operation.path.starts_with("https://") {
            self.address(&format!("{at}/path"), &operation.path.replace(['{', '}'], "_"));
        } else if !operation.path.starts_with('/') {
            self.say(
                &format!("{at}/path"),
                "the path does not begin with `/`",
                "Write for example /notes/{id}.",
            );
        }
        for name in placeholders(&operation.path) {
            if !operation.parameters.contains_key(name) {
                self.say(
                    &format!("{at}/path"),
                    format!("nothing fills the placeholder `{{{name}}}`"),
                    format!("Add a parameter `{name}: {{ in: path, required: true }}`."),
                );
            }
        }
        for (name, parameter) in &operation.parameters {
            if parameter.place == ParameterPlace::Path
                && !placeholders(&operation.path).contains(&name.as_str())
            {
                self.say(
                    &format!("{at}/parameters/{name}"),
                    format!("the path has no placeholder `{{{name}}}`"),
                    String::new(),
                );
            }
        }
        if let Some(body) = &operation.body {
            if operation.method.is_safe() {
                self.say(
                    &format!("{at}/body"),
                    format!("a {} request has no body", operation.method),
                    "Give `parameters` instead.",
                );
            }
            for (name, field) in body.fields() {
                if let Some(pointer) = &field.at {
                    self.pointer(&format!("{at}/body"), name, pointer);
                }
            }
        }
        self.idempotency_key(at, operation);
        self.batch(at, operation);
        self.result(at, operation);
        if let Some(InDoubtPolicy::LookUp(look_up)) = &operation.in_doubt {
            let path = format!("{at}/in_doubt/look_up");
            let Some(listing) = service.operations.get(&look_up.operation) else {
                self.unknown_operation(service, &format!("{path}/operation"), look_up.operation.as_str());
                return;
            };
            if !listing.method.is_safe() {
                self.say(
                    &format!("{path}/operation"),
                    "a look-up only reads",
                    "Name an operation with GET.",
                );
            }
            if look_up.matching.is_empty() {
                self.say(
                    &format!("{path}/match"),
                    "nothing to match by",
                    "Write for example `match: { text: text }`.",
                );
            }
            let fields: Vec<&str> = operation
                .body
                .iter()
                .flat_map(|body| body.fields().keys())
                .chain(operation.parameters.keys())
                .map(String::as_str)
                .collect();
            for (field, column) in &look_up.matching {
                if field.starts_with('/') {
                    if operation.batch.is_none() {
                        self.say(
                            &format!("{path}/match"),
                            format!("`{field}` is a place inside an item, and the operation has no `batch`"),
                            suggest(field, &fields, "It has"),
                        );
                    }
                } else if !fields.contains(&field.as_str()) {
                    self.say(
                        &format!("{path}/match/{field}"),
                        format!("the operation has no field `{field}`"),
                        suggest(field, &fields, "It has"),
                    );
                }
                let place = format!("{path}/match/{}", field.replace('~', "~0").replace('/', "~1"));
                self.column(listing, &place, column);
            }
            for column in look_up.created_at.iter().chain(&look_up.links) {
                self.column(listing, &path, column);
            }
        }
    }

    /// A field needs a body that it can be added to, and must not be one that a task fills.
    fn idempotency_key(&mut self, at: &str, operation: &Operation) {
        let Some(IdempotencyKey::Field(name)) = &operation.idempotency_key else {
            return;
        };
        let path = format!("{at}/idempotency_key/field");
        match &operation.body {
            Some(Body::Json(fields) | Body::Form(fields)) if fields.contains_key(name) => self.say(
                &path,
                format!("`{name}` is a field of the body, too"),
                "The key is made and added by the program; take the field out of `body`.",
            ),
            Some(Body::Json(_) | Body::Form(_)) => {}
            Some(Body::Multipart(_)) | None => self.say(
                &path,
                "there is no JSON or form body to put the key into",
                "Use `idempotency_key: { header: NAME }`, or give the operation a body.",
            ),
        }
    }

    fn result(&mut self, at: &str, operation: &Operation) {
        let Some(result) = &operation.result else {
            return;
        };
        let path = format!("{at}/result");
        match (&result.record, &result.records) {
            (Some(_), Some(_)) => self.say(
                &path,
                "both `record` and `records` are given",
                "Keep one of them.",
            ),
            (None, None) => self.say(
                &path,
                "neither `record` nor `records` is given",
                "Write a JSON Pointer, for example `record: /data`.",
            ),
            (Some(pointer), None) | (None, Some(pointer)) => self.pointer(&path, "record", pointer),
        }
        for (name, pointer) in &result.columns {
            self.pointer(&format!("{path}/columns/{name}"), name, pointer);
        }
        match &operation.pagination {
            Some(Pagination::Cursor { from, .. }) => self.pointer(&format!("{at}/pagination"), "from", from),
            Some(Pagination::DescendingId { column, .. }) => {
                self.column(operation, &format!("{at}/pagination"), column);
            }
            None => {}
        }
    }

    fn pointer(&mut self, path: &str, name: &str, pointer: &str) {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            self.say(
                path,
                format!("`{name}`: {pointer:?} is not a JSON Pointer"),
                "A JSON Pointer is empty or begins with `/`, for example /data/id (RFC 6901).",
            );
        }
    }

    /// Complains where a column is used that the operation's result does not name.
    fn column(&mut self, operation: &Operation, path: &str, column: &str) {
        let columns: Vec<&str> = operation
            .result
            .iter()
            .flat_map(|result| result.columns.keys())
            .map(String::as_str)
            .collect();
        if !columns.is_empty() && !columns.contains(&column) {
            self.say(
                path,
                format!("the result has no column `{column}`"),
                suggest(column, &columns, "It has"),
            );
        }
    }

    fn unknown_operation(&mut self, service: &Service, path: &str, name: &str) {
        let known: Vec<&str> = service.operations.keys().map(crate::Name::as_str).collect();
        self.say(
            path,
            format!("there is no operation `{name}`"),
            suggest(name, &known, "Operations"),
        );
    }
}
