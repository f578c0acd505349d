//! However a server ends in the middle of a run, the next one goes on with it.

use serde_json::json;

use super::support::{Server, until_slowly};
use crate::support::{Home, Sandbox, number};

const PRODUCTS: usize = 30;

/// A home with that many products and the task of the tutorial, and a sandbox whose duplicate rule is off and which
/// takes its time from the fifth post on.
fn busy() -> (Home, Sandbox) {
    let sandbox = Sandbox::start(&[]);
    sandbox.post("duplicates", &json!({"refuse": false}));
    let faults: Vec<_> = (5..=10)
        .map(|nth| json!({"match": "POST /2/tweets", "nth": nth, "do": "delay", "seconds": 1}))
        .collect();
    sandbox.post("faults", &json!(faults));
    let home = Home::new();
    let products: Vec<(String, String)> = (0..PRODUCTS)
        .map(|number| (format!("P-{number:03}"), format!("Product {number:03}")))
        .collect();
    let products: Vec<(&str, &str)> = products.iter().map(|(sku, name)| (&**sku, &**name)).collect();
    home.announcing(&sandbox, "read_write", &products);
    let task = crate::support::announce("product-{{ sku }}", "New: {{ name }}").replace(
        "task: announce\n",
        "task: announce\ntrigger: { schedule: '@hourly' }\n",
    );
    home.apply("announce.yaml", &task).expect(0);
    (home, sandbox)
}

/// Lets an hour begin, and waits until the run that it opens is at work.
fn begin(home: &Home, sandbox: &Sandbox) {
    until_slowly("the trigger is known", || {
        number(
            &home.path().join("ledger.db"),
            "select count(*) from trigger_clock",
        ) == 1
    });
    std::fs::write(home.file("clock"), "3600000").unwrap();
    until_slowly("the run is at work", || sandbox.accepted() >= 4);
}

/// Waits until the one run has ended, and judges by the provider's own count.
fn judge(home: &Home, sandbox: &Sandbox) {
    until_slowly("the run ends", || {
        let runs = home.run(&["run", "list"]).expect(0).json();
        assert_eq!(runs.as_array().unwrap().len(), 1, "{runs:#}");
        runs[0]["state"] == "succeeded"
    });
    let mut texts = sandbox.texts();
    texts.sort();
    let posted = texts.len();
    texts.dedup();
    assert_eq!((posted, texts.len()), (PRODUCTS, PRODUCTS), "posted, different");
    let written = number(&home.file("erp.sqlite"), "select count(*) from product_posts");
    assert_eq!(written, i64::try_from(PRODUCTS).unwrap());
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_a_run_goes_on_with_it_by_itself() {
    let (home, sandbox) = busy();
    let server = Server::start(&home);
    begin(&home, &sandbox);
    // Dropping it is `kill -9`.
    drop(server);
    assert!(
        sandbox.accepted() < u64::try_from(PRODUCTS).unwrap(),
        "it was not in the middle"
    );
    let _server = Server::start(&home);
    judge(&home, &sandbox);
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_what_is_under_way_and_the_next_one_goes_on() {
    let (home, sandbox) = busy();
    let server = Server::start(&home);
    begin(&home, &sandbox);
    assert_eq!(server.stop(), Some(0));
    assert!(
        sandbox.accepted() < u64::try_from(PRODUCTS).unwrap(),
        "it was not in the middle"
    );
    assert!(home.deliveries("sending").is_empty(), "something was cut off");
    assert!(home.deliveries("in_doubt").is_empty());
    let runs = home.run(&["run", "list"]).expect(0).json();
    assert_ne!(runs[0]["state"], "failed", "{runs:#}");
    let _server = Server::start(&home);
    judge(&home, &sandbox);
}
