//! Rules 6 and 19: a run is stopped, held, ended and gone on with; only one drives.

use crate::flow::{ANNOUNCE, Flow, is_home, wait_until};
use crate::support::Home;

const EIGHT: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

/// Eight rows whose posts take a second each, so that a run can be caught at work; the first four are on
/// their way when this returns.
fn at_work() -> (Flow, crate::flow::Running) {
    let flow = Flow::announcing(&EIGHT);
    flow.accept_duplicates();
    flow.delay(1);
    let running = flow.start();
    flow.wait_for_accepted(4);
    (flow, running)
}

/// The rest goes on the next time, and nothing goes twice.
fn goes_on(flow: &Flow, expected: &str) {
    flow.no_faults();
    let sent = flow.sandbox.accepted();
    assert!((4..8).contains(&sent), "{sent} of 8 were sent");
    let said = flow.run().expect(0);
    assert_eq!(said.json()["state"], expected, "{}", said.stdout);
    assert_eq!(flow.sandbox.accepted(), 8);
    assert_eq!(flow.written_back(), 8);
    assert!(
        flow.states().iter().all(|(_, state)| state == "delivered"),
        "{:?}",
        flow.states()
    );
}

#[test]
fn ctrl_c_finishes_what_is_under_way_and_loses_nothing() {
    let (flow, running) = at_work();
    running.interrupt();
    let said = running.end();
    said.failed(3, "RUN-005")
        .says(&["Nothing is lost", "task run announce"]);
    assert_eq!(said.json()["state"], "paused");
    assert!(said.stderr.contains("Stopping"), "{}", said.stderr);
    let run = said.json()["id"].clone();
    assert!(flow.home.deliveries("sending").is_empty());
    assert!(flow.home.deliveries("in_doubt").is_empty());
    assert_eq!(flow.home.deliveries("delivered").len(), 4);
    assert_eq!(
        flow.written_back(),
        4,
        "what went through is written back before the run is left"
    );

    flow.no_faults();
    let said = flow.run().expect(0);
    assert_eq!(said.json()["id"], run, "the same run goes on");
    said.counted("succeeded", &[("read", 8), ("delivered", 8), ("written", 8)]);
    assert_eq!(flow.sandbox.accepted(), 8);
}

#[test]
fn another_process_holds_a_run_and_lets_it_go_on() {
    let (flow, running) = at_work();
    let run = flow.last_run()["id"].as_str().unwrap().to_owned();
    flow.home.run(&["run", "pause", &run]).expect(0);
    let said = running.end().expect(3);
    assert_eq!(said.json()["state"], "paused");
    assert!(flow.home.deliveries("in_doubt").is_empty());
    flow.no_faults();
    let resumed = flow.home.run(&["run", "resume", &run]).expect(0);
    resumed.counted("succeeded", &[("read", 8), ("delivered", 8), ("written", 8)]);
    assert_eq!(flow.sandbox.accepted(), 8);
    flow.home
        .run(&["run", "resume", &run])
        .refused(1, "RUN-004")
        .says(&["has ended", "task run announce"]);
}

#[test]
fn another_process_ends_a_run_and_a_new_one_sends_the_rest() {
    let (flow, running) = at_work();
    let run = flow.last_run()["id"].as_str().unwrap().to_owned();
    flow.home.run(&["run", "cancel", &run]).expect(0);
    let said = running.end().expect(1);
    assert_eq!(said.json()["state"], "cancelled");
    goes_on(&flow, "succeeded");
    assert_ne!(flow.last_run()["id"], run.as_str());
    flow.home.run(&["run", "cancel", &run]).refused(1, "RUN-004");
}

#[test]
fn a_run_that_nobody_drives_is_held_and_ended_at_once() {
    let (flow, running) = at_work();
    running.kill();
    let run = flow.last_run();
    assert_eq!(run["state"], "running", "nobody was there to say otherwise");
    let id = run["id"].as_str().unwrap();
    assert_eq!(
        flow.home.run(&["run", "pause", id]).expect(0).json()["state"],
        "paused"
    );
    assert_eq!(
        flow.home.run(&["run", "cancel", id]).expect(0).json()["state"],
        "cancelled"
    );
    goes_on(&flow, "succeeded");
}

/// The lock is for driving runs; definitions are read and written meanwhile.
#[test]
fn one_process_drives_and_others_read_and_write_definitions() {
    let (flow, running) = at_work();
    let said = flow.run();
    said.refused(1, "RUN-002").says(&[&running.id().to_string()]);
    let changed = ANNOUNCE.replace("task: announce", "task: announce\ndescription: changed meanwhile");
    assert_eq!(
        flow.home.apply("changed.yaml", &changed).expect(0).json()[0]["version"],
        2
    );
    flow.home.run(&["task", "list"]).expect(0);
    flow.home.run(&["delivery", "list"]).expect(0);
    let said = running.end().expect(0);
    said.counted("succeeded", &[("read", 8), ("delivered", 8), ("written", 8)]);
    assert_eq!(said.json()["task_version"], 1, "the version is pinned to the run");
    assert_eq!(flow.sandbox.accepted(), 8);
}

/// The run of an older version is ended; the ledger holds all that it knew.
#[test]
fn a_changed_task_takes_the_place_of_its_paused_run() {
    let (flow, running) = at_work();
    running.interrupt();
    let old = running.end().expect(3).json()["id"].clone();
    flow.apply(&ANNOUNCE.replace("task: announce", "task: announce\ndescription: changed"));
    goes_on(&flow, "succeeded");
    let runs = flow.home.run(&["run", "list"]).expect(0).json();
    assert_eq!(runs[1]["id"], old);
    assert_eq!(runs[1]["state"], "cancelled");
    assert_eq!(runs[0]["task_version"], 2);
}

/// An empty ledger by mistake would send everything again (rule 20).
#[test]
fn no_home_is_made_by_running_or_looking() {
    let home = Home::new();
    for command in [
        &["task", "run", "announce"][..],
        &["run", "list"],
        &["delivery", "list"],
        &["connection", "list"],
        &["database", "list"],
    ] {
        home.run(command).refused(2, "HOME-001");
        assert!(!home.path().exists(), "{command:?} made a home");
    }
    home.write("task.yaml", ANNOUNCE);
    home.database("erp", "create table items (id integer primary key);");
    assert!(is_home(&home.path()));
    // An emptied ledger is not taken for a new one.
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        drop(std::fs::remove_file(home.path().join(name)));
    }
    home.run(&["task", "list"]).refused(1, "HOME-002");
    assert!(!is_home(&home.path()), "a lost ledger is not made anew");
    std::fs::write(home.path().join("ledger.db"), "").unwrap();
    assert_ne!(home.run(&["task", "list"]).code, 0);
}

/// A pause that was asked for while the run waits for a limit is noticed at once.
#[test]
fn a_waiting_run_can_be_ended() {
    let flow = Flow::announcing(&["one"]);
    let fault = serde_json::json!([{"match": "POST /2/tweets", "do": "429", "seconds": 600}]);
    flow.sandbox.post("faults", &fault);
    let running = flow.start();
    wait_until("the waiting run", || flow.last_run()["state"] == "waiting");
    let run = flow.last_run()["id"].as_str().unwrap().to_owned();
    flow.home.run(&["run", "cancel", &run]).expect(0);
    assert_eq!(running.end().expect(1).json()["state"], "cancelled");
}
