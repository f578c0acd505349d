//! Records that cannot be sent: a duplicate, a text too long or empty, a column that is not there, a key that
//! is null. The other records go on where the fault is the record's own.

use serde_json::Value;

use crate::support::{Home, Sandbox, announce, number, sql};

fn world(products: &[(&str, &str)]) -> (Sandbox, Home) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", products);
    (sandbox, home)
}

fn run(home: &Home) -> crate::support::Said {
    home.run(&["task", "run", "announce"])
}

fn delivery(home: &Home, key: &str) -> Value {
    home.run(&["delivery", "show", key]).expect(0).json()
}

/// Asserts why a record was rejected.
fn rejected(home: &Home, key: &str, code: &str, words: &[&str]) {
    let delivery = delivery(home, key);
    assert_eq!(delivery["state"], "rejected", "{delivery:#}");
    assert_eq!(delivery["failure"]["code"], code, "{delivery:#}");
    let told = delivery["failure"].to_string();
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told}");
    }
    assert!(
        delivery["input"]["sku"].is_string(),
        "a rejected record keeps its input: {delivery:#}"
    );
}

#[test]
fn text_too_long_rejects_that_record_and_the_run_goes_on() {
    let long = "x".repeat(290);
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", &long), ("C", "Pan")]);
    let said = run(&home).expect(3);
    let ran = said.json();
    assert_eq!(ran["state"], "succeeded");
    assert_eq!(ran["counts"]["read"], 3);
    assert_eq!(ran["counts"]["delivered"], 2);
    assert_eq!(ran["counts"]["rejected"], 1);
    assert_eq!(ran["counts"]["written"], 2);
    rejected(&home, "product-B", "SEND-002", &["295", "280", "shorten"]);
    assert_eq!(
        delivery(&home, "product-B")["attempts"],
        0,
        "it was refused before anything was sent"
    );
    assert_eq!(sandbox.accepted(), 2);

    // The same content is not tried again by itself; mended content is.
    let again = run(&home).expect(3).json();
    assert_eq!(again["counts"]["delivered"], 0);
    sql(
        &home.file("erp.sqlite"),
        "update products set name = 'Bowl' where sku = 'B'",
    );
    let mended = run(&home).expect(0).json();
    assert_eq!(mended["counts"]["delivered"], 1);
    assert_eq!(sandbox.accepted(), 3);
    assert!(sandbox.texts().contains(&"New: Bowl".to_owned()));
}

/// X counts a link 23 and an emoji 2, so character counts alone would be wrong both ways.
#[test]
fn length_is_measured_by_the_providers_rule() {
    let link = format!("https://example.com/{}", "a".repeat(300));
    let emoji = "\u{1F389}".repeat(140);
    let (sandbox, home) = world(&[("A", &link), ("B", &emoji)]);
    run(&home).expect(3);
    assert_eq!(delivery(&home, "product-A")["state"], "delivered");
    rejected(&home, "product-B", "SEND-002", &["285", "280"]);
    assert_eq!(sandbox.accepted(), 1);
}

#[test]
fn text_too_long_in_a_call() {
    let (sandbox, home) = world(&[]);
    let text = format!("text={}", "x".repeat(281));
    home.run(&["call", "company-x", "create_post", "--param", &text])
        .refused(1, "SEND-002")
        .says(&["281", "280", "1 too long"]);
    home.run(&["call", "company-x", "create_post", "--param", "text="])
        .refused(1, "SEND-003")
        .says(&["empty"]);
    assert_eq!(sandbox.accepted(), 0);
    let fits = format!("text={}", "x".repeat(280));
    home.run(&["call", "company-x", "create_post", "--param", &fits])
        .expect(0);
}

#[test]
fn empty_text() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", ""), ("C", "   ")]);
    home.apply("announce.yaml", &announce("product-{{ sku }}", "{{ name }}"))
        .expect(0);
    let ran = run(&home).expect(3).json();
    assert_eq!(ran["counts"]["delivered"], 1);
    assert_eq!(ran["counts"]["rejected"], 2);
    rejected(&home, "product-B", "SEND-003", &["empty", "when"]);
    rejected(&home, "product-C", "SEND-003", &["empty"]);
    assert_eq!(sandbox.accepted(), 1);
}

#[test]
fn duplicate_post() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", "Kettle"), ("C", "Pan")]);
    let ran = run(&home).expect(3).json();
    assert_eq!(ran["counts"]["delivered"], 2);
    assert_eq!(ran["counts"]["rejected"], 1);
    let refused = home.deliveries("rejected");
    assert_eq!(refused.len(), 1);
    rejected(
        &home,
        refused[0]["key"].as_str().unwrap(),
        "SEND-004",
        &["duplicate content", "change the text"],
    );
    assert_eq!(sandbox.accepted(), 2);
    home.run(&["call", "company-x", "create_post", "--param", "text=New: Pan"])
        .failed(1, "SEND-004")
        .says(&["duplicate", "change the text"]);
    assert_eq!(sandbox.accepted(), 2);
    assert_eq!(
        number(&home.file("erp.sqlite"), "select count(*) from product_posts"),
        2
    );
}

#[test]
fn a_column_that_the_mapping_names_and_the_record_lacks() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", "Mug")]);
    home.apply("announce.yaml", &announce("product-{{ sku }}", "New: {{ nmae }}"))
        .expect(0);
    let said = run(&home);
    said.failed(3, "MAP-002")
        .says(&["`nmae`", "Did you mean `name`?", "sku"]);
    let ran = said.json();
    assert_eq!(ran["state"], "needs_attention");
    assert_eq!(ran["counts"]["delivered"], 0);
    assert_eq!(
        ran["counts"]["rejected"], 0,
        "the mapping is wrong, not the records"
    );
    assert_eq!(sandbox.accepted(), 0);
    // Mended, the same task sends them all.
    home.apply("announce.yaml", &announce("product-{{ sku }}", "New: {{ name }}"))
        .expect(0);
    assert_eq!(run(&home).expect(0).json()["counts"]["delivered"], 2);
    assert_eq!(sandbox.accepted(), 2);
}

#[test]
fn a_key_that_is_null_or_names_no_column_stops_before_anything_is_sent() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", "Mug")]);
    home.apply("announce.yaml", &announce("{{ sku }}", "New: {{ name }}"))
        .expect(0);
    sql(
        &home.file("erp.sqlite"),
        "update products set sku = null where sku = 'B'",
    );
    let said = run(&home);
    said.failed(3, "MAP-003")
        .says(&["step `post`", "key", "Mug", "run the task again"]);
    assert_eq!(said.json()["state"], "needs_attention");
    assert_eq!(sandbox.accepted(), 0);

    home.apply(
        "announce.yaml",
        &announce("product-{{ skuu }}", "New: {{ name }}"),
    )
    .expect(0);
    run(&home)
        .failed(3, "MAP-002")
        .says(&["`skuu`", "Did you mean `sku`?"]);
    assert_eq!(sandbox.accepted(), 0);

    sql(
        &home.file("erp.sqlite"),
        "update products set sku = 'B' where sku is null",
    );
    home.apply("announce.yaml", &announce("product-{{ sku }}", "New: {{ name }}"))
        .expect(0);
    assert_eq!(run(&home).expect(0).json()["counts"]["delivered"], 2);
}

/// A condition is true or false; anything else is a mistake in the task.
#[test]
fn a_condition_that_is_no_boolean() {
    let (sandbox, home) = world(&[("A", "Kettle")]);
    let with_when = announce("product-{{ sku }}", "New: {{ name }}").replace(
        "      for_each: products\n",
        "      for_each: products\n      when: \"{{ name }}\"\n",
    );
    home.apply("announce.yaml", &with_when).expect(0);
    assert_eq!(run(&home).expect(3).json()["counts"]["rejected"], 1);
    rejected(&home, "product-A", "MAP-004", &["true or false", "text"]);
    assert_eq!(sandbox.accepted(), 0);
    let mended = with_when.replace("{{ name }}\"\n      key", "{{ name == 'Kettle' }}\"\n      key");
    assert_ne!(mended, with_when);
    home.apply("announce.yaml", &mended).expect(0);
    assert_eq!(run(&home).expect(0).json()["counts"]["delivered"], 1);
}

/// Two records with one key: the first is sent, the second is reported, and both are told of.
#[test]
fn the_same_key_twice_in_one_recordset() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("A", "Mug")]);
    let said = run(&home);
    assert_eq!(sandbox.texts().len(), 1, "{}", said.stdout);
    assert_eq!(said.json()["counts"]["read"], 2);
    assert!(
        said.stderr.contains("product-A"),
        "the second is reported: {:?}",
        said.stderr
    );
}
