//! Words of the command line in the words of these pages. Failures are written once, for both; what they advise is a
//! command, and here it is a button or a tab.

/// What a command begins with.
const COMMAND: &str = "tailorbird connection ";

/// Names and flags, each with the words that these pages have for it.
const WORDS: [(&str, &str); 12] = [
    ("temporary_credentials_url", "Request token URL"),
    ("authorization_url", "Authorize URL"),
    ("signature_method", "Signature method"),
    ("spending_cap", "Spending cap"),
    ("concurrency", "Requests at once"),
    ("token_url", "Access token URL"),
    ("root_url", "Root URL"),
    ("`--callback oob`", "the code"),
    ("`--callback loopback`", "the way back by this browser"),
    (
        "secrets go in by --secrets",
        "secrets belong on the tab “Authentication”",
    ),
    ("by --secrets", "on the tab “Authentication”"),
    ("with the tab", "on the tab"),
];

/// A text of a failure, for a page.
pub(super) fn in_browser(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(COMMAND) {
        let (before, is_code) = match before.strip_suffix('`') {
            Some(before) => (before, true),
            None => (before, false),
        };
        let (command, after) = if is_code {
            after.split_once('`').unwrap_or((after, ""))
        } else {
            after.split_at_checked(end_of(after)).unwrap_or((after, ""))
        };
        out.push_str(before);
        out.push_str(place_of(command));
        rest = after;
    }
    out.push_str(rest);
    for (name, words) in WORDS {
        if out.contains(name) {
            out = out.replace(name, words);
        }
    }
    out
}

/// Where a command ends that stands in a sentence: after its verb, its name, and flags with their values.
fn end_of(text: &str) -> usize {
    let mut end = 0_usize;
    let mut wants_value = false;
    for (number, word) in text.split(' ').enumerate() {
        let is_flag = word.starts_with("--");
        if number >= 2 && !is_flag && !wants_value {
            break;
        }
        wants_value = is_flag && word != "--start";
        let gap = usize::from(number > 0);
        let bare = word.trim_end_matches(['.', ',', ';', ')', ':']);
        if bare.len() < word.len() {
            return end.saturating_add(gap).saturating_add(bare.len());
        }
        end = end.saturating_add(gap).saturating_add(word.len());
    }
    end
}

/// What these pages have in place of a command.
fn place_of(command: &str) -> &'static str {
    match command.split(' ').next().unwrap_or_default() {
        "authorize" => "“Get access token and secret”",
        "test" => "“Test it”",
        "diagnose" => "“Find the cause”",
        "add" if command.contains("--set root_url") => "the tab “Root URL and headers”",
        "add" => "the tab “Authentication”",
        _ => "the command line",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_does_is_a_button_or_a_tab_here() {
        for (text, told) in [
            (
                "Start again: tailorbird connection authorize company-x",
                "Start again: “Get access token and secret”",
            ),
            (
                "Start again: `tailorbird connection authorize company-x`. A code works once.",
                "Start again: “Get access token and secret”. A code works once.",
            ),
            (
                "Give them anew: tailorbird connection add c --secrets -",
                "Give them anew: the tab “Authentication”",
            ),
            (
                "Correct them (tailorbird connection add c --secrets -). Or: tailorbird connection authorize c",
                "Correct them (the tab “Authentication”). Or: “Get access token and secret”",
            ),
            (
                "Set it: tailorbird connection add c --set root_url=https://…",
                "Set it: the tab “Root URL and headers”",
            ),
            (
                "`tailorbird connection diagnose c` looks further.",
                "“Find the cause” looks further.",
            ),
            (
                "Give \"client_key\" with `tailorbird connection add c --secrets -`.",
                "Give \"client_key\" on the tab “Authentication”.",
            ),
            (
                "authorization_url holds the address that belongs into token_url",
                "Authorize URL holds the address that belongs into Access token URL",
            ),
            (
                "Use `--callback oob`, which needs none.",
                "Use the code, which needs none.",
            ),
            ("Nothing to change here.", "Nothing to change here."),
            (
                "It shows the code. Then: tailorbird connection authorize c --verifier CODE",
                "It shows the code. Then: “Get access token and secret”",
            ),
        ] {
            assert_eq!(in_browser(text), told);
        }
    }
}
