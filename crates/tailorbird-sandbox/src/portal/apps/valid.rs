//! What the fields of an application may hold. Each refusal names what is valid, in a whole sentence.

use url::{Host, Url};

use crate::settings::CALLBACKS_MAX;

/// Most characters of an application's name.
pub(super) const NAME_MAX: usize = 32;
/// Fewest characters of a description: people decide on it.
pub(super) const DESCRIPTION_MIN: usize = 10;
/// Most characters of a description.
pub(super) const DESCRIPTION_MAX: usize = 200;
/// Most characters of an address.
pub(super) const ADDRESS_MAX: usize = 500;

/// Schemes that would run or leak something in the browser of the person who consents.
const REFUSED_SCHEMES: [&str; 11] = [
    "javascript",
    "vbscript",
    "data",
    "file",
    "ftp",
    "mailto",
    "blob",
    "about",
    "telnet",
    "ws",
    "wss",
];

/// A name: 1 to 32 characters on one line.
pub(super) fn name(typed: &str) -> Result<String, String> {
    let name = typed.trim();
    if name.is_empty() {
        return Err("Give the app a name. People see it on the consent page.".to_owned());
    }
    let length = name.chars().count();
    if length > NAME_MAX {
        return Err(format!(
            "A name has at most {NAME_MAX} characters; this one has {length}."
        ));
    }
    if name.chars().any(char::is_control) {
        return Err("A name is one line of plain text, without tabs or other control characters.".to_owned());
    }
    // A page shows several spaces as one, and the name must be typed as shown to delete the app.
    Ok(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A description: 10 to 200 characters.
pub(super) fn description(typed: &str) -> Result<String, String> {
    let text = typed.trim();
    let length = text.chars().count();
    if length < DESCRIPTION_MIN {
        return Err(format!(
            "Say in {DESCRIPTION_MIN} to {DESCRIPTION_MAX} characters what the app does; this has {length}."
        ));
    }
    if length > DESCRIPTION_MAX {
        return Err(format!(
            "A description has at most {DESCRIPTION_MAX} characters; this one has {length}."
        ));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r') {
        return Err("A description is plain text, without control characters.".to_owned());
    }
    Ok(text.to_owned())
}

/// A website: an address that begins with `http://` or `https://`.
pub(super) fn website(typed: &str) -> Result<String, String> {
    let text = typed.trim();
    if text.is_empty() {
        return Err(
            "Give the address of the app's website, such as https://www.example.com. A placeholder is fine."
                .to_owned(),
        );
    }
    let length = text.chars().count();
    if length > ADDRESS_MAX {
        return Err(format!(
            "An address has at most {ADDRESS_MAX} characters; this one has {length}."
        ));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && no_spaces(text) => Ok(text.to_owned()),
        _ => Err("This is not a web address. A valid one begins with http:// or https://, such as https://www.example.com.".to_owned()),
    }
}

/// The callback URLs, one a line; empty lines are skipped. Kept exactly as typed, because they are compared
/// character by character.
pub(super) fn callbacks(typed: &str) -> Result<Vec<String>, String> {
    let mut list: Vec<String> = Vec::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        callback(line)?;
        if list.iter().any(|known| known == line) {
            return Err(format!("“{}” stands here twice. Once is enough.", shown(line)));
        }
        list.push(line.to_owned());
    }
    if list.len() > CALLBACKS_MAX {
        return Err(format!(
            "An app has at most {CALLBACKS_MAX} callback URLs; these are {}.",
            list.len()
        ));
    }
    Ok(list)
}

fn callback(line: &str) -> Result<(), String> {
    if line.eq_ignore_ascii_case("oob") {
        return Err(
            "“oob” is how a client asks for a PIN; it needs no registering. Leave it out.".to_owned(),
        );
    }
    let length = line.chars().count();
    if length > ADDRESS_MAX {
        return Err(format!(
            "A callback URL has at most {ADDRESS_MAX} characters; one of these has {length}."
        ));
    }
    let Ok(url) = Url::parse(line) else {
        return Err(format!(
            "“{}” is no URL. A valid one looks like https://www.example.com/callback or http://127.0.0.1:7082/oauth/callback.",
            shown(line)
        ));
    };
    if REFUSED_SCHEMES.contains(&url.scheme()) {
        return Err(format!(
            "“{}:” is not allowed as a callback: it would act inside the browser of the person who consents. Use https://, http:// or a scheme of your own app.",
            url.scheme()
        ));
    }
    if !no_spaces(line) {
        return Err(format!(
            "“{}” has a space or control character in it. Write it as %20 or leave it out.",
            shown(line)
        ));
    }
    let web = matches!(url.scheme(), "http" | "https");
    if web && url.host().is_some_and(|host| is_localhost(&host)) {
        return Err(format!(
            "Write 127.0.0.1 in place of localhost: “{}”. The provider does not accept the name, because it may lead elsewhere.",
            line.replacen("localhost", "127.0.0.1", 1)
        ));
    }
    if url.query().is_some() {
        return Err(format!(
            "“{}” has a query string. Register the part before the “?”; the client may send a state along when it asks.",
            shown(line)
        ));
    }
    if url.fragment().is_some() {
        return Err(format!(
            "“{}” has a fragment. Leave out the “#” and what follows.",
            shown(line)
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "“{}” has a user name in it. Leave out everything before the “@”.",
            shown(line)
        ));
    }
    Ok(())
}

fn is_localhost(host: &Host<&str>) -> bool {
    matches!(host, Host::Domain(name) if name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost"))
}

fn no_spaces(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// What of a line is repeated in a message.
fn shown(line: &str) -> String {
    const SHOWN_MAX: usize = 80;
    if line.chars().count() <= SHOWN_MAX {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(SHOWN_MAX).collect();
    cut.push('…');
    cut
}
