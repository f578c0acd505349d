//! A person beside a server: runs are handed to it and followed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tailorbird_app::{Progress, ProgressEvent, Stop};
use tailorbird_model::run::RunState;

use crate::house::{House, name};
use crate::supervise::{SOON, comes_to, open, quiet};

type Told = Arc<Mutex<Vec<String>>>;

fn hearing() -> (Progress, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let progress: Progress =
        Arc::new(move |event: ProgressEvent| hears.lock().unwrap().push(event.to_string()));
    (progress, told)
}

fn waiting(seconds: u32) -> String {
    format!("task: slow\nsteps:\n  - {{ id: pause, wait: {{ for: {seconds}s }} }}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_handed_to_the_server_and_followed_to_its_end() {
    let house = House::new(20_000).await;
    house.copying(&["a"]).await;
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let person = house.another();
    assert!(person.is_served().unwrap());
    let (progress, told) = hearing();
    let run = person
        .run_task(&name("a"), progress, Stop::default())
        .await
        .unwrap();
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.failure);
    assert_eq!((run.counts.read, run.counts.written), (20_000, 20_000));
    assert!(
        told.lock().unwrap().iter().any(|told| told.contains("read")),
        "{told:?}"
    );
    // What has ended is not gone on with.
    let failure = person
        .resume_run(&run.id, hearing().0, Stop::default())
        .await
        .unwrap_err()
        .failure;
    assert_eq!(failure.code, "RUN-004");
    supervisor.stop().await;
    assert!(!person.is_served().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_to_follow_does_not_stop_the_run() {
    let house = House::new(1).await;
    house.apply(&waiting(3)).await;
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let person = house.another();
    let stop = Stop::default();
    let (progress, told) = hearing();
    let slow = name("slow");
    let following = Box::pin(person.run_task(&slow, progress, stop.clone()));
    let interrupt = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        stop.set();
    };
    let (run, ()) = tokio::join!(following, interrupt);
    let run = run.unwrap();
    assert_eq!(run.state, RunState::Waiting);
    assert!(
        told.lock().unwrap().iter().any(|told| told.contains("until")),
        "{told:?}"
    );
    // Running the task once more follows the one that has not ended.
    let (progress, _) = hearing();
    let ended = tokio::time::timeout(SOON, person.run_task(&name("slow"), progress, Stop::default())).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!((&ended.id, ended.state), (&run.id, RunState::Succeeded));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_run_goes_on_in_the_server() {
    let house = House::new(1).await;
    house.apply(&waiting(1)).await;
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let person = house.another();
    let run = open(&person, "slow").await;
    comes_to(&person, &run.id, RunState::Waiting).await;
    assert_eq!(person.pause_run(&run.id).await.unwrap().state, RunState::Paused);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        person.run(&run.id).unwrap().state,
        RunState::Paused,
        "it stays held"
    );
    let resumed = person
        .resume_run(&run.id, hearing().0, Stop::default())
        .await
        .unwrap();
    assert_eq!((&resumed.id, resumed.state), (&run.id, RunState::Succeeded));
    let run = open(&person, "slow").await;
    comes_to(&person, &run.id, RunState::Waiting).await;
    assert_eq!(
        person.cancel_run(&run.id).await.unwrap().state,
        RunState::Cancelled
    );
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_when_the_server_stops() {
    let house = House::new(1).await;
    house.apply(&waiting(60)).await;
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let person = house.another();
    let (progress, told) = hearing();
    let slow = name("slow");
    let following = Box::pin(person.run_task(&slow, progress, Stop::default()));
    let stops = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        supervisor.stop().await;
    };
    let (run, ()) = tokio::time::timeout(SOON, async { tokio::join!(following, stops) })
        .await
        .unwrap();
    assert_eq!(run.unwrap().state, RunState::Waiting);
    assert!(
        told.lock()
            .unwrap()
            .iter()
            .any(|told| told.contains("the server has stopped")),
        "{told:?}"
    );
}
