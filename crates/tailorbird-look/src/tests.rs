use jiff::Timestamp;

use super::{When, grouped, initial, plural, shortened, tint};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_moment_is_told_relative_until_a_date_says_more() {
    let now = at(1_800_000_000);
    let told = |back: i64| When::new(at(1_800_000_000 - back), now).relative;
    assert_eq!(told(-3), "just now");
    assert_eq!(told(59), "59 s ago");
    assert_eq!(told(60), "1 min ago");
    assert_eq!(told(7_199), "1 h ago");
    assert_eq!(told(86_400), "1 day ago");
    assert_eq!(told(86_400 * 29), "29 days ago");
    assert_eq!(told(86_400 * 31), "15 Dec 2026");
    assert_eq!(When::new(now, now).exact, "15 Jan 2027, 08:00:00 UTC");
}

#[test]
fn long_ids_lose_their_middle_and_short_ones_nothing() {
    assert_eq!(shortened("12345678901234567"), "12345678901234567");
    assert_eq!(shortened("1482907351840653312-abcdefgh"), "14829073…abcdefgh");
    assert_eq!(shortened("ééééééééxxxéééééééé"), "éééééééé…éééééééé");
}

#[test]
fn thousands_stand_apart() {
    assert_eq!(grouped(0), "0");
    assert_eq!(grouped(999), "999");
    assert_eq!(grouped(1_000), "1\u{202f}000");
    assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
}

#[test]
fn avatars_are_stable_and_never_empty() {
    assert_eq!(initial("  <b>ørsted"), 'B');
    assert_eq!(initial("***"), '#');
    assert_eq!(tint("a name"), tint("a name"));
    assert!(
        ["a", "b", "", "Ω", "ERP announcer"]
            .iter()
            .all(|name| tint(name) < 6)
    );
    assert_eq!(plural(1, "token", "tokens"), "1 token");
    assert_eq!(plural(0, "token", "tokens"), "0 tokens");
}
