//! What traces are told by: the target of spans and events that may leave the machine.

/// The target of every span and event that an exporter of traces takes. Others are for the log alone: they may say more.
pub const TARGET: &str = "tailorbird.trace";

/// The field by which all parts of a run get one trace, whichever process drives them.
pub const RUN_ID: &str = "tailorbird.run.id";
