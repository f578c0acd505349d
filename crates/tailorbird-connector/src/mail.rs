//! Sends a mail over one SMTP server: the second and last door to the network.
//!
//! Nothing here tries twice. The text is plain, and addresses are parsed and never pasted, so that no line of a
//! header can be smuggled in.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tailorbird_model::mail::{MailPassword, MailServer, MailTls};
use tailorbird_model::{Failure, Meaning, codes};

/// How long the server may take for each answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail<'a> {
    /// Names it for good, so that a reader's program can tell that it came twice.
    pub id: &'a str,
    /// The recipients' addresses.
    pub to: &'a [String],
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Sends a mail.
///
/// # Errors
/// MAIL-001 with the server's words, or where an address is none.
pub async fn send_mail(
    server: &MailServer,
    password: Option<&MailPassword>,
    mail: &Mail<'_>,
) -> Result<(), Failure> {
    let wrong = |message: String| Failure::new(codes::MAIL, Meaning::NotSent, message);
    let address = |text: &str| {
        text.parse::<lettre::Address>()
            .map(Into::into)
            .map_err(|error| wrong(format!("{text:?} is not a mail address: {error}")))
    };
    let mut message = Message::builder()
        .from(address(&server.from)?)
        .message_id(Some(format!("<{}@tailorbird>", mail.id)))
        .subject(mail.subject)
        .header(ContentType::TEXT_PLAIN);
    for to in mail.to {
        message = message.to(address(to)?);
    }
    let message = message
        .body(mail.text.to_owned())
        .map_err(|error| wrong(format!("the mail cannot be written: {error}")))?;
    let parameters = || {
        TlsParameters::new(server.host.clone())
            .map_err(|error| wrong(format!("TLS to {} cannot be set up: {error}", server.host)))
    };
    let tls = match server.tls {
        MailTls::Starttls => Tls::Required(parameters()?),
        MailTls::Implicit => Tls::Wrapper(parameters()?),
        MailTls::None => Tls::None,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(TIMEOUT));
    if let (Some(user), Some(password)) = (&server.user, password) {
        transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    let sent = transport.build().send(message).await;
    sent.map(drop).map_err(|error| {
        wrong(format!(
            "the mail server {}:{} did not take the mail",
            server.host, server.port
        ))
        .detail(format!("{}.", words(&error)))
        .hint("`tailorbird notice mail` shows and sets the server; `notice list` shows what waits.")
    })
}

/// An error with its causes; lettre tells the kind first and the server's words below.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = source.source();
    }
    text
}
