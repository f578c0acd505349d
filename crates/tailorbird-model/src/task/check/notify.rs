//! Checks whom a task tells.

use super::{Checker, FoundOperation};
use crate::task::notify::DEFAULT_DIGEST;
use crate::task::{Notify, NotifyMail, NotifyWebhook};
use crate::yaml::shape::suggest;

/// The shortest digest time, in seconds.
const LEAST_DIGEST: u32 = 60;

impl Checker<'_> {
    pub(super) fn notify(&mut self, notify: Option<&Notify>) {
        let Some(notify) = notify else { return };
        if notify.webhook.is_none() && notify.mail.is_none() {
            self.error(
                "/notify",
                "`notify` says nobody",
                "Give `webhook: { connection: … }`, `mail: { to: [ … ] }`, or both.",
            );
        }
        if let Some(webhook) = &notify.webhook {
            self.receiver(webhook);
        }
        if let Some(mail) = &notify.mail {
            self.recipients(mail);
        }
        if notify.every.is_some_and(|every| every.seconds() < LEAST_DIGEST) {
            self.error(
                "/notify/every",
                "notices go out once a minute at most",
                format!("Leave it out for one in {DEFAULT_DIGEST}, or write for example `15m`."),
            );
        }
    }

    fn receiver(&mut self, webhook: &NotifyWebhook) {
        // Any operation's name will do: only whether the connection is there is asked.
        let anything = &webhook.connection;
        let found = self
            .catalogue
            .map(|catalogue| catalogue.operation(&webhook.connection, anything));
        if let Some(FoundOperation::NoConnection(known)) = found {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.error(
                "/notify/webhook/connection",
                format!("there is no connection `{}`", webhook.connection),
                suggest(webhook.connection.as_str(), &known, "Connections"),
            );
        }
        if webhook.path.as_deref().is_some_and(|path| !path.starts_with('/')) {
            self.error(
                "/notify/webhook/path",
                "the path of a receiver begins with a slash",
                "Write for example `path: /notices`.",
            );
        }
    }

    fn recipients(&mut self, mail: &NotifyMail) {
        for (index, address) in mail.to.iter().enumerate() {
            let is_one = address
                .rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
            let is_plain = !address
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || ",;<>".contains(c));
            if !is_one || !is_plain {
                self.error(
                    &format!("/notify/mail/to/{index}"),
                    format!("{address:?} is not one mail address"),
                    "Write for example `to: [ada@example.com]`, without a name.",
                );
            }
        }
    }
}
