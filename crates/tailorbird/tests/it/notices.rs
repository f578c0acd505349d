//! The owner of a task is told what needs a person: signed, once, and without records.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use crate::flow::{ANNOUNCE, Flow, TELL};
use crate::support::sql;

const SECRET: &str = "a secret that both sides know";

/// A task that only reads.
const OTHER: &str = "
task: other
steps:
  - id: one
    query: { database: erp, sql: select 1 as one }
";

/// What a receiver got: headers and body.
type Got = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver of webhooks; it answers with the status that is set.
struct Receiver {
    url: String,
    got: Got,
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (got, status) = (Got::default(), Arc::new(Mutex::new(200)));
        let (keeps, answers) = (Arc::clone(&got), Arc::clone(&status));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut text = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let read = stream.read(&mut buffer).unwrap_or(0);
                    text.extend_from_slice(&buffer[..read]);
                    let whole = String::from_utf8_lossy(&text).into_owned();
                    let Some((head, body)) = whole.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let length = header(head, "content-length").parse().unwrap_or(0);
                    if body.len() >= length || read == 0 {
                        keeps.lock().unwrap().push((head.to_owned(), body.to_owned()));
                        break;
                    }
                }
                let status = *answers.lock().unwrap();
                drop(write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                ));
            }
        });
        Self { url, got, status }
    }

    fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    fn bodies(&self) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|(_, body)| serde_json::from_str(body).unwrap())
            .collect()
    }

    /// Adds the receiver as connection `owner`.
    fn add_to(&self, flow: &Flow) {
        let root = format!("root_url={}", self.url);
        let add = [
            "connection",
            "add",
            "owner",
            "--service",
            "webhook",
            "--set",
            &root,
            "--secrets",
            "-",
        ];
        let secrets = json!({"client_key": "tailorbird", "client_secret": SECRET}).to_string();
        flow.home.run_with_input(&add, &secrets).expect(0);
    }
}

fn header(head: &str, name: &str) -> String {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
        .unwrap_or_default()
}

/// A mail server; it keeps what it is told, line by line, and takes everything.
fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut answer = |text: &str| drop(stream.write_all(text.as_bytes()));
            answer("220 test\r\n");
            let mut is_data = false;
            for line in BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map_while(Result::ok)
            {
                keeps.lock().unwrap().push(line.clone());
                let mut say = |text: &str| drop(stream.write_all(text.as_bytes()));
                match line.split_whitespace().next().unwrap_or_default() {
                    _ if is_data && line != "." => {}
                    "." => {
                        is_data = false;
                        say("250 taken\r\n");
                    }
                    "EHLO" => say("250-test\r\n250 AUTH PLAIN LOGIN\r\n"),
                    "AUTH" => say("235 welcome\r\n"),
                    "DATA" => {
                        is_data = true;
                        say("354 go on\r\n");
                    }
                    "QUIT" => say("221 bye\r\n"),
                    _ => say("250 well\r\n"),
                }
            }
        }
    });
    (port, told)
}

#[test]
fn a_mail_tells_the_same_and_its_password_is_sealed() {
    let flow = Flow::telling(&["A"]);
    let (port, told) = mail_server();
    let task = TELL.replacen(
        "steps:",
        "notify: { mail: { to: [ada@example.com, bob@example.com] } }\nsteps:",
        1,
    );
    flow.apply(&task);
    flow.fault("POST /2/dm_conversations", None, "lose_answer");
    flow.run_task("tell").expect(3);
    let waiting = &listed(&flow)[0];
    assert_eq!(
        (&waiting["channel"], &waiting["state"]),
        (&json!("mail"), &json!("waiting"))
    );
    assert!(
        waiting["failure"]
            .as_str()
            .unwrap()
            .contains("no mail server is set"),
        "{waiting:#}"
    );

    let mail = |arguments: &[&str], secrets: &str| {
        let words = [&["notice", "mail"], arguments].concat();
        flow.home.run_with_input(&words, secrets)
    };
    assert_eq!(mail(&[], "").expect(0).json(), json!(null));
    mail(&["--host", "mail.example.com"], "")
        .refused(2, "USE-001")
        .says(&["--from"]);
    let from = [
        "--host",
        "mail.example.com",
        "--from",
        "ops@example.com",
        "--tls",
        "none",
    ];
    mail(&from, "").refused(2, "USE-001").says(&["in the open"]);
    let port = port.to_string();
    let local = [
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--from",
        "ops@example.com",
        "--tls",
        "none",
        "--user",
        "ops",
        "--secrets",
        "-",
    ];
    mail(&local, "{\"pass\": 1}").refused(2, "CONN-005");
    let set = mail(&local, "{\"password\": \"very secret indeed\"}").expect(0);
    assert!(!set.stdout.contains("very secret"), "{}", set.stdout);
    let ledger = std::fs::read(flow.home.path().join("ledger.db")).unwrap();
    assert!(!ledger.windows(18).any(|part| part == b"very secret indeed"));

    waits_no_longer(&flow);
    flow.run_task("tell").expect(3);
    assert_eq!(listed(&flow)[0]["state"], "sent", "{:#}", listed(&flow)[0]);
    let lines = told.lock().unwrap().clone();
    let text = lines.join("\n");
    let login = base64::engine::general_purpose::STANDARD.encode("\0ops\0very secret indeed");
    for part in [
        format!("AUTH PLAIN {login}").as_str(),
        "MAIL FROM:<ops@example.com>",
        "RCPT TO:<ada@example.com>",
        "RCPT TO:<bob@example.com>",
        "Subject: [tailorbird] tell: in doubt",
        "told-A",
        "tailorbird delivery list --task tell --state in_doubt",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("on its way"), "no record: {text}");
    flow.home
        .apply(
            "task.yaml",
            &TELL.replacen(
                "steps:",
                "notify: { mail: { to: [\"a@b.c, d@e.f\"] } }\nsteps:",
                1,
            ),
        )
        .refused(2, "TASK-002");
    flow.home
        .apply("task.yaml", &TELL.replacen("steps:", "notify: {}\nsteps:", 1))
        .refused(2, "TASK-002");
}

/// The task with somebody to tell.
fn telling(task: &str, more: &str) -> String {
    let notify = format!("notify: {{ webhook: {{ connection: owner, path: /notices }}{more} }}\nsteps:");
    task.replacen("steps:", &notify, 1)
}

fn waits_no_longer(flow: &Flow) {
    sql(
        &flow.home.path().join("ledger.db"),
        "update notice set next_at = 1 where state = 'waiting'",
    );
}

fn listed(flow: &Flow) -> Vec<Value> {
    let listed = flow.home.run(&["notice", "list"]).expect(0).json();
    listed.as_array().unwrap().clone()
}

#[test]
fn doubts_are_told_signed_and_without_records() {
    let flow = Flow::telling(&["A", "B"]);
    let receiver = Receiver::start();
    receiver.add_to(&flow);
    flow.apply(&telling(TELL, ""));
    flow.fault("POST /2/dm_conversations", None, "lose_answer");
    flow.run_task("tell").expect(3);
    let (head, body) = receiver.got.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /notices HTTP/1.1"), "{head}");
    let (id, at) = (header(&head, "webhook-id"), header(&head, "webhook-timestamp"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header(&head, "webhook-signature"), format!("v1,{expected}"));

    let told = &receiver.bodies()[0];
    let event = &told["events"][0];
    assert_eq!(
        (&told["task"], &event["what"]),
        (&json!("tell"), &json!("in_doubt"))
    );
    assert_eq!(event["facts"]["counts"]["in_doubt"], 2);
    assert_eq!(event["facts"]["keys"]["in_doubt"], json!(["told-A", "told-B"]));
    for secret in ["on its way", SECRET, flow.keys["client_secret"].as_str().unwrap()] {
        assert!(!body.contains(secret), "{secret:?} is in {body}");
    }
    // The same doubts are no news.
    flow.run_task("tell").expect(3);
    assert_eq!(receiver.bodies().len(), 1);
    assert_eq!(listed(&flow)[0]["state"], "sent");
}

#[test]
fn a_receiver_that_fails_holds_up_nothing_and_loses_nothing() {
    let flow = Flow::announcing(&["one"]);
    let receiver = Receiver::start();
    receiver.add_to(&flow);
    flow.apply(&telling(ANNOUNCE, ", on: [failed, needs_attention]"));
    receiver.answers(500);
    // The connection is at fault: the run needs attention.
    flow.fault("POST /2/tweets", None, "503");
    flow.sql("alter table items rename to gone");
    let run = flow.run();
    assert_ne!(run.code, 0);
    let notice = &listed(&flow)[0];
    assert_eq!(
        (&notice["state"], &notice["attempts"]),
        (&json!("waiting"), &json!(1))
    );
    assert!(
        notice["failure"].as_str().unwrap().contains("status 500"),
        "{notice:#}"
    );
    // Well again: what waited goes out with the next look, whatever runs.
    receiver.answers(204);
    waits_no_longer(&flow);
    flow.sql("alter table gone rename to items");
    flow.no_faults();
    flow.run().expect(0);
    assert_eq!(listed(&flow)[0]["state"], "sent");
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 2, "the first try and the second");
    assert_eq!(bodies[0], bodies[1], "the same notice under the same id");
}

#[test]
fn a_threshold_is_told_as_what_the_task_asks_for() {
    for (on, told) in [
        (", on: [threshold]", Some("threshold")),
        ("", Some("threshold")),
        (", on: [needs_attention]", Some("needs_attention")),
        (", on: [failed, in_doubt]", None),
    ] {
        let flow = Flow::announcing(&[&"x".repeat(300), "two"]);
        let receiver = Receiver::start();
        receiver.add_to(&flow);
        flow.apply(&format!(
            "{}stop: {{ after_rejected: 1 }}\n",
            telling(ANNOUNCE, on)
        ));
        flow.run().failed(3, "SEND-012");
        let bodies = receiver.bodies();
        let events: Vec<&Value> = bodies
            .iter()
            .flat_map(|body| body["events"].as_array().unwrap())
            .collect();
        assert_eq!(
            events.first().and_then(|event| event["what"].as_str()),
            told,
            "{on}: {bodies:#?}"
        );
        if told.is_some() {
            assert_eq!(
                events[0]["facts"]["keys"]["rejected"],
                json!(["item-A"]),
                "{bodies:#?}"
            );
            assert!(bodies[0].to_string().contains("--state rejected"), "{bodies:#?}");
        }
    }
}

#[test]
fn what_happens_in_the_digest_time_is_one_notice() {
    let flow = Flow::announcing(&["one"]);
    let receiver = Receiver::start();
    receiver.add_to(&flow);
    flow.apply(&telling(ANNOUNCE, ", every: 30m"));
    flow.sql("alter table items rename to gone");
    for _ in 0..3 {
        flow.run();
    }
    assert_eq!(receiver.bodies().len(), 1, "the first one goes out at once");
    sql(
        &flow.home.path().join("ledger.db"),
        "update notice set made_at = made_at - 1860000000",
    );
    flow.run();
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(
        bodies[1]["events"].as_array().unwrap().len(),
        3,
        "{:#}",
        bodies[1]
    );
}

/// The program ended between a run's end and its notice: whoever looks next makes it.
#[test]
fn a_crash_loses_no_notice() {
    let flow = Flow::announcing(&["one"]);
    let receiver = Receiver::start();
    receiver.add_to(&flow);
    flow.apply(&telling(ANNOUNCE, ""));
    flow.sql("alter table items rename to gone");
    flow.run();
    sql(
        &flow.home.path().join("ledger.db"),
        "delete from notice; delete from notice_event; delete from setting where name = 'notices_mark'",
    );
    // Another task looks; the run that needs somebody still does.
    flow.apply(OTHER);
    flow.run_task("other").expect(0);
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["events"], bodies[1]["events"]);
}

#[test]
fn a_task_that_tells_nobody_who_is_there_is_refused() {
    let flow = Flow::new();
    let said = flow.home.apply("task.yaml", &telling(ANNOUNCE, ""));
    said.refused(2, "TASK-002")
        .says(&["there is no connection `owner`"]);
    let receiver = Receiver::start();
    receiver.add_to(&flow);
    flow.home
        .apply("task.yaml", &telling(ANNOUNCE, ", every: 5s"))
        .refused(2, "TASK-002");
    flow.home
        .apply("task.yaml", &telling(ANNOUNCE, ", on: [sometimes]"))
        .refused(2, "TASK-002");
    flow.home.apply("task.yaml", &telling(ANNOUNCE, "")).expect(0);
    flow.home
        .run(&["connection", "remove", "owner"])
        .refused(1, "CONN-006")
        .says(&["announce"]);
}
