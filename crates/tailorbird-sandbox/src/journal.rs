//! The state file: one line for each transaction, on disk before anybody hears of it.
//!
//! One thread writes. While it waits for the disk, others queue their lines, and the next write takes all of
//! them with one sync (group commit), so that hundreds of requests a second need only as many syncs as the
//! disk can do. The first line names the format, so that another program's file is never appended to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::state::{Event, State};

/// The first line of every state file.
const HEADER: &str = "{\"tailorbird_sandbox_state\":1}\n";
/// The longest line read back, in bytes: one media segment in base64 and then some.
const LINE_MAX: u64 = 64 * 1024 * 1024;

/// What can go wrong with a state file at the start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file could not be opened, read, cut or synced.
    #[error("could not {action} state file \"{path}\"")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another sandbox holds the file.
    #[error("state file \"{path}\" is in use by another sandbox")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a state file.
    #[error("file \"{path}\" is not a sandbox state file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A line before the last cannot be read: the file was damaged by something else than a crash.
    #[error("line {line} of state file \"{path}\" is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The writing thread could not be started.
    #[error("could not start the thread that writes state file \"{path}\"")]
    Thread {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// How far the disk has come.
#[derive(Debug, Clone, Copy)]
enum Durable {
    UpTo(u64),
    Failed,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    sequence: u64,
    closed: bool,
}

#[derive(Default)]
struct Inbox {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// The writing side of a state file.
pub(crate) struct Journal {
    inbox: Arc<Inbox>,
    durable: watch::Receiver<Durable>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The state file could not be written; nothing is accepted any more.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("could not write the state file")]
pub(crate) struct WriteFailed;

/// What opening a state file gave.
pub(crate) struct Opened {
    pub journal: Journal,
    pub state: State,
}

impl Journal {
    /// Opens or makes the file, reads its events and starts the writer. A torn last line, which a crash in the
    /// middle of a write leaves, is cut off: nobody was ever answered for it.
    pub(crate) fn open(path: &Path) -> Result<Opened, JournalError> {
        let fail = |action| {
            let path = path.to_owned();
            move |source| JournalError::File { action, path, source }
        };
        let mut file = options().open(path).map_err(fail("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail("lock")(source)),
        }
        let mut state = State::default();
        let good = read_events(&file, path, &mut state)?;
        file.set_len(good).map_err(fail("cut"))?;
        file.seek(SeekFrom::End(0)).map_err(fail("seek in"))?;
        if good == 0 {
            file.write_all(HEADER.as_bytes()).map_err(fail("write"))?;
        }
        file.sync_all().map_err(fail("sync"))?;
        // A new file's name is safe only when its folder is synced, too.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(fail("sync the folder of"))?;
        }
        let (report, durable) = watch::channel(Durable::UpTo(0));
        let inbox = Arc::new(Inbox::default());
        let thread = std::thread::Builder::new()
            .name("sandbox-journal".to_owned())
            .spawn({
                let inbox = Arc::clone(&inbox);
                move || write_until_closed(&inbox, &mut file, &report)
            })
            .map_err(|source| JournalError::Thread {
                path: path.to_owned(),
                source,
            })?;
        Ok(Opened {
            journal: Self {
                inbox,
                durable,
                thread: Mutex::new(Some(thread)),
            },
            state,
        })
    }

    /// Queues the line of one transaction and gives its number. To be called in the order in which the
    /// transactions were applied, so under the state's lock.
    pub(crate) fn append(&self, events: &[Event]) -> Result<u64, WriteFailed> {
        let line = serde_json::to_vec(events).map_err(|_| WriteFailed)?;
        let mut queue = self.inbox.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return Err(WriteFailed);
        }
        queue.bytes.extend_from_slice(&line);
        queue.bytes.push(b'\n');
        queue.sequence = queue.sequence.saturating_add(1);
        self.inbox.wake.notify_one();
        Ok(queue.sequence)
    }

    /// The number of the newest queued transaction.
    pub(crate) fn sequence(&self) -> u64 {
        self.inbox
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sequence
    }

    /// Waits until the transaction with this number is on disk.
    pub(crate) async fn wait(&self, sequence: u64) -> Result<(), WriteFailed> {
        let mut durable = self.durable.clone();
        let reached = durable
            .wait_for(|durable| match durable {
                Durable::UpTo(done) => *done >= sequence,
                Durable::Failed => true,
            })
            .await
            .map_err(|_| WriteFailed)?;
        match *reached {
            Durable::UpTo(_) => Ok(()),
            Durable::Failed => Err(WriteFailed),
        }
    }

    /// Writes what is queued and ends the thread.
    pub(crate) fn close(&self) {
        self.inbox
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.inbox.wake.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the state file panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// How the file is opened. A new one is for its owner only: it holds the secrets that the sandbox handed out.
/// The mode of one that is there stays, because its owner chose it.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Reads all whole lines into `state`; gives the length in bytes up to which the file is good.
fn read_events(file: &File, path: &Path, state: &mut State) -> Result<u64, JournalError> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let (mut good, mut number) = (0_u64, 0_u64);
    let mut torn: Option<(u64, serde_json::Error)> = None;
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .map_err(|source| JournalError::File {
                action: "read",
                path: path.to_owned(),
                source,
            })?;
        if read == 0 {
            break;
        }
        // A damaged line is a torn write only if nothing follows it.
        if let Some((line, source)) = torn.take() {
            return Err(JournalError::Damaged {
                path: path.to_owned(),
                line,
                source,
            });
        }
        number = number.saturating_add(1);
        if number == 1 {
            if line != HEADER.as_bytes() {
                // A file cut inside its own first line holds nothing yet.
                if HEADER.as_bytes().starts_with(&line) {
                    break;
                }
                return Err(JournalError::Foreign {
                    path: path.to_owned(),
                });
            }
        } else if line.last() != Some(&b'\n') {
            tracing::warn!(line = number, "dropped the torn last line of the state file");
            break;
        } else {
            match serde_json::from_slice::<Vec<Event>>(&line) {
                Ok(events) => events.into_iter().for_each(|event| state.apply(event)),
                Err(error) => {
                    torn = Some((number, error));
                    continue;
                }
            }
        }
        good = good.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    if let Some((line, _)) = torn {
        tracing::warn!(line, "dropped the damaged last line of the state file");
    }
    Ok(good)
}

fn write_until_closed(inbox: &Inbox, file: &mut File, report: &watch::Sender<Durable>) {
    loop {
        let (bytes, sequence, closed) = {
            let queue = inbox.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let mut queue = inbox
                .wake
                .wait_while(queue, |queue| queue.bytes.is_empty() && !queue.closed)
                .unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut queue.bytes), queue.sequence, queue.closed)
        };
        if !bytes.is_empty() {
            if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
                // Memory is now ahead of the disk, and what the disk holds is unknown: stop accepting.
                tracing::error!(%error, "the state file could not be written; nothing more is accepted");
                inbox.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
                report.send_replace(Durable::Failed);
                return;
            }
            report.send_replace(Durable::UpTo(sequence));
        }
        if closed {
            return;
        }
    }
}
