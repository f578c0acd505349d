//! What a page says after a form was accepted: a word in the address stands for a sentence, so that no link can put
//! words into the program's mouth.

/// Words and their sentences; `#` is the number that comes with it.
const SENTENCES: &[(&str, &str)] = &[
    (
        "enabled",
        "The task is enabled: its trigger starts runs from now on.",
    ),
    (
        "disabled",
        "The task is disabled: its trigger starts nothing. Running it by hand still works.",
    ),
    (
        "made",
        "The task is there as version #, and enabled: its trigger starts runs from now on.",
    ),
    (
        "saved",
        "Saved as version #. Runs under way keep the version they began with.",
    ),
    ("unchanged", "Nothing was changed; it stands at version #."),
    ("restored", "The old text is back, as version #."),
    (
        "database-added",
        "The database is there. Look at its tables, then make a task of them.",
    ),
    ("database-changed", "The settings are saved."),
    ("opened", "It opens. It has # tables and views."),
    ("run", "A run was opened. It is followed here."),
    ("paused", "The run is held after what is under way."),
    ("resumed", "The run goes on."),
    (
        "cancelled",
        "The run ends after what is under way. What was sent stays sent.",
    ),
    ("retried", "# rejected record(s) are tried again in this run."),
    ("sent", "Noted as sent. It will not be sent again."),
    (
        "again",
        "It is sent again at once; where a run of its task has not ended, after that.",
    ),
    ("skipped", "It is left out for good."),
    ("decided", "# record(s) were decided."),
    ("set", "Saved."),
    (
        "set-trimmed",
        "Saved. White space around what was typed was removed.",
    ),
    (
        "set-elsewhere",
        "Saved. The stored secrets go to another address from now on: give others, if they belong to another provider.",
    ),
    ("connected", "The connection is made. It goes on here."),
    (
        "removed",
        "The connection and its secrets are removed. What it sent stays in the ledger.",
    ),
    ("approved", "Approved. One request is left."),
    ("service-saved", "Saved. It counts from the next request on."),
    ("service-added", "The service is added."),
    (
        "service-elsewhere",
        "Saved. Stored secrets of connections go to another address from now on: look at the connections that use it.",
    ),
    ("released", "# record(s) were released. Their run goes on."),
    ("refused", "# record(s) were refused and will not be sent."),
];

/// The sentence that a query asks for.
pub(super) fn of_query(query: &str) -> Option<String> {
    let mut word = None;
    let mut number = 0_u64;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "said" => word = SENTENCES.iter().find(|(known, _)| *known == value),
            "n" => number = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    word.map(|(_, sentence)| sentence.replace('#', &number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_said() {
        assert_eq!(
            of_query("said=retried&n=3").as_deref(),
            Some("3 rejected record(s) are tried again in this run.")
        );
        assert_eq!(
            of_query("said=retried&n=<b>").as_deref(),
            Some("0 rejected record(s) are tried again in this run.")
        );
        assert_eq!(of_query("said=You+have+won"), None);
        assert_eq!(of_query(""), None);
    }
}
