#![doc = include_str!("../README.md")]

mod charge;
mod cursor;
mod deliver;
mod doubt;
mod drive;
mod durable;
mod effects;
mod embedded;
mod interpret;
mod limits;
mod listing;
mod met;
mod operators;
mod packing;
mod plan;
mod progress;
mod query;
mod rehearse;
mod remap;
mod resources;
mod seen;
mod send;
mod spans;
mod supervise;
mod tail;
#[cfg(test)]
mod tests;
mod trigger;

pub use charge::{cost_of, limits_of};
pub use drive::Engine;
pub use durable::{Durable, EffectCall, EffectKind, EffectOutput, Role, RunEnd, StepPath, Wait};
pub use interpret::{Part, Place, Position, Round, Settled, interpret};
pub use limits::{
    BUSY_PAUSE, CHUNK, CLOCK_TOLERANCE, DUE_PAGE, MAX_BUFFERED_RECORDS, MAX_CATCH_UP_READS, MAX_CHUNKS,
    MAX_FOLLOWED_WAIT, MAX_HELD_WAIT, MAX_LATER, MAX_LISTING_RESTARTS, MAX_LOCKED_TRIES, MAX_PASSES,
    MAX_PUT_OFF, MAX_REACH_TRIES, MAX_REFUSED_RECORDS, MAX_ROUNDS, MAX_RUNS_AT_ONCE, MAX_SERVED_TRIES,
    MAX_SIGNAL_WAIT, MAX_STORE_TRIES, MAX_TRIES, PICK_UP_EVERY, REACH_PAUSE, REQUEST_EVERY, STOP_GRACE,
    TRY_PAUSE,
};
pub use plan::{Plan, StepPlan};
pub use progress::{Progress, ProgressEvent, Stop};
pub use rehearse::{
    MAX_REHEARSED, MAX_WATCHED, Rehearsal, RehearsedApproval, RehearsedBatch, RehearsedCost,
    RehearsedRequest, RehearsedStep, RehearsedTaskCall, RehearsedWrite, Watched, WatchedRecord, WatchedValue,
};
pub use resources::{Resources, destination_of};
pub use supervise::{Listener, RunNews, Supervisor, Tasks};

pub use remap::Remap;
