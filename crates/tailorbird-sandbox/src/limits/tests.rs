use super::*;
use crate::state::Level;

fn caller(account_id: u64) -> Caller {
    Caller {
        account_id,
        application_id: 1,
        client_key: "key".to_owned(),
        level: Level::ReadWrite,
        token: format!("{account_id}-token"),
    }
}

#[test]
fn the_hundred_and_first_post_waits_for_the_window() {
    let limits = Limits::new(LimitMode::X);
    let post = |account, now| limits.take(&Method::POST, "/2/tweets", &caller(account), now);
    for used in 1..=100 {
        let taken = post(7, 1_000);
        assert_eq!(taken.exceeded, None);
        assert_eq!(taken.window.unwrap().remaining, 100 - used);
    }
    let refused = post(7, 1_899);
    assert!(refused.exceeded.is_some());
    assert_eq!((refused.reset_s, refused.window.unwrap().remaining), (1_900, 0));
    assert_eq!(
        post(8, 1_899).exceeded,
        None,
        "another account has its own window"
    );
    let again = post(7, 1_900);
    assert_eq!(again.exceeded, None);
    assert_eq!(again.window.unwrap().reset_s, 2_800);
    assert_eq!(
        again.user_day.unwrap().remaining,
        10_000 - 101,
        "refused calls use up no day"
    );
}

#[test]
fn the_day_can_be_used_up_while_the_window_looks_fine() {
    let limits = Limits::new(LimitMode::X);
    let path = "/2/users/7/likes";
    for round in 0..20 {
        for _ in 0..50 {
            assert_eq!(
                limits
                    .take(&Method::POST, path, &caller(7), 1_000 + round * 900)
                    .exceeded,
                None
            );
        }
    }
    let refused = limits.take(&Method::POST, path, &caller(7), 1_000 + 20 * 900);
    assert!(refused.exceeded.unwrap().contains("24-hour"));
    assert_eq!(refused.window.unwrap().remaining, 50);
    assert_eq!(refused.reset_s, 1_000 + 86_400);
}

#[test]
fn every_family_has_its_headers_and_off_is_generous() {
    for (mode, limit) in [(LimitMode::X, "100"), (LimitMode::Off, "1000000")] {
        let mut headers = HeaderMap::new();
        Limits::new(mode)
            .take(&Method::POST, "/2/tweets", &caller(7), 1_000)
            .write_headers(&mut headers);
        assert_eq!(headers["x-rate-limit-limit"], limit);
        assert_eq!(headers["x-rate-limit-reset"], "1900");
        assert_eq!(headers["x-user-limit-24hour-reset"], "87400");
        assert!(headers.contains_key("x-app-limit-24hour-remaining"));
    }
}

#[test]
fn patterns_meet_what_they_mean() {
    let found = |method: Method, path: &str| table::find(&method, path).map(|index| TABLE[index].pattern);
    assert_eq!(
        found(Method::GET, "/2/tweets/search/recent"),
        Some("/2/tweets/search/recent")
    );
    assert_eq!(found(Method::GET, "/2/tweets/17"), Some("/2/tweets/*"));
    assert_eq!(found(Method::GET, "/2/users/me"), Some("/2/users/me"));
    assert_eq!(
        found(Method::GET, "/2/users/17/mentions"),
        Some("/2/users/*/mentions")
    );
    assert_eq!(
        found(Method::POST, "/1.1/statuses/update.json"),
        Some("/1.1/statuses/update")
    );
    assert_eq!(
        found(Method::POST, "/2/dm_conversations/with/9/messages"),
        Some("/2/dm_conversations/with/*/messages")
    );
    assert_eq!(found(Method::GET, "/2/unheard"), None);
    let limits = Limits::new(LimitMode::X);
    assert_eq!(
        limits
            .take(&Method::GET, "/2/unheard", &caller(7), 5)
            .window
            .unwrap()
            .limit,
        180
    );
    let status = limits.status(&caller(7), 5);
    assert!(
        status
            .iter()
            .any(|row| row.pattern == "/2/users/me" && row.left.remaining == 75)
    );
}
