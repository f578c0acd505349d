use super::{Page, Window, read_token};

const SCOPE: &str = "users/1/mentions";

fn cut(keys: &[u64], window: Window, limit: usize, scope: &str) -> Page {
    super::cut(keys.iter().copied(), |_| true, window, limit, scope)
}

fn keys(count: u64) -> Vec<u64> {
    (1..=count).rev().map(|n| n * 10).collect()
}

#[test]
fn walking_down_and_up_again_meets_each_key_once() {
    let all = keys(23);
    let mut down = Vec::new();
    let mut window = Window::Newest;
    let mut last_previous = None;
    for _ in 0..10 {
        let page = cut(&all, window, 5, SCOPE);
        down.extend(page.keys);
        last_previous = page.previous;
        match page.next {
            Some(token) => window = read_token(&token, SCOPE).unwrap(),
            None => break,
        }
    }
    assert_eq!(down, all);

    let mut up = all[20..].to_vec();
    let mut window = read_token(&last_previous.unwrap(), SCOPE).unwrap();
    loop {
        let page = cut(&all, window, 5, SCOPE);
        up.splice(0..0, page.keys);
        match page.previous {
            Some(token) => window = read_token(&token, SCOPE).unwrap(),
            None => break,
        }
    }
    assert_eq!(up, all);
}

#[test]
fn a_filter_makes_no_short_pages() {
    let page = super::cut(
        keys(20).into_iter(),
        |key| key % 20 == 0,
        Window::Newest,
        5,
        SCOPE,
    );
    assert_eq!(page.keys, [200, 180, 160, 140, 120]);
    let page = super::cut(
        keys(20).into_iter(),
        |key| key % 20 == 0,
        Window::Below(120),
        5,
        SCOPE,
    );
    assert_eq!(page.keys, [100, 80, 60, 40, 20]);
    assert_eq!(page.next, None);
}

#[test]
fn entries_that_arrive_or_vanish_between_pages_neither_repeat_nor_hide_others() {
    let mut all = keys(10);
    let first = cut(&all, Window::Newest, 4, SCOPE);
    all.insert(0, 999);
    all.retain(|key| *key != 70 && *key != 50);
    let window = read_token(&first.next.unwrap(), SCOPE).unwrap();
    assert_eq!(cut(&all, window, 4, SCOPE).keys, [60, 40, 30, 20]);
}

#[test]
fn an_exactly_full_last_page_has_no_next_token_and_an_empty_list_none_at_all() {
    let page = cut(&keys(10), Window::Newest, 10, SCOPE);
    assert_eq!((page.next, page.previous), (None, None));
    let page = cut(&[], Window::Newest, 10, SCOPE);
    assert_eq!((page.keys.len(), page.next, page.previous), (0, None, None));
}

#[test]
fn a_token_of_another_list_or_a_changed_one_is_refused() {
    let token = cut(&keys(10), Window::Newest, 4, SCOPE).next.unwrap();
    assert_eq!(read_token(&token, SCOPE), Some(Window::Below(70)));
    assert_eq!(read_token(&token, "users/2/mentions"), None);
    assert_eq!(read_token("", SCOPE), None);
    assert_eq!(read_token("not a token!", SCOPE), None);
    assert_eq!(read_token(token.get(1..).unwrap(), SCOPE), None);
}
