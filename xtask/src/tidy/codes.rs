//! Error codes and their pages: each code has a page, each page a code, each page says something, and
//! each code is used; a code that the sources write out exists.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::words;
use crate::repository;

const LIST: &str = "crates/tailorbird-model/src/codes.rs";
const PAGES: &str = "docs/errors/";
/// A page has its heading, what it means and what to do: less than this many lines of text is none.
const LEAST_LINES: usize = 4;

/// A code as the list in `codes.rs` has it.
#[derive(Debug, PartialEq)]
struct Code {
    number: String,
    constant: String,
    title: String,
}

pub(super) fn problems() -> Result<Vec<String>> {
    let list = repository::text(LIST)?.context("the list of codes is not UTF-8")?;
    let mut pages = BTreeMap::new();
    for (path, text) in repository::texts(&[".md"])? {
        if let Some(code) = path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md"))
            && code != "README"
        {
            pages.insert(code.to_owned(), text);
        }
    }
    let sources: Vec<(String, String)> = repository::texts(&[".rs"])?
        .into_iter()
        .filter(|(path, _)| path != LIST)
        .collect();
    Ok(compare(&codes_of(&list), &pages, &sources))
}

/// The entries `"AUTH-001" SIGNATURE_REFUSED "Title"` of the list.
fn codes_of(list: &str) -> Vec<Code> {
    list.lines()
        .filter_map(|line| {
            let mut parts = line.trim().splitn(5, '"');
            let (before, code) = (parts.next()?, parts.next()?);
            let (constant, title) = (parts.next()?.trim(), parts.next()?);
            let is_entry = before.is_empty() && is_code(code) && !constant.is_empty();
            is_entry.then(|| Code {
                number: code.into(),
                constant: constant.into(),
                title: title.into(),
            })
        })
        .collect()
}

/// Whether a word has the shape of a code: capitals, a hyphen, three digits.
fn is_code(word: &str) -> bool {
    word.split_once('-').is_some_and(|(area, number)| {
        !area.is_empty()
            && area.chars().all(|c| c.is_ascii_uppercase())
            && number.len() == 3
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

fn compare(codes: &[Code], pages: &BTreeMap<String, String>, sources: &[(String, String)]) -> Vec<String> {
    let mut problems = Vec::new();
    if codes.is_empty() {
        problems.push(format!("{LIST} lists no code that this check can read"));
    }
    for Code {
        number: code,
        constant,
        title,
    } in codes
    {
        match pages.get(code) {
            None => problems.push(format!("{code} has no page: write {PAGES}{code}.md")),
            Some(page) => {
                let heading = format!("# {code}: {title}");
                if page.lines().next() != Some(heading.as_str()) {
                    problems.push(format!(
                        "{PAGES}{code}.md begins with another heading than `{heading}`"
                    ));
                }
                if page.lines().filter(|line| !line.trim().is_empty()).count() < LEAST_LINES {
                    problems.push(format!(
                        "{PAGES}{code}.md says nothing yet: what it means, why, what to do"
                    ));
                }
            }
        }
        if !sources
            .iter()
            .any(|(_, text)| words::positions(text, constant).next().is_some())
        {
            problems.push(format!(
                "{code} ({constant}) is used nowhere: remove it and its page, or use it"
            ));
        }
    }
    for code in pages
        .keys()
        .filter(|code| !codes.iter().any(|known| known.number == **code))
    {
        problems.push(format!("{PAGES}{code}.md belongs to no code in {LIST}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# AUTH-001: Refused\n\nWhat.\n\nWhy.\n\nWhat to do.\n";

    fn judge(list: &str, pages: &[(&str, &str)], source: &str) -> Vec<String> {
        let pages = pages
            .iter()
            .map(|(code, text)| ((*code).to_owned(), (*text).to_owned()))
            .collect();
        compare(&codes_of(list), &pages, &[("a.rs".into(), source.into())])
    }

    #[test]
    fn the_list_is_read() {
        let codes = codes_of("codes! {\n    \"AUTH-001\" REFUSED \"Refused\"\n    \"x\" y\n}");
        assert_eq!(
            codes,
            [Code {
                number: "AUTH-001".into(),
                constant: "REFUSED".into(),
                title: "Refused".into()
            }]
        );
    }

    #[test]
    fn a_whole_page_of_a_used_code_is_well() {
        assert!(
            judge(
                "\"AUTH-001\" REFUSED \"Refused\"",
                &[("AUTH-001", PAGE)],
                "codes::REFUSED"
            )
            .is_empty()
        );
    }

    #[test]
    fn each_gap_is_named() {
        let list = "\"AUTH-001\" REFUSED \"Refused\"";
        assert_eq!(judge(list, &[], "codes::REFUSED").len(), 1);
        assert_eq!(
            judge(list, &[("AUTH-001", "# AUTH-001: Other\n")], "codes::REFUSED").len(),
            2
        );
        assert_eq!(judge(list, &[("AUTH-001", PAGE)], "REFUSED_TOO").len(), 1);
        assert_eq!(
            judge(list, &[("AUTH-001", PAGE), ("AUTH-002", PAGE)], "REFUSED").len(),
            1
        );
    }
}
