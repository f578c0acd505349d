//! The shipped service files.

use tailorbird_connector::{argument_names, build, look_up_of};
use tailorbird_model::service::{Field, FieldType};
use tailorbird_model::{Meaning, Value, codes};

use crate::fixtures::{arguments, resolved, shipped};

const SHIPPED: [&str; 4] = ["x", "x-1.1", "generic-oauth1", "webhook"];

#[test]
fn every_shipped_file_is_without_a_problem() {
    for name in SHIPPED {
        assert_eq!(shipped(name).service.as_str(), name);
    }
}

/// A value of a type, for calling every operation once.
fn sample(field: &Field) -> Value {
    if let Some(word) = field.values.keys().next() {
        return word.as_str().into();
    }
    match field.kind {
        FieldType::Text | FieldType::List => "7".into(),
        FieldType::Integer => 7.into(),
        FieldType::Decimal => Value::Decimal("1.50".parse().unwrap()),
        FieldType::Boolean => true.into(),
        FieldType::Timestamp => "2026-01-31T09:00:00Z".into(),
        FieldType::Json => "[1]".into(),
        FieldType::Bytes => Value::Bytes(vec![1, 2, 3]),
    }
}

#[test]
fn every_operation_builds_a_request_below_its_root() {
    for name in SHIPPED {
        let service = shipped(name);
        let here = resolved(&service, &[("root_url", "http://127.0.0.1:7081")]);
        for (operation_name, operation) in &service.operations {
            let mut values = Vec::new();
            for argument in argument_names(operation) {
                let field = operation
                    .body
                    .as_ref()
                    .and_then(|body| body.fields().get(argument))
                    .cloned();
                let field = field.unwrap_or_else(|| Field {
                    kind: operation
                        .parameters
                        .get(argument)
                        .map(|parameter| parameter.kind)
                        .unwrap_or_default(),
                    ..Field::default()
                });
                values.push((argument, sample(&field)));
            }
            let request = build(&here, operation_name.as_str(), &arguments(&values)).unwrap();
            assert!(
                request.url.starts_with("http://127.0.0.1:7081/"),
                "{}",
                request.url
            );
            assert!(!request.url.contains(['{', '}']), "{}", request.url);
        }
    }
}

#[test]
fn writes_that_would_show_twice_are_looked_up_or_asked_about() {
    for name in ["x", "x-1.1"] {
        let service = shipped(name);
        let policy = |operation: &str| {
            let (_, operation) = service
                .operations
                .iter()
                .find(|(key, _)| key.as_str() == operation)
                .unwrap();
            operation.clone()
        };
        let look_up = look_up_of(&policy("create_post")).unwrap();
        assert_eq!(look_up.operation.as_str(), "list_own_posts");
        assert!(look_up_of(&policy("send_direct_message")).is_none());
    }
}

#[test]
fn every_rule_names_what_to_do_and_a_page_that_fits_its_meaning() {
    for name in SHIPPED {
        for rule in shipped(name).errors {
            let page = rule.page.as_deref().unwrap();
            assert!(codes::page(page).is_some(), "{page}");
            assert!(rule.hint.ends_with('.'), "{rule:?}");
            let fits = match rule.means {
                Meaning::Duplicate => page == codes::DUPLICATE,
                Meaning::RetryLater => page == codes::RATE_LIMITED,
                Meaning::Rejected => page == codes::REJECTED || page == codes::TEXT_TOO_LONG,
                Meaning::ConnectionFault => page != codes::DUPLICATE && page != codes::RATE_LIMITED,
                _ => false,
            };
            assert!(fits, "{rule:?}");
        }
    }
}
