use super::{Piece, pieces};
use crate::state::UrlEntity;

fn told(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|p| {
            if p.marked {
                format!("[{}]", p.text)
            } else {
                p.text.clone()
            }
        })
        .collect()
}

#[test]
fn a_text_is_shown_as_people_read_it() {
    let text = "Salt &amp; pepper for @kitchen_uk, see t.example/ab12 #new";
    let start = text.chars().count() - "t.example/ab12 #new".len();
    let urls = [UrlEntity {
        start,
        end: start + "t.example/ab12".len(),
        url: "t.example/ab12".into(),
        expanded_url: "https://shop.example/salt".into(),
        display_url: "shop.example/salt".into(),
    }];
    let shown = pieces(text, &urls);
    assert_eq!(
        told(&shown),
        "Salt & pepper for [@kitchen_uk], see [shop.example/salt] [#new]"
    );
    assert!(shown.iter().any(|p| p.target == "https://shop.example/salt"));
}

#[test]
fn an_escaped_entity_stays_what_it_was_and_no_letter_is_lost() {
    assert_eq!(told(&pieces("write &amp;lt; for &lt;", &[])), "write &lt; for <");
    assert_eq!(
        told(&pieces("mail me@example.com # 1 @", &[])),
        "mail me@example.com # 1 @"
    );
    assert_eq!(told(&pieces("@a@b", &[])), "[@a]@b");
    assert_eq!(told(&pieces("", &[])), "");
}

#[test]
fn a_link_outside_the_text_is_ignored() {
    let url = |start, end| UrlEntity {
        start,
        end,
        url: String::new(),
        expanded_url: String::new(),
        display_url: "x".into(),
    };
    assert_eq!(told(&pieces("short", &[url(2, 99)])), "short");
    assert_eq!(told(&pieces("short", &[url(9, 12)])), "short");
}
