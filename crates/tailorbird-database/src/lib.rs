#![doc = include_str!("../README.md")]

mod error;
mod link;
mod nearest;
mod sqlite;
mod table;

pub use error::DatabaseError;
pub use link::{
    Chunk, CursorMove, Guard, Limits, Link, MAX_CHUNK_ROWS, MAX_TIED_ROWS, Parameters, Recordset,
    StreamOptions, Written, create, open, open_with_limits,
};
pub use nearest::nearest;
pub use sqlite::CURSOR_TABLE;
pub use table::{Column, Table, TableKind};
