//! What a statement may do and how long it may take.
//!
//! The authorizer is asked while SQLite compiles a statement, so a refused one has done nothing. The
//! progress handler is asked while it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 4_000;

/// Pragmas that only tell something.
const TELLING_PRAGMAS: [&str; 9] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "database_list",
    "collation_list",
];

/// Functions that reach outside of the database.
const OUTSIDE_FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// The state that the two callbacks share with the link.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Whether statements are our own (they may write) or the user's (they may only read).
    own: AtomicBool,
    deadline: Mutex<Option<Instant>>,
    refused: Mutex<Option<String>>,
}

impl Watch {
    /// Sets the callbacks of a connection.
    pub(crate) fn install(connection: &mut Connection) -> Result<Arc<Self>, rusqlite::Error> {
        let watch = Arc::new(Self::default());
        let asked = Arc::clone(&watch);
        connection.authorizer(Some(move |context: AuthContext<'_>| asked.authorize(context)))?;
        let looked = Arc::clone(&watch);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || looked.is_late()))?;
        Ok(watch)
    }

    /// Says whose statements come next.
    pub(crate) fn set_own(&self, own: bool) {
        self.own.store(own, Ordering::Relaxed);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts the clock anew.
    pub(crate) fn allow(&self, time: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(time);
    }

    /// What was refused since [`Watch::set_own`], as the end of "is not allowed to".
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn is_late(&self) -> bool {
        self.deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|deadline| Instant::now() > deadline)
    }

    fn authorize(&self, context: AuthContext<'_>) -> Authorization {
        let wish = match context.action {
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => {
                return Authorization::Allow;
            }
            AuthAction::Function { function_name } => {
                if !OUTSIDE_FUNCTIONS.contains(&function_name) {
                    return Authorization::Allow;
                }
                format!("call {function_name}()")
            }
            AuthAction::Pragma { pragma_name, .. } => {
                if TELLING_PRAGMAS.contains(&pragma_name) {
                    return Authorization::Allow;
                }
                format!("use PRAGMA {pragma_name}")
            }
            AuthAction::Attach { .. } => "attach another file (ATTACH)".to_owned(),
            AuthAction::Detach { .. } => "detach a file (DETACH)".to_owned(),
            _ if self.own.load(Ordering::Relaxed) => return Authorization::Allow,
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => format!("write to {table_name}"),
            AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => "handle transactions".to_owned(),
            _ => "change the database".to_owned(),
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(wish);
        Authorization::Deny
    }
}
