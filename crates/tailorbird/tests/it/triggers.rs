//! What starts runs from outside: requests, files, changed rows.

mod changes;
mod checks;
mod crashes;
mod files;
mod support;
mod webhooks;
