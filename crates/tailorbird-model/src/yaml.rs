//! Reads YAML so that every problem can be shown at its line and column, all at once.
//!
//! The way of a file: text → [`read`] (documents with positions) → [`shape::check`] (against the JSON
//! Schema of the Rust types, so that the schema and the checks can't drift apart) → the types themselves →
//! the checks that need to understand what is meant.

mod document;
pub mod edit;
mod problem;
mod render;
pub mod shape;
mod tree;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use document::{Document, MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES, read};
pub use problem::{Position, Problem, Severity};

/// A typed document and the positions of its parts.
#[derive(Debug, Clone)]
pub struct Typed<T> {
    /// What the document says.
    pub value: T,
    /// Where it says so.
    pub document: Document,
}

/// Reads the typed documents of a file; empty documents are passed over.
///
/// Returns what could be read and all problems. A document is returned also where it has problems, as long
/// as it can be understood without its unknown keys, so that the checks of meaning find theirs in the same
/// pass; a caller uses the values only where no problem is an error.
pub fn typed<T: DeserializeOwned + JsonSchema>(text: &str) -> (Vec<Typed<T>>, Vec<Problem>) {
    let (documents, mut problems) = read(text);
    let schema = shape::schema_of::<T>();
    let mut values = Vec::new();
    for document in documents {
        if document.value.is_null() {
            continue;
        }
        let (found, unknown) = shape::check(&schema, &document);
        // As it was probably meant; where that makes no sense either, without its unknown keys.
        let attempts = [true, false].map(|as_meant| {
            let mut known = document.value.clone();
            for (pointer, meant) in &unknown {
                take(&mut known, pointer, meant.as_deref().filter(|_| as_meant));
            }
            serde_json::from_value::<T>(known)
        });
        let [as_meant, without] = attempts;
        match as_meant.or(without) {
            Ok(value) => values.push(Typed { value, document }),
            Err(error) if found.is_empty() => {
                problems.push(Problem::error(document.position(""), "", error.to_string()));
            }
            Err(_) => {}
        }
        problems.extend(found);
    }
    problems.sort_by_key(|problem| problem.position);
    (values, problems)
}

/// Takes the unknown key that a JSON Pointer names as the one that was meant, or leaves it out: one slip of the
/// keyboard should not hide the other problems of the file.
fn take(value: &mut serde_json::Value, pointer: &str, meant: Option<&str>) {
    let Some((parent, member)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(serde_json::Value::Object(members)) = value.pointer_mut(parent) {
        let taken = members.remove(&member.replace("~1", "/").replace("~0", "~"));
        if let (Some(taken), Some(meant)) = (taken, meant) {
            members.insert(meant.to_owned(), taken);
        }
    }
}
