//! What happens at fault points: nothing, or what `TAILORBIRD_FAULT` asks for. Debug builds only.
//!
//! `PLACE:N` ends the process when it comes to a place for the Nth time: at once, without unwinding, flushing or
//! answering anybody, as SIGKILL does. `PLACE:N:pause` halts it there until somebody sends SIGCONT. Several are separated
//! by commas. `TAILORBIRD_FAULT_LOG` names a file that takes a line for each place reached.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tailorbird_model::fault;

use crate::config;

/// What is asked for at a place.
#[derive(Debug)]
struct Fault {
    place: String,
    /// Which time it is meant.
    nth: u32,
    does: Does,
    /// How often the place was reached so far.
    reached: AtomicU32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Abort,
    Pause,
}

static ASKED: OnceLock<(Vec<Fault>, Option<File>)> = OnceLock::new();

/// Takes up what the environment asks for.
///
/// # Errors
/// In words, where it cannot be read or names a place that does not exist.
pub(crate) fn install() -> Result<(), String> {
    let faults = config::fault().map_or(Ok(Vec::new()), |text| parse(&text))?;
    let log = config::fault_log()
        .map(|path| {
            let opened = OpenOptions::new().create(true).append(true).open(&path);
            opened.map_err(|error| format!("could not open {}: {error}", path.display()))
        })
        .transpose()?;
    if faults.is_empty() && log.is_none() {
        return Ok(());
    }
    let is_first = ASKED.set((faults, log)).is_ok();
    debug_assert!(is_first, "the environment was read twice");
    fault::install(reached);
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Fault>, String> {
    text.split(',')
        .map(|one| {
            let mut parts = one.split(':');
            let place = parts.next().unwrap_or_default();
            if !fault::is_listed(place) {
                return Err(format!("there is no fault point {place:?}"));
            }
            let nth = parts.next().map_or(Ok(1), str::parse);
            let nth = nth.map_err(|error| format!("TAILORBIRD_FAULT: {one:?}: {error}"))?;
            let does = match parts.next() {
                None | Some("abort") => Does::Abort,
                Some("pause") => Does::Pause,
                Some(other) => return Err(format!("TAILORBIRD_FAULT: a fault point does not do {other:?}")),
            };
            Ok(Fault {
                place: place.to_owned(),
                nth,
                does,
                reached: AtomicU32::new(0),
            })
        })
        .collect()
}

fn reached(place: &str) {
    let Some((faults, log)) = ASKED.get() else { return };
    if let Some(mut log) = log.as_ref() {
        // One write a line: the file is open for appending, so lines of several threads do not mix.
        let written = log.write_all(format!("{place}\n").as_bytes());
        debug_assert!(written.is_ok(), "{written:?}");
    }
    for fault in faults.iter().filter(|fault| fault.place == place) {
        if fault.reached.fetch_add(1, Ordering::SeqCst) + 1 == fault.nth {
            match fault.does {
                Does::Abort => std::process::abort(),
                Does::Pause => pause(),
            }
        }
    }
}

/// How long the system may take to halt a process that was told so, on a busy machine.
const HALTED_BY: Duration = Duration::from_secs(1);

/// Halts this whole process. What is not safe in itself is left to the command that is made for it.
fn pause() {
    let halted = Command::new("kill")
        .args(["-STOP", &std::process::id().to_string()])
        .status();
    debug_assert!(halted.is_ok(), "{halted:?}");
    // Threads are halted one after the other; this one must not go on meanwhile.
    std::thread::sleep(HALTED_BY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_and_the_rest_refused() {
        let faults = parse("ledger.intent.after:3,request.due:1:pause,target.due").unwrap();
        let read: Vec<_> = faults
            .iter()
            .map(|fault| (fault.place.as_str(), fault.nth, fault.does))
            .collect();
        assert_eq!(
            read,
            [
                ("ledger.intent.after", 3, Does::Abort),
                ("request.due", 1, Does::Pause),
                ("target.due", 1, Does::Abort)
            ]
        );
        for wrong in ["", "nowhere:1", "target.due:x", "target.due:1:sing"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
