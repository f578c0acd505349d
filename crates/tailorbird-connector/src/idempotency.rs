//! The idempotency key of a request: where it stands, and whether it is there.
//!
//! It is put into the request before that is stored, so every attempt sends the same key (never-twice rule 10).

use sha2::{Digest as _, Sha256};
use tailorbird_model::service::{IdempotencyKey, Operation};

use crate::pack::{Piece, items};
use crate::request::{Request, RequestBody, hex};

/// Digits of a key: 128 bits of a digest. Providers take at least 32 characters.
const KEY_DIGITS: usize = 32;

/// Puts the key of a delivery into a request, where its operation takes one.
///
/// `identity` names the delivery. The key is made of it and of the content: the same delivery has the same key at
/// each attempt, and one that was refused and changed has another, because providers answer a known key with what
/// they answered before.
pub fn with_idempotency_key(operation: &Operation, mut request: Request, identity: &[&str]) -> Request {
    let Some(place) = &operation.idempotency_key else {
        return request;
    };
    let mut hasher = Sha256::new();
    for part in identity.iter().copied().chain([request.fingerprint().as_str()]) {
        // The length in front keeps neighbours apart.
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let key: String = hex(&hasher.finalize()).chars().take(KEY_DIGITS).collect();
    match place {
        IdempotencyKey::Header(name) => {
            request
                .headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            request.headers.push((name.clone(), key));
        }
        IdempotencyKey::Field(name) => match &mut request.body {
            RequestBody::Json(text) => put_into_json(text, name, &key),
            RequestBody::Form(pairs) => {
                pairs.retain(|(known, _)| known != name);
                pairs.push((name.clone(), key));
            }
            // The service file's check lets a field stand only with a JSON or form body.
            RequestBody::None | RequestBody::Multipart(_) | RequestBody::Raw { .. } => {}
        },
        // A list that a record brought whole has no item of its own, so no key; its doubt is for a person.
        IdempotencyKey::Item(name) => {
            if let Some(piece) = Piece::of(operation, &request) {
                let mut item = piece.item().to_owned();
                put_into_json(&mut item, name, &key);
                request = piece.with_item(item);
            }
        }
    }
    request
}

/// Tells whether a request carries the key that its operation takes. One that was stored before the service file
/// named a key does not, and must not be repeated on the strength of it.
pub fn carries_idempotency_key(operation: &Operation, request: &Request) -> bool {
    match &operation.idempotency_key {
        None => false,
        Some(IdempotencyKey::Header(name)) => request
            .headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name)),
        Some(IdempotencyKey::Field(name)) => match &request.body {
            RequestBody::Json(text) => serde_json::from_str::<serde_json::Value>(text)
                .is_ok_and(|json| json.get(name).is_some_and(serde_json::Value::is_string)),
            RequestBody::Form(pairs) => pairs.iter().any(|(known, _)| known == name),
            RequestBody::None | RequestBody::Multipart(_) | RequestBody::Raw { .. } => false,
        },
        Some(IdempotencyKey::Item(name)) => items(operation, request).is_some_and(|items| {
            !items.is_empty()
                && items
                    .iter()
                    .all(|item| item.get(name).is_some_and(serde_json::Value::is_string))
        }),
    }
}

/// Adds a member in front. The text is not parsed and written again: its numbers keep every digit.
fn put_into_json(text: &mut String, name: &str, key: &str) {
    let Some(rest) = text.trim_start().strip_prefix('{') else {
        return;
    };
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    let name = serde_json::Value::from(name);
    *text = format!("{{{name}:\"{key}\"{comma}{rest}");
}

#[cfg(test)]
mod tests {
    use tailorbird_model::service::Method;

    use super::*;

    fn operation(place: Option<IdempotencyKey>) -> Operation {
        let mut operation: Operation =
            serde_json::from_value(serde_json::json!({"method": "POST", "path": "/a"})).unwrap();
        operation.idempotency_key = place;
        operation
    }

    fn request(body: &str) -> Request {
        Request {
            operation: Some("a".to_owned()),
            method: Method::Post,
            url: "https://api.example.com/a".to_owned(),
            headers: Vec::new(),
            body: RequestBody::Json(body.to_owned()),
        }
    }

    #[test]
    fn the_key_is_of_the_delivery_and_of_its_content() {
        let header = operation(Some(IdempotencyKey::Header("Idempotency-Key".to_owned())));
        let of = |body: &str, key: &str| {
            let made = with_idempotency_key(&header, request(body), &["task", "step", "to", key]);
            assert!(carries_idempotency_key(&header, &made));
            made.headers[0].1.clone()
        };
        assert_eq!(of("{}", "A").len(), KEY_DIGITS);
        assert_eq!(of("{}", "A"), of("{}", "A"));
        assert_ne!(of("{}", "A"), of("{}", "B"));
        assert_ne!(of("{}", "A"), of("{\"b\":1}", "A"));
        assert!(!carries_idempotency_key(&header, &request("{}")));
    }

    #[test]
    fn a_field_is_added_and_numbers_keep_their_digits() {
        let field = operation(Some(IdempotencyKey::Field("key".to_owned())));
        for body in ["{\"price\":1.10}", "{}"] {
            let made = with_idempotency_key(&field, request(body), &["A"]);
            let RequestBody::Json(text) = &made.body else {
                panic!()
            };
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
            assert!(carries_idempotency_key(&field, &made), "{text}");
            assert_eq!(body.contains("1.10"), text.contains("1.10"));
        }
        let plain = operation(None);
        assert_eq!(with_idempotency_key(&plain, request("{}"), &["A"]), request("{}"));
    }
}
