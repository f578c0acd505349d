#![doc = include_str!("../README.md")]

mod error;
mod folder;
mod link;
mod nearest;
mod outbox;
mod sqlite;
mod table;

pub use error::DatabaseError;
pub use folder::{Folder, FolderError, Look, MAX_FOLDER_ENTRIES, MAX_PATTERN, Pattern, PutAway};
pub use link::{
    Chunk, CursorMove, Guard, Limits, Link, MAX_CHUNK_ROWS, MAX_TIED_ROWS, Parameters, Recordset,
    StreamOptions, Written, create, open, open_with_limits,
};
pub use nearest::nearest;
pub use outbox::{Change, MAX_CHANGES_PER_READ, OUTBOX_TABLE, OutboxState, Removed, Watched};
pub use sqlite::CURSOR_TABLE;
pub use table::{Column, Table, TableKind};
