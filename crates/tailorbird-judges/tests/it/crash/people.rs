//! A provider that takes lists, for deliveries in batches. It lives in the test's process, so no kill takes its count
//! away.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// Each so many requests that bring something: half of it is taken, and the connection is cut.
const CUT_EVERY: usize = 3;

/// Its service; ROOT is replaced.
pub(crate) const SERVICE: &str = r"
service: lists
title: Lists
root_url: ROOT
authentication: {}
operations:
  add_people:
    method: POST
    path: /people
    body: { json: { people: { type: json, required: true } } }
    result: { records: /results, columns: { id: /id } }
    in_doubt: { look_up: { operation: list_people, match: { /name: name }, settling: 1s } }
    batch: { parameter: people, max: 100 }
  list_people: { method: GET, path: /people, result: { records: /data, columns: { id: /id, name: /name } } }
";

#[derive(Default)]
struct State {
    taken: Mutex<Vec<String>>,
    asked: AtomicUsize,
    cuts: AtomicBool,
}

/// The provider.
pub(crate) struct People {
    pub(crate) root: String,
    state: Arc<State>,
}

impl People {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let kept = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { root, state }
    }

    /// Whether it cuts connections.
    pub(crate) fn cuts(&self, cuts: bool) {
        self.state.cuts.store(cuts, Ordering::SeqCst);
    }

    /// How often it has taken each name.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for name in self.state.taken.lock().unwrap().iter() {
            *counts.entry(name.clone()).or_default() += 1;
        }
        counts
    }
}

/// Answers one request; the sender may die meanwhile.
fn serve(mut stream: TcpStream, state: &State) {
    let Some((head, body)) = request(&mut stream) else {
        return;
    };
    let answer = if head.starts_with("POST") {
        let asked = state.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let cuts = state.cuts.load(Ordering::SeqCst) && asked.is_multiple_of(CUT_EVERY);
        let json: Value = serde_json::from_str(&body).unwrap();
        let people = json["people"].as_array().unwrap();
        let count = if cuts { people.len() / 2 } else { people.len() };
        let mut taken = state.taken.lock().unwrap();
        let mut results = Vec::new();
        for person in people.iter().take(count) {
            taken.push(person["name"].as_str().unwrap().to_owned());
            results.push(json!({"id": taken.len().to_string()}));
        }
        if cuts {
            return;
        }
        json!({ "results": results })
    } else {
        let taken = state.taken.lock().unwrap();
        let listed = (1..).zip(taken.iter());
        let listed = listed.map(|(number, name): (usize, _)| json!({"id": number.to_string(), "name": name}));
        json!({ "data": listed.collect::<Vec<Value>>() })
    };
    let body = answer.to_string();
    drop(write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
}

/// Head and body; nothing where the sender died.
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            });
            let whole = end + 4 + length.unwrap_or_default();
            if bytes.len() >= whole {
                return Some((head, String::from_utf8(bytes[end + 4..whole].to_vec()).unwrap()));
            }
        }
        match stream.read(&mut piece) {
            Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}
