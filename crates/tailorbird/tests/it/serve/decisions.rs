//! What people decide about records is carried out by the server, without anything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::support::{Server, until};
use crate::provider::{Provider, Reply, SERVICE};
use crate::support::{Home, sql};

/// A provider that refuses until it is told not to, and a home with two records that it refused.
fn refused() -> (Provider, Arc<AtomicBool>, Home) {
    let accepts = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&accepts);
    let provider = Provider::start(move |number, _, _| {
        if asked.load(Ordering::SeqCst) {
            Reply::accept(number)
        } else {
            Reply::refuse()
        }
    });
    let home = provider.home(SERVICE, &[], 2);
    home.run(&["task", "run", "tell"]).expect(3);
    accepts.store(true, Ordering::SeqCst);
    (provider, accepts, home)
}

fn again(home: &Home, key: &str) -> String {
    home.run_as_text(&["delivery", "resolve", key, "--as", "again"])
        .expect(0)
        .stdout
}

fn delivered(home: &Home) -> usize {
    home.deliveries("delivered").len()
}

fn runs(home: &Home) -> Vec<Value> {
    home.run(&["run", "list"])
        .expect(0)
        .json()
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn what_is_to_be_sent_again_goes_out_at_once_and_nothing_else_does() {
    let (provider, _, home) = refused();
    let server = Server::start(&home);
    // A row that is due, and not asked for.
    sql(
        &home.file("erp.sqlite"),
        "insert into items values (3, 'a new one')",
    );
    let said = again(&home, "item-2");
    assert!(said.contains("The server takes it up"), "{said}");
    until("the record that is sent again", || delivered(&home) == 1);
    until("the end of its run", || runs(&home)[0]["state"] == "succeeded");
    let run = &runs(&home)[0];
    assert_eq!(
        (&run["counts"]["read"], &run["counts"]["delivered"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(provider.bodies().len(), 3, "two refused ones, and the one");
    // A disabled task waits for a person; the decision is not forgotten over a restart.
    home.run(&["task", "disable", "tell"]).expect(0);
    let said = again(&home, "item-1");
    assert!(said.contains("disabled"), "{said}");
    assert_eq!(server.stop(), Some(0));
    let _server = Server::start(&home);
    assert_eq!(home.deliveries("pending").len(), 1);
    home.run(&["task", "enable", "tell"]).expect(0);
    until("the record of the task that was disabled", || {
        delivered(&home) == 2
    });
    assert_eq!(provider.bodies().len(), 4);
    assert_eq!(runs(&home).len(), 3, "one by hand, and one for each decision");
    // Whoever runs the task has it read, as ever.
    home.run(&["task", "run", "tell"]).expect(0);
    assert_eq!(delivered(&home), 3);
}

/// Without a server nothing happens by itself, and the command says what to do.
#[test]
fn without_a_server_the_next_run_takes_it_up() {
    let (_, _, home) = refused();
    let said = again(&home, "item-1");
    assert!(said.contains("`tailorbird task run tell` takes it up"), "{said}");
    assert_eq!(delivered(&home), 0);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(delivered(&home), 1);
}
