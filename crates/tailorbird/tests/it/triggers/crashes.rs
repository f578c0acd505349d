//! `kill -9` at whatever moment: every event that was answered with 2xx leads to exactly one post.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::support::{SECRET, github, runs, set_secret, try_post};
use crate::serve::support::Server;
use crate::support::{Home, Sandbox};

/// A doubt is settled half a minute after its attempt, and the runs behind it wait for that.
const PATIENCE: Duration = Duration::from_secs(150);

const ROUNDS: u64 = 4;
const EVENTS_PER_ROUND: u64 = 12;

const TASK: &str = "task: shout
trigger:
  webhook: { path: shout, verify: github, id: /id }
steps:
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: trigger
      key: \"event-{{ id }}\"
      with: { text: \"{{ text }}\" }
";

#[test]
fn what_was_accepted_is_sent_once_whenever_the_server_is_killed() {
    let sandbox = Sandbox::start(&[]);
    sandbox.post("duplicates", &serde_json::json!({"refuse": false}));
    let home = Home::new();
    home.connect(&sandbox, "company-x", "x", "read_write");
    home.authorize(&sandbox, "company-x");
    home.apply("shout.yaml", TASK).expect(0);
    set_secret(&home, "shout");
    let (mut accepted, mut sent) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        let server = Server::start(&home);
        let url = server.url.clone();
        let senders: Vec<_> = (0..EVENTS_PER_ROUND)
            .map(|number| {
                let (url, id) = (url.clone(), format!("{round}-{number}"));
                sent.insert(id.clone());
                std::thread::spawn(move || {
                    let body = format!(r#"{{"id":"{id}","text":"event {id}"}}"#);
                    let status = try_post(&url, "shout", &github(SECRET, &id, &body), &body);
                    (id, status)
                })
            })
            .collect();
        // Sooner, later, or in the midst of it.
        std::thread::sleep(Duration::from_millis(round * 40));
        drop(server);
        for sender in senders {
            let (id, status) = sender.join().unwrap();
            if matches!(status, Some(200 | 202)) {
                accepted.insert(id);
            }
        }
    }
    // What was not answered is sent again, as providers do.
    let server = Server::start(&home);
    for id in &sent {
        let body = format!(r#"{{"id":"{id}","text":"event {id}"}}"#);
        let status = try_post(&server.url, "shout", &github(SECRET, id, &body), &body);
        assert!(matches!(status, Some(200 | 202)), "{id}: {status:?}");
        if accepted.contains(id) {
            assert_eq!(status, Some(200), "{id} was accepted, so it is known");
        }
    }
    let begun = Instant::now();
    loop {
        let texts: BTreeSet<String> = sandbox.texts().into_iter().collect();
        let runs = runs(&home, "shout");
        if texts.len() == sent.len() && runs.iter().all(|run| run["state"] == "succeeded") {
            break;
        }
        let open: Vec<_> = runs.iter().filter(|run| run["state"] != "succeeded").collect();
        assert!(
            begun.elapsed() < PATIENCE,
            "{} of {}; open: {open:#?}",
            texts.len(),
            sent.len()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut texts = sandbox.texts();
    texts.sort();
    let mut wanted: Vec<String> = sent.iter().map(|id| format!("event {id}")).collect();
    wanted.sort();
    assert_eq!(texts, wanted, "each once");
    assert_eq!(runs(&home, "shout").len(), sent.len(), "one run for each");
}
