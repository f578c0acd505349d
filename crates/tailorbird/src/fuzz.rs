//! Fuzz targets: whatever is typed on the command line is understood or refused with words.

use clap::Parser as _;
use proptest::prelude::*;

use crate::args::Arguments;
use crate::commands::{call, delivery, home, input};
use crate::usage;

#[path = "../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt};

const WORDS: &[&str] = &[
    "task",
    "run",
    "delivery",
    "call",
    "connection",
    "add",
    "list",
    "show",
    "resolve",
    "--output",
    "json",
    "--home",
    "--set",
    "--param",
    "a=b",
    "=",
    "--limit",
    "-1",
    "99999999999999999999",
    "--",
    "-",
    "",
    "--help",
    "demo",
    "--rows",
    "0",
    "é",
    "\u{0}",
    "sandbox",
    "--listen",
    "127.0.0.1:99999",
    "serve",
    "backup",
    "restore",
    "--dry-run",
    "--all",
    "--since",
    "explain",
];

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn command_lines(words in prop::collection::vec(prop_oneof![prop::sample::select(WORDS).prop_map(str::to_owned), ".{0,12}"], 0..8)) {
        let line = std::iter::once("tailorbird".to_owned()).chain(words.iter().cloned());
        if let Err(problem) = Arguments::try_parse_from(line) {
            prop_assert!(!usage::failure(&problem.to_string()).message.is_empty());
        }
        std::hint::black_box(usage::wants_json(words.into_iter().map(Into::into)));
    }

    #[test]
    fn values(text in spoilt(
        ["root_url=https://example.com/?a=b", "POST /2/tweets", "create_post", "400d", "forever", "17:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "in_doubt"].map(str::to_owned).into(),
        &["=", " ", "/", ":", "-", "0", "d", "s", "é", "\u{0}", "GET", "18446744073709551616", "\n"],
    )) {
        if let Ok((name, value)) = input::pair(&text) {
            prop_assert_eq!(format!("{name}={value}").len() <= text.len(), true);
        }
        drop(input::name(&text));
        drop(call::target(&text));
        drop(delivery::parse_state(&text));
        if let Ok(head) = tailorbird_app::noted_link(&text) {
            prop_assert!(head.mac.len() == 64);
        }
        if let Ok(Some(seconds)) = home::retention::parse_keep(&text) {
            prop_assert!(seconds >= tailorbird_app::MIN_KEEP.as_secs());
        }
    }
}
