//! Which crate of ours may use which: the table of ARCHITECTURE.md, compared with `cargo metadata`.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repository;

/// A crate and the crates of ours it may use. One that is not listed is a mistake, and so is a row
/// without its crate: a removed room leaves no hole in the plan.
const ALLOWED: &[Row] = &[
    Row {
        name: "tailorbird-oauth",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-text",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-look",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-model",
        uses: &["tailorbird-oauth", "tailorbird-text"],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-connector",
        uses: &["tailorbird-oauth", "tailorbird-model"],
        tests_use: &["tailorbird-sandbox"],
    },
    Row {
        name: "tailorbird-database",
        uses: &["tailorbird-model"],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-store",
        uses: &["tailorbird-oauth", "tailorbird-model"],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-engine",
        uses: &[
            "tailorbird-model",
            "tailorbird-connector",
            "tailorbird-database",
            "tailorbird-store",
        ],
        tests_use: &["tailorbird-oauth", "tailorbird-sandbox"],
    },
    Row {
        name: "tailorbird-app",
        uses: &[
            "tailorbird-oauth",
            "tailorbird-text",
            "tailorbird-model",
            "tailorbird-connector",
            "tailorbird-database",
            "tailorbird-store",
            "tailorbird-engine",
        ],
        tests_use: &["tailorbird-sandbox"],
    },
    Row {
        name: "tailorbird-server",
        uses: &["tailorbird-model", "tailorbird-look", "tailorbird-app"],
        tests_use: &[],
    },
    // The sandbox must not learn the client's mistakes: it shares the signer's rules and the look of pages, and
    // nothing else.
    Row {
        name: "tailorbird-sandbox",
        uses: &["tailorbird-oauth", "tailorbird-text", "tailorbird-look"],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-demo",
        uses: &["tailorbird-model", "tailorbird-app", "tailorbird-sandbox"],
        tests_use: &[],
    },
    Row {
        name: "tailorbird",
        uses: &[
            "tailorbird-model",
            "tailorbird-app",
            "tailorbird-server",
            "tailorbird-sandbox",
            "tailorbird-demo",
        ],
        tests_use: &[],
    },
    // The measurements know the program from outside only, and so do the judges.
    Row {
        name: "tailorbird-bench",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "tailorbird-judges",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "xtask",
        uses: &[],
        tests_use: &[],
    },
];

struct Row {
    name: &'static str,
    uses: &'static [&'static str],
    /// What its tests may use besides.
    tests_use: &'static [&'static str],
}

pub(super) fn problems() -> Result<Vec<String>> {
    compare(&repository::metadata()?)
}

fn compare(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("no packages")?;
    let name_of = |package: &Value| package.get("name").and_then(Value::as_str).map(str::to_owned);
    let ours: Vec<String> = packages.iter().filter_map(name_of).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = name_of(package).context("a package without a name")?;
        let Some(row) = ALLOWED.iter().find(|row| row.name == name) else {
            problems.push(format!(
                "{name} stands on no floor: give it a row here and in ARCHITECTURE.md, with the crates it may use"
            ));
            continue;
        };
        let dependencies = package
            .get("dependencies")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        for dependency in dependencies {
            let Some(used) = name_of(dependency).filter(|used| ours.contains(used)) else {
                continue;
            };
            let in_tests = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            let allowed =
                row.uses.contains(&used.as_str()) || in_tests && row.tests_use.contains(&used.as_str());
            if !allowed {
                problems.push(format!(
                    "{name} may not use {used}{}: move what it needs down to a floor that both stand on, \
                     or change the table in xtask/src/tidy/edges.rs and ARCHITECTURE.md with a decision record",
                    if in_tests { " even in tests" } else { "" }
                ));
            }
        }
    }
    for row in ALLOWED
        .iter()
        .filter(|row| !ours.iter().any(|name| name == row.name))
    {
        problems.push(format!(
            "{} has a row in the table of edges and is no crate: remove the row",
            row.name
        ));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(change: impl Fn(&mut Value)) -> Vec<String> {
        let packages: Vec<Value> = ALLOWED
            .iter()
            .map(|row| json!({"name": row.name, "dependencies": []}))
            .collect();
        let mut metadata = json!({ "packages": packages });
        change(&mut metadata);
        compare(&metadata).unwrap()
    }

    #[test]
    fn an_edge_outside_the_table_is_named_with_what_to_do() {
        let problems = workspace(|metadata| {
            metadata["packages"][0]["dependencies"] = json!([{"name": "tailorbird-store", "kind": null}]);
        });
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with("tailorbird-oauth may not use tailorbird-store:"),
            "{problems:?}"
        );
    }

    #[test]
    fn tests_may_use_what_only_tests_may() {
        let with = |kind: Value| {
            workspace(|metadata| {
                let place = ALLOWED.iter().position(|row| row.name == "tailorbird-connector");
                let connector = &mut metadata["packages"][place.unwrap()]["dependencies"];
                *connector = json!([{"name": "tailorbird-sandbox", "kind": kind}]);
            })
        };
        assert!(with(json!("dev")).is_empty());
        assert_eq!(with(json!(null)).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_named() {
        let problems = workspace(|metadata| metadata["packages"][1]["name"] = json!("tailorbird-new"));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
