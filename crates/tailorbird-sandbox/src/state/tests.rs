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
