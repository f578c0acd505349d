//! The connector: builds, authenticates, sends and reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use tailorbird_model::account::Account;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_model::trace::TARGET;
use tailorbird_model::{Failure, Meaning, Record, Value, codes};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};
use url::Url;

use crate::answer::Answer;
use crate::authenticate::{Purpose, Stamp, address_of, authenticate};
use crate::build::{RawCall, build, build_raw};
use crate::clock::{Clock, NOTABLE_SKEW_SECONDS, SkewTable, SystemClock, skew_words};
use crate::extract::{record, records};
use crate::judge::{judge, may_follow, speaks_of_the_clock, unanswered};
use crate::origin::Origin;
use crate::request::{MaskedRequest, Request, redact};
use crate::resolve::{Resolved, incomplete, missing};
use crate::transport::{AnswerTimes, Transport, TransportSettings};

/// The most redirects that a reading request follows, all on its own origin.
pub const MAX_REDIRECTS: usize = 3;

/// The Web Service Connector. Cheap to clone; clones share connections and what is known of clocks.
#[derive(Debug, Clone)]
pub struct Connector {
    pub(crate) transport: Transport,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) skew: Arc<SkewTable>,
}

/// A whole call: what was sent, what came back, and the records in it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The request as it was built.
    pub request: Request,
    /// The answer.
    pub answer: Answer,
    /// The records of the answer.
    pub records: Vec<Record>,
}

/// What a test of a connection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Whose credentials these are, where the service can tell.
    pub account: Option<Account>,
    /// The access level, in the provider's word.
    pub level: Option<String>,
    /// The access level in the provider's words for people.
    pub level_name: Option<String>,
    /// What a person should know, in whole sentences.
    pub notes: Vec<String>,
}

/// Tells the status, or why there is none, to whoever traces.
fn trace(span: &Span, answered: &Result<Answer, Failure>) {
    match answered {
        Ok(answer) => {
            span.record("http.response.status_code", answer.status);
            if answer.status >= 400 {
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(failure) => {
            span.record("error.type", failure.code.as_str());
            span.record("otel.status_code", "ERROR");
        }
    }
}

impl Connector {
    /// Makes a connector on the machine's clock.
    ///
    /// # Errors
    /// CONN-002 where the extra certificates cannot be read.
    pub fn new(settings: TransportSettings) -> Result<Self, Failure> {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// How long providers took to answer, since this connector was made.
    pub fn answer_times(&self) -> AnswerTimes {
        self.transport.times()
    }

    /// Makes a connector on a given clock.
    ///
    /// # Errors
    /// As [`Connector::new`].
    pub fn with_clock(settings: TransportSettings, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        Ok(Self {
            transport: Transport::new(settings)?,
            clock,
            skew: Arc::default(),
        })
    }

    /// Authenticates a request and sends it, once.
    ///
    /// The one thing that is sent again is a request that the provider refused because of its timestamp:
    /// such a refusal comes before anything is done. A reading request follows a few redirects on its own
    /// origin. Every answer, whatever its status, is `Ok`; [`judge`] says what it means.
    ///
    /// # Errors
    /// AUTH-006 while the connection is incomplete, AUTH-013 where it cannot sign, CONN-003 for a refused
    /// address (nothing was sent in these); CONN-004 where the provider was not reached
    /// ([`Meaning::NotSent`]); SEND-006 where nobody knows whether it arrived ([`Meaning::InDoubt`]).
    pub async fn send(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let lacks = missing(resolved, credentials);
        if !lacks.is_empty() {
            return Err(incomplete(&resolved.connection, &lacks));
        }
        let span = info_span!(
            target: TARGET,
            "request",
            otel.name = format!("{} {}", request.method, request.operation.as_deref().unwrap_or("request")),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = %request.method,
            http.response.status_code = Empty,
            server.address = Origin::parse(&request.url).as_ref().map(Origin::host),
            tailorbird.connection = %resolved.connection,
            tailorbird.operation = request.operation.as_deref(),
            error.type = Empty,
        );
        let answered = self
            .exchange(resolved, credentials, request, Purpose::Call)
            .instrument(span.clone())
            .await;
        trace(&span, &answered);
        answered
    }

    /// Sends on somebody's behalf, with clock correction and redirects.
    pub(crate) async fn exchange(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
        purpose: Purpose<'_>,
    ) -> Result<Answer, Failure> {
        let mut current = Cow::Borrowed(request);
        let mut redirects = 0;
        let mut corrected = None;
        loop {
            let address = address_of(resolved, &current)?;
            let origin = address.origin().clone();
            let known_skew = self.skew.seconds(&origin);
            let provider_seconds = self.clock.now().as_second().saturating_add(known_skew);
            let provider_seconds = u64::try_from(provider_seconds).unwrap_or(1).max(1);
            let stamp = Stamp::draw(provider_seconds)?;
            let wire = authenticate(resolved, credentials, (&current, address), purpose, &stamp)?;
            let sent = self.transport.send(wire, &resolved.allowed_private).await;
            let now = self.clock.now();
            let mut wire_answer = sent.map_err(|why| unanswered(resolved, request, &why, now))?;
            // Answers that hand credentials out are left whole: a provider may hand the same ones out again.
            if matches!(purpose, Purpose::Call) {
                wire_answer.body = redact(wire_answer.body, &secrets_of(credentials));
            }
            let mut answer = Answer::read(&resolved.service, wire_answer, now);
            answer.stamp = resolved.oauth1().map(|_| stamp);

            if corrected.is_none()
                && resolved.oauth1().is_some()
                && (answer.status == 401 || speaks_of_the_clock(&answer))
                && let Some(skew) = answer.skew_seconds
                && (skew - known_skew).abs() >= NOTABLE_SKEW_SECONDS
            {
                self.skew.learn(&origin, skew);
                corrected = Some(skew);
                continue;
            }
            if let Some(skew) = corrected {
                answer.notes.push(format!(
                    "The clock of this machine is {} the provider's; the timestamp was corrected by that. Set the clock.",
                    skew_words(skew)
                ));
            }
            if (300..400).contains(&answer.status)
                && may_follow(current.method)
                && redirects < MAX_REDIRECTS
                && let Some(next) = same_origin_target(&current.url, &answer)
            {
                redirects += 1;
                current.to_mut().url = next;
                continue;
            }
            return Ok(answer);
        }
    }

    /// What would be sent, secrets masked: the request as signed where the connection is complete, else
    /// the plain one. Nothing is sent.
    ///
    /// # Errors
    /// AUTH-013 where the credentials cannot sign, CONN-003 for another origin.
    pub fn preview(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
    ) -> Result<MaskedRequest, Failure> {
        if !missing(resolved, credentials).is_empty() {
            return Ok(request.masked());
        }
        let stamp = self.fresh_stamp()?;
        let address = address_of(resolved, request)?;
        let wire = authenticate(resolved, credentials, (request, address), Purpose::Call, &stamp)?;
        Ok(wire.masked(request))
    }

    /// A nonce, and the time by this machine's clock.
    pub(crate) fn fresh_stamp(&self) -> Result<Stamp, Failure> {
        Stamp::draw(u64::try_from(self.clock.now().as_second()).unwrap_or(1))
    }

    /// Calls an operation: builds, sends, judges, and takes the records out.
    ///
    /// # Errors
    /// Those of [`build`], [`Connector::send`], [`judge`] and [`records`].
    pub async fn call(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        operation: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Outcome, Failure> {
        let request = build(resolved, operation, arguments)?;
        let answer = self.send(resolved, credentials, &request).await?;
        judge(resolved, &request, &answer)?;
        let found = records(resolved, &request, &answer)?;
        Ok(Outcome {
            request,
            answer,
            records: found,
        })
    }

    /// Asks the provider whose credentials these are and what they may do.
    ///
    /// A service that names no way to ask is tested by reading its root; whatever is answered there short
    /// of a refused authentication shows that it is reached.
    ///
    /// # Errors
    /// As [`Connector::call`].
    pub async fn test(&self, resolved: &Resolved, credentials: &Credentials) -> Result<Tested, Failure> {
        let Some(probe) = &resolved.service.account else {
            let request = build_raw(
                resolved,
                Method::Get,
                &RawCall {
                    path: "/",
                    ..RawCall::default()
                },
            )?;
            let answer = self.send(resolved, credentials, &request).await?;
            if matches!(answer.status, 401..=403) || answer.status >= 500 {
                judge(resolved, &request, &answer)?;
            }
            let mut notes = answer.notes.clone();
            notes.push(format!(
                "The provider answers (HTTP {}); the service file names no operation that tells the account.",
                answer.status
            ));
            return Ok(self.tested(resolved, None, &answer, notes));
        };
        let request = build(resolved, probe.operation.as_str(), &BTreeMap::new())?;
        let answer = self.send(resolved, credentials, &request).await?;
        judge(resolved, &request, &answer)?;
        let found = record(resolved, &request, &answer)?;
        let text = |column: &str| {
            found
                .get(column)
                .filter(|value| !value.is_null())
                .map(ToString::to_string)
        };
        let account = text(&probe.id)
            .map(|id| Account {
                name: text(&probe.name).unwrap_or_else(|| id.clone()),
                id,
            })
            .ok_or_else(|| crate::judge::odd(&request, &answer, &format!("it has no {:?}", probe.id)))?;
        let notes = answer.notes.clone();
        Ok(self.tested(resolved, Some(account), &answer, notes))
    }

    #[expect(clippy::unused_self, reason = "reads as one of the steps of test")]
    fn tested(
        &self,
        resolved: &Resolved,
        account: Option<Account>,
        answer: &Answer,
        notes: Vec<String>,
    ) -> Tested {
        let level = answer.level.clone();
        let level_name = level
            .as_ref()
            .and_then(|level| resolved.service.level.as_ref()?.names.get(level).cloned());
        Tested {
            account,
            level,
            level_name,
            notes,
        }
    }
}

/// The texts that prove something and may not come back onto a screen.
fn secrets_of(credentials: &Credentials) -> Vec<&str> {
    let client = credentials
        .client
        .iter()
        .map(|client| client.secret.expose_for_sealing());
    let token = credentials
        .token
        .iter()
        .flat_map(|token| [token.token.as_str(), token.secret.expose_for_sealing()]);
    client.chain(token).collect()
}

/// Where a redirect leads, if that is on the same origin.
fn same_origin_target(from: &str, answer: &Answer) -> Option<String> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let from = Url::parse(from).ok()?;
    let mut to = from.join(answer.header("location")?).ok()?;
    to.set_fragment(None);
    let clean = to.username().is_empty() && to.password().is_none();
    (clean && Origin::of(&from).is_some() && Origin::of(&from) == Origin::of(&to)).then(|| to.into())
}

/// The failure of asking for OAuth where the service has none.
pub(crate) fn not_oauth(resolved: &Resolved) -> Failure {
    Failure::new(
        codes::CREDENTIALS_UNUSABLE,
        Meaning::ConnectionFault,
        format!("service \"{}\" needs no authorization", resolved.service.service),
    )
    .hint("Use the connection as it is.")
}
