//! Floor 0 has no world: no sockets, files, clock, randomness, environment. Time and nonce are parameters.

use anyhow::Result;

use super::words;
use crate::repository;

const PURE: &[&str] = &[
    "crates/tailorbird-oauth/src/",
    "crates/tailorbird-text/src/",
    "crates/tailorbird-model/src/",
];

/// What floor 0 does not name, and what to do in place of it.
const FORBIDDEN: &[(&str, &str)] = &[
    ("tokio", "nothing here waits"),
    ("reqwest", "the connector sends"),
    ("std::fs", "take the contents as a parameter"),
    ("std::net", "the connector and the sandbox have the sockets"),
    ("std::env", "the binary's config.rs reads the environment"),
    ("std::process", "the binary starts and ends things"),
    ("std::thread", "the engine drives"),
    ("SystemTime", "take the time as a parameter"),
    ("Instant::now", "take the time as a parameter"),
    ("Timestamp::now", "take the time as a parameter"),
    ("Zoned::now", "take the time as a parameter"),
    ("getrandom", "take the nonce as a parameter"),
    ("println", "the binary's render.rs prints"),
];

pub(super) fn problems() -> Result<Vec<String>> {
    let sources = repository::texts(&[".rs"])?;
    Ok(sources
        .iter()
        .filter(|(path, _)| PURE.iter().any(|folder| path.starts_with(folder)) && !words::is_test_file(path))
        .flat_map(|(path, text)| in_source(path, text))
        .collect())
}

fn in_source(path: &str, text: &str) -> Vec<String> {
    let code = words::without_comments(text);
    let found = |(word, instead): &(&str, &str)| {
        words::positions(&code, word)
            .map(|at| {
                format!(
                    "{path}:{}: `{word}` on floor 0: {instead}",
                    words::line_of(&code, at)
                )
            })
            .collect::<Vec<_>>()
    };
    FORBIDDEN.iter().flat_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_found_and_a_comment_is_not() {
        let problems = in_source("a.rs", "// no SystemTime here\nlet now = SystemTime::now();\n");
        assert_eq!(
            problems,
            ["a.rs:2: `SystemTime` on floor 0: take the time as a parameter"]
        );
    }
}
