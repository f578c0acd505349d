//! Every error a person may meet, by code. Each has a page in `docs/errors/`, compiled in.

macro_rules! codes {
    ($($code:literal $constant:ident $title:literal)*) => {
        $(#[doc = $title] pub const $constant: &str = $code;)*
        /// All pages, in the order of this list.
        pub const ALL: &[Page] = &[$(Page {
            code: $code,
            title: $title,
            text: include_str!(concat!("../../../docs/errors/", $code, ".md")),
        }),*];
    };
}

/// The page of an error code.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// For example `AUTH-001`.
    pub code: &'static str,
    /// The title, in a few words.
    pub title: &'static str,
    /// The whole page, Markdown.
    pub text: &'static str,
}

/// Finds the page of a code; letter case does not matter.
pub fn page(code: &str) -> Option<&'static Page> {
    ALL.iter().find(|page| page.code.eq_ignore_ascii_case(code))
}

codes! {
    "AUTH-001" SIGNATURE_REFUSED "The provider refused the signature or the credentials"
    "AUTH-002" CLOCK_OFF "The clock is off"
    "AUTH-003" TOKEN_REFUSED "The token is not valid (any more)"
    "AUTH-004" LEVEL_TOO_LOW "The token's access level is too low"
    "AUTH-005" PLAN_REFUSED "The application's plan does not include this endpoint"
    "AUTH-006" CONNECTION_INCOMPLETE "The connection is incomplete"
    "AUTH-007" AUTHORIZE_URL_WRONG "An OAuth address is in the wrong box"
    "AUTH-008" CALLBACK_REFUSED "The callback is not registered"
    "AUTH-009" VERIFIER_REFUSED "The verification code was refused"
    "AUTH-010" CONSENT_DENIED "The account's owner did not approve"
    "AUTH-011" AUTHORIZATION_EXPIRED "The authorization was started too long ago, or not at all"
    "AUTH-012" ANSWER_UNREADABLE "The provider's OAuth answer cannot be read"
    "AUTH-013" CREDENTIALS_UNUSABLE "The credentials cannot be used as they are"
    "CONN-001" CONNECTION_UNKNOWN "There is no connection of that name"
    "CONN-002" CONNECTION_SETTING "A connection setting is unknown or not valid"
    "CONN-003" ADDRESS_REFUSED "The address is not allowed"
    "CONN-004" PROVIDER_UNREACHABLE "The provider could not be reached"
    "CONN-005" SECRETS_UNREADABLE "The secrets given cannot be read"
    "CONN-006" CONNECTION_IN_USE "The connection is still used"
    "CONN-007" CONNECTION_CHANGED "The connection was changed by somebody else meanwhile"
    "SVC-001" SERVICE_UNKNOWN "There is no service of that name"
    "SVC-002" SERVICE_FILE "The service file has problems"
    "SVC-003" OPERATION_UNKNOWN "The service has no such operation"
    "SVC-004" PARAMETER "A parameter is missing, unknown or of the wrong type"
    "SVC-005" SERVICE_CHANGED "The service was changed by somebody else meanwhile, or its name is taken"
    "SEND-001" REJECTED "The provider rejected the record"
    "SEND-002" TEXT_TOO_LONG "The text is too long"
    "SEND-003" TEXT_EMPTY "The text is empty or has characters that are not allowed"
    "SEND-004" DUPLICATE "The provider already has this content"
    "SEND-005" RATE_LIMITED "The provider's limit is used up"
    "SEND-006" IN_DOUBT "Nobody knows whether it arrived"
    "SEND-007" REDIRECTED "The provider answered a write with a redirect"
    "SEND-008" ANSWER_ODD "The provider's answer is not what the service file says"
    "SEND-009" PROVIDER_FAILED "The provider failed"
    "SEND-010" PAGES "Paging went wrong"
    "SEND-011" SPENDING_CAP "The spending cap is reached"
    "SEND-012" THRESHOLD "More was rejected than the task allows"
    "MAP-001" EXPRESSION "An expression cannot be read or evaluated"
    "MAP-002" COLUMN_UNKNOWN "The record has no such column"
    "MAP-003" KEY "A delivery key is empty, too long or cannot be built"
    "MAP-004" WHEN "A condition is not true or false"
    "TASK-001" TASK_UNKNOWN "There is no task of that name"
    "TASK-002" TASK_FILE "The task file has problems"
    "TASK-003" REKEY "The change would send records again"
    "TASK-004" CALLS_TOO_DEEP "Tasks call each other without an end"
    "TASK-005" TASK_OVERTAKEN "The task was changed by somebody else meanwhile"
    "DB-001" DATABASE_UNKNOWN "There is no database of that name"
    "DB-002" DATABASE_MISSING "The database cannot be opened"
    "DB-003" DATABASE_LOCKED "The database is locked"
    "DB-004" STATEMENT "The statement failed"
    "DB-005" NOT_WRITABLE "The database is not open for writing"
    "DB-006" WRITE_REFUSED "The database refused a row"
    "DB-007" DATABASE_SETTING "A database setting is missing, unknown or not allowed"
    "DB-008" VALUE_TYPE "A value has a type that cannot be used here"
    "DB-009" CURSOR "A column is not fit for a cursor"
    "DB-010" DATABASE_FULL "The disk of the database is full"
    "TRIG-001" HOOK_REFUSED "A webhook refused a request"
    "TRIG-002" TRIGGER_EVENT "An event cannot be worked on"
    "TRIG-003" FOLDER "A watched folder cannot be used"
    "TRIG-004" INBOX_FULL "Too many events wait"
    "TRIG-005" TASK_SECRET "The task's secret is missing or cannot be used"
    "TRIG-006" OUTBOX "The changes of a table are not written down"
    "RUN-001" RUN_UNKNOWN "There is no such run"
    "RUN-002" RUN_BUSY "Another process drives the runs of this home"
    "RUN-003" DELIVERY_UNKNOWN "There is no such delivery"
    "RUN-004" TRANSITION "The delivery is in a state that does not allow this"
    "RUN-005" STOPPED "The run was stopped on request"
    "APPR-001" APPROVAL_UNKNOWN "There is no such question"
    "APPR-002" APPROVAL_ROLE "The role does not allow this decision"
    "APPR-003" APPROVAL_WAITING "Records wait for a person's release"
    "APPR-004" APPROVAL_DECIDED "The question cannot be decided any more"
    "HOME-001" NO_HOME "There is no home folder here"
    "HOME-002" HOME_BROKEN "The home folder cannot be used"
    "HOME-003" SEALING_KEY "The sealing key is missing or does not fit"
    "HOME-004" LEDGER_ALTERED "The ledger was changed past the program"
    "HOME-005" BACKUP_FILE "The backup file cannot be used"
    "FILE-001" FILE_UNREADABLE "A file cannot be read or written"
    "FILE-002" YAML "The file is not readable YAML"
    "MAIL-001" MAIL "A mail could not be sent"
    "DEMO-001" DEMO_MISMATCH "The demo's own check failed"
    "SBX-001" SANDBOX_START "The sandbox could not start"
    "SRV-001" SERVER_START "The server could not start"
    "SRV-002" REQUEST_REFUSED "The server refused a request"
    "SRV-003" NOT_SERVED "No server is at work"
    "ACC-001" RIGHT_MISSING "Your role does not allow this"
    "USE-001" USAGE "The command line cannot be understood"
    "INT-001" INTERNAL "An impossible state"
}
