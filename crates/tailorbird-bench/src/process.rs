//! Other programs: started, measured, ended.
//!
//! CPU time is what the kernel counted for ended children (`getrusage`), so one program is measured at a time and
//! those that go on, such as the mock, are not in it. Peak memory is the kernel's own high-water mark (`VmHWM`),
//! read again and again while the program runs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::Value;

/// How often a program's memory is read while it runs.
const SAMPLE_EVERY: Duration = Duration::from_millis(5);

/// What a program took.
#[derive(Debug, Clone)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
    /// In KiB.
    pub(crate) peak: u64,
    pub(crate) stdout: String,
}

/// Runs a program to its end. Where it fails, the error holds what it said.
pub(crate) fn measure(command: &mut Command, folder: &Path) -> Result<Took> {
    let (out, talk) = (folder.join("stdout"), folder.join("stderr"));
    command
        .stdin(Stdio::null())
        .stdout(fs::File::create(&out)?)
        .stderr(fs::File::create(&talk)?);
    let before = children_cpu()?;
    let started = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start {}", command.get_program().display()))?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = peak.max(status_kib(child.id(), "VmHWM").unwrap_or_default());
        std::thread::sleep(SAMPLE_EVERY);
    };
    let wall = started.elapsed();
    let cpu = children_cpu()?.saturating_sub(before);
    let stdout = fs::read_to_string(&out)?;
    if !status.success() {
        bail!(
            "{command:?} failed ({status}): {}{stdout}",
            fs::read_to_string(&talk)?
        );
    }
    Ok(Took {
        wall,
        cpu,
        peak,
        stdout,
    })
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = usage
        .user_time()
        .num_microseconds()
        .saturating_add(usage.system_time().num_microseconds());
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// A figure of `/proc/PID/status`, in KiB.
pub(crate) fn status_kib(process: u32, name: &str) -> Option<u64> {
    kib(&format!("/proc/{process}/status"), name)
}

/// The share of the memory that is the process's own (PSS), in KiB.
pub(crate) fn own_kib(process: u32) -> Option<u64> {
    kib(&format!("/proc/{process}/smaps_rollup"), "Pss")
}

fn kib(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        let value = value.trim().strip_suffix("kB")?.trim();
        (found == name).then(|| value.parse().ok())?
    })
}

/// A program that serves: it says in one JSON line that it is ready, and is ended with this value.
pub(crate) struct Server {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) ready: Value,
    /// How long it took until it said so.
    pub(crate) after: Duration,
}

impl Server {
    pub(crate) fn start(command: &mut Command, talk: &Path) -> Result<Self> {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(talk)?)
            .spawn()
            .with_context(|| format!("could not start {}", command.get_program().display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let after = started.elapsed();
        let ready = serde_json::from_str(&line).with_context(|| {
            let said = fs::read_to_string(talk).unwrap_or_default();
            format!("{command:?} said {line:?} and not where it serves: {said}")
        })?;
        Ok(Self {
            child,
            _stdout: stdout,
            ready,
            after,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    /// By `kill -9`: nothing that is measured may depend on a tidy end.
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        if self.child.kill().is_ok() {
            let _ended = self.child.wait();
        }
    }
}
