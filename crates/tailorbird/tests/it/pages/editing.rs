//! The editor of tasks, as a browser without script sees it.

use super::browser::{Browser, escaped, token_of};
use super::{EVIL, TASK, world};
use crate::serve::support::{Server, until};

const EDIT: &str = "/tasks/announce/edit";

/// The text in the editor of a page.
fn typed(page: &str) -> String {
    let (_, rest) = page.split_once("data-lines>\n").unwrap();
    let text = rest.split("</textarea>").next().unwrap();
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

#[test]
fn every_problem_stands_beside_the_text_and_what_was_typed_stays() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get(EDIT);
    assert_eq!(typed(&page).trim(), TASK.trim());
    assert!(page.contains("It can be saved."), "{page}");
    let broken = TASK
        .replace("create_item", "create_itme")
        .replace("{{ k }}", "{{ k | uper }}")
        .replace("from items", "from itmes");
    let broken = format!("{broken}  # {EVIL}\n");
    for act in ["check", "save"] {
        let (status, _, page) = browser.fill(EDIT, EDIT, &[("yaml", &broken), ("over", "1"), ("act", act)]);
        assert_eq!(status, if act == "save" { 422 } else { 200 }, "{page}");
        for words in [
            "line 7, column",
            "no such table: itmes",
            "line 9, column",
            "create_item",
            "uper",
            "<span aria-hidden=\"true\">",
        ] {
            assert!(page.contains(words), "{act} does not say {words}: {page}");
        }
        assert_eq!(typed(&page), broken, "what was typed is there");
        assert!(!page.contains(EVIL));
    }
    // The part alone, as the script asks for it: the same problems, no frame.
    let (status, _, part) = browser.fill(
        EDIT,
        EDIT,
        &[("yaml", &broken), ("act", "check"), ("part", "problems")],
    );
    assert_eq!(status, 200);
    assert!(
        part.contains("no such table") && !part.contains("<html"),
        "{part}"
    );
    for (wrong, words) in [
        ("", "the file holds no task"),
        ("task: [", "YAML"),
        ("task: announce\nsteps: []\n", "expected at least 1 item"),
        (EVIL, "expected"),
        ("task: announce\nsteps: 7\n", "expected a list"),
        (
            &format!("{TASK}---\n{}", TASK.replace("announce", "other")),
            "this is a second task",
        ),
        (
            &TASK.replace("task: announce", "task: other"),
            "this page edits the task",
        ),
        (
            &format!("task: {}\nsteps: []\n", "x".repeat(10_000)),
            "is not valid here",
        ),
    ] {
        let (status, _, page) = browser.fill(EDIT, EDIT, &[("yaml", wrong), ("over", "1"), ("act", "save")]);
        assert_eq!(status, 422, "{wrong:.60}: {page}");
        assert!(page.contains(words), "{wrong:.60} does not say {words}: {page}");
    }
    assert!(
        browser
            .get("/tasks/announce/versions")
            .1
            .matches(">Version ")
            .count()
            == 1,
        "nothing was saved"
    );
}

#[test]
fn a_task_is_saved_compared_and_brought_back() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let changed = TASK
        .replace("Says <b>each</b> row once.", "Says each row once.")
        .replace("steps:", "# mine\nsteps:");
    let save =
        |yaml: &str, over: &str| browser.fill(EDIT, EDIT, &[("yaml", yaml), ("over", over), ("act", "save")]);
    let (status, to, page) = save(&changed, "1");
    assert_eq!(
        (status, to.as_str()),
        (303, "/tasks/announce?said=saved&n=2"),
        "{page}"
    );
    assert!(browser.get(&to).1.contains("Saved as version 2."));
    assert_eq!(typed(&browser.get(EDIT).1), changed, "with its comment");
    assert_eq!(save(&changed, "2").1, "/tasks/announce?said=unchanged&n=2");
    let (_, page) = browser.get("/tasks/announce/versions/2");
    for words in ["<tr class=\"gone\">", "<tr class=\"add\">", "# mine"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, page) = browser.get("/tasks/announce/versions/1");
    assert!(page.contains("Restore as version 3"), "{page}");
    assert_eq!(
        typed(&browser.get("/tasks/announce/edit?version=1").1).trim(),
        TASK.trim()
    );
    let restore = "/tasks/announce/versions/1/restore";
    let (status, to, _) = browser.fill("/tasks/announce/versions/1", restore, &[("over", "2")]);
    assert_eq!((status, to.as_str()), (303, "/tasks/announce?said=restored&n=3"));
    let yaml = home.run(&["task", "show", "announce"]).expect(0).json();
    assert!(yaml.to_string().contains("<b>each</b>"), "{yaml}");
    // Pressed again in a tab that is behind: it says so.
    assert_eq!(
        browser
            .fill("/tasks/announce/versions/1", restore, &[("over", "2")])
            .0,
        409
    );
}

#[test]
fn two_tabs_see_each_other_and_lose_nothing() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (one, two) = (TASK.replace("0 3", "0 4"), TASK.replace("0 3", "0 5"));
    let save = |yaml: &str, act: &str, more: &[(&str, &str)]| {
        let fields = [&[("yaml", yaml), ("over", "1"), ("act", act)], more].concat();
        browser.fill(EDIT, EDIT, &fields)
    };
    assert_eq!(save(&one, "save", &[]).0, 303);
    let (status, _, page) = save(&two, "save", &[]);
    assert_eq!(status, 409, "{page}");
    assert!(
        page.contains("Version 2 was saved while you were editing"),
        "{page}"
    );
    assert!(
        page.contains("0 4 * * *") && page.contains("<tr class=\"gone\">"),
        "{page}"
    );
    assert_eq!(typed(&page), two, "mine is still there");
    // A third one came in between; whoever saves over has not seen it.
    home.apply("task.yaml", &TASK.replace("0 3", "0 6")).expect(0);
    let (status, _, page) = save(&two, "save-over", &[("newest", "2")]);
    assert_eq!(status, 409, "{page}");
    assert!(page.contains("Version 3 was saved"), "{page}");
    let (status, to, _) = save(&two, "save-over", &[("newest", "3")]);
    assert_eq!((status, to.as_str()), (303, "/tasks/announce?said=saved&n=4"));
    assert!(
        browser.get("/tasks/announce/versions/2").1.contains("0 4 * * *"),
        "nothing is lost"
    );
}

#[test]
fn what_was_typed_outlives_its_session() {
    let (_provider, home) = world();
    let server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get(EDIT);
    let old_token = token_of(&page).to_owned();
    assert_eq!(browser.submit(EDIT, "/leave", "").0, 303);
    let mine = TASK
        .replace("0 3", "0 7")
        .replace("row once", "row \"once\" &amp; only");
    let form = |token: &str| format!("form_token={token}&over=1&act=save&yaml={}", escaped(&mine));
    let (status, _, gate) = browser.send_from_here(EDIT, &form(&old_token));
    assert_eq!(status, 401);
    assert!(
        gate.contains("What you typed is kept here") && gate.contains("&#34;once&#34; &#38;amp; only"),
        "{gate}"
    );
    assert!(
        gate.contains(&format!("action=\"{EDIT}\"")) && !gate.contains(&old_token),
        "{gate}"
    );
    // Another session in the same browser: the form is shown with a token of its own, and nothing was done.
    let again = Browser::enter(&home);
    let (status, _, page) = again.send_from_here(EDIT, &form(&old_token));
    assert_eq!(status, 403);
    assert!(
        page.contains("Send it now") && page.contains("0 7 * * *"),
        "{page}"
    );
    assert!(
        browser
            .send(EDIT, &form(&old_token))
            .1
            .contains("tailorbird open")
    );
    let (status, to, _) = again.send_from_here(EDIT, &form(token_of(&page)));
    assert_eq!((status, to.as_str()), (303, "/tasks/announce?said=saved&n=2"));
    // From elsewhere nothing is offered to be sent again.
    let (status, page) = again.send(EDIT, &form("guess"));
    assert!(status == 403 && !page.contains("Send it now"), "{page}");
    // What is too large is refused, whoever sends it.
    let large = format!(
        "form_token={}&yaml={}",
        token_of(&again.get(EDIT).1),
        "x".repeat(1_100_000)
    );
    let (status, page) = again.send(EDIT, &large);
    assert_eq!(status, 413, "{page}");
    drop(server);
}

#[test]
fn a_new_task_begins_with_a_template_and_takes_no_others_name() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get("/new-task");
    let templates: Vec<&str> = page
        .split("/new-task?from=")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(templates.len(), 6, "{page}");
    for template in templates {
        let (status, page) = browser.get(&format!("/new-task?from={template}"));
        assert!(status == 200 && typed(&page).contains("steps:"), "{template}");
    }
    let make = |yaml: &str| {
        browser.fill(
            "/new-task?from=empty",
            "/new-task",
            &[("yaml", yaml), ("over", "0"), ("act", "save")],
        )
    };
    let own = "task: own\nsteps:\n  - { id: rows, query: { database: erp, sql: select 1 as id } }\n";
    let (status, to, page) = make(own);
    assert_eq!((status, to.as_str()), (303, "/tasks/own?said=made&n=1"), "{page}");
    let (status, _, page) = make(&own.replace("select 1", "select 2"));
    assert_eq!(status, 409, "{page}");
    assert!(
        page.contains("Version 1 was saved while you were editing") && page.contains("select 2"),
        "{page}"
    );
}

#[test]
fn a_change_that_would_send_again_is_told_with_its_number_and_may_be_meant() {
    let (_provider, home) = world();
    home.run(&["task", "run", "announce"]).expect(3);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let other_key = TASK.replace("key: \"{{ k }}\"", "key: \"item-{{ k }}\"");
    let save = |act: &str| browser.fill(EDIT, EDIT, &[("yaml", &other_key), ("over", "1"), ("act", act)]);
    let (status, _, page) = save("save");
    assert_eq!(status, 422);
    assert!(
        page.contains("TASK-003") && page.contains("2 delivered record(s) would go again"),
        "{page}"
    );
    assert_eq!(typed(&page), other_key);
    assert_eq!(save("accept").0, 303);
}

#[test]
fn a_run_takes_values_of_its_own() {
    let (provider, home) = world();
    home.apply(
        "range.yaml",
        "task: range
variables: { least: { value: \"A\" }, count: { value: 2 }, kept: { scope: task, value: 1 } }
steps:
  - id: rows
    query: { database: erp, sql: \"select k, text from items where k >= :least and k < 'B' and :count > 2\", parameters: { least: \"{{ variables.least }}\", count: \"{{ variables.count }}\" } }
  - id: post
    call: { connection: company, operation: create_item, for_each: rows, key: \"range-{{ k }}\", with: { text: \"range {{ text }}\" } }
",
    )
    .expect(0);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let start = "/tasks/range/start";
    let (_, page) = browser.get(start);
    assert!(
        page.contains("name=\"v-least\"") && !page.contains("v-kept"),
        "{page}"
    );
    let (status, _, page) = browser.fill(start, start, &[("v-least", EVIL), ("v-count", "many")]);
    assert_eq!(status, 422);
    assert!(
        page.contains("It is a whole number") && page.contains("value=\"&#60;script"),
        "{page}"
    );
    assert_eq!(
        browser.fill(start, start, &[("v-kept", "2")]).0,
        422,
        "not one of the run's"
    );
    let run = |count: &str| {
        let (status, to, page) = browser.fill(start, start, &[("v-least", "A"), ("v-count", count)]);
        assert_eq!(status, 303, "{page}");
        let run = to.split('?').next().unwrap().to_owned();
        until("it has ended", || browser.get(&run).1.contains("succeeded"));
    };
    run("1");
    assert!(!provider.bodies().iter().any(|body| body.contains("range")));
    run("3");
    assert_eq!(
        provider
            .bodies()
            .iter()
            .filter(|body| body.contains("range fine"))
            .count(),
        1
    );
}
