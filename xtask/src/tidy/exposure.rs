//! Where a secret is taken out of its wrapper: counted per crate, so that a new place is a decision and
//! not an accident.

use std::collections::BTreeMap;

use anyhow::Result;

use super::words;
use crate::repository;

/// What the calls that expose a secret begin with: `.expose()`, `.expose_secret()`, `.expose_for_sealing()`.
const CALL: &str = ".expose";

/// How many places each crate has. Fewer is progress: lower the number here. More needs a reason that
/// holds: signing, token requests, sealing, and what a person asked to be shown.
const LISTED: &[(&str, usize)] = &[
    // Verifying webhooks, and answering the challenge of X.
    ("tailorbird-app", 2),
    // Masking what goes into the log, exchanging a verifier that was kept, looking at the shape of what a person pasted, signing notices, and logging in to the mail server.
    ("tailorbird-connector", 12),
    // The password of the mail server, kept in the wrapper of another secret.
    ("tailorbird-model", 1),
    // Signing, constant-time comparison, and trying known mistakes when a signature is refused.
    ("tailorbird-oauth", 20),
    // The provider's side: verifying, showing an application's keys to its owner, the password form.
    ("tailorbird-sandbox", 14),
    // Sealing, and deriving the key that locks the sealing key in a backup.
    ("tailorbird-store", 8),
];

pub(super) fn problems() -> Result<Vec<String>> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in repository::texts(&[".rs"])? {
        if words::is_test_file(&path) {
            continue;
        }
        let count = exposures(&text);
        if let Some(name) = path
            .strip_prefix("crates/")
            .and_then(|rest| rest.split('/').next())
            && count > 0
        {
            let sum = found.entry(name.to_owned()).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    Ok(compare(&found, LISTED))
}

fn exposures(text: &str) -> usize {
    let code = words::without_comments(text);
    let is_call = |after: &&str| {
        after
            .trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_')
            .starts_with('(')
    };
    code.split(CALL).skip(1).filter(is_call).count()
}

fn compare(found: &BTreeMap<String, usize>, listed: &[(&str, usize)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, count) in found {
        let allowed = listed
            .iter()
            .find(|(known, _)| known == name)
            .map_or(0, |(_, allowed)| *allowed);
        if *count != allowed {
            problems.push(format!(
                "{name} exposes secrets in {count} places and {allowed} are listed in \
                 xtask/src/tidy/exposure.rs: look at each, then change the list"
            ));
        }
    }
    for (name, _) in listed.iter().filter(|(name, _)| !found.contains_key(*name)) {
        problems.push(format!(
            "{name} exposes no secret any more: remove it from the list"
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_place_and_a_gone_one_are_named() {
        assert_eq!(
            exposures("a.expose_secret();\n// b.expose_secret()\nc.expose()"),
            2
        );
        let found = BTreeMap::from([("tailorbird-oauth".to_owned(), 3)]);
        assert!(compare(&found, &[("tailorbird-oauth", 3)]).is_empty());
        assert_eq!(compare(&found, &[("tailorbird-oauth", 2)]).len(), 1);
        assert_eq!(
            compare(&found, &[("tailorbird-oauth", 3), ("tailorbird-store", 1)]).len(),
            1
        );
    }
}
