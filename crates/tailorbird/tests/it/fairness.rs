//! What shares a limit: two tasks of one server over one connection, where the one with many records does not starve the
//! one with few; and two connections that hold one credential.

use std::time::Duration;

use serde_json::json;

use crate::flow::Running;
use crate::provider::{Provider, Reply, SERVICE, TASK};
use crate::serve::support::{Server, until};
use crate::support::Home;

/// Three rows over the same connection.
fn small(name: &str) -> String {
    TASK.replace("task: tell", &format!("task: {name}"))
        .replace(
            "select id, text from items order by id",
            "select id, 'small ' || id as text from items where id <= 3",
        )
        .replace("item-{{", &format!("{name}-{{{{"))
}

/// How many records of the big task the provider had taken before the last one of the small task.
fn big_ones_before_the_last_small_one(provider: &Provider) -> usize {
    let bodies = provider.bodies();
    let is_small = |body: &String| body.contains("small ");
    assert_eq!(bodies.iter().filter(|body| is_small(body)).count(), 3);
    let last = bodies.iter().rposition(is_small).unwrap();
    bodies[..last].iter().filter(|body| !is_small(body)).count()
}

fn run_small(home: &Home, name: &str) {
    home.apply("small.yaml", &small(name)).expect(0);
    let said = home.run(&["task", "run", name]).expect(0);
    assert_eq!(said.json()["counts"]["delivered"], json!(3));
}

#[test]
fn a_big_task_gives_way_where_slots_are_few() {
    let provider = Provider::start(|_, _, _| Reply::Slow(Duration::from_millis(10)));
    let home = provider.home(SERVICE, &["concurrency=2"], 2_000);
    let _server = Server::start(&home);
    let big = Running::start(home.command(&["task", "run", "tell"]));
    until("the first records of the big task", || {
        provider.requests().len() >= 20
    });
    run_small(&home, "small");
    let before = big_ones_before_the_last_small_one(&provider);
    assert!(before < 1_500, "{before} of 2,000 went first");
    drop(big);
}

/// As many calls in a window as the service allows: whoever went short in one comes first in the next.
#[test]
fn a_big_task_leaves_calls_of_the_next_window_to_a_small_one() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let limited = format!("{SERVICE}limits: [{{ per: connection, calls: 4, window: 3s }}]\n");
    let home = provider.home(&limited, &["concurrency=4"], 400);
    let _server = Server::start(&home);
    let big = Running::start(home.command(&["task", "run", "tell"]));
    until("a used up window", || provider.requests().len() >= 4);
    // Several times, since by chance the small one may come first.
    let mut went_first = 0;
    for time in 1..=5 {
        let name = format!("small-{time}");
        home.apply("small.yaml", &small(&name)).expect(0);
        let running = Running::start(home.command(&["task", "run", &name]));
        until("the run that went short", || {
            let run = &home.run(&["run", "list", "--task", &name]).expect(0).json()[0];
            run["state"] == "waiting" || run["state"] == "succeeded"
        });
        let known = provider.requests().len();
        running.end().expect(0);
        let bodies = provider.bodies();
        let last = bodies.iter().rposition(|body| body.contains("small ")).unwrap();
        let since = bodies[known.min(last)..last].iter();
        went_first += since.filter(|body| !body.contains("small ")).count();
    }
    // What was on its way when the small one went short, and never a whole window.
    assert!(went_first < 4, "{went_first} of the big task went first");
    drop(big);
}

/// Two connections that hold one credential, one service with a limit for each credential.
#[test]
fn connections_with_one_credential_share_its_limits_over_restarts() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let limited = format!(
        "{}limits: [{{ per: connection, calls: 3, window: 1h }}]\n",
        SERVICE.replace(
            "authentication: {}",
            "authentication: { oauth1: { signature_method: HMAC-SHA1 } }"
        )
    );
    let home = provider.home(&limited, &[], 5);
    let hold = |connection: &str, token: &str| {
        let secrets = json!({"client_key": "k", "client_secret": "s", "token": token, "token_secret": "ts"});
        let root = format!("root_url={}", provider.root);
        let add = [
            "connection",
            "add",
            connection,
            "--service",
            "notes",
            "--set",
            &root,
            "--secrets",
            "-",
        ];
        home.run_with_input(&add, &secrets.to_string()).expect(0);
    };
    hold("c", "one-token");
    hold("d", "one-token");
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(provider.requests().len(), 3);
    let over_d = TASK
        .replace("task: tell", "task: other")
        .replace("connection: c", "connection: d")
        .replace("item-{{", "other-{{");
    home.apply("other.yaml", &over_d).expect(0);
    let said = home.run(&["task", "run", "other"]).expect(3).json();
    assert_eq!(said["failure"]["code"], "SEND-005", "{said:#}");
    assert_eq!(provider.requests().len(), 3, "the credential has used its calls");
    let shown = home.run(&["connection", "show", "d"]).expect(0).json();
    assert_eq!(shown["limits"][0]["used"], json!(3));
    assert_eq!(shown["counts_with"], json!(["c"]));
    let text = home.run_as_text(&["connection", "show", "d"]).expect(0).stdout;
    assert!(text.contains("one credential with c"), "{text}");
    assert!(!(text + &shown.to_string()).contains("one-token"));
    // Authorised anew, for another account: it has its own calls, and the other connection's are used up still.
    hold("d", "another-token");
    home.run(&["task", "run", "other"]).expect(3);
    assert_eq!(provider.requests().len(), 6);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(provider.requests().len(), 6);
    let shown = home.run(&["connection", "show", "d"]).expect(0).json();
    assert_eq!(
        (&shown["limits"][0]["used"], &shown["counts_with"]),
        (&json!(3), &json!([]))
    );
}
