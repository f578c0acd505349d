//! Rules 3 to 6 and 10: what may or may not have arrived is found out, never guessed.

use serde_json::json;

use crate::flow::{ANNOUNCE, Flow, wait_until};
use crate::support::Said;

/// Texts that the provider rewrites: escaped, links shortened, composed anew, trimmed.
const REWRITTEN: [&str; 5] = [
    "nuts & bolts <M8>, 5% off > before",
    "see https://shop.example.com/p/1?a=1&b=2 and http://example.org",
    "party \u{1f389}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} “today” ~ Ünïcödé",
    "Cafe\u{301} decomposed, co\u{302}te\u{301} too",
    "  spaces around and &amp; a ready-made escape  ",
];

/// Every kind of answer that goes astray after the effect.
#[test]
fn an_answer_that_goes_astray_is_found_again() {
    for (kind, doubts) in [("lose_answer", true), ("cut", false), ("bad_json", false)] {
        let flow = Flow::announcing(&["one", "two", "three", "four", "five"]);
        flow.accept_duplicates();
        flow.fault("POST /2/tweets", Some(2), kind);
        let said = flow.run().expect(0);
        said.counted("succeeded", &[("read", 5), ("delivered", 5), ("written", 5)]);
        assert_eq!(flow.sandbox.accepted(), 5, "{kind}");
        assert_ids_are_the_providers(&flow);
        let attempts: Vec<_> = flow
            .home
            .deliveries("delivered")
            .iter()
            .map(|d| d["attempts"].clone())
            .collect();
        assert!(attempts.iter().all(|count| *count == 1), "{kind}: {attempts:?}");
        let looked_up = stories(&flow).contains("looked up at the provider: 1 hit(s)");
        assert_eq!(looked_up, doubts, "{kind}: an accepted answer is no doubt");
    }
}

/// The text of all stories.
fn stories(flow: &Flow) -> String {
    let keys = flow.states();
    keys.iter()
        .map(|(key, _)| flow.home.run(&["delivery", "show", key]).expect(0).stdout)
        .collect()
}

/// What was written back is, for each row, the id under which the provider has that row's text.
fn assert_ids_are_the_providers(flow: &Flow) {
    let posts = flow.sandbox.get("posts")["posts"].clone();
    let database = rusqlite::Connection::open(&flow.erp).unwrap();
    let mut statement = database
        .prepare("select i.text, p.post_id from items i join posted p on p.sku = i.sku")
        .unwrap();
    let rows: Vec<(String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!rows.is_empty());
    let mut ids: Vec<&String> = rows.iter().map(|(_, id)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "two rows share an id");
    for (text, id) in &rows {
        let post = posts
            .as_array()
            .unwrap()
            .iter()
            .find(|post| post["id"] == id.as_str());
        let original = post.unwrap_or_else(|| panic!("no post {id}"))["original_text"]
            .as_str()
            .unwrap();
        assert_eq!(original.trim(), text.trim());
    }
}

#[test]
fn texts_that_the_provider_rewrites_are_found_again() {
    let flow = Flow::announcing(&REWRITTEN);
    flow.accept_duplicates();
    flow.fault("POST /2/tweets", None, "lose_answer");
    let said = flow.run().expect(0);
    said.counted("succeeded", &[("read", 5), ("delivered", 5), ("written", 5)]);
    assert_eq!(flow.sandbox.accepted(), 5);
    let posts = flow.sandbox.get("posts")["posts"].clone();
    let rewritten = posts
        .as_array()
        .unwrap()
        .iter()
        .filter(|post| post["text"] != post["original_text"])
        .count();
    assert!(rewritten >= 2, "the sandbox rewrites as X does: {posts:#}");
}

/// Killed while four posts are on their way: at most so many are in doubt, and each is found.
#[test]
fn at_most_four_are_in_doubt_after_a_kill_and_all_are_found() {
    let texts: Vec<String> = (0..12).map(|i| format!("number {i} & more")).collect();
    let flow = Flow::announcing(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    flow.accept_duplicates();
    flow.delay(30);
    let running = flow.start();
    flow.wait_for_accepted(4);
    running.kill();
    assert_eq!(flow.sandbox.accepted(), 4, "never more than four at once");
    assert_eq!(flow.home.deliveries("sending").len(), 4);
    assert_eq!(flow.home.deliveries("pending").len(), 8);
    assert_eq!(flow.written_back(), 0);

    flow.no_faults();
    let said = flow.run().expect(0);
    said.counted("succeeded", &[("read", 12), ("delivered", 12), ("written", 12)]);
    assert!(
        said.stderr.contains("4 record(s) were on their way"),
        "{}",
        said.stderr
    );
    assert_eq!(flow.sandbox.accepted(), 12);
    assert_ids_are_the_providers(&flow);
}

/// The slow way: the post never arrived. It is sent again only when the lost attempt cannot take effect any
/// more, and two look-ups found nothing.
#[test]
fn what_never_arrived_is_looked_up_twice_and_then_sent() {
    let flow = Flow::announcing(&["one", "two"]);
    flow.accept_duplicates();
    flow.fault("POST /2/tweets", Some(1), "503");
    let begun = std::time::Instant::now();
    let said = flow.run().expect(0);
    assert!(begun.elapsed().as_secs() >= 30, "{:?}", begun.elapsed());
    said.counted("succeeded", &[("read", 2), ("delivered", 2), ("written", 2)]);
    assert!(
        said.stderr.contains("may or may not have arrived"),
        "{}",
        said.stderr
    );
    assert_eq!(flow.sandbox.accepted(), 2);
    let sent_twice = flow
        .home
        .deliveries("delivered")
        .into_iter()
        .find(|d| d["attempts"] == 2)
        .unwrap();
    let story = flow
        .home
        .run(&["delivery", "show", sent_twice["key"].as_str().unwrap()])
        .expect(0)
        .stdout;
    for line in [
        "0 hit(s), not sent yet",
        "0 hit(s), not sent (",
        "attempt 2: accepted",
    ] {
        assert!(story.contains(line), "{line}: {story}");
    }
}

/// Both answers are lost, both rows have one text: two posts, and no id for two rows.
#[test]
fn two_rows_with_one_text_never_share_a_post() {
    let flow = Flow::announcing(&["the same", "the same"]);
    flow.accept_duplicates();
    flow.fault("POST /2/tweets", Some(2), "lose_answer");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 2), ("delivered", 2), ("written", 2)]);
    assert_eq!(flow.sandbox.accepted(), 2);
    assert_ids_are_the_providers(&flow);
}

#[test]
fn several_posts_that_look_like_it_are_for_a_person() {
    let flow = Flow::announcing(&["the same", "the same"]);
    flow.accept_duplicates();
    flow.fault("POST /2/tweets", None, "lose_answer");
    let said = flow.run().expect(3);
    said.counted("succeeded", &[("read", 2), ("in_doubt", 2)]);
    assert!(said.stderr.contains("2 effects look like it"), "{}", said.stderr);
    assert_eq!(flow.sandbox.accepted(), 2);

    // A person names one of them; the other one follows from that.
    let posts = flow.sandbox.get("posts")["posts"].clone();
    let result = json!({"id": posts[1]["id"]}).to_string();
    flow.home
        .run(&[
            "delivery", "resolve", "item-A", "--as", "sent", "--result", &result,
        ])
        .expect(0);
    flow.no_faults();
    let said = flow.run().expect(0);
    assert_eq!(said.json()["state"], "succeeded");
    assert_eq!(flow.sandbox.accepted(), 2);
    assert_ids_are_the_providers(&flow);
    assert_eq!(
        flow.number(&format!(
            "select count(*) from posted where sku = 'A' and post_id = {}",
            posts[1]["id"].as_str().unwrap()
        )),
        1
    );
}

/// Sent again after a doubt, and refused as a duplicate: it had arrived. Its id is looked up.
#[test]
fn a_duplicate_refusal_after_a_doubt_finds_the_post() {
    let flow = Flow::announcing(&["one", "two"]);
    flow.delay(30);
    let running = flow.start();
    flow.wait_for_accepted(2);
    running.kill();
    flow.no_faults();
    // The next run takes the doubt up and cannot look it up; a person wants it sent again.
    flow.fault("GET /2/users", None, "bad_json");
    let said = flow.run();
    assert_eq!(
        said.json()["counts"]["in_doubt"],
        2,
        "{}{}",
        said.stdout,
        said.stderr
    );
    for key in ["item-A", "item-B"] {
        flow.home
            .run(&["delivery", "resolve", key, "--as", "again"])
            .expect(0);
    }
    flow.no_faults();
    let said = flow.run().expect(0);
    assert_eq!(said.json()["counts"]["rejected"], 0, "{}", said.stdout);
    assert_eq!(flow.sandbox.accepted(), 2);
    assert_eq!(flow.sandbox.get("posts")["refused_duplicates"], 2);
    assert_eq!(flow.written_back(), 2);
    assert_ids_are_the_providers(&flow);
}

/// A duplicate that was no doubt before is somebody else's post.
#[test]
fn a_duplicate_at_the_first_attempt_is_rejected() {
    let flow = Flow::announcing(&["posted by hand"]);
    flow.home
        .run(&[
            "call",
            "company-x",
            "create_post",
            "--param",
            "text=posted by hand",
        ])
        .expect(0);
    flow.sandbox.post(
        "faults",
        &json!([{"match": "POST /2/tweets", "nth": 1, "do": "429", "seconds": 1}]),
    );
    flow.run()
        .expect(3)
        .counted("succeeded", &[("read", 1), ("rejected", 1)]);
    let rejected = flow.home.deliveries("rejected");
    assert_eq!(rejected[0]["failure"]["code"], "SEND-004", "{rejected:#?}");
    assert_eq!(
        rejected[0]["attempts"], 2,
        "the limit made an attempt, and no doubt"
    );
}

fn resolve(flow: &Flow, key: &str, how: &[&str]) -> Said {
    let mut arguments = vec!["delivery", "resolve", key, "--as"];
    arguments.extend(how);
    flow.home.run(&arguments)
}

#[test]
fn a_doubt_that_nobody_can_look_up_waits_for_a_person() {
    let flow = Flow::telling(&["A", "B", "C", "D"]);
    flow.fault("POST /2/dm_conversations", None, "lose_answer");
    flow.run_task("tell")
        .expect(3)
        .counted("succeeded", &[("read", 4), ("in_doubt", 4)]);
    flow.no_faults();
    // Held, run after run.
    flow.run_task("tell")
        .expect(3)
        .counted("succeeded", &[("read", 4), ("in_doubt", 4)]);

    resolve(&flow, "told-A", &["sent", "--result", "{\"id\":\"17\"}"]).expect(0);
    resolve(&flow, "told-B", &["sent"]).expect(0);
    resolve(&flow, "told-C", &["again"]).expect(0);
    resolve(&flow, "told-D", &["skip"]).expect(0);
    let said = flow.run_task("tell").expect(0);
    let counts = said.json()["counts"].clone();
    assert_eq!(
        (&counts["delivered"], &counts["in_doubt"], &counts["written"]),
        (&json!(1), &json!(0), &json!(3)),
        "{counts}"
    );
    // What a person did not know is null; the later steps go on all the same.
    assert_eq!(
        flow.number("select count(*) from posted where sku = 'A' and post_id = '17'"),
        1
    );
    assert_eq!(
        flow.number("select count(*) from posted where sku = 'B' and post_id is null"),
        1
    );
    assert_eq!(
        flow.number("select count(*) from posted where sku = 'C' and post_id is not null"),
        1
    );
    assert_eq!(flow.number("select count(*) from posted"), 3);
    resolve(&flow, "told-C", &["again"]).refused(1, "RUN-004");
    flow.run_task("tell").expect(0);
    assert_eq!(flow.number("select count(*) from posted"), 3);
}

/// A person says that a post arrived and does not know its id: the provider does.
#[test]
fn what_a_person_calls_sent_gets_its_id_from_the_provider() {
    let flow = Flow::announcing(&["one"]);
    flow.accept_duplicates();
    flow.delay(30);
    let running = flow.start();
    flow.wait_for_accepted(1);
    running.kill();
    flow.no_faults();
    flow.fault("GET /2/users", None, "bad_json");
    flow.run().expect(3);
    resolve(&flow, "item-A", &["sent"]).expect(0);
    flow.no_faults();
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 1);
    assert_ids_are_the_providers(&flow);
}

/// An operation that is safe to repeat is repeated at once, without a look-up and without a person.
#[test]
fn an_operation_that_is_safe_to_repeat_is_repeated() {
    let flow = Flow::new();
    let person = flow.other_account();
    flow.apply(&format!(
        "
task: announce
steps:
  - id: items
    query: {{ database: erp, sql: select sku from items }}
  - id: follow
    call:
      connection: company-x
      operation: follow_user
      for_each: items
      key: \"follow-{{{{ sku }}}}\"
      with: {{ target_user_id: \"{person}\" }}
"
    ));
    flow.item("A", "");
    flow.fault("POST /2/users", Some(1), "lose_answer");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("delivered", 1)]);
    assert_eq!(flow.home.deliveries("delivered")[0]["attempts"], 2);
}

/// Several runs, each killed at another moment. Each row is accepted once by the sandbox's own count.
#[test]
fn killed_again_and_again_nothing_goes_twice() {
    let texts: Vec<String> = (0..20)
        .map(|i| format!("<row {i}> & a link https://example.com/{i}"))
        .collect();
    let flow = Flow::announcing(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    flow.accept_duplicates();
    for accepted in [1, 5, 9, 13] {
        let running = flow.start();
        wait_until("the next posts", || flow.sandbox.accepted() >= accepted);
        running.kill();
    }
    let said = flow.run().expect(0);
    assert_eq!(said.json()["counts"]["in_doubt"], 0);
    assert_eq!(flow.sandbox.accepted(), 20);
    assert_eq!(flow.written_back(), 20);
    assert_ids_are_the_providers(&flow);
}

/// The two tasks have their own keys, and one ledger of ids.
#[test]
fn a_look_up_never_takes_an_id_of_another_task() {
    let flow = Flow::announcing(&["the same"]);
    flow.accept_duplicates();
    flow.run().expect(0);
    flow.apply(
        &ANNOUNCE
            .replace("task: announce", "task: again")
            .replace("item-{{ sku }}", "again-{{ sku }}"),
    );
    flow.fault("POST /2/tweets", Some(1), "lose_answer");
    flow.run_task("again")
        .expect(0)
        .counted("succeeded", &[("read", 1), ("delivered", 1), ("written", 1)]);
    let ids: Vec<_> = flow
        .home
        .deliveries("delivered")
        .iter()
        .map(|d| d["result"]["id"].clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(flow.sandbox.accepted(), 2);
}
