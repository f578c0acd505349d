//! Parsers of outside input and what asks them with made-up input: the list in `fuzz/targets.rs` and the sources agree.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::fuzz::targets::{INSIDE, TARGETS, Target};
use crate::repository;

/// How the names of functions begin that read something from text or bytes.
const READERS: [&str; 7] = [
    "read",
    "parse",
    "from_",
    "decode",
    "unescape",
    "extract",
    "http_date",
];

pub(super) fn problems() -> Result<Vec<String>> {
    let sources: BTreeMap<String, String> = repository::texts(&[".rs"])?
        .into_iter()
        .filter(|(path, _)| path.starts_with("crates/"))
        .collect();
    Ok(compare(TARGETS, INSIDE, &sources))
}

fn compare(targets: &[Target], inside: &[(&str, &str)], sources: &BTreeMap<String, String>) -> Vec<String> {
    const LIST: &str = "xtask/src/fuzz/targets.rs";
    let mut problems = Vec::new();
    for target in targets {
        let text = sources.get(target.file).map_or("", String::as_str);
        let found = properties(text);
        for test in target.tests {
            if !found.contains(test) {
                problems.push(format!(
                    "{LIST}: {} has no property test `{test}`; mend the target {}",
                    target.file, target.name
                ));
            }
        }
    }
    for (path, text) in sources.iter().filter(|(path, _)| path.ends_with("/fuzz.rs")) {
        for test in properties(text) {
            let is_listed = targets
                .iter()
                .any(|target| target.file == path && target.tests.contains(&test));
            if !is_listed {
                problems.push(format!("{path}: `{test}` belongs to no target; add it to {LIST}"));
            }
        }
    }
    let listed: Vec<&str> = targets
        .iter()
        .flat_map(|target| target.reads.iter().copied())
        .chain(inside.iter().map(|(path, _)| *path))
        .collect();
    for path in &listed {
        if !sources.contains_key(&format!("crates/{path}")) {
            problems.push(format!("{LIST}: there is no crates/{path}; take it out"));
        }
    }
    for (path, text) in sources.iter().filter(|(path, _)| path.contains("/src/")) {
        let Some(reader) = reader(text) else { continue };
        let short = path.strip_prefix("crates/").unwrap_or(path);
        let is_test = path.ends_with("tests.rs") || path.ends_with("/fuzz.rs");
        if !is_test && !listed.contains(&short) {
            problems.push(format!(
                "{path}: `{reader}` reads text or bytes; let a fuzz target ask it and name the file in {LIST}"
            ));
        }
    }
    problems
}

/// The property tests of a file: functions that are tests and take made-up arguments.
fn properties(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[test]" {
            continue;
        }
        let function = lines.next().unwrap_or_default().trim();
        if let Some((name, rest)) = function.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
            && !rest.starts_with(')')
        {
            found.push(name);
        }
    }
    found
}

/// The first function of a file that reads something from text or bytes, outside of its tests.
fn reader(text: &str) -> Option<&str> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.split("fn ").skip(1).find_map(|rest| {
        let (name, rest) = rest.split_once('(')?;
        let name = name.split('<').next().unwrap_or_default();
        let parameters = rest.split([')', '{']).next().unwrap_or_default();
        let words: Vec<&str> = parameters.split_whitespace().collect();
        let takes_text = words.iter().any(|word| {
            [
                "str",
                "&str,",
                "&str",
                "[u8]",
                "&[u8],",
                "&[u8]",
                "str,",
                "AsRef<[u8]>",
            ]
            .contains(word)
        });
        (READERS.iter().any(|reader| name.starts_with(reader)) && takes_text).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUZZ: &str =
        "proptest! {\n    #[test]\n    fn texts(text in \".*\") {\n    }\n}\n#[test]\nfn plain() {\n}\n";

    fn sources(reader: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("crates/a/src/fuzz.rs".to_owned(), FUZZ.to_owned()),
            ("crates/a/src/reading.rs".to_owned(), reader.to_owned()),
        ])
    }

    fn target(tests: &'static [&'static str], reads: &'static [&'static str]) -> Target {
        Target {
            name: "a",
            file: "crates/a/src/fuzz.rs",
            tests,
            reads,
        }
    }

    #[test]
    fn the_list_is_true() {
        assert_eq!(problems().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_parser_nobody_asks_and_a_test_in_no_target_are_told() {
        let reading = "pub fn parse(text: &str) -> u8 { 0 }";
        let good = target(&["texts"], &["a/src/reading.rs"]);
        assert_eq!(compare(&[good], &[], &sources(reading)), Vec::<String>::new());
        let told = compare(
            &[target(&["gone"], &[])],
            &[("a/src/nowhere.rs", "x")],
            &sources(reading),
        );
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].contains("no property test `gone`"));
        assert!(told[1].contains("`texts` belongs to no target"));
        assert!(told[2].contains("no crates/a/src/nowhere.rs"));
        assert!(told[3].contains("`parse` reads text"));
    }

    #[test]
    fn what_takes_no_text_or_stands_in_a_test_is_no_parser() {
        assert_eq!(reader("fn read(&self, sql: usize) {}"), None);
        assert_eq!(reader("fn spread(text: &str) {}"), None);
        assert_eq!(reader("#[cfg(test)]\nmod tests { fn read(text: &str) {} }"), None);
        assert_eq!(
            reader("pub fn decode(bytes: impl AsRef<[u8]>) {}"),
            Some("decode")
        );
        assert_eq!(reader("fn from_str(\n    text: &'a str,\n) {}"), Some("from_str"));
    }
}
