//! The home's mail server, and notices as mails.

use std::fmt;

use serde::Deserialize;
use tailorbird_connector::{Mail, send_mail};
use tailorbird_model::mail::{MailPassword, MailServer, MailTls};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::Notice;

use crate::actor::Act;
use crate::{App, AppError};

/// What is to be set of the mail server; what is absent stays.
#[derive(Debug, Default)]
pub struct MailChange {
    /// Its name or address.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// How the way to it is closed.
    pub tls: Option<MailTls>,
    /// The address that notices come from.
    pub from: Option<String>,
    /// The name to log in with; empty takes it back.
    pub user: Option<String>,
    /// The password, as JSON: `{"password": "…"}`.
    pub secrets: Option<String>,
}

/// The secrets of a mail server as a person gives them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailSecrets {
    password: String,
}

impl fmt::Debug for MailSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailSecrets(redacted)")
    }
}

impl App {
    /// The home's mail server, where one is set.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn mail_server(&self) -> Result<Option<MailServer>, AppError> {
        Ok(self.store.mail_server()?)
    }

    /// Sets the home's mail server.
    ///
    /// # Errors
    /// USE-001 where something is missing or would send the password in the open, CONN-005 where the secrets cannot
    /// be read.
    pub async fn set_mail_server(&self, change: MailChange) -> Result<MailServer, AppError> {
        let wrong = |message: &str, hint: &str| {
            AppError::usage(Failure::new(codes::USAGE, Meaning::NotSent, message).hint(hint))
        };
        let noting = self.noting(Act::HOME_MAIL_SERVER, "mail server", "")?;
        let known = self.store.mail_server()?;
        let tls = change
            .tls
            .or(known.as_ref().map(|known| known.tls))
            .unwrap_or(MailTls::Starttls);
        let usual = match tls {
            MailTls::Starttls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        };
        let before = |get: fn(&MailServer) -> String| known.as_ref().map(get);
        let server = MailServer {
            host: change
                .host
                .or_else(|| before(|known| known.host.clone()))
                .ok_or_else(|| wrong("the mail server has no name", "Give --host."))?,
            port: change
                .port
                .or(known.as_ref().map(|known| known.port))
                .unwrap_or(usual),
            tls,
            from: change
                .from
                .or_else(|| before(|known| known.from.clone()))
                .ok_or_else(|| wrong("the mails have no sender", "Give --from."))?,
            user: change
                .user
                .or_else(|| known.as_ref().and_then(|known| known.user.clone()))
                .filter(|user| !user.is_empty()),
        };
        if server.tls == MailTls::None && !server.is_local() {
            return Err(wrong(
                "mails to another machine are not sent in the open",
                "Use --tls starttls (port 587) or --tls implicit (port 465).",
            ));
        }
        let password = change
            .secrets
            .map(|text| serde_json::from_str::<MailSecrets>(&text))
            .transpose()
            .map_err(|_| {
                AppError::from(
                    Failure::new(
                        codes::SECRETS_UNREADABLE,
                        Meaning::NotSent,
                        "the secrets cannot be read",
                    )
                    .hint("They are JSON: {\"password\": \"…\"}."),
                )
            })?;
        let password = password.map(|secrets| MailPassword::new(secrets.password));
        noting.store.set_mail_server(server.clone(), password).await?;
        Ok(server)
    }

    /// Sends a notice by mail.
    pub(crate) async fn mail_notice(&self, notice: &Notice, to: &[String]) -> Result<(), Failure> {
        let server = self.store.mail_server()?.ok_or_else(|| {
            Failure::new(codes::MAIL, Meaning::NotSent, "no mail server is set")
                .hint("`tailorbird notice mail --host … --from …` sets it.")
        })?;
        let password = self.store.mail_password()?;
        let (subject, text) = in_words(notice);
        let mail = Mail {
            id: &format!("notice-{}", notice.id),
            to,
            subject: &subject,
            text: &text,
        };
        send_mail(&server, password.as_ref(), &mail).await
    }
}

/// A notice as people read it: subject and text.
fn in_words(notice: &Notice) -> (String, String) {
    let word = |value: &serde_json::Value, at: &str| {
        let found = value.pointer(at);
        found
            .and_then(|found| found.as_str().map(str::to_owned))
            .or_else(|| found.map(ToString::to_string))
            .unwrap_or_default()
    };
    let empty = Vec::new();
    let events = notice
        .body
        .get("events")
        .and_then(serde_json::Value::as_array)
        .unwrap_or(&empty);
    let mut kinds: Vec<String> = events
        .iter()
        .map(|event| word(event, "/what").replace('_', " "))
        .collect();
    kinds.sort();
    kinds.dedup();
    let mut text = format!("Task {} needs a person.\n", notice.task);
    for event in events {
        text.push_str(&format!(
            "\n{}: run {}, {}\n",
            word(event, "/what").replace('_', " "),
            word(event, "/run"),
            word(event, "/at")
        ));
        if let Some(counts) = event
            .pointer("/facts/counts")
            .and_then(serde_json::Value::as_object)
        {
            for (name, count) in counts.iter().filter(|(_, count)| count.as_u64() != Some(0)) {
                text.push_str(&format!("  {count:>7}  {}\n", name.replace('_', " ")));
            }
        }
        if event.pointer("/facts/failure/code").is_some() {
            text.push_str(&format!(
                "  {} [{}]\n",
                word(event, "/facts/failure/message"),
                word(event, "/facts/failure/code")
            ));
            let hint = word(event, "/facts/failure/hint");
            if !hint.is_empty() {
                text.push_str(&format!("  {hint}\n"));
            }
        }
        for state in ["in_doubt", "rejected"] {
            let keys: Vec<&str> = event
                .pointer(&format!("/facts/keys/{state}"))
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(serde_json::Value::as_str)
                .collect();
            if !keys.is_empty() {
                text.push_str(&format!("  {}: {}\n", state.replace('_', " "), keys.join(", ")));
            }
        }
        let commands = event
            .pointer("/facts/commands")
            .and_then(serde_json::Value::as_array);
        for command in commands
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
        {
            text.push_str(&format!("  {command}\n"));
        }
    }
    (
        format!("[tailorbird] {}: {}", notice.task, kinds.join(", ")),
        text,
    )
}
