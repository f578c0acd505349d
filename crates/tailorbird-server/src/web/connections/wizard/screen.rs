//! What each screen shows: the rail with past answers, one question, the request that goes out.

use askama::Template;
use tailorbird_app::{App, AppError, Attempt, OAuthAddress, Wizard, WizardAddress};
use tailorbird_model::{Failure, Name, codes};

use super::super::Verdict;
use super::super::frame::{Account, Frame};
use super::super::request::RequestView;
use super::{CODE, sentence};
use crate::web::fields::{Field, Kind};
use crate::web::filters;
use crate::web::form::Form;
use crate::web::page::Chrome;
use crate::web::view::{When, until};

/// What somebody asked for or just tried.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) screen: String,
    pub(super) is_callback: bool,
    pub(super) typed: Option<Form>,
    pub(super) failure: Option<Failure>,
    pub(super) callback: String,
}

#[derive(Template)]
#[template(path = "connections/wizard.html")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each thing that a screen leaves out"
)]
pub(super) struct Page {
    chrome: Chrome,
    frame: Frame,
    steps: Vec<Step>,
    screen: u8,
    is_done: bool,
    is_denied: bool,
    verdict: Option<Verdict>,
    lacks: String,
    keys_at: Option<String>,
    field: Option<Field>,
    is_of_service: bool,
    is_callback: bool,
    callback: String,
    verifier: String,
    request: Option<RequestView>,
    attempt: Option<AttemptView>,
    account: Option<Account>,
    level: Option<String>,
    tasks: usize,
    is_again: bool,
}

/// A step of the rail.
struct Step {
    number: u8,
    title: &'static str,
    answer: String,
    is_current: bool,
    is_past: bool,
    link: String,
}

struct AttemptView {
    authorize_url: String,
    host: String,
    left: String,
    started: When,
    is_callback: bool,
}

const TITLES: [&str; 4] = ["Request token", "Approval page", "Approve", "Access token"];

/// Which screen is shown: no farther than what is stored allows.
fn screen_of(asked: &str, wizard: &Wizard) -> u8 {
    let live = wizard.attempt.as_ref().filter(|attempt| !attempt.is_over);
    let most = match live {
        Some(attempt) if attempt.has_verifier => 4,
        Some(_) => 3,
        None => 2,
    };
    match asked.parse::<u8>() {
        Ok(number @ 1..=4) => number.min(most),
        // Whoever comes without a wish goes on where it stopped.
        _ if most > 2 => most,
        _ => 1,
    }
}

fn host(url: &str) -> String {
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

fn address(wizard: &Wizard, which: OAuthAddress) -> Option<&WizardAddress> {
    wizard.addresses.iter().find(|address| address.which == which)
}

pub(super) fn page_of(app: &App, name: &Name, chrome: Chrome, chosen: Chosen) -> Result<Page, AppError> {
    let wizard = app.wizard(name)?;
    let is_done = chosen.screen == "done" && wizard.view.authorized_at.is_some();
    let is_denied = chosen.screen == "denied";
    let mut screen = if is_denied {
        1
    } else {
        screen_of(&chosen.screen, &wizard)
    };
    let is_expired = wizard.attempt.as_ref().is_some_and(|attempt| attempt.is_over);
    let failure = chosen.failure.as_ref();
    let is_over = failure.is_some_and(|failure| failure.code == codes::AUTHORIZATION_EXPIRED);
    if is_over || (is_expired && screen > 2) {
        screen = 1;
    }
    let which = match screen {
        1 => Some(OAuthAddress::TemporaryCredentials),
        2 => Some(OAuthAddress::Authorization),
        4 => Some(OAuthAddress::Token),
        _ => None,
    };
    let field = match which.filter(|_| !is_done) {
        Some(which) => Some(address_field(&wizard, which, &chosen)),
        None if screen == 3 => Some(code_field(&wizard, &chosen)),
        None => None,
    };
    // What no field is the place of stands above the screen.
    let verdict = failure
        .filter(|_| field.as_ref().is_none_or(|field| field.error.is_none()))
        .map(Verdict::of_failure)
        .or_else(|| expired(is_expired && !is_done && failure.is_none()));
    let is_callback = match &wizard.attempt {
        Some(attempt) if screen > 2 => attempt.callback.is_some(),
        _ => chosen.is_callback,
    };
    let callback = is_callback.then_some(chosen.callback.as_str());
    // A request that cannot be shown is none; the reason comes when it is sent.
    let request = match screen {
        1 | 2 if !is_done => app.shown_start(name, callback).ok().flatten(),
        4 if !is_done => app.shown_exchange(name).ok().flatten(),
        _ => None,
    };
    let now = app.now();
    Ok(Page {
        frame: Frame::of(app, name, "auth")?,
        chrome,
        steps: steps(&wizard, name, screen, is_done, is_callback),
        screen,
        is_done,
        is_denied,
        verdict,
        lacks: wizard.lacks.join(" and "),
        keys_at: wizard.labels.keys_at.clone(),
        is_of_service: which
            .and_then(|which| address(&wizard, which))
            .is_some_and(|address| address.is_of_service),
        field,
        is_callback,
        verifier: wizard.labels.verifier.clone(),
        request: request.map(RequestView::from),
        attempt: wizard
            .attempt
            .as_ref()
            .filter(|attempt| !attempt.is_over)
            .map(|attempt| shown_attempt(attempt, now)),
        account: wizard.view.account.as_ref().map(Account::of),
        level: wizard
            .view
            .level_words
            .clone()
            .or_else(|| wizard.view.level.clone()),
        tasks: app.connection_users(name)?.len(),
        is_again: wizard.view.authorized_at.is_some(),
        callback: chosen.callback,
    })
}

fn expired(is_expired: bool) -> Option<Verdict> {
    is_expired.then(|| Verdict {
        tone: "wait",
        what: "The last attempt has run out".to_owned(),
        more: "Ten minutes are over, and nobody brought the code. Nothing was sent. Start again: a new request token costs \
               nothing."
            .to_owned(),
    })
}

fn shown_attempt(attempt: &Attempt, now: jiff::Timestamp) -> AttemptView {
    let authorize_url = attempt.authorize_url.clone().unwrap_or_default();
    AttemptView {
        host: host(&authorize_url),
        left: until(attempt.expires_at, now),
        started: When::new(attempt.started_at, now),
        is_callback: attempt.callback.is_some(),
        authorize_url,
    }
}

/// The field of one of the three addresses.
fn address_field(wizard: &Wizard, which: OAuthAddress, chosen: &Chosen) -> Field {
    let hint = match which {
        OAuthAddress::TemporaryCredentials => {
            "Where a request token is handed out. It usually ends in `request_token`."
        }
        OAuthAddress::Authorization => {
            "The page on which the account's owner approves. It usually ends in `authorize`, never in `access_token`."
        }
        OAuthAddress::Token => "Where the code is exchanged. It usually ends in `access_token`.",
    };
    let in_force = address(wizard, which).and_then(|address| address.url.clone());
    let typed = chosen.typed.as_ref().and_then(|form| form.raw("address"));
    let mut field = Field::new(Kind::Data, "address", which.label(), hint)
        .with(typed.map(str::to_owned).or(in_force).unwrap_or_default())
        .placeholder("https://")
        .focused();
    if let Some(failure) = &chosen.failure
        && [codes::AUTHORIZE_URL_WRONG, codes::CONNECTION_SETTING].contains(&failure.code.as_str())
    {
        field.error = Some(in_words(failure));
    }
    field
}

fn code_field(wizard: &Wizard, chosen: &Chosen) -> Field {
    let hint = "As the provider's page shows it; spaces do not matter. The whole address that the browser was sent to does as \
                well.";
    let mut field = Field::new(Kind::Data, CODE, &wizard.labels.verifier, hint).focused();
    if let Some(failure) = &chosen.failure
        && failure.code == codes::VERIFIER_REFUSED
    {
        field.error = Some(in_words(failure));
    }
    field
}

fn in_words(failure: &Failure) -> String {
    sentence(&[failure.message.as_str(), &failure.detail, &failure.hint].join(". "))
}

fn steps(wizard: &Wizard, name: &Name, screen: u8, is_done: bool, is_callback: bool) -> Vec<Step> {
    let url = |which| {
        address(wizard, which)
            .and_then(|address| address.url.clone())
            .unwrap_or_default()
    };
    let way = if is_callback { "callback" } else { "code" };
    let live = wizard.attempt.as_ref().is_some_and(|attempt| !attempt.is_over);
    (1..=4)
        .zip(TITLES)
        .map(|(number, title)| {
            let is_past = is_done || number < screen;
            let answer = match number {
                _ if !is_past => String::new(),
                1 => url(OAuthAddress::TemporaryCredentials),
                2 => url(OAuthAddress::Authorization),
                3 if is_callback => "the browser came back".to_owned(),
                3 => format!("{} given", wizard.labels.verifier),
                _ => url(OAuthAddress::Token),
            };
            // Past answers can be looked at again while nothing waits at the provider.
            let is_open = is_past && !is_done && !live && number <= 2;
            Step {
                number,
                title,
                answer,
                is_current: !is_done && number == screen,
                is_past,
                link: if is_open {
                    format!("/connections/{name}/authorize?screen={number}&way={way}")
                } else {
                    String::new()
                },
            }
        })
        .collect()
}
