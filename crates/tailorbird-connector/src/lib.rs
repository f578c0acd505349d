#![doc = include_str!("../README.md")]
#![allow(
    clippy::result_large_err,
    reason = "a failure is a letter to a person; one is made at most once per call, beside a network round trip"
)]

mod answer;
mod authenticate;
mod authorize;
mod build;
mod clock;
mod collector;
mod connector;
mod diagnose;
mod entropy;
mod extract;
#[cfg(test)]
mod fuzz;
mod idempotency;
mod judge;
mod look_up;
mod mail;
mod nearest;
mod origin;
mod outcomes;
mod pack;
mod pages;
mod relocate;
mod request;
mod resolve;
mod settings;
mod shown;
mod transport;
mod webhook;

pub use answer::Answer;
pub use authenticate::Stamp;
pub use authorize::{
    Authorized, Callback, LOOPBACK_CALLBACK, Loopback, STARTED_LIFETIME, Started, authorize_url, verifier_of,
};
pub use build::{MAX_URL_BYTES, RawCall, argument_names, build, build_item, build_raw, method_and_path};
pub use clock::{Clock, NOTABLE_SKEW_SECONDS, SkewTable, SystemClock};
pub use collector::{Collector, Handed};
pub use connector::{Connector, MAX_REDIRECTS, Outcome, Tested};
pub use diagnose::{Diagnosed, Finding, Known, Refused};
pub use extract::{MAX_RECORDS, gives_list, record, records};
pub use idempotency::{carries_idempotency_key, with_idempotency_key};
pub use judge::{DEFAULT_WAIT, MAX_WAIT, MIN_WAIT, is_repeatable, judge};
pub use look_up::{BEFORE_ATTEMPT, Found, look_up_of};
pub use mail::{Mail, send_mail};
pub use origin::Origin;
pub use outcomes::{BatchOutcome, ItemOutcome, batch_outcome};
pub use pack::{Piece, items, pack};
pub use pages::{MAX_PAGES, Page, Pages};
pub use relocate::relocated;
pub use request::{MASK, MaskedRequest, Part, Request, RequestBody};
pub use resolve::{Missing, OAuth1Settings, Resolved, Scheme, incomplete, missing, resolve};
pub use settings::{CheckedCredentials, CheckedSettings, check_credentials, check_settings};
pub use shown::{Showing, Shown, SignatureSteps, SignedParameter};
pub use transport::{
    AnswerTimes, CONNECT_TIMEOUT, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, READ_TIMEOUT, Stage, TOTAL_TIMEOUT,
    Transport, TransportSettings, Unanswered,
};
pub use webhook::sign_webhook;
