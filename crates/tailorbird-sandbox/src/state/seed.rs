//! The world a fresh sandbox begins with: a company, a dozen accounts that follow it, and what they wrote to
//! it during the last six days. The same every time but for the dates, which count back from the start.

use jiff::Timestamp;

use super::query::id_at;
use super::seed_texts::{ACCOUNTS, MENTIONS, PRODUCTS, TOWNS};
use super::{Account, AccountSettings, Event, Post};
use crate::clock::plus_seconds;
use crate::settings::{ACCOUNT_PASSWORD, MAIN_ACCOUNT};

/// Mentions of the main account: more than a page of 100, less than two.
pub(crate) const MENTION_COUNT: usize = 137;
/// Seconds over which the mentions are spread: six days, inside the seven that recent search covers.
const MENTION_SPAN_S: usize = 518_400;
/// The main account's id.
pub(crate) const MAIN_ACCOUNT_ID: u64 = 1_482_907_351_840_653_312;
/// Distance between the ids of the other accounts; odd, so that they do not look counted.
const ACCOUNT_ID_STEP: u64 = 7_919_380_271_563_889;
/// Seconds between the openings of two accounts.
const ACCOUNT_AGE_STEP_S: i64 = 9_417_613;
/// The age of the main account in seconds, about four years.
const MAIN_ACCOUNT_AGE_S: i64 = 126_230_400;

/// The events of a fresh sandbox at `now`.
pub(crate) fn events(now: Timestamp) -> Vec<Event> {
    let main = account(
        MAIN_ACCOUNT_ID,
        (
            MAIN_ACCOUNT,
            "Tailorbird Demo Ltd",
            "Things for kitchen, desk and shelf. New products, prices and stock, straight from our ERP.",
            "Stroud, England",
            "https://demo.tailorbird.example",
        ),
        plus_seconds(now, -MAIN_ACCOUNT_AGE_S),
        true,
    );
    let mut events = vec![Event::AccountCreated(main)];
    let mut others = Vec::new();
    let (mut id, mut age_s) = (MAIN_ACCOUNT_ID / 3, MAIN_ACCOUNT_AGE_S);
    for texts in ACCOUNTS {
        id = id.saturating_add(ACCOUNT_ID_STEP);
        age_s = age_s.saturating_add(ACCOUNT_AGE_STEP_S);
        others.push(id);
        events.push(Event::AccountCreated(account(
            id,
            texts,
            plus_seconds(now, -age_s),
            id % 3 == 0,
        )));
        events.push(Event::Followed {
            follower: id,
            followed: MAIN_ACCOUNT_ID,
        });
    }
    for id in others.iter().take(5) {
        events.push(Event::Followed {
            follower: MAIN_ACCOUNT_ID,
            followed: *id,
        });
    }
    for index in 0..MENTION_COUNT {
        // Evenly spread, then shaken by up to 20 minutes, oldest first, and none in the future.
        let back_s = MENTION_SPAN_S.saturating_sub(index.saturating_mul(MENTION_SPAN_S / MENTION_COUNT));
        let shaken_s = back_s.saturating_sub(index.wrapping_mul(7_919) % 1_200);
        let at = plus_seconds(now, -i64::try_from(shaken_s).unwrap_or(0));
        let author = others
            .get(index.wrapping_mul(5) % others.len().max(1))
            .copied()
            .unwrap_or_default();
        events.push(Event::PostAccepted(mention(index, author, at)));
    }
    events
}

fn account(
    id: u64,
    (username, name, description, location, website): (&str, &str, &str, &str, &str),
    created_at: Timestamp,
    verified: bool,
) -> Account {
    Account {
        id,
        username: username.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        location: location.to_owned(),
        website: website.to_owned(),
        password: ACCOUNT_PASSWORD.into(),
        created_at,
        protected: false,
        verified,
        followers: Vec::new(),
        following: Vec::new(),
        settings: AccountSettings::default(),
    }
}

fn mention(index: usize, author: u64, at: Timestamp) -> Post {
    let pick = |list: &[&'static str], step: usize| {
        list.get(index.wrapping_mul(step) % list.len().max(1))
            .copied()
            .unwrap_or_default()
    };
    // 34 texts, 16 products and 11 towns: steps that share no factor with the lengths, and order numbers that
    // never repeat, keep any two of the 137 texts apart where they have a place to differ.
    let round = index / MENTIONS.len();
    let product = PRODUCTS
        .get(index.wrapping_add(round) % PRODUCTS.len())
        .copied()
        .unwrap_or_default();
    let original_text = pick(&MENTIONS, 1)
        .replace("{p}", product)
        .replace(
            "{n}",
            &format!("SO-{}", 48_120_usize.saturating_add(index.wrapping_mul(37))),
        )
        .replace("{c}", pick(&TOWNS, 3));
    let text = original_text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let id = id_at(at).saturating_add(u64::try_from(index).unwrap_or(0));
    Post {
        id,
        author,
        text,
        original_text,
        created_at: at,
        reply_to: None,
        quote_of: None,
        repost_of: None,
        conversation: id,
        media: Vec::new(),
        urls: Vec::new(),
        mentions: vec![MAIN_ACCOUNT_ID],
        source: "X Web App".to_owned(),
        application: None,
        reply_settings: None,
        hidden: false,
        deleted_at: None,
        extra: serde_json::Value::Null,
    }
}
