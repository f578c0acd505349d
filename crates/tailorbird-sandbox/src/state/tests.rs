use super::*;

fn now() -> jiff::Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn seeded() -> State {
    let mut state = State::default();
    for event in seed::events(now()) {
        state.apply(event);
    }
    state
}

#[test]
fn the_seed_has_137_mentions_in_the_last_six_days_newest_first() {
    let state = seeded();
    let main = state.main_account().unwrap();
    assert_eq!(main.followers.len(), 12);
    let mentions: Vec<&Post> = state.mentions_of(main.id).collect();
    assert_eq!(mentions.len(), 137);
    assert!(
        mentions
            .windows(2)
            .all(|pair| pair[0].id > pair[1].id && pair[0].created_at >= pair[1].created_at)
    );
    let span = now()
        .duration_since(mentions.last().unwrap().created_at)
        .as_secs();
    assert!((5 * 86_400..=6 * 86_400).contains(&span), "{span}");
    assert!(mentions[0].created_at <= now());
    assert_eq!(state.accepted, 0, "seeded posts are not counted");
    let texts: BTreeSet<&str> = mentions.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts.len(), 137, "no two are the same");
}

#[test]
fn the_seed_is_the_same_each_time() {
    let again = serde_json::to_string(&seed::events(now())).unwrap();
    assert_eq!(serde_json::to_string(&seed::events(now())).unwrap(), again);
    assert!(seed::events(now()).len() > 160);
}

#[test]
fn metrics_grow_with_the_clock_and_depend_on_nothing_else() {
    let state = seeded();
    let post = state.mentions_of(seed::MAIN_ACCOUNT_ID).next().unwrap();
    let later = crate::clock::plus_seconds(now(), 86_400);
    let (early, late) = (state.metrics(post, now()), state.metrics(post, later));
    assert!(late.impression_count > early.impression_count);
    assert!(late.like_count >= early.like_count);
    assert_eq!(late, state.metrics(post, later));
}

#[test]
fn real_reposts_and_quotes_count_until_they_are_deleted() {
    let mut state = seeded();
    let original = state.mentions_of(seed::MAIN_ACCOUNT_ID).next().unwrap().clone();
    let counts = |state: &State| {
        let metrics = state.metrics(&original, now());
        (metrics.retweet_count, metrics.quote_count)
    };
    let (reposts, quotes) = counts(&state);
    let mut echo = original.clone();
    echo.id = state.next_id(now());
    echo.repost_of = Some(original.id);
    let repost = echo.id;
    state.apply(Event::PostAccepted(echo.clone()));
    echo.id = state.next_id(now());
    echo.repost_of = None;
    echo.quote_of = Some(original.id);
    state.apply(Event::PostAccepted(echo));
    assert_eq!(counts(&state), (reposts + 1, quotes + 1));
    for _ in 0..2 {
        state.apply(Event::PostDeleted {
            id: repost,
            at: now(),
        });
    }
    assert_eq!(counts(&state), (reposts, quotes + 1));
}

#[test]
fn a_duplicate_is_refused_for_a_day_and_only_while_the_post_stands() {
    let mut state = seeded();
    let mut post = state.mentions_of(seed::MAIN_ACCOUNT_ID).next().unwrap().clone();
    post.id = state.next_id(now());
    post.author = seed::MAIN_ACCOUNT_ID;
    post.original_text = "New in stock".to_owned();
    post.created_at = now();
    let (id, author) = (post.id, post.author);
    state.apply(Event::PostAccepted(post));
    let at = |seconds| crate::clock::plus_seconds(now(), seconds);
    assert_eq!(state.duplicate_of(author, "New in stock", at(86_399)), Some(id));
    assert_eq!(state.duplicate_of(author, "New in stock!", at(1)), None);
    assert_eq!(state.duplicate_of(author, "New in stock", at(86_400)), None);
    state.apply(Event::DuplicateRule { refuse: false });
    assert_eq!(state.duplicate_of(author, "New in stock", at(1)), None);
    state.apply(Event::DuplicateRule { refuse: true });
    state.apply(Event::PostDeleted { id, at: at(2) });
    assert_eq!(state.duplicate_of(author, "New in stock", at(3)), None);
}

#[test]
fn secrets_do_not_show_in_debug() {
    let state = seeded();
    assert!(!format!("{state:?}").contains("password: \"") && !format!("{state:?}").contains("\"sandbox\""));
}

#[test]
fn regenerated_keys_and_a_deleted_application_void_everything_given_to_them() {
    let mut state = seeded();
    let application = |id: u64, key: &str| Application {
        id,
        client_key: key.to_owned(),
        client_secret: "s".into(),
        name: "App".to_owned(),
        description: String::new(),
        website: String::new(),
        level: Level::Read,
        callbacks: Vec::new(),
        created_at: now(),
        owner: seed::MAIN_ACCOUNT_ID,
        own_token: None,
    };
    let token = |name: &str, key: &str| AccessToken {
        token: name.to_owned(),
        secret: "s".into(),
        client_key: key.to_owned(),
        account: seed::MAIN_ACCOUNT_ID,
        level: Level::Read,
        created_at: now(),
        revoked: None,
        temporary_secret: None,
    };
    for (id, key) in [(1, "one"), (2, "two"), (3, "three")] {
        state.apply(Event::ApplicationCreated(application(id, key)));
        state.apply(Event::TokenIssued {
            temporary: None,
            credentials: token(&format!("t-{key}"), key),
        });
    }
    assert_eq!(state.applications[&1].own_token.as_deref(), Some("t-one"));
    state.apply(Event::KeysRegenerated {
        id: 1,
        client_key: "new".to_owned(),
        client_secret: "n".into(),
    });
    state.apply(Event::ApplicationDeleted { id: 2 });
    assert!(state.application_with_key("one").is_none() && state.application_with_key("two").is_none());
    let renewed = state.application_with_key("new").unwrap();
    assert_eq!(
        (
            renewed.id,
            renewed.client_secret.expose(),
            renewed.own_token.as_deref()
        ),
        (1, "n", None)
    );
    assert_eq!(state.tokens["t-one"].revoked, Some(Revocation::KeysRegenerated));
    assert_eq!(
        state.tokens["t-two"].revoked,
        Some(Revocation::ApplicationDeleted)
    );
    assert_eq!(state.tokens["t-three"].revoked, None);
    assert!(state.standing_consent("three", seed::MAIN_ACCOUNT_ID).is_some());
    assert!(state.standing_consent("one", seed::MAIN_ACCOUNT_ID).is_none());
}
