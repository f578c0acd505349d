//! The sandbox as a process of its own, and its side of the story under `/_sandbox/`.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::program::{Server, binary};

/// The callback that the registered application has beside `oob`.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";

pub(crate) struct Sandbox {
    server: Server,
    /// Holds the CA file as long as the sandbox runs.
    _folder: TempDir,
}

/// An application's keys.
pub(crate) struct Keys {
    pub(crate) client_key: String,
    pub(crate) client_secret: String,
}

/// A post as the sandbox has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// With X's escapes undone.
    pub(crate) text: String,
}

impl Sandbox {
    /// All three listeners on free ports.
    pub(crate) fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        let mut command = Command::new(binary());
        command
            .args([
                "sandbox",
                "--listen",
                "127.0.0.1:0",
                "--tls-listen",
                "127.0.0.1:0",
            ])
            .args(["--proxy-listen", "127.0.0.1:0", "--ca-out"])
            .arg(&ca)
            .args(more)
            .current_dir(folder.path());
        Self {
            server: Server::start(&mut command),
            _folder: folder,
        }
    }

    /// A member of the ready line, for example `api`.
    pub(crate) fn address(&self, member: &str) -> String {
        let value = &self.server.ready[member];
        value
            .as_str()
            .unwrap_or_else(|| panic!("no {member} in {}", self.server.ready))
            .trim_end_matches('/')
            .to_owned()
    }

    fn admin(&self, path: &str) -> String {
        format!("{}/{path}", self.address("admin"))
    }

    #[track_caller]
    fn say(&self, path: &str, body: &Value) -> Value {
        let answer = http::post_json(&self.admin(path), body);
        assert!(
            (200..300).contains(&answer.status),
            "POST {path} answered {}: {}",
            answer.status,
            answer.text
        );
        answer.body
    }

    /// Registers an application; `level` is `read`, `read_write` or `read_write_dm`.
    pub(crate) fn register(&self, level: &str) -> Keys {
        let answer = self.say(
            "apps",
            &json!({
                "name": "Judge",
                "description": "Judges the sandbox from outside",
                "website": "https://example.com/judge",
                "level": level,
                "callbacks": [CALLBACK],
            }),
        );
        let member = |name: &str| answer[name].as_str().unwrap().to_owned();
        Keys {
            client_key: member("client_key"),
            client_secret: member("client_secret"),
        }
    }

    pub(crate) fn approve(&self, oauth_token: &str) -> String {
        self.say("approve", &json!({ "oauth_token": oauth_token }))["verifier"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn refuse_duplicates(&self, refuse: bool) {
        self.say("duplicates", &json!({ "refuse": refuse }));
    }

    pub(crate) fn faults(&self, faults: &Value) {
        self.say("faults", faults);
    }

    /// `{accepted, refused_duplicates, posts}`.
    pub(crate) fn count(&self) -> Value {
        let answer = http::get(&self.admin("posts"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    /// Every post that was ever accepted.
    pub(crate) fn posts(&self) -> Vec<Post> {
        let count = self.count();
        let posts = count["posts"]
            .as_array()
            .unwrap_or_else(|| panic!("no posts in {count}"));
        posts
            .iter()
            .map(|post| Post {
                id: post["id"].as_str().expect("ids are strings").to_owned(),
                text: unescaped(post["text"].as_str().unwrap()),
            })
            .collect()
    }

    /// The received requests, newest first: method, path, verdict and so on.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let answer = http::get(&self.admin("requests"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
            .body
            .as_array()
            .unwrap_or_else(|| panic!("no list: {}", answer.text))
            .clone()
    }
}

/// X stores three characters escaped.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
