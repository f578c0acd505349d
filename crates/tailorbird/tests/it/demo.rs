//! The demo, as the README's first command runs it: from the developer portal to rows that were checked.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Home, http, program};

/// How many new products the demos here have: few, so that the suite stays quick.
const ROWS: &str = "12";

fn erp(home: &Home) -> rusqlite::Connection {
    rusqlite::Connection::open(home.path().join("demo/erp.sqlite")).unwrap()
}

#[test]
fn twice_in_a_row_posts_each_product_once() {
    let home = Home::new();
    let first = home.run(&["demo", "--rows", ROWS]).expect(0).json();
    assert_eq!(first["checked"], true, "{first:#}");
    assert_eq!(first["accepted"], 12);
    assert_eq!(first["runs"][0]["counts"]["delivered"], 12);
    assert_eq!(first["runs"][1]["counts"]["written"], 137 + 12, "{first:#}");

    let (posted, distinct): (i64, i64) = erp(&home)
        .query_row(
            "select count(*), count(distinct post_id) from product_posts",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((posted, distinct), (12, 12));

    let second = home.run(&["demo", "--rows", ROWS]).expect(0).json();
    assert_eq!(second["accepted"], 12, "the sandbox counts over both runs");
    assert_eq!(second["refused_duplicates"], 0);
    assert_eq!(second["runs"][0]["counts"]["delivered"], 0);
}

#[test]
fn a_difference_is_noticed_and_exits_1() {
    let home = Home::new();
    home.run(&["demo", "--rows", ROWS]).expect(0);
    let changed = erp(&home)
        .execute(
            "update product_posts set post_id = '1' where sku = (select min(sku) from product_posts)",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    home.run(&["demo", "--rows", ROWS]).refused(1, "DEMO-001");
}

#[test]
fn keep_serving_prints_where_to_go_and_ends_by_ctrl_c() {
    let home = Home::new();
    let mut demo = Command::new(program())
        .arg("--home")
        .arg(home.path())
        .args(["demo", "--rows", ROWS, "--keep-serving"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(demo.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C ends it") {
        assert!(talk.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    for line in ["portal ", "API ", "scripts ", "sign in as tailorbird_demo"] {
        assert!(said.contains(line), "{line:?} is not in: {said}");
    }
    let address = said
        .split("portal ")
        .nth(2)
        .or(said.split("portal ").nth(1))
        .unwrap();
    let address = address
        .split_whitespace()
        .find(|word| word.starts_with("http"))
        .unwrap();
    let (status, page) = http("GET", &format!("{address}/signin"), &[], "");
    assert_eq!(status, 200, "{page}");

    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    assert!(demo.wait().unwrap().success());
    let mut summary = String::new();
    demo.stdout.take().unwrap().read_to_string(&mut summary).unwrap();
    let again = format!("--home {} demo --keep-serving", home.path().display());
    assert!(summary.contains(&again), "{summary}");
    assert!(
        serde_json::from_str::<Value>(&summary).is_err(),
        "people read text"
    );
}
