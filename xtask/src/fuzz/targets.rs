//! Every parser of outside input, and what asks it. `tidy` compares this list with the sources both ways: a test in a
//! file called `fuzz.rs` belongs to a target, and a file that reads text or bytes into something is read by one.

/// A group of property tests that ask parsers of one kind.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Where its tests are, from the top folder.
    pub(crate) file: &'static str,
    /// The names of its tests.
    pub(crate) tests: &'static [&'static str],
    /// The files with the parsers that they ask, from `crates/` on.
    pub(crate) reads: &'static [&'static str],
}

impl Target {
    /// The crate, which is the folder below `crates/`.
    fn package(&self) -> &'static str {
        self.file.split('/').nth(1).unwrap_or_default()
    }

    /// The runner's expression for exactly these tests.
    pub(crate) fn expression(&self) -> String {
        let names: Vec<String> = self
            .tests
            .iter()
            .map(|test| format!("test(/::{test}$/)"))
            .collect();
        format!("package({}) & ({})", self.package(), names.join(" | "))
    }
}

/// All of them, in the order of the floors.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "oauth-requests",
        file: "crates/tailorbird-oauth/tests/it/fuzz.rs",
        tests: &["authorization_headers", "incoming_requests", "addresses"],
        reads: &[
            "tailorbird-oauth/src/authorization_header.rs",
            "tailorbird-oauth/src/diagnose/reading.rs",
            "tailorbird-oauth/src/percent_encoding.rs",
            "tailorbird-oauth/src/signature_method.rs",
            "tailorbird-oauth/src/signing/signing_key.rs",
            "tailorbird-oauth/src/timestamp.rs",
            "tailorbird-oauth/src/wire_url.rs",
        ],
    },
    Target {
        name: "oauth-answers",
        file: "crates/tailorbird-oauth/tests/it/fuzz.rs",
        tests: &[
            "answers_of_token_endpoints",
            "refusals",
            "callbacks_and_typed_verifiers",
        ],
        reads: &[
            "tailorbird-oauth/src/message/answer.rs",
            "tailorbird-oauth/src/message/callback.rs",
            "tailorbird-oauth/src/message/refusal.rs",
            "tailorbird-oauth/src/message/xml.rs",
        ],
    },
    Target {
        name: "oauth-keys",
        file: "crates/tailorbird-oauth/tests/it/fuzz.rs",
        tests: &["pem_keys"],
        reads: &["tailorbird-oauth/src/signing/rsa_key.rs"],
    },
    Target {
        name: "texts",
        file: "crates/tailorbird-text/tests/it/properties.rs",
        tests: &["nothing_panics_and_places_are_true", "escaping_is_undone"],
        reads: &["tailorbird-text/src/entities.rs", "tailorbird-text/src/html.rs"],
    },
    Target {
        name: "files",
        file: "crates/tailorbird-model/tests/it/fuzz.rs",
        tests: &["yaml_documents", "task_files", "service_files"],
        reads: &[
            "tailorbird-model/src/service/check.rs",
            "tailorbird-model/src/task/check.rs",
            "tailorbird-model/src/yaml/document.rs",
        ],
    },
    Target {
        name: "expressions",
        file: "crates/tailorbird-model/tests/it/fuzz.rs",
        tests: &["expressions"],
        reads: &["tailorbird-model/src/expression.rs"],
    },
    Target {
        name: "schedules",
        file: "crates/tailorbird-model/tests/it/fuzz.rs",
        tests: &["schedules", "calendars_and_hours"],
        reads: &[
            "tailorbird-model/src/schedule/calendar.rs",
            "tailorbird-model/src/schedule/fields.rs",
            "tailorbird-model/src/schedule/hours.rs",
        ],
    },
    Target {
        name: "words",
        file: "crates/tailorbird-model/tests/it/fuzz.rs",
        tests: &["numbers_spans_and_money", "names_paths_and_keys"],
        reads: &[
            "tailorbird-model/src/key.rs",
            "tailorbird-model/src/money.rs",
            "tailorbird-model/src/name.rs",
            "tailorbird-model/src/service.rs",
            "tailorbird-model/src/service/operation.rs",
            "tailorbird-model/src/task/trigger/webhook.rs",
            "tailorbird-model/src/value.rs",
        ],
    },
    Target {
        name: "trigger-records",
        file: "crates/tailorbird-model/src/task/trigger/records.rs",
        tests: &["any_body_is_read_or_refused"],
        reads: &["tailorbird-model/src/task/trigger/records.rs"],
    },
    Target {
        name: "answers",
        file: "crates/tailorbird-connector/src/fuzz.rs",
        tests: &["limits_and_dates", "answers", "listings", "masks"],
        reads: &[
            "tailorbird-connector/src/answer.rs",
            "tailorbird-connector/src/extract.rs",
            "tailorbird-connector/src/judge/limits.rs",
            "tailorbird-connector/src/pages.rs",
            "tailorbird-connector/src/request/masked.rs",
        ],
    },
    Target {
        name: "settings",
        file: "crates/tailorbird-connector/src/fuzz.rs",
        tests: &["settings_and_addresses", "loopback_requests"],
        reads: &[
            "tailorbird-connector/src/authorize/loopback.rs",
            "tailorbird-connector/src/origin.rs",
            "tailorbird-connector/src/resolve.rs",
            "tailorbird-connector/src/settings.rs",
            "tailorbird-oauth/src/placement.rs",
        ],
    },
    Target {
        name: "databases",
        file: "crates/tailorbird-database/tests/it/fuzz.rs",
        tests: &[
            "cells",
            "statements",
            "files_that_are_no_database",
            "names_in_a_folder",
        ],
        reads: &[
            "tailorbird-database/src/sqlite/decode.rs",
            "tailorbird-database/src/sqlite/tables.rs",
        ],
    },
    Target {
        name: "outbox",
        file: "crates/tailorbird-database/src/sqlite/outbox/literal.rs",
        tests: &["what_sqlite_quotes_is_read_back", "any_text_is_read_or_refused"],
        reads: &["tailorbird-database/src/sqlite/outbox/literal.rs"],
    },
    Target {
        name: "patterns",
        file: "crates/tailorbird-database/src/folder/pattern.rs",
        tests: &["any_text_is_a_pattern_or_too_long"],
        reads: &["tailorbird-database/src/folder/pattern.rs"],
    },
    Target {
        name: "home",
        file: "crates/tailorbird-store/tests/it/fuzz.rs",
        tests: &["backups", "keys_and_locks", "words_for_a_delivery"],
        reads: &[
            "tailorbird-store/src/backup/reading.rs",
            "tailorbird-store/src/ledger/reading.rs",
            "tailorbird-store/src/lock.rs",
            "tailorbird-store/src/seal.rs",
        ],
    },
    Target {
        name: "signatures",
        file: "crates/tailorbird-app/src/webhooks/verify/tests.rs",
        tests: &[
            "any_header_is_judged_and_none_is_believed",
            "any_text_of_the_right_letters_is_judged",
            "one_changed_byte_of_the_body_is_enough",
        ],
        reads: &["tailorbird-app/src/webhooks/verify.rs"],
    },
    Target {
        name: "events",
        file: "crates/tailorbird-app/src/webhooks/fuzz.rs",
        tests: &["events", "encodings"],
        reads: &[
            "tailorbird-app/src/webhooks/bytes.rs",
            "tailorbird-app/src/webhooks/headers.rs",
            "tailorbird-app/src/webhooks/identity.rs",
        ],
    },
    Target {
        name: "trace-settings",
        file: "crates/tailorbird-app/src/traces/fuzz.rs",
        tests: &["variables"],
        reads: &["tailorbird-app/src/traces/settings.rs"],
    },
    Target {
        name: "imports",
        file: "crates/tailorbird-app/tests/it/fuzz.rs",
        tests: &[
            "signed_lines",
            "secrets",
            "files_without_a_home",
            "imported_connections",
        ],
        reads: &[
            "tailorbird-app/src/connections.rs",
            "tailorbird-app/src/oauth1_sign.rs",
            "tailorbird-app/src/secrets_input.rs",
            "tailorbird-app/src/triggers/secret.rs",
        ],
    },
    Target {
        name: "server",
        file: "crates/tailorbird-server/src/fuzz.rs",
        tests: &["hosts"],
        reads: &["tailorbird-server/src/guard.rs"],
    },
    Target {
        name: "sandbox-parts",
        file: "crates/tailorbird-sandbox/src/api/fuzz.rs",
        tests: &["queries", "searches", "bodies", "page_tokens"],
        reads: &[
            "tailorbird-sandbox/src/api/page.rs",
            "tailorbird-sandbox/src/api/params.rs",
            "tailorbird-sandbox/src/api/schema.rs",
            "tailorbird-sandbox/src/api/search/parse.rs",
        ],
    },
    Target {
        name: "sandbox-files",
        file: "crates/tailorbird-sandbox/src/fuzz.rs",
        tests: &["hosts", "faults", "kept_requests", "state_files"],
        reads: &[
            "tailorbird-sandbox/src/faults.rs",
            "tailorbird-sandbox/src/guard.rs",
            "tailorbird-sandbox/src/journal.rs",
            "tailorbird-sandbox/src/record.rs",
        ],
    },
    Target {
        name: "sandbox-requests",
        file: "crates/tailorbird-sandbox/tests/it/fuzz.rs",
        tests: &["requests_of_clients"],
        reads: &[
            "tailorbird-sandbox/src/admin/answer.rs",
            "tailorbird-sandbox/src/portal/requests/one.rs",
            "tailorbird-sandbox/src/state/application.rs",
        ],
    },
    Target {
        name: "command-line",
        file: "crates/tailorbird/src/fuzz.rs",
        tests: &["command_lines", "values"],
        reads: &[
            "tailorbird/src/commands/delivery.rs",
            "tailorbird/src/commands/delivery/verify.rs",
            "tailorbird/src/commands/home/retention.rs",
        ],
    },
];

/// Files whose parsers read nothing from outside, each with why.
pub(crate) const INSIDE: &[(&str, &str)] = &[
    (
        "tailorbird-model/src/access.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/approval.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/change.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/delivery.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/event.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/mail.rs",
        "words of our own, looked up in a list",
    ),
    (
        "tailorbird-model/src/run.rs",
        "words of our own, looked up in a list",
    ),
    ("tailorbird-store/src/codec.rs", "what the store itself wrote"),
    (
        "tailorbird/src/faults.rs",
        "what tests ask for, in debug builds only",
    ),
    (
        "tailorbird-sandbox/src/visitor/html.rs",
        "the sandbox's own pages",
    ),
];
