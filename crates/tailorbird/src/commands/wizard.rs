//! The wizard in a terminal: keys, then the four screens of "Get access token and secret".

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use tailorbird_app::{AddConnection, Added, App, AppError, Callback, Finished, OAuthAddress, SecretsInput};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::commands::connection::tell;
use crate::render::{Render, harmless, letter};

/// How often a wrong answer is asked for again.
const MAX_TRIES: usize = 5;

/// Asks for the client key and secret of a connection that lacks them; an empty answer leaves them out.
pub(crate) async fn ask_for_keys(
    app: &App,
    name: &Name,
    render: Render,
    added: Added,
) -> Result<Added, AppError> {
    let labels = app.labels(name)?;
    render.talk(&format!(
        "The connection is saved. Its keys are sealed in the home folder; leave a line empty to give them later.{}",
        labels.keys_at.as_ref().map(|at| format!("\nWhere to find them: {at}")).unwrap_or_default()
    ));
    let key = ask(&format!("{}: ", labels.client_key))?;
    let secret = ask_hidden(&format!("{} (not shown): ", labels.client_secret))?;
    if key.trim().is_empty() && secret.trim().is_empty() {
        return Ok(added);
    }
    let given = |text: String| if text.trim().is_empty() { None } else { Some(text) };
    let secrets = SecretsInput {
        client_key: given(key),
        client_secret: given(secret),
        ..SecretsInput::default()
    };
    let add = AddConnection {
        name: name.clone(),
        service: None,
        settings: Vec::new(),
        secrets: Some(secrets),
    };
    let added = app.add_connection(add).await?;
    tell(render, &added.notes, &added.warnings);
    Ok(added)
}

/// The four screens.
pub(crate) async fn authorize(
    app: &App,
    name: &Name,
    callback: Callback,
    render: Render,
) -> Result<Finished, AppError> {
    if !std::io::stdin().is_terminal() {
        return Err(AppError::usage(
            Failure::new(codes::CONNECTION_INCOMPLETE, Meaning::Rejected, "the wizard needs a terminal").hint(format!(
                "For scripts: `tailorbird connection authorize {name} --start`, approve at the printed address, then \
                 `tailorbird connection authorize {name} --verifier CODE`."
            )),
        ));
    }
    let labels = app.labels(name)?;
    render.talk(&format!(
        "Get access token and secret for {name} ({})\n",
        labels.service_title
    ));

    render.talk("1 of 4  Request token\n  Tailorbird asks the provider for temporary credentials: one signed request.");
    address(app, name, OAuthAddress::TemporaryCredentials, render).await?;

    render.talk("\n2 of 4  Login and authorization page\n  This is the page on which the account's owner approves; it ends in /authorize or /authenticate.");
    address(app, name, OAuthAddress::Authorization, render).await?;

    render.talk("\n3 of 4  Verification code");
    let started = app.authorize_start(name, callback).await?;
    tell(render, &[], &started.warnings);
    render.talk(&format!(
        "  Open this address in a browser, sign in, and approve (good until {}):\n\n    {}\n",
        started.expires_at, started.authorize_url
    ));
    for _ in 0..MAX_TRIES {
        let code = code(app, name, callback, &labels.verifier, render).await?;
        render.talk(
            "\n4 of 4  Access token\n  Tailorbird exchanges the code for the access token and its secret: one signed request.",
        );
        address(app, name, OAuthAddress::Token, render).await?;
        match app.authorize_finish(name, &code).await {
            Err(error)
                if error.failure.code == codes::VERIFIER_REFUSED && callback == Callback::OutOfBand =>
            {
                render.talk(&letter("error", &error.failure));
                render.talk("\nLook at the code once more and type it again.");
            }
            finished => return finished,
        }
    }
    Err(AppError::from(Failure::new(
        codes::VERIFIER_REFUSED,
        Meaning::ConnectionFault,
        format!("the verification code was refused {MAX_TRIES} times"),
    )))
}

/// The verification code: typed by a person, or brought back by the browser.
async fn code(
    app: &App,
    name: &Name,
    callback: Callback,
    label: &str,
    render: Render,
) -> Result<String, AppError> {
    if callback == Callback::Loopback {
        render.talk("  Waiting for the browser to come back to http://127.0.0.1:7082/oauth/callback …");
        return app.authorize_wait_for_callback(name).await;
    }
    for _ in 0..MAX_TRIES {
        let code = ask(&format!("  {label}: "))?;
        if !code.trim().is_empty() {
            return Ok(code);
        }
        render.talk("  Type the code that the page shows, or press Ctrl-C to stop.");
    }
    Err(ended("no code was typed"))
}

/// Shows an address that the service file knows, or asks for it.
async fn address(app: &App, name: &Name, which: OAuthAddress, render: Render) -> Result<(), AppError> {
    for _ in 0..MAX_TRIES {
        if let Some(known) = app.oauth_address(name, which)? {
            render.talk(&format!("  {}: {known}", which.label()));
            return Ok(());
        }
        let given = ask(&format!("  {}: ", which.label()))?;
        if given.trim().is_empty() {
            render.talk("  The provider's documentation names this address.");
            continue;
        }
        let settings = vec![(which.setting().to_owned(), given)];
        let add = AddConnection {
            name: name.clone(),
            service: None,
            settings,
            secrets: None,
        };
        match app.add_connection(add).await {
            Ok(added) => tell(render, &added.notes, &added.warnings),
            Err(error) => render.talk(&letter("error", &error.failure)),
        }
    }
    Err(AppError::from(Failure::new(
        codes::CONNECTION_INCOMPLETE,
        Meaning::ConnectionFault,
        format!("no usable address was given for “{}”", which.label()),
    )))
}

/// The end of the wizard, in plain words.
pub(crate) fn finished_text(finished: &Finished) -> String {
    let account = finished.account.as_ref().map_or_else(
        || "The provider does not tell whose account it is.".to_owned(),
        |account| format!("Account: {} ({}).", account.name, account.id),
    );
    let level = finished
        .level_words
        .as_ref()
        .or(finished.level.as_ref())
        .map(|level| format!(" Access level: {level}."))
        .unwrap_or_default();
    format!(
        "\nDone. {} is authorised. {account}{level}\nTest it: tailorbird connection test {}",
        finished.connection, finished.connection
    )
}

pub(crate) fn ask(question: &str) -> Result<String, AppError> {
    let mut terminal = std::io::stderr().lock();
    drop(write!(terminal, "{}", harmless(question)).and_then(|()| terminal.flush()));
    drop(terminal);
    let mut line = String::new();
    let count = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| ended(&error.to_string()))?;
    if count == 0 {
        return Err(ended("the input ended"));
    }
    // The end of the line is the terminal's, not white space that somebody typed.
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

pub(crate) fn ask_hidden(question: &str) -> Result<String, AppError> {
    rpassword::prompt_password(harmless(question).as_ref()).map_err(|error| ended(&error.to_string()))
}

fn ended(why: &str) -> AppError {
    AppError::usage(
        Failure::new(
            codes::FILE_UNREADABLE,
            Meaning::Rejected,
            format!("could not read the answer: {why}"),
        )
        .hint("Nothing is lost; run the command again."),
    )
}
