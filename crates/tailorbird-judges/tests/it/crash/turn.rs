//! One start of the program, and its end: at a fault point, at a moment, or when nothing is left to do.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene::{BY_HAND, CONCURRENCY, Scene, name_of};

/// How often it is looked what the program does.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// A start that has not come to its point, nor to rest, by then will not.
const LONGEST: Duration = Duration::from_mins(2);

/// When a server that is at rest has nothing more to do: its triggers look once a second.
const CALM_AFTER: Duration = Duration::from_millis(2_500);

/// The same where a notice is waited for: a server looks every five seconds whether there is one.
const TOLD_AFTER: Duration = Duration::from_secs(12);

/// A person decides about a doubt when nothing of it can be on its way any more.
const SURE_AFTER: Duration = Duration::from_secs(3);

/// How the program is ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// By itself, when it comes to a fault point for the Nth time.
    At(String, u32),
    /// By SIGKILL, so long after its start.
    After(Duration),
    /// Not before everything is done.
    AtRest,
}

/// How the program is started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum How {
    /// As a server.
    Serve,
    /// Task by task.
    ByHand,
}

/// What came of a start.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Whether it was ended as it should be.
    pub(crate) killed: bool,
    /// What was being sent by a process that is dead now, by connection.
    pub(crate) left: BTreeMap<String, usize>,
}

impl Ended {
    /// What is wrong with it.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.left
            .iter()
            .filter(|(_, count)| **count > CONCURRENCY)
            .map(|(connection, count)| {
                format!("{count} deliveries of {connection} were left in doubt, and {CONCURRENCY} may be")
            })
            .collect()
    }
}

impl Scene {
    /// Starts the program and sees to its end.
    pub(crate) fn turn(&mut self, how: How, end: &End) -> Ended {
        let killed = match how {
            How::Serve => self.serve(end),
            How::ByHand => self.by_hand(end),
        };
        let left = self
            .deliveries("sending")
            .into_iter()
            .map(|(connection, list)| (connection, list.len()))
            .collect();
        Ended { killed, left }
    }

    /// Serves until it halts itself at a fault point.
    pub(crate) fn halt_at(&mut self, point: &str) -> Dying {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.env("TAILORBIRD_FAULT", format!("{point}:1:pause"));
        let mut server = Dying::start(command);
        let url = server.url(LONGEST).expect("a server");
        let begun = Instant::now();
        while !server.is_halted() {
            assert!(begun.elapsed() < LONGEST, "{point} was not reached");
            if begun.elapsed() < LOOK_EVERY {
                self.knock(&url);
            }
            thread::sleep(LOOK_EVERY);
        }
        server
    }

    fn armed(&self, arguments: &[&str], end: &End) -> Command {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        if let End::At(point, nth) = end {
            command.env("TAILORBIRD_FAULT", format!("{point}:{nth}"));
        }
        command
    }

    /// Serves until the end; tells whether it was a kill.
    fn serve(&mut self, end: &End) -> bool {
        let begun = Instant::now();
        let mut server = Dying::start(self.armed(&["serve", "--listen", "127.0.0.1:0"], end));
        if let End::After(moment) = end {
            let url = server.url(*moment);
            if let Some(url) = url {
                self.knock(&url);
            }
            while begun.elapsed() < *moment {
                thread::sleep((*moment).saturating_sub(begun.elapsed()).min(LOOK_EVERY * 2));
                self.decide(end);
            }
            return server.kill();
        }
        let Some(url) = server.url(LONGEST) else {
            return server.is_gone_within(LOOK_EVERY * 10);
        };
        let mut calm: Option<Instant> = None;
        while begun.elapsed() < LONGEST {
            if server.is_gone_within(LOOK_EVERY) {
                return true;
            }
            self.knock(&url);
            if self.decide(end) {
                server.kill();
                return true;
            }
            if !self.is_at_rest() {
                calm = None;
            } else if calm.get_or_insert_with(Instant::now).elapsed() > calm_after(end) {
                break;
            }
        }
        server.kill();
        false
    }

    /// Runs one task after the other, as a person would.
    fn by_hand(&mut self, end: &End) -> bool {
        let begun = Instant::now();
        for task in BY_HAND {
            let mut run = Dying::start(self.armed(&["task", "run", task], end));
            if let End::After(moment) = end {
                if !run.is_gone_within(moment.saturating_sub(begun.elapsed())) {
                    return run.kill();
                }
            } else if !run.is_gone_within(LONGEST) {
                return !run.kill();
            }
            if run.is_crash() || self.decide(end) {
                return true;
            }
        }
        false
    }

    /// Decides as a person does: what waits is released, and what may or may not have arrived is compared with what
    /// the provider has. Tells whether one of these commands came to the fault point.
    fn decide(&mut self, end: &End) -> bool {
        let mut crashed = false;
        let mut run = |scene: &Self, arguments: &[&str]| {
            let mut command = Dying::start(scene.armed(arguments, end));
            command.is_gone_within(LONGEST);
            crashed |= command.is_crash();
        };
        if self.look("select count(*) from approval where state = 'waiting' and role = 'operator'") > 0 {
            run(self, &["approval", "release", "--all"]);
        }
        let sure: Vec<String> = self
            .doubts_to_decide()
            .into_iter()
            .filter(|doubt| self.seen_for(doubt) > SURE_AFTER)
            .collect();
        if sure.is_empty() {
            return crashed;
        }
        let posts = self.sandbox.posts();
        for doubt in sure {
            let id = doubt.split('/').next().unwrap();
            let text = self.well(&["delivery", "show", id])["request"]["body"].to_string();
            let known = posts
                .iter()
                .find(|post| text.contains(&format!("{}:", name_of(&post.text))));
            match known {
                Some(post) => {
                    let result = json!({"id": post.id, "text": post.text}).to_string();
                    run(
                        self,
                        &["delivery", "resolve", id, "--as", "sent", "--result", &result],
                    );
                }
                None => run(self, &["delivery", "resolve", id, "--as", "again"]),
            }
        }
        crashed
    }

    /// How long ago a doubt was met first.
    fn seen_for(&mut self, doubt: &str) -> Duration {
        let seen = self.doubts.entry(doubt.to_owned());
        seen.or_insert_with(Instant::now).elapsed()
    }

    /// What a person is asked about: number and attempt of each.
    fn doubts_to_decide(&self) -> Vec<String> {
        let store = self.store();
        let sql =
            "select id || '/' || attempts from delivery where state = 'in_doubt' and connection = 'asks'";
        let mut statement = store.prepare(sql).unwrap();
        let doubts = statement.query_map([], |row| row.get(0)).unwrap();
        doubts.map(Result::unwrap).collect()
    }

    /// A number in the store. While the program works it is looked there, because a process for each look would be
    /// slower than what is looked at; the judgement goes by what the program says.
    fn look(&self, sql: &str) -> u32 {
        self.store().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Whether a server has nothing to do: what a person decided, and what could not be looked up, waits for the next run
    /// of its task.
    fn is_at_rest(&self) -> bool {
        const OPEN: &str =
            "select (select count(*) from run where state not in ('succeeded', 'failed', 'cancelled'))
            + (select count(*) from trigger_event where state = 'new')";
        self.look(OPEN) == 0 && self.is_taken_in() && self.doubts_to_decide().is_empty()
    }

    /// Whether nothing is left to do at all.
    pub(crate) fn is_done(&self) -> bool {
        const OPEN: &str = "select count(*) from delivery where state in ('pending', 'sending', 'in_doubt')";
        self.is_at_rest() && self.look(OPEN) == 0
    }
}

/// How long a server is watched that is at rest.
fn calm_after(end: &End) -> Duration {
    match end {
        End::At(point, _) if point.starts_with("notice.") => TOLD_AFTER,
        _ => CALM_AFTER,
    }
}

/// A process that may die at any moment, and dies with this value.
pub(crate) struct Dying {
    child: Child,
    ready: mpsc::Receiver<String>,
}

impl Dying {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (tell, ready) = mpsc::channel();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                drop(tell.send(line));
            }
        });
        Self { child, ready }
    }

    /// The address that a server says when it is ready; nothing where it does not come to that.
    fn url(&mut self, within: Duration) -> Option<String> {
        let line = self.ready.recv_timeout(within).ok()?;
        let ready: Value = serde_json::from_str(&line).ok()?;
        ready["url"].as_str().map(str::to_owned)
    }

    /// Whether the system has halted it.
    fn is_halted(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('T'))
    }

    /// Lets it go on.
    pub(crate) fn wake(&mut self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-CONT", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until something is so.
    pub(crate) fn serve_until(&mut self, scene: &mut Scene, is_so: impl Fn(&Scene) -> bool) {
        let begun = Instant::now();
        while !is_so(scene) {
            assert!(begun.elapsed() < LONGEST, "it did not go on");
            assert!(!self.is_gone_within(LOOK_EVERY), "it ended");
        }
    }

    fn is_gone_within(&mut self, longest: Duration) -> bool {
        let begun = Instant::now();
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            if begun.elapsed() >= longest {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it ended by a signal, as a process does at a fault point.
    fn is_crash(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        let status = self.child.try_wait().unwrap();
        status.is_some_and(|status| status.signal().is_some())
    }

    /// Ends it by SIGKILL; tells whether it was alive until then.
    fn kill(&mut self) -> bool {
        let was_alive = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        was_alive
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
