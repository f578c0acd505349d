//! The deliveries as a file, and the check of the ledger, in the browser.

use super::browser::Browser;
use super::world;
use crate::serve::support::Server;
use crate::support::sql;

#[test]
fn what_fits_a_search_is_exported_for_a_spreadsheet() {
    let (_provider, home) = world();
    home.run(&["task", "run", "announce"]).expect(3);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (status, page) = browser.get("/deliveries?state=rejected");
    assert!(
        status == 200 && page.contains("/deliveries.csv?state=rejected"),
        "{page}"
    );
    let head = browser.head("/deliveries.csv?state=rejected");
    assert!(
        head.contains("content-type: text/csv") && head.contains("attachment; filename=\"deliveries-"),
        "{head}"
    );
    let (_, file) = browser.get("/deliveries.csv?state=rejected");
    let lines: Vec<&str> = file.lines().filter(|line| line.contains(',')).collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert!(lines[0].contains("id,key,state,task,step,connection"), "{file}");
    assert!(
        lines[1].contains(",B,rejected,announce,post,company,create_item,run-"),
        "{file}"
    );
    let (_, all) = browser.get("/deliveries.csv");
    assert_eq!(
        all.lines().filter(|line| line.contains(",announce,")).count(),
        4,
        "{all}"
    );
}

#[test]
fn the_ledger_is_checked_and_an_edited_row_is_named() {
    let (_provider, home) = world();
    home.run(&["task", "run", "announce"]).expect(3);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (status, _, page) = browser.fill("/ledger", "/ledger", &[]);
    assert!(status == 200 && page.contains("Everything fits"), "{page}");
    let link = home.run(&["delivery", "verify"]).expect(0).json()["head"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        page.contains(&link),
        "the newest link is there to be noted: {page}"
    );
    let (_, _, page) = browser.fill("/ledger", "/ledger", &[("noted", &link)]);
    assert!(page.contains("no end was cut off"), "{page}");
    let (status, _, page) = browser.fill("/ledger", "/ledger", &[("noted", "12:<b>")]);
    assert!(status == 200 && page.contains("is not a link"), "{page}");
    assert!(
        page.contains("value=\"12:&#60;b&#62;\"") && page.contains("aria-invalid"),
        "{page}"
    );
    sql(
        &home.path().join("ledger.db"),
        "update delivery set result_id = '9' where state = 'delivered'",
    );
    let (_, _, page) = browser.fill("/ledger", "/ledger", &[("noted", &link)]);
    assert!(
        page.contains("HOME-004") && page.contains("its row is not what its last link says"),
        "{page}"
    );
}
