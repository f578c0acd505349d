//! Adding databases and looking into them, as a browser without script sees it.

use super::browser::Browser;
use super::{EVIL, world};
use crate::serve::support::Server;

const ADD: &str = "/add-database";

#[test]
fn a_database_is_added_when_it_opens_and_said_why_where_it_does_not() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let erp = home.run(&["database", "list"]).expect(0).json()[0]["settings"]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let add = |name: &str, path: &str, act: &str, writable: &str| {
        let fields = [
            ("name", name),
            ("kind", "sqlite"),
            ("s-path", path),
            ("act", act),
            ("writable", writable),
        ];
        browser.fill(ADD, ADD, &fields)
    };
    for (name, path, words) in [
        ("", erp.as_str(), "id=\"name-error\""),
        ("a b", &erp, "id=\"name-error\""),
        (EVIL, &erp, "value=\"&#60;script"),
        (&"x".repeat(65), &erp, "id=\"name-error\""),
        ("erp", &erp, "There is a database of that name"),
        ("crm", "", "It is needed, for example"),
        ("crm", &"x".repeat(5_000), "At most 4096 characters"),
        ("crm", &erp.replace(".sqlite", ".sqlit"), "Did you mean"),
        ("crm", "/nowhere/at/all.db", "is not there or cannot be read"),
        ("crm", home.path().to_str().unwrap(), "is a folder"),
        (
            "crm",
            home.file("task.yaml").to_str().unwrap(),
            "is no SQLite file",
        ),
    ] {
        let (status, _, page) = add(name, path, "", "no");
        assert_eq!(status, 422, "{name:.20} {path:.60}: {page}");
        assert!(
            page.contains(words),
            "{name:.20} {path:.60} does not say {words}: {page}"
        );
        assert!(!page.contains(EVIL));
    }
    // Our own state is no business database, also where it is meant.
    let own = home.path().join("ledger.db");
    let (status, _, page) = add("crm", own.to_str().unwrap(), "", "no");
    assert!(status == 422 && page.contains("DB-"), "{page}");
    assert_eq!(
        home.run(&["database", "list"])
            .expect(0)
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let (status, to, page) = add("crm", &format!(" {erp} "), "", "yes");
    assert_eq!(
        (status, to.as_str()),
        (303, "/databases/crm?said=database-added"),
        "{page}"
    );
    assert!(browser.get("/databases/crm").1.contains(">writable<"));
    // What is not there yet can be meant; its page then says why it does not open.
    let (status, to, _) = add("later", "/nowhere/later.db", "anyway", "no");
    assert_eq!(
        (status, to.as_str()),
        (303, "/databases/later?said=database-added")
    );
    let (status, page) = browser.get("/databases/later");
    assert!(status == 200 && page.contains("It does not open"), "{page}");
    assert_eq!(browser.submit("/databases", "/databases/later/test", "").0, 422);
    // The settings of one that is there; read only again.
    let settings = "/databases/crm/settings";
    let change = |path: &str| {
        browser.fill(
            settings,
            settings,
            &[("kind", "sqlite"), ("s-path", path), ("writable", "no")],
        )
    };
    let (status, _, page) = change("/nowhere/at/all.db");
    assert!(status == 422 && page.contains("/nowhere/at/all.db"), "{page}");
    assert_eq!(change(&erp).0, 303);
    assert!(browser.get("/databases/crm").1.contains(">read only<"));
    let (status, to) = browser.submit("/databases/crm", "/databases/crm/test", "");
    assert_eq!((status, to.as_str()), (303, "/databases/crm?said=opened&n=1"));
    assert_eq!(browser.get("/databases/none/settings").0, 404);
}

#[test]
fn a_look_at_rows_is_bounded_and_only_reads() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let look = |sql: &str| {
        browser
            .get(&format!("/databases/erp?sql={}", super::browser::escaped(sql)))
            .1
    };
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n)";
    assert!(look(&format!("{endless} select i from n")).contains("the first 50 rows"));
    let page = look(&format!("{endless} select count(*) from n"));
    assert!(page.contains("was stopped after 5 s"), "{page}");
    for (sql, words) in [
        ("delete from items", "DB-004"),
        ("select * from itmes", "Did you mean items?"),
        ("select 1; select 2", "aria-invalid"),
    ] {
        let page = look(sql);
        assert!(page.contains(words), "{sql} does not say {words}: {page}");
    }
    // What completion offers is in the page, and is escaped.
    let page = look("");
    assert!(
        page.contains("<option value=\"items\" label=\"table\">"),
        "{page}"
    );
    assert!(
        page.contains("<option value=\"text\" label=\"items, text\" data-of=\"items\">"),
        "{page}"
    );
}

#[test]
fn the_list_of_tasks_draws_their_last_runs_and_finds() {
    let (_provider, home) = world();
    home.run(&["task", "run", "announce"]).expect(3);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get("/tasks");
    assert!(
        page.contains("aria-label=\"The last 1 run: 1 succeeded\""),
        "{page}"
    );
    assert!(
        page.contains("class=\"doubt\"><title>"),
        "a lost record shows: {page}"
    );
    assert!(browser.get("/tasks?find=ANNOU").1.contains("/tasks/announce\""));
    let (_, page) = browser.get(&format!("/tasks?find={}", super::browser::escaped(EVIL)));
    assert!(
        page.contains("No task like that") && !page.contains(EVIL),
        "{page}"
    );
}
