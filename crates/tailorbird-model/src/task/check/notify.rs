//! Checks whom a task tells.

use super::{Checker, FoundOperation};
use crate::task::Notify;
use crate::task::notify::DEFAULT_DIGEST;
use crate::yaml::shape::suggest;

impl Checker<'_> {
    pub(super) fn notify(&mut self, notify: Option<&Notify>) {
        let Some(notify) = notify else { return };
        // Any operation's name will do: only whether the connection is there is asked.
        let anything = &notify.webhook.connection;
        let found = self
            .catalogue
            .map(|catalogue| catalogue.operation(&notify.webhook.connection, anything));
        if let Some(FoundOperation::NoConnection(known)) = found {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.error(
                "/notify/webhook/connection",
                format!("there is no connection `{}`", notify.webhook.connection),
                suggest(notify.webhook.connection.as_str(), &known, "Connections"),
            );
        }
        if notify
            .webhook
            .path
            .as_deref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            self.error(
                "/notify/webhook/path",
                "the path of a receiver begins with a slash",
                "Write for example `path: /notices`.",
            );
        }
        if notify.every.is_some_and(|every| every.seconds() < 60) {
            self.error(
                "/notify/every",
                "notices go out once a minute at most",
                format!("Leave it out for one in {DEFAULT_DIGEST}, or write for example `15m`."),
            );
        }
    }
}
