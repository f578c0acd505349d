//! A dependency that no source names is build time for nothing.

use anyhow::{Context, Result};
use serde_json::Value;

use super::words;
use crate::repository;

/// Dependencies that act by being there, with why.
const UNNAMED: &[(&str, &str, &str)] = &[];

pub(super) fn problems() -> Result<Vec<String>> {
    let metadata = repository::metadata()?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("no packages")?;
    let root = repository::root()?;
    let sources = repository::texts(&[".rs"])?;
    let mut problems = Vec::new();
    for package in packages {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let name = text("name").context("a package without a name")?;
        let manifest = std::path::Path::new(text("manifest_path").context("a package without a manifest")?);
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(&root).ok());
        let folder = folder
            .and_then(std::path::Path::to_str)
            .context("a package outside of the repository")?;
        let own: Vec<&str> = sources
            .iter()
            .filter(|(path, _)| {
                path.strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
            .map(|(_, text)| text.as_str())
            .collect();
        for dependency in package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let key = dependency
                .get("rename")
                .filter(|rename| !rename.is_null())
                .or(dependency.get("name"));
            let used = key
                .and_then(Value::as_str)
                .context("a dependency without a name")?;
            if !is_used(used, &own) && !UNNAMED.iter().any(|(a, b, _)| *a == name && *b == used) {
                problems.push(format!(
                    "{name} depends on {used} and no source of it names it: remove the line, \
                     or list it in xtask/src/tidy/unused.rs with the reason"
                ));
            }
        }
    }
    Ok(problems)
}

fn is_used(dependency: &str, sources: &[&str]) -> bool {
    let name = dependency.replace('-', "_");
    sources
        .iter()
        .any(|text| words::positions(text, &name).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_sources_is_use() {
        assert!(is_used("tokio-rustls", &["use tokio_rustls::TlsAcceptor;"]));
        assert!(!is_used(
            "tokio-rustls",
            &["use tokio::net;", "my_tokio_rustls()"]
        ));
    }
}
