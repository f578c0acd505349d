//! A business database that is gone for a while: unmounted, replaced, not yet copied back.

use std::path::PathBuf;

use super::{PRODUCTS, all_once, announcing};
use crate::serve::support::{Server, until_slowly};
use crate::support::{Home, Sandbox, announce};

#[test]
fn a_source_that_is_gone_is_said_and_the_next_run_goes_on() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let (file, away) = (home.file("erp.sqlite"), home.file("away"));
    std::fs::rename(&file, &away).unwrap();
    home.run(&["task", "run", "announce"])
        .failed(1, "DB-002")
        .says(&["erp", "Tailorbird never makes one"]);
    assert!(!file.exists(), "no empty database stands in for it");
    assert_eq!(sandbox.accepted(), 0);
    std::fs::rename(&away, &file).unwrap();
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_target_that_is_gone_in_the_middle_gets_its_rows_later() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let shop = shop(&home);
    let away = home.file("away");
    std::fs::rename(&shop, &away).unwrap();
    home.run(&["task", "run", "announce"])
        .failed(1, "DB-002")
        .says(&["shop", "nothing is sent again"]);
    let sent = sandbox.accepted();
    assert!(sent > 0, "the source was there");
    std::fs::rename(&away, &shop).unwrap();
    home.run(&["task", "run", "announce"]).expect(0);
    assert_eq!(sandbox.accepted(), u64::try_from(PRODUCTS).unwrap(), "none twice");
    let written = crate::support::number(
        &shop,
        "select count(*) from product_posts where post_id is not null",
    );
    assert_eq!(written, i64::try_from(PRODUCTS).unwrap(), "none lost");
}

/// Lets the rows go into a database of their own, so that the source can stay.
fn shop(home: &Home) -> PathBuf {
    let shop = home.database(
        "shop",
        "create table product_posts (sku text primary key, post_id text, posted_at text);",
    );
    let task = announce("product-{{ sku }}", "New: {{ name }}").replace(
        "    write:\n      database: erp",
        "    write:\n      database: shop",
    );
    home.apply("announce.yaml", &task).expect(0);
    shop
}

#[test]
fn a_server_waits_for_a_target_and_goes_on_by_itself() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let (shop, away) = (shop(&home), home.file("away"));
    let server = Server::start(&home);
    std::fs::rename(&shop, &away).unwrap();
    let mut run = home.command(&["task", "run", "announce"]).spawn().unwrap();
    until_slowly("the run says what it waits for", || {
        home.run(&["run", "list"]).stdout.contains("DB-002")
    });
    assert!(sandbox.accepted() > 0, "the source was there");
    std::fs::rename(&away, &shop).unwrap();
    assert_eq!(
        run.wait().unwrap().code(),
        Some(0),
        "the same run, without anybody's doing"
    );
    assert_eq!(sandbox.accepted(), u64::try_from(PRODUCTS).unwrap(), "none twice");
    let written = crate::support::number(
        &shop,
        "select count(*) from product_posts where post_id is not null",
    );
    assert_eq!(written, i64::try_from(PRODUCTS).unwrap(), "none lost");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_waits_for_a_source_and_goes_on_by_itself() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let (file, away) = (home.file("erp.sqlite"), home.file("away"));
    let server = Server::start(&home);
    std::fs::rename(&file, &away).unwrap();
    let mut run = home.command(&["task", "run", "announce"]).spawn().unwrap();
    until_slowly("the run says what it waits for", || {
        home.run(&["run", "list"]).stdout.contains("DB-002")
    });
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(
        run.wait().unwrap().code(),
        Some(0),
        "the same run, without anybody's doing"
    );
    all_once(&home, &sandbox);
    assert_eq!(server.stop(), Some(0));
}
