//! Every loop and queue of a run has a limit, and each limit has its name here.

use std::time::Duration;

/// How many records are handled together: read, enrolled, written. Two group commits each.
pub const CHUNK: usize = 500;

/// How many deliveries that are due are read at once, and ahead of the workers.
pub const DUE_PAGE: usize = 500;

/// How often a run that sends tells its counts and looks whether it is asked to stop.
pub(crate) const TELL_EVERY: Duration = Duration::from_millis(100);

/// How often the counts of a step that is reading are stored for those who watch.
pub(crate) const SHOW_EVERY: Duration = Duration::from_millis(250);

/// How many records a step holds in memory where it cannot stream (reading and writing one SQLite file).
pub const MAX_BUFFERED_RECORDS: usize = 100_000;

/// How often a statement with a small LIMIT is run again to get beyond the rows that a cursor reads twice.
pub const MAX_CATCH_UP_READS: usize = 10_000;

/// How often the rounds of sending and settling doubts repeat within one run.
pub const MAX_ROUNDS: u32 = 20;

/// How often a provider that cannot be reached is tried again before the run ends.
pub const MAX_REACH_TRIES: u32 = 4;

/// The first pause before trying to reach a provider again; it doubles each time.
pub const REACH_PAUSE: Duration = Duration::from_millis(500);

/// How often one delivery may be told to come later before the run asks for attention.
pub const MAX_LATER: u32 = 1_000;

/// The longest wait for a limit that a followed run sits through; beyond it the run is left waiting.
pub const MAX_FOLLOWED_WAIT: Duration = Duration::from_mins(20);

/// How long a run that was served stands back for one that went short of a limit's calls. Whoever is to be taken up
/// when the limit opens is there within a fraction of it.
pub(crate) const MAX_GIVEN_WAY: Duration = Duration::from_secs(3);

/// How often it looks whether that one had its turn.
pub(crate) const GIVE_WAY_EVERY: Duration = Duration::from_millis(20);

/// How long Ctrl-C waits for deliveries that are under way.
pub const STOP_GRACE: Duration = Duration::from_secs(45);

/// How many delivered records a run finds unwritable before it gives up looking for those that can be written.
pub const MAX_REFUSED_RECORDS: usize = 100;

/// How often a stored outcome or count is tried again before the run gives up.
pub const MAX_STORE_TRIES: u32 = 5;

/// How often a batch is written again at once to a database that another program keeps locked, before its whole effect is
/// put off. Each time waits for the lock itself.
pub const MAX_LOCKED_TRIES: u32 = 1;

/// How long a called task waits before it is looked whether the other run of it has ended.
pub const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// How often requests from other processes (pause, cancel) are looked for.
pub const REQUEST_EVERY: Duration = Duration::from_millis(500);

/// How many runs one process drives at once; more wait their turn.
pub const MAX_RUNS_AT_ONCE: usize = 16;

/// How often runs that other processes opened, and times that have come, are looked for.
pub const PICK_UP_EVERY: Duration = Duration::from_millis(200);

/// The longest wait that a supervised run sits through; beyond it the run is parked: nothing of it stays in
/// memory, and it is taken up again when its time has come.
pub const MAX_HELD_WAIT: Duration = Duration::from_secs(2);

/// How many parts a step may have in one run: pages, readings, and the waits between them.
pub const MAX_CHUNKS: u32 = 100_000;

/// How often an effect that something stands in the way of is tried while a person follows the run.
pub const MAX_TRIES: u32 = 3;

/// The same for a run that a server drives: pauses that double make it two minutes, so that a database which is
/// restarted is waited for.
pub const MAX_SERVED_TRIES: u32 = 8;

/// The first pause before an effect is tried again; it doubles each time.
pub const TRY_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait for a signal that names no time of its own.
pub const MAX_SIGNAL_WAIT: Duration = Duration::from_hours(24 * 366);

/// How far the clock may go back before the timers of a run are set anew. So no timer is ever longer than it was
/// meant to be plus this.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// How often a listing whose page cannot be gone on with after a restart is begun anew.
pub const MAX_LISTING_RESTARTS: u32 = 1;

/// How often a run may go back to an earlier step, when something that it waited for at its end has come.
pub const MAX_PASSES: u32 = 100_000;

/// The longest time for which a delivery can be put off: a provider's wait is cut at 25 hours. What is put off
/// further was noted by a clock that was ahead, and goes at once.
pub const MAX_PUT_OFF: Duration = Duration::from_hours(48);

/// How many events of a run's trigger are held in memory at once.
pub(crate) const EVENTS_PER_PAGE: u32 = 100;
