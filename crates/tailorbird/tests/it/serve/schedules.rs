//! Tasks that start by themselves: schedules, what was missed, overlap, and the end of another task.
//!
//! The schedules' clock is moved by a file; runs work in real time.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{Server, talk, until};
use crate::support::{Home, Sandbox, number, sql};

pub(super) const MINUTE: i64 = 60_000;

/// Moves the clock of a home's server by so many milliseconds from the system's.
pub(super) fn clock(home: &Home, milliseconds: i64) {
    // Written beside and put in place, so that the server never reads half a number.
    let path = home.file("clock");
    let beside = home.file("clock.new");
    std::fs::write(&beside, milliseconds.to_string()).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// A home with a task `copy` that writes one row per run, and a trigger.
fn copying(trigger: &str) -> (Home, PathBuf) {
    let home = Home::new();
    let path = home.database(
        "erp",
        "create table ticks (run text primary key); create table one (id integer); insert into one values (1)",
    );
    let task = copy("copy", trigger);
    home.apply("copy.yaml", &task).expect(0);
    (home, path)
}

/// A task that writes a row with its run's name.
fn copy(name: &str, trigger: &str) -> String {
    format!(
        "task: {name}
trigger: {trigger}
steps:
  - id: rows
    query: {{ database: erp, sql: 'select :run as run from one', parameters: {{ run: '{{{{ run.id }}}}' }} }}
  - id: store
    write: {{ database: erp, table: ticks, from: rows, key: [run] }}
"
    )
}

fn ticks(path: &Path) -> i64 {
    number(path, "select count(*) from ticks")
}

fn firings(home: &Home, task: &str) -> Vec<Value> {
    let shown = home.run(&["task", "show", task]).expect(0).json();
    shown["firings"].as_array().unwrap().clone()
}

fn verdicts(home: &Home, task: &str) -> Vec<String> {
    firings(home, task)
        .iter()
        .map(|firing| firing["verdict"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_schedule_fires_by_itself_and_a_clock_that_is_set_back_fires_nothing_twice() {
    let (home, path) = copying("{ schedule: '0 0 1 1 *' }");
    clock(&home, 0);
    let server = Server::start(&home);
    let listed = home.run(&["task", "list"]).expect(0).json();
    let next = listed[0]["next"].as_array().unwrap();
    assert_eq!(next.len(), 3, "{listed}");
    assert!(
        next[0].as_str().unwrap().ends_with("-01-01T00:00:00Z"),
        "{listed}"
    );
    // An hourly one from now on.
    home.apply("copy.yaml", &copy("copy", "{ schedule: '0 * * * *' }"))
        .expect(0);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(ticks(&path), 0, "nothing is due yet");
    clock(&home, 60 * MINUTE);
    until("the hour's run", || ticks(&path) == 1);
    clock(&home, 0);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    clock(&home, 60 * MINUTE);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(ticks(&path), 1, "the same hour came twice");
    clock(&home, 120 * MINUTE);
    until("the next hour's run", || ticks(&path) == 2);
    assert_eq!(verdicts(&home, "copy"), ["fired", "fired"]);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_disabled_task_does_not_fire_and_what_passed_meanwhile_was_not_missed() {
    let (home, path) = copying("{ schedule: '0 * * * *' }");
    let _server = Server::start(&home);
    home.run(&["task", "disable", "copy"]).expect(0);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    clock(&home, 180 * MINUTE);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    home.run(&["task", "enable", "copy"]).expect(0);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(ticks(&path), 0);
    clock(&home, 240 * MINUTE);
    until("it fires again", || ticks(&path) == 1);
    assert_eq!(verdicts(&home, "copy"), ["fired"]);
}

#[test]
fn what_was_missed_while_no_server_was_there_is_caught_up_as_the_policy_says() {
    for (policy, runs, expected) in [
        ("once", 1, vec!["fired", "missed", "missed"]),
        ("skip", 0, vec!["missed", "missed", "missed"]),
        ("all", 3, vec!["fired", "fired", "fired"]),
    ] {
        let (home, path) = copying(&format!("{{ schedule: '0 * * * *', missed: {policy} }}"));
        // Half past, so that no hour begins while the test runs.
        let half_past = half_past();
        clock(&home, half_past);
        let server = Server::start(&home);
        until("the trigger is known", || {
            number(
                &home.path().join("ledger.db"),
                "select count(*) from trigger_clock",
            ) == 1
        });
        assert_eq!(server.stop(), Some(0));
        clock(&home, half_past + 180 * MINUTE);
        let _server = Server::start(&home);
        until(policy, || verdicts(&home, "copy") == expected);
        until(policy, || ticks(&path) == runs);
        let told = expected.iter().filter(|verdict| **verdict == "missed").count();
        until("it says what was missed", || {
            told == 0 || talk(&home).contains(&format!("copy: {told} time(s) were missed"))
        });
    }
}

/// Milliseconds to the next half hour past an hour.
fn half_past() -> i64 {
    let hour = 60 * MINUTE;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let past = i64::try_from(now).unwrap() % hour;
    hour + hour / 2 - past
}

#[test]
fn a_run_that_has_not_ended_leaves_the_next_firing_out_or_lets_it_wait() {
    for (policy, expected, runs) in [("skip", "overlapped", 1), ("queue", "fired", 2)] {
        let (home, path) = copying(&format!("{{ schedule: '0 * * * *', overlap: {policy} }}"));
        clock(&home, half_past());
        let _server = Server::start(&home);
        until("the trigger is known", || {
            number(
                &home.path().join("ledger.db"),
                "select count(*) from trigger_clock",
            ) == 1
        });
        // The database is locked: the first run cannot end.
        let lock = rusqlite::Connection::open(&path).unwrap();
        lock.execute_batch("begin immediate").unwrap();
        clock(&home, half_past() + 31 * MINUTE);
        until("the first run", || firings(&home, "copy").len() == 1);
        clock(&home, half_past() + 91 * MINUTE);
        until("the second firing", || firings(&home, "copy").len() == 2);
        assert_eq!(verdicts(&home, "copy"), [expected, "fired"]);
        if policy == "skip" {
            until("it says so", || talk(&home).contains("copy: left out at "));
        }
        lock.execute_batch("rollback").unwrap();
        until("the runs end", || ticks(&path) == runs);
    }
}

#[test]
fn a_task_runs_after_another_one_and_a_circle_is_refused() {
    let (home, path) = copying("{}");
    home.apply("next.yaml", &copy("next", "{ after: { task: copy } }"))
        .expect(0);
    home.apply(
        "alarm.yaml",
        &copy("alarm", "{ after: { task: copy, when: [failed, cancelled] } }"),
    )
    .expect(0);
    home.run(&["task", "run", "copy"]).expect(0);
    let server = Server::start(&home);
    until("the triggers are known", || {
        number(
            &home.path().join("ledger.db"),
            "select count(*) from trigger_clock",
        ) == 2
    });
    assert_eq!(ticks(&path), 1, "what ended before is none of its business");
    assert_eq!(server.stop(), Some(0));
    // Without a server, too: it is taken up when one is there again.
    home.run(&["task", "run", "copy"]).expect(0);
    assert_eq!(ticks(&path), 2);
    let server = Server::start(&home);
    until("the task after it", || ticks(&path) == 3);
    assert_eq!(server.stop(), Some(0));
    sql(&path, "alter table one rename to two");
    let stuck = home.run(&["task", "run", "copy"]).expect(3).json();
    home.run(&["run", "cancel", stuck["id"].as_str().unwrap()])
        .expect(0);
    sql(&path, "alter table two rename to one");
    let _server = Server::start(&home);
    until("the task after a cancelled run", || ticks(&path) >= 4);
    assert_eq!(verdicts(&home, "next"), ["fired"]);
    assert_eq!(verdicts(&home, "alarm"), ["fired"]);
    home.apply("copy.yaml", &copy("copy", "{ after: { task: next } }"))
        .refused(2, "TASK-002")
        .says(&["a task that triggers itself", "copy → next → copy"]);
    home.apply("self.yaml", &copy("self", "{ after: { task: self } }"))
        .refused(2, "TASK-002")
        .says(&["a task that triggers itself"]);
    // A call closes a circle, too, and the files that make one are looked at together.
    let calls = "task: calls
trigger: { after: { task: called } }
steps: [ { id: sub, call_task: { task: called } } ]
---
"
    .to_owned()
        + &copy("called", "{}");
    let file = home.write("calls.yaml", &calls);
    let said = home.run(&["task", "check", &file]).expect(2).stdout;
    assert!(
        said.contains("a task that triggers itself: calls → called → calls"),
        "{said}"
    );
    let lost = home.write("lost.yaml", &copy("lost", "{ after: { task: cpoy } }"));
    let said = home.run(&["task", "check", &lost]).expect(2).stdout;
    assert!(said.contains("Did you mean `copy`?"), "{said}");
}

#[test]
fn problems_of_a_trigger_are_told_with_their_places() {
    let (home, _) = copying("{}");
    home.write("home/holidays.txt", "2026-12-25\n26.12.2026\n");
    for (trigger, words) in [
        (
            "{ schedule: '0 0 30 2 *' }",
            ["a schedule that never fires", "30 February"],
        ),
        (
            "{ schedule: '0 9 * * 1', window: { days: [sun] } }",
            ["a schedule that never fires", "`window`"],
        ),
        ("{ schedule: '0 9 * *' }", ["not a schedule", "Five fields"]),
        (
            "{ schedule: '0 9 * * *', timezone: Europe/Lodnon }",
            ["no time zone", "Europe/London"],
        ),
        (
            "{ schedule: '0 9 * * *', timezone: London }",
            ["no time zone", "Europe/London"],
        ),
        (
            "{ schedule: '0 9 * * *', except: { dates: [25.12.2026] } }",
            ["is not a date", "2026-12-25"],
        ),
        (
            "{ schedule: '0 9 * * *', except: { file: holidays.txt } }",
            ["holidays.txt:2", "this is not a date"],
        ),
        (
            "{ schedule: '0 9 * * *', except: { file: nowhere.txt } }",
            ["cannot be read", "home folder"],
        ),
        (
            "{ schedule: '0 9 * * *', window: { from: 8am } }",
            ["not a time of the day", "08:00"],
        ),
        ("{ missed: all }", ["belongs to a schedule", "`missed`"]),
        (
            "{ schedule: '0 9 * * *', after: { task: copy } }",
            ["one source", "schedule"],
        ),
    ] {
        let file = home.write("t.yaml", &copy("t", trigger));
        let said = home.run(&["task", "check", &file]).expect(2);
        for word in words {
            assert!(said.stdout.contains(word), "{trigger}: {word}: {}", said.stdout);
        }
        assert!(said.stdout.contains("/trigger"), "{}", said.stdout);
        // What another file says is not repeated.
        assert!(!said.stdout.contains("26.12.2026"), "{}", said.stdout);
    }
}

#[test]
fn a_calendar_that_is_gone_holds_the_schedule_and_one_that_is_back_lets_it_fire() {
    let (home, path) = copying("{}");
    home.write("home/holidays.txt", "2026-01-01\n");
    home.apply(
        "copy.yaml",
        &copy(
            "copy",
            "{ schedule: '0 * * * *', except: { file: holidays.txt } }",
        ),
    )
    .expect(0);
    clock(&home, half_past());
    let _server = Server::start(&home);
    until("the trigger is known", || {
        number(
            &home.path().join("ledger.db"),
            "select count(*) from trigger_clock",
        ) == 1
    });
    std::fs::remove_file(home.path().join("holidays.txt")).unwrap();
    let listed = home.run(&["task", "list"]).expect(0).json();
    assert!(
        listed[0]["problem"].as_str().unwrap().contains("holidays.txt"),
        "{listed}"
    );
    std::thread::sleep(std::time::Duration::from_millis(2500));
    clock(&home, half_past() + 31 * MINUTE);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(ticks(&path), 0, "nobody knows whether it is a holiday");
    assert!(
        talk(&home).contains("copy: its schedule does not fire."),
        "{}",
        talk(&home)
    );
    home.write("home/holidays.txt", "2026-01-02\n");
    until("it fires", || ticks(&path) == 1);
}

#[test]
fn a_scheduled_run_posts_each_row_once() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A-1", "Desk"), ("A-2", "Chair")]);
    let task = crate::support::announce("product-{{ sku }}", "New: {{ name }}").replace(
        "task: announce\n",
        "task: announce\ntrigger: { schedule: '*/5 * * * *' }\n",
    );
    home.apply("announce.yaml", &task).expect(0);
    clock(&home, half_past());
    let server = Server::start(&home);
    until("the trigger is known", || {
        number(
            &home.path().join("ledger.db"),
            "select count(*) from trigger_clock",
        ) == 1
    });
    for round in 1..=3 {
        clock(&home, half_past() + round * 5 * MINUTE + MINUTE);
        until("the round", || {
            let runs = home.run(&["run", "list"]).expect(0).json();
            let ended = runs
                .as_array()
                .unwrap()
                .iter()
                .filter(|run| run["state"] == "succeeded");
            i64::try_from(ended.count()).unwrap() >= round
        });
    }
    assert_eq!(sandbox.accepted(), 2);
    // Two rounds found nothing, and that is no news.
    let said = talk(&home);
    assert!(
        said.contains("announce: succeeded, 2 delivered, 2 written (run-"),
        "{said}"
    );
    assert_eq!(said.matches("announce: ").count(), 1, "{said}");
    let (_, figures) = server.get("/metrics");
    for line in [
        "tailorbird_runs_ended_total{task=\"announce\",state=\"succeeded\"} 3",
        "tailorbird_records_total{task=\"announce\",outcome=\"delivered\"} 2",
        "tailorbird_records_total{task=\"announce\",outcome=\"written\"} 2",
        "tailorbird_runs_driven 0",
        "tailorbird_firings_total{task=\"announce\",verdict=\"fired\"} 3",
        "tailorbird_provider_answer_seconds_count{effect=\"write\"} 2",
    ] {
        assert!(
            figures.lines().any(|found| found == line),
            "{line} is not in {figures}"
        );
    }
    let number = |name: &str| -> f64 {
        let line = figures
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {figures}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(number("tailorbird_store_commits_total ") > 5.0);
    assert!(number("tailorbird_store_commit_seconds_sum ") > 0.0);
    assert!(number("tailorbird_effect_seconds_count ") >= 3.0);
    assert!(number("tailorbird_next_firing_timestamp_seconds{task=\"announce\"} ") > 1_700_000_000.0);
}
