//! Links in the documentation lead somewhere: relative ones to a tracked file or folder, and with `#` to
//! a heading that is there.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::repository;

pub(super) fn problems() -> Result<Vec<String>> {
    let tracked = repository::tracked()?;
    let pages: BTreeMap<String, String> = repository::texts(&[".md"])?.into_iter().collect();
    let mut problems = Vec::new();
    for (path, text) in &pages {
        problems.extend(in_page(path, text, &tracked, &pages));
    }
    Ok(problems)
}

fn in_page(path: &str, text: &str, tracked: &[String], pages: &BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    for target in targets(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target
            .split_once('#')
            .map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let Some(resolved) = resolve(path, file) else {
            problems.push(format!("{path}: the link `{target}` leaves the repository"));
            continue;
        };
        let folder = format!("{resolved}/");
        let there = resolved.is_empty()
            || tracked
                .iter()
                .any(|known| *known == resolved || known.starts_with(&folder));
        if !there {
            problems.push(format!(
                "{path}: the link `{target}` leads to no file that Git tracks"
            ));
        } else if let (Some(anchor), Some(page)) = (anchor, pages.get(&resolved))
            && !anchors(page).iter().any(|known| known == anchor)
        {
            problems.push(format!(
                "{path}: the link `{target}` names a heading that {resolved} does not have"
            ));
        }
    }
    problems
}

/// The targets of `[text](target)`, outside of code.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, next)) = after.split_once(')') else {
                break;
            };
            found.push(target.split_whitespace().next().unwrap_or_default());
            rest = next;
        }
    }
    found
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The path a link leads to from the page it stands on; `None` outside of the repository.
fn resolve(page: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The names that headings get: lower case, punctuation gone, spaces to hyphens.
fn anchors(page: &str) -> Vec<String> {
    prose(page)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Vec<String> {
        let tracked = ["docs/a.md".to_owned(), "docs/errors/AUTH-001.md".to_owned()];
        let pages = BTreeMap::from([("docs/a.md".to_owned(), "# First, then\n".to_owned())]);
        in_page("docs/b.md", text, &tracked, &pages)
    }

    #[test]
    fn what_is_there_is_well() {
        let text = "[a](a.md) [h](a.md#first-then) [e](errors/) [t](../docs/a.md) [x](https://example.com/y)";
        assert_eq!(judge(text), Vec::<String>::new());
        assert_eq!(judge("```\n[not a link](nowhere.md)\n```"), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(judge("[a](c.md)").len(), 1);
        assert_eq!(judge("see [h](a.md#second) and [o](../../x)").len(), 2);
    }
}
