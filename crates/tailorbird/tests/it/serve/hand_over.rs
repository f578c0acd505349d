//! `task run` beside a server (never-twice rule 19).

use std::process::Stdio;

use serde_json::Value;

use super::support::{Server, until};
use crate::support::{Home, Said};

fn waiting(seconds: u32) -> Home {
    let home = Home::new();
    let task = format!("task: slow\nsteps:\n  - {{ id: pause, wait: {{ for: {seconds}s }} }}\n");
    let file = home.write("slow.yaml", &task);
    home.run(&["task", "apply", &file]).expect(0);
    home
}

fn run_of(home: &Home) -> Value {
    home.run(&["run", "list"]).expect(0).json()[0].clone()
}

#[test]
fn a_run_is_handed_to_the_server_and_followed() {
    let home = waiting(1);
    let server = Server::start(&home);
    let said = home.run(&["task", "run", "slow"]).expect(0);
    assert_eq!(said.json()["state"], "succeeded");
    assert!(said.json()["counts"]["read"].is_number());
    assert_eq!(server.stop(), Some(0));
    // Without the server it drives itself.
    home.run(&["task", "run", "slow"]).expect(0);
}

#[test]
fn ctrl_c_ends_the_following_and_not_the_run() {
    let home = waiting(5);
    let _server = Server::start(&home);
    let child = home
        .command(&["task", "run", "slow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("the waiting run", || run_of(&home)["state"] == "waiting");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert!(
        said.stderr.contains("the run goes on in the server"),
        "{}",
        said.stderr
    );
    let said = said.expect(3);
    assert_eq!(said.json()["state"], "waiting");
    assert!(said.json()["resume_at"].is_string());
    until("the end of the run", || run_of(&home)["state"] == "succeeded");
}

#[test]
fn a_server_that_is_killed_goes_on_with_the_wait_where_it_was() {
    let home = waiting(4);
    let server = Server::start(&home);
    let mut follower = home
        .command(&["task", "run", "slow"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the waiting run", || run_of(&home)["state"] == "waiting");
    let resume_at = run_of(&home)["resume_at"].clone();
    // Dropping it is `kill -9`.
    drop(server);
    assert_eq!(
        follower.wait().unwrap().code(),
        Some(3),
        "it says that the server has stopped"
    );
    assert_eq!(run_of(&home)["resume_at"], resume_at);
    let _server = Server::start(&home);
    until("the end of the run", || run_of(&home)["state"] == "succeeded");
    let run = run_of(&home);
    assert!(run["ended_at"].as_str() >= resume_at.as_str(), "{run:#}");
}
