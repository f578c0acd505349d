//! The cards of the editor, as a browser without script sees them.

use super::browser::Browser;
use super::{EVIL, TASK, world};
use crate::serve::support::Server;
use crate::support::{Home, sql};

const EDIT: &str = "/tasks/announce/edit";
const CARDS: &str = "/tasks/announce/edit?view=cards";

/// The text that travels in a page of cards.
fn carried(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"yaml\" value=\"").unwrap();
    let text = rest.split('"').next().unwrap();
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

fn card(
    browser: &Browser,
    yaml: &str,
    card: &str,
    act: &str,
    more: &[(&str, &str)],
) -> (u16, String, String) {
    let fields = [
        &[
            ("yaml", yaml),
            ("over", "1"),
            ("view", "cards"),
            ("card", card),
            ("act", act),
        ],
        more,
    ]
    .concat();
    browser.fill(CARDS, EDIT, &fields)
}

#[test]
fn a_form_writes_into_the_text_and_leaves_the_rest_of_it() {
    let (_provider, home) = world();
    let commented = TASK
        .replace("steps:", "steps: # in order")
        .trim_start()
        .to_owned();
    home.apply("task.yaml", &commented).expect(0);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get(CARDS);
    assert_eq!(carried(&page), commented);
    for words in [
        "value=\"open /steps/0\"",
        "value=\"open /steps/1\"",
        "create_item over company, for each of rows",
        "name=\"f:trigger/schedule\" value=\"0 3 * * *\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // Another card: its fields, by what the types say of them, and a record on its way.
    let (status, _, page) = card(
        &browser,
        &commented,
        "",
        "open /steps/1",
        &[("f:trigger/schedule", "0 4 * * *")],
    );
    assert_eq!(status, 200);
    let moved = commented.replace("0 3", "0 4");
    assert_eq!(carried(&page), moved, "what was typed before is taken over");
    for words in [
        "<option selected>company</option>",
        "<option selected>create_item</option>",
        "it is delivered once per key",
        "name=\"p:with:0\"",
        "1 of 4",
        "fine",
        "/items",
        "4 of 200",
        "would be sent",
        "Map by name",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, _, page) = card(&browser, &moved, "/steps/1", "record 3", &[]);
    assert!(
        page.contains("4 of 4") && page.contains("&#60;script&#62;") && !page.contains(EVIL),
        "{page}"
    );
    // A new id is followed by those who take its records.
    let (_, _, page) = card(&browser, &moved, "/steps/0", "look", &[("f:id", "lines")]);
    assert_eq!(
        carried(&page),
        moved
            .replace("id: rows", "id: lines")
            .replace("for_each: rows", "for_each: lines")
    );
    // Wrong values stay, with what is valid beside them.
    let wrong = |fields: &[(&str, &str)]| card(&browser, &moved, "/steps/1", "look", fields).2;
    let page = wrong(&[
        ("f:operation", "create_itme"),
        ("k:with:0", "text"),
        ("p:with:0", EVIL),
    ]);
    for words in ["there is no operation", "<option selected>create_itme</option>"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(wrong(&[("f:batch", "many")]).contains("expected a whole number"));
    assert!(!page.contains(EVIL));
    let fields = [
        ("yaml", moved.as_str()),
        ("over", "2"),
        ("view", "cards"),
        ("card", "/steps/1"),
        ("act", "save"),
        ("k:with:0", "text"),
        ("p:with:0", "It is {{ text }}"),
    ];
    let (status, to, page) = browser.fill(CARDS, EDIT, &fields);
    assert_eq!(
        (status, to.as_str()),
        (303, "/tasks/announce?said=saved&n=3"),
        "{page}"
    );
    let (_, page) = browser.get(CARDS);
    assert_eq!(
        carried(&page),
        moved.replace("{ text: \"{{ text }}\" }", "{ text: \"It is {{ text }}\" }")
    );
}

#[test]
fn steps_are_added_moved_and_removed_and_lost_comments_are_told() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let commented = TASK
        .trim_start()
        .replace("  - id: post", "  # Goes out.\n  - id: post");
    let (_, _, page) = card(&browser, &commented, "/steps/0", "add", &[("kind", "filter")]);
    let with_filter = carried(&page);
    assert_eq!(
        with_filter,
        commented.replace(
            "  # Goes out.",
            "  - id: filter\n    filter: { from: rows }\n  # Goes out."
        )
    );
    assert!(
        page.contains("name=\"card\" value=\"/steps/1\""),
        "the new one is open"
    );
    let (_, _, page) = card(&browser, &with_filter, "/steps/1", "down", &[]);
    assert!(carried(&page).find("# Goes out.").unwrap() < carried(&page).find("id: filter").unwrap());
    let (_, _, page) = card(&browser, &with_filter, "/steps/2", "remove", &[]);
    assert!(
        page.contains("These comments are gone") && page.contains("<code># Goes out.</code>"),
        "{page}"
    );
    let (_, _, page) = card(
        &browser,
        &carried(&page),
        "/steps/0",
        "look",
        &[("lost", "# Goes out.")],
    );
    assert!(page.contains("<code># Goes out.</code>"), "until it is saved");
    // What is not there, or no kind, changes nothing.
    for (place, act, more) in [
        ("/steps/9", "up", vec![]),
        ("/nowhere", "remove", vec![]),
        ("/steps/0", "add", vec![("kind", EVIL)]),
        ("/steps/x", "look", vec![("f:id", "y")]),
    ] {
        let (status, _, page) = card(&browser, &commented, place, act, &more);
        assert_eq!(
            (status, carried(&page)),
            (200, commented.clone()),
            "{place} {act}"
        );
    }
    // A text that cannot be read is mended as text.
    let (status, _, page) = card(&browser, "task: [", "", "look", &[]);
    assert!(
        status == 200 && page.contains("data-lines") && page.contains("YAML:"),
        "{page}"
    );
    let (status, _, page) = card(&browser, &commented, "/steps/0", "save", &[("f:id", "")]);
    assert_eq!(status, 422);
    assert!(page.contains("is not valid here"), "{page}");
}

/// A task that writes rows into a table of another form.
fn with_a_table(home: &Home) {
    let erp = home.run(&["database", "list"]).expect(0).json()[0]["settings"]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    sql(
        std::path::Path::new(&erp),
        "create table told (\"K\" text primary key, text text, at text)",
    );
    home.apply(
        "told.yaml",
        "task: told\nsteps:\n  - { id: rows, query: { database: erp, sql: \"select k, text from items order by k\" } }\n  - { id: keep, write: { database: erp, table: told, from: rows, key: [K], columns: { K: \"{{ k }}\", at: now } } }\n",
    )
    .expect(0);
}

#[test]
fn columns_are_mapped_by_name_and_a_dry_run_saves_nothing() {
    let (_provider, home) = world();
    with_a_table(&home);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (edit, cards) = ("/tasks/told/edit", "/tasks/told/edit?view=cards");
    let yaml = carried(&browser.get(cards).1);
    let press = |yaml: &str, act: &str| {
        browser.fill(
            cards,
            edit,
            &[
                ("yaml", yaml),
                ("over", "1"),
                ("view", "cards"),
                ("card", "/steps/1"),
                ("act", act),
            ],
        )
    };
    let (_, _, page) = press(&yaml, "match");
    assert_eq!(
        carried(&page),
        yaml.replace(
            "{ K: \"{{ k }}\", at: now }",
            "{ K: \"{{ k }}\", at: now, text: \"{{ text }}\" }"
        )
    );
    assert!(page.contains("1 name was mapped"), "{page}");
    let (_, _, page) = press(&carried(&page), "rehearse");
    assert!(
        page.contains("the text is not saved") && page.contains("told of erp") && page.contains("refuse me"),
        "{page}"
    );
    let (status, _, back) = press(&carried(&page), "");
    assert!(status == 200 && back.contains("Map by name"));
    assert!(browser.get("/tasks/told/versions").1.matches(">Version ").count() == 1);
}

#[test]
fn a_live_part_shows_what_an_expression_yields_and_a_service_is_asked_only_on_demand() {
    let (provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let yaml = TASK.trim_start();
    let part = |yaml: &str, text: &str| {
        let (status, _, part) = card(
            &browser,
            yaml,
            "/steps/1",
            "look",
            &[("part", "card"), ("k:with:0", "text"), ("p:with:0", text)],
        );
        assert!(status == 200 && !part.contains("<html"), "{part}");
        part
    };
    let good = part(yaml, "{{ text | upper }}!");
    assert!(good.contains("FINE!") && good.contains("5 of 200"), "{good}");
    let bad = part(yaml, "{{ nothing }}");
    assert!(
        bad.contains("the record has no column <code>nothing</code>"),
        "{bad}"
    );
    assert!(
        part(yaml, "{{ text | uper }}").contains("uper"),
        "not even an expression"
    );
    let long = part(yaml, &"x".repeat(300));
    assert!(
        long.contains("300 of 200, too long") && long.contains("class=\"ring bad\""),
        "{long}"
    );
    // A call that lists costs something: nobody is asked while somebody types.
    let listing = "task: announce\nsteps:\n  - { id: rows, call: { connection: company, operation: create_item, with: { text: x } } }\n  - { id: post, transform: { from: rows, columns: { a: \"{{ id }}\" } } }\n";
    let (_, _, page) = card(&browser, listing, "/steps/1", "look", &[]);
    assert!(
        page.contains("which costs a call") && page.contains("value=\"press\""),
        "{page}"
    );
    assert_eq!(provider.bodies().len(), 0, "a look sends nothing");
}
