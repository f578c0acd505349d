//! A provider of a few lines: it keeps every request and answers as the test says, also by cutting the connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::Home;

/// What it does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with a status, more headers (each with `\r\n`) and a body.
    Answer(u16, &'static str, String),
    /// Reads the request and closes the connection.
    Cut,
    /// Waits before it accepts.
    Slow(Duration),
}

impl Reply {
    pub(crate) fn accept(id: usize) -> Self {
        Self::Answer(201, "", format!("{{\"data\":{{\"id\":\"{id}\"}}}}"))
    }

    pub(crate) fn refuse() -> Self {
        Self::Answer(422, "", "{\"message\":\"text is not allowed\"}".to_owned())
    }
}

type Requests = Arc<Mutex<Vec<(String, String)>>>;

/// A provider on a free port.
pub(crate) struct Provider {
    pub(crate) root: String,
    requests: Requests,
}

impl Provider {
    /// Starts it; `reply` is asked with the number of the request, from 0 on, its head and its body.
    pub(crate) fn start(reply: impl Fn(usize, &str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let (requests, reply) = (Requests::default(), Arc::new(reply));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, reply) = (Arc::clone(&kept), Arc::clone(&reply));
                thread::spawn(move || serve(stream, &kept, reply.as_ref()));
            }
        });
        Self { root, requests }
    }

    /// The requests so far: head and body of each.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies of the requests so far.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.requests().into_iter().map(|(_, body)| body).collect()
    }

    /// A home with a service of this provider, a connection `c` with settings, and rows in a database `erp`.
    pub(crate) fn home(&self, service: &str, settings: &[&str], rows: usize) -> Home {
        let home = Home::new();
        let service = service.replace("ROOT", &self.root);
        let file = home.write("service.yaml", &service);
        let root = format!("root_url={}", self.root);
        let mut arguments = vec!["connection", "add", "c", "--service", "notes", "--set", &root];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        home.run(&["service", "add", &file]).expect(0);
        home.run(&arguments).expect(0);
        home.database(
            "erp",
            &format!(
                "create table items (id integer primary key, text text);
                 with recursive n(i) as (values(1) union all select i + 1 from n where i < {rows})
                 insert into items select i, 'text ' || i from n;"
            ),
        );
        home.apply("task.yaml", TASK).expect(0);
        home
    }
}

fn serve(mut stream: TcpStream, kept: &Requests, reply: &dyn Fn(usize, &str, &str) -> Reply) {
    let mut buffer = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut bytes) {
                Ok(read @ 1..) => buffer.extend_from_slice(&bytes[..read]),
                _ => return,
            }
        };
        let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(str::to_owned)
            })
            .map_or(0, |length| length.trim().parse().unwrap());
        while buffer.len() < end + length {
            match stream.read(&mut bytes) {
                Ok(read @ 1..) => buffer.extend_from_slice(&bytes[..read]),
                _ => return,
            }
        }
        let body = String::from_utf8(buffer[end..end + length].to_vec()).unwrap();
        buffer.drain(..end + length);
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push((head.clone(), body.clone()));
            kept.len() - 1
        };
        let (status, headers, answer) = match reply(number, &head, &body) {
            Reply::Answer(status, headers, answer) => (status, headers, answer),
            Reply::Cut => return,
            Reply::Slow(wait) => {
                thread::sleep(wait);
                (201, "", format!("{{\"data\":{{\"id\":\"{number}\"}}}}"))
            }
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A service without authentication; `MORE` is the place for what a test is about.
pub(crate) const SERVICE: &str = r"
service: notes
title: Notes
root_url: ROOT
authentication: {}
operations:
  create_note:
    method: POST
    path: /notes
    body: { json: { text: { type: text, required: true } } }
    result: { record: /data, columns: { id: /id } }
    # MORE
";

/// Each row is a note.
pub(crate) const TASK: &str = r#"
task: tell
steps:
  - id: items
    query: { database: erp, sql: "select id, text from items order by id" }
  - id: note
    call:
      connection: c
      operation: create_note
      for_each: items
      key: "item-{{ id }}"
      with: { text: "{{ text }}" }
"#;
