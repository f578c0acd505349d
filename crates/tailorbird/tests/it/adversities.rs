//! What the world does to a running program: full disks, locks held by others, databases that are gone for a while,
//! clocks that jump. Each time: said clearly, nothing twice, nothing lost, and on by itself when the trouble is over.

mod clock;
mod disk;
mod gone;
mod locked;
mod small_disk;

use crate::support::{Home, Sandbox};

/// Products of a run: several batches, so that trouble comes in the middle.
const PRODUCTS: usize = 150;

/// Says in the test's output that there was nothing to try it with.
#[expect(clippy::print_stderr, reason = "it is for whoever reads the test's output")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// A sandbox that would take everything twice, and a home that announces that many products.
fn announcing(sandbox: &Sandbox) -> Home {
    let home = Home::new();
    set_up(&home, sandbox);
    home
}

fn set_up(home: &Home, sandbox: &Sandbox) {
    // With the rule on, the provider itself would hide what was sent twice.
    sandbox.post("duplicates", &serde_json::json!({"refuse": false}));
    let products: Vec<(String, String)> = (0..PRODUCTS)
        .map(|number| (format!("A-{number:04}"), format!("Kettle {number}")))
        .collect();
    let products: Vec<(&str, &str)> = products
        .iter()
        .map(|(sku, name)| (sku.as_str(), name.as_str()))
        .collect();
    home.announcing(sandbox, "read_write", &products);
}

/// Each product was posted exactly once, by the provider's own count, and its post is written back.
fn all_once(home: &Home, sandbox: &Sandbox) {
    let mut texts = sandbox.texts();
    assert_eq!(texts.len(), PRODUCTS, "none lost, none twice");
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), PRODUCTS, "none twice");
    let written = crate::support::number(
        &home.file("erp.sqlite"),
        "select count(*) from product_posts where post_id is not null",
    );
    assert_eq!(written, i64::try_from(PRODUCTS).unwrap());
    assert_eq!(home.deliveries("in_doubt").len(), 0);
    home.run(&["delivery", "verify"]).expect(0);
}
