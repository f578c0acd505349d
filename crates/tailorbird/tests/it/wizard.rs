//! The wizard through a pseudo terminal, as a person meets it: hidden secrets, four screens, a wrong PIN first.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Home, Sandbox, program};

/// The longest wait for a prompt; a loaded machine is slow, a hanging program never answers.
const PATIENCE: Duration = Duration::from_secs(40);

/// The program on a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: pty_process::blocking::Pty,
    arriving: Receiver<Vec<u8>>,
    /// All that stood on the screen so far.
    screen: String,
    /// How much of it was looked at.
    seen: usize,
}

impl Terminal {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let (terminal, slave) = pty_process::blocking::open().unwrap();
        terminal.resize(pty_process::Size::new(50, 200)).unwrap();
        let child = pty_process::blocking::Command::new(program())
            .arg("--home")
            .arg(home.path())
            .args(arguments)
            .env("NO_COLOR", "1")
            .spawn(slave)
            .unwrap();
        let (send, arriving) = channel();
        let reading: OwnedFd = terminal.as_fd().try_clone_to_owned().unwrap();
        let mut reading = std::fs::File::from(reading);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            // On Linux the read fails when the other side is closed.
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard: terminal,
            arriving,
            screen: String::new(),
            seen: 0,
        }
    }

    /// Waits for words after those that were waited for before; gives what stood there until then.
    fn expect(&mut self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.screen[self.seen..].find(words) {
                let from = self.seen;
                self.seen += at + words.len();
                return self.screen[from..self.seen].to_owned();
            }
            match self
                .arriving
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.screen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => panic!("{words:?} never came:\n{}", self.screen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before {words:?}:\n{}", self.screen),
            }
        }
    }

    /// Types what may not be seen, once the terminal hides it. A person is slower than that; a test is not.
    fn type_hidden(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while rustix::termios::tcgetattr(&self.keyboard)
            .unwrap()
            .local_modes
            .contains(rustix::termios::LocalModes::ECHO)
        {
            assert!(
                Instant::now() < end,
                "the terminal never hid what is typed:\n{}",
                self.screen
            );
            std::thread::yield_now();
        }
        self.type_line(text);
    }

    fn type_line(&mut self, text: &str) {
        self.keyboard.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    /// Waits for the end; gives the exit code and all that stood on the screen.
    fn end(mut self) -> (i32, String) {
        let end = Instant::now() + PATIENCE;
        while let Ok(bytes) = self
            .arriving
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, std::mem::take(&mut self.screen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address that the wizard shows on a line of its own.
fn address(shown: &str) -> String {
    let line = shown
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("http"))
        .unwrap();
    line.to_owned()
}

#[test]
fn a_known_service_from_nothing_to_done() {
    let sandbox = Sandbox::start(&[]);
    let keys = sandbox.application("read_write");
    let home = Home::new();
    let root = format!("root_url={}", sandbox.api);
    let mut add = Terminal::start(
        &home,
        &["connection", "add", "company-x", "--service", "x", "--set", &root],
    );
    // The provider's own words, and where to find what is asked for.
    add.expect("Where to find them: console.x.com");
    add.expect("API Key: ");
    add.type_line(keys["client_key"].as_str().unwrap());
    add.expect("API Key Secret (not shown): ");
    add.type_hidden(keys["client_secret"].as_str().unwrap());
    let (code, screen) = add.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains(keys["client_key"].as_str().unwrap()),
        "a key may be seen while it is typed"
    );
    assert!(
        !screen.contains(keys["client_secret"].as_str().unwrap()),
        "a secret may not:\n{screen}"
    );
    assert!(
        screen.contains("connection authorize company-x"),
        "the next step is named:\n{screen}"
    );

    let mut wizard = Terminal::start(&home, &["connection", "authorize", "company-x"]);
    wizard.expect("1 of 4");
    wizard.expect(&format!("{}/oauth/request_token", sandbox.api));
    wizard.expect("2 of 4");
    wizard.expect(&format!("{}/oauth/authorize", sandbox.api));
    wizard.expect("3 of 4");
    let shown = wizard.expect("PIN: ");
    let pin = sandbox.approve(&address(&shown));
    let wrong = if pin == "1111111" { "2222222" } else { "1111111" };
    wizard.type_line("");
    wizard.expect("Type the code that the page shows");
    wizard.expect("PIN: ");
    wizard.type_line(wrong);
    wizard.expect("4 of 4");
    wizard.expect(&format!("{}/oauth/access_token", sandbox.api));
    wizard.expect("[AUTH-009]");
    wizard.expect("type it again");
    wizard.expect("PIN: ");
    wizard.type_line(&format!("  {pin} "));
    let said = wizard.expect("Test it: tailorbird connection test company-x");
    assert!(said.contains("Done. company-x is authorised."), "{said}");
    assert!(
        said.contains("tailorbird_demo") && said.contains("Read and write"),
        "{said}"
    );
    let (code, screen) = wizard.end();
    assert_eq!(code, 0, "{screen}");
    home.run(&["connection", "test", "company-x"]).expect(0);
}

#[test]
fn an_unknown_service_is_asked_for_its_addresses_and_wrong_ones_are_caught() {
    let sandbox = Sandbox::start(&[]);
    let keys = sandbox.application("read");
    let home = Home::new();
    let root = format!("root_url={}", sandbox.api);
    home.run_with_input(
        &[
            "connection",
            "add",
            "crm",
            "--service",
            "generic-oauth1",
            "--set",
            &root,
            "--secrets",
            "-",
        ],
        &keys.to_string(),
    )
    .expect(0);
    let url = |path: &str| format!("{}/oauth/{path}", sandbox.api);
    let mut wizard = Terminal::start(&home, &["connection", "authorize", "crm"]);
    wizard.expect("1 of 4");
    wizard.expect("Request token URL: ");
    wizard.type_line("nonsense");
    wizard.expect("[CONN-002]");
    wizard.expect("Request token URL: ");
    wizard.type_line(&url("request_token"));
    wizard.expect("2 of 4");
    // The tutorial's own mistake is caught before anything is sent.
    wizard.expect("Authorize URL: ");
    wizard.type_line(&url("access_token"));
    wizard.expect("[AUTH-007]");
    assert!(
        sandbox.get("requests").as_array().unwrap().is_empty(),
        "nothing was sent"
    );
    wizard.expect("Authorize URL: ");
    wizard.type_line(&url("authorize"));
    wizard.expect("3 of 4");
    let shown = wizard.expect("Verification Code: ");
    let pin = sandbox.approve(&address(&shown));
    wizard.type_line(&pin);
    wizard.expect("4 of 4");
    wizard.expect("Access token URL: ");
    wizard.type_line(&url("access_token"));
    let (code, screen) = wizard.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Done. crm is authorised."), "{screen}");
    let shown = home.run(&["connection", "show", "crm"]).expect(0).json();
    assert_eq!(
        shown["settings"],
        json!({
            "root_url": sandbox.api, "temporary_credentials_url": url("request_token"),
            "authorization_url": url("authorize"), "token_url": url("access_token"),
        })
    );
    home.run(&["call", "crm", "GET /2/users/me"]).expect(0);
}

/// Whoever leaves the fields empty keeps an incomplete connection and can go on later.
#[test]
fn empty_answers_leave_an_incomplete_connection() {
    let home = Home::new();
    let mut add = Terminal::start(&home, &["connection", "add", "company-x", "--service", "x-1.1"]);
    add.expect("Consumer Key: ");
    add.type_line("");
    add.expect("Shared Secret (not shown): ");
    add.type_hidden("");
    let (code, screen) = add.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("still missing: Consumer Key, Shared Secret"),
        "{screen}"
    );
    assert_eq!(
        home.run(&["connection", "show", "company-x"]).expect(0).json()["state"],
        "incomplete"
    );
    // Ctrl-C and Ctrl-D at a prompt lose nothing.
    let mut add = Terminal::start(&home, &["connection", "add", "company-x"]);
    add.expect("Consumer Key: ");
    add.keyboard.write_all(b"\x04").unwrap();
    let (code, screen) = add.end();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("Nothing is lost"), "{screen}");
    home.run(&["connection", "show", "company-x"]).expect(0);
}

#[test]
fn the_wizard_without_a_terminal_says_how_scripts_do_it() {
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    home.run(&["connection", "authorize", "company-x"])
        .refused(2, "AUTH-006")
        .says(&["terminal", "--start", "--verifier"]);
}
