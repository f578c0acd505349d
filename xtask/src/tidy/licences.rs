//! Licences of everything that is built in: each has to be one that a self-hosted program may carry
//! under MIT or Apache-2.0.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repository;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn problems() -> Result<Vec<String>> {
    in_metadata(&repository::metadata_with_dependencies()?)
}

fn in_metadata(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("no packages")?;
    // `packages` lists what any platform may need; `resolve` what this one builds.
    let nodes = metadata
        .pointer("/resolve/nodes")
        .and_then(Value::as_array)
        .context("no resolve")?;
    let built = |package: &&Value| nodes.iter().any(|node| node.get("id") == package.get("id"));
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(packages
        .iter()
        .filter(built)
        .filter_map(|package| {
            let name = text(package, "name")?;
            match text(package, "license") {
                Some(licence) if allowed(&licence) => None,
                Some(licence) => Some(format!(
                    "{name} is under `{licence}`: replace it, or allow it with a reason"
                )),
                None => Some(format!(
                    "{name} states no licence: read it, then replace or allow it"
                )),
            }
        })
        .collect())
}

/// Whether one side of each `OR` is allowed, and all sides of each `AND`. `/` is an old spelling of `OR`.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let tokens: Vec<&str> = expression
        .split_inclusive(['(', ')'])
        .flat_map(|part| match part.strip_suffix(['(', ')']) {
            Some(text) => vec![text.trim(), part.get(text.len()..).unwrap_or_default()],
            None => vec![part.trim()],
        })
        .filter(|part| !part.is_empty())
        .collect();
    let mut rest = tokens.join(" ");
    // The innermost parentheses first, each replaced by a licence that stands for its answer.
    while let Some((before, after)) = rest.rsplit_once('(') {
        let Some((inner, after)) = after.split_once(')') else {
            return false;
        };
        let stand_in = if flat_allowed(inner) { "MIT" } else { "refused" };
        rest = format!("{before} {stand_in} {after}");
    }
    flat_allowed(&rest)
}

fn flat_allowed(expression: &str) -> bool {
    let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    expression
        .split(" OR ")
        .any(|choice| choice.split(" AND ").all(|licence| ALLOWED.contains(&licence)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough_and_all_parts_must_be() {
        for well in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 AND ISC",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 OR (GPL-3.0 AND MIT)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(allowed(well), "{well}");
        }
        for refused in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0",
            "(GPL-2.0 OR AGPL-3.0) AND MIT",
            "",
            "MIT AND (ISC",
        ] {
            assert!(!allowed(refused), "{refused}");
        }
    }
}
