//! No tracked file names a path of the machine it was written on, or a package registry's host: neither
//! is true elsewhere.

use std::path::Path;

use anyhow::{Context, Result};

use crate::repository;

/// Cargo writes the registry into its lock file itself.
const EXEMPT: &[&str] = &["Cargo.lock"];
/// Folders that many machines have: naming them names no machine.
const COMMON: &[&str] = &[
    "/", "/tmp", "/home", "/opt", "/srv", "/usr/src", "/var/tmp", "/builds",
];
/// The registries' hosts, in parts, so that this file does not name them.
const HOSTS: &[&[&str]] = &[
    &["crates", "io"],
    &["registry", "npmjs", "org"],
    &["pypi", "org"],
    &["files", "pythonhosted", "org"],
    &["deb", "debian", "org"],
    &["proxy", "golang", "org"],
];

pub(super) fn problems() -> Result<Vec<String>> {
    let root = repository::root()?;
    let mut needles = folders(&root, std::env::home_dir().as_deref())?;
    needles.extend(HOSTS.iter().map(|parts| parts.join(".")));
    let mut problems = Vec::new();
    for path in repository::tracked()? {
        if EXEMPT.contains(&path.as_str()) {
            continue;
        }
        if let Some(text) = repository::text(&path)? {
            problems.extend(in_file(&path, &text, &needles));
        }
    }
    Ok(problems)
}

/// The folders that are this machine's own: the repository, what holds it, and the user's.
fn folders(root: &Path, home: Option<&Path>) -> Result<Vec<String>> {
    let candidates = [Some(root), root.parent(), home];
    let own = candidates
        .into_iter()
        .flatten()
        .filter_map(Path::to_str)
        .filter(|path| !COMMON.contains(path));
    let folders: Vec<String> = own.map(|path| format!("{path}/")).collect();
    (!folders.is_empty())
        .then_some(folders)
        .context("the repository's path is not UTF-8")
}

fn in_file(path: &str, text: &str, needles: &[String]) -> Vec<String> {
    let named = |line: &str| {
        needles
            .iter()
            .find(|needle| line.contains(needle.as_str()))
            .cloned()
    };
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index.saturating_add(1), named(line)?)))
        .map(|(line, needle)| {
            format!("{path}:{line}: names `{needle}`, which is not there on other machines")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_this_machine_are_found_and_common_ones_are_not() {
        let needles = folders(Path::new("/build/here/main"), Some(Path::new("/home/ann"))).unwrap();
        assert_eq!(needles, ["/build/here/main/", "/build/here/", "/home/ann/"]);
        assert_eq!(in_file("a.md", "see\n/build/here/x", &needles).len(), 1);
        assert!(in_file("a.md", "see /tmp/x and /home/bob/", &needles).is_empty());
        assert_eq!(folders(Path::new("/tmp/main"), None).unwrap(), ["/tmp/main/"]);
    }
}
