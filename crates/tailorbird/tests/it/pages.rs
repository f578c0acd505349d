//! The pages of the server, as a browser without script sees them.

mod browser;
mod cards;
mod connect;
mod databases;
mod editing;
mod ledger;

use browser::Browser;
use tailorbird_server::Access;

use crate::provider::{Provider, Reply};
use crate::serve::support::{Server, until};
use crate::support::{Home, http, sql};

/// A service whose doubts wait for a person.
const SERVICE: &str = "
service: shop
title: The shop
root_url: ROOT
authentication: {}
operations:
  create_item:
    method: POST
    path: /items
    body: { json: { text: { type: text, required: true, max_length: 200 } } }
    result: { record: /data, columns: { id: /id } }
    in_doubt: ask
verified: never
";

/// A row that would run as script where a page forgot to escape it.
const EVIL: &str = "<script>alert(1)</script>";

const TASK: &str = "
task: announce
description: Says <b>each</b> row once.
trigger: { schedule: \"0 3 * * *\" }
steps:
  - id: rows
    query: { database: erp, sql: \"select k, text from items order by k\" }
  - id: post
    call: { connection: company, operation: create_item, for_each: rows, key: \"{{ k }}\", with: { text: \"{{ text }}\" } }
";

/// A home with rows of which the first goes, the second is refused, the third is lost and the fourth is evil and goes.
fn world() -> (Provider, Home) {
    let provider = Provider::start(|id, _, body| {
        if body.contains("refuse me") {
            Reply::refuse()
        } else if body.contains("lose me") {
            Reply::Cut
        } else {
            Reply::accept(id)
        }
    });
    let home = Home::new();
    let service = home.write("service.yaml", &SERVICE.replace("ROOT", &provider.root));
    home.run(&["service", "add", &service]).expect(0);
    let root = format!("root_url={}", provider.root);
    home.run(&[
        "connection",
        "add",
        "company",
        "--service",
        "shop",
        "--set",
        &root,
    ])
    .expect(0);
    let erp = home.database("erp", "create table items (k text primary key, text text)");
    sql(
        &erp,
        &format!(
            "insert into items values ('A','fine'), ('B','refuse me'), ('C','lose me'), ('D{EVIL}','{EVIL}')"
        ),
    );
    home.apply("task.yaml", TASK).expect(0);
    (provider, home)
}

/// The paths and methods of the router, with who may call them, as they are declared.
fn routes() -> Vec<(String, &'static str, Access)> {
    tailorbird_server::stated_routes()
        .into_iter()
        .map(|route| {
            let method = if route.method == "GET" { "GET" } else { "POST" };
            assert_eq!(route.method, method);
            (route.path, method, route.access)
        })
        .collect()
}

fn filled(path: &str) -> String {
    path.replace("{name}", "announce")
        .replace("{action}", "pause")
        .replace("{id}", "1")
        .replace("{version}", "1")
}

#[test]
fn no_page_and_no_form_opens_without_a_session_or_with_anothers_form() {
    let (_provider, home) = world();
    let server = Server::start(&home);
    let browser = Browser::enter(&home);
    for (path, method, access) in routes() {
        if access == Access::Anybody {
            continue;
        }
        let address = format!("{}{}", server.url, filled(&path));
        let (status, page) = http(method, &address, &[], "");
        assert_eq!(status, 401, "{method} {path}");
        assert!(page.contains("tailorbird open"), "{path} says how to get in");
        let (status, _) = http(method, &address, &[("Cookie", "tailorbird-1=guess")], "");
        assert_eq!(status, 401, "{method} {path} with a made-up session");
        if method == "POST" {
            for body in ["", "form_token=guess", "as=sent"] {
                let (status, page) = browser.send(&filled(&path), body);
                assert_eq!(status, 403, "{path}: {page}");
            }
        }
    }
}

#[test]
fn a_link_opens_one_session_and_leaving_ends_it() {
    let (_provider, home) = world();
    home.run(&["open"])
        .refused(1, "SRV-003")
        .says(&["tailorbird serve"]);
    let server = Server::start(&home);
    let link = home.run(&["open"]).expect(0).json()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(link.starts_with(&server.url), "{link}");
    let browser = Browser::open(&link);
    assert_eq!(browser.get("/").0, 200);
    let (status, page) = http("GET", &link, &[], "");
    assert_eq!((status, page.contains("done its work")), (401, true), "used once");
    assert_eq!(
        http("GET", &format!("{}/enter?ticket=", server.url), &[], "").0,
        401
    );
    // The session is as long as it was; another link opens another one.
    let other = Browser::enter(&home);
    assert_eq!(browser.submit("/runs", "/leave", "").0, 303);
    assert_eq!(browser.get("/").0, 401);
    assert_eq!(other.get("/").0, 200);
    // Sessions stand over a restart of the server.
    server.stop();
    let again = Server::start(&home);
    assert_eq!(other.moved_to(&again.url).get("/tasks").0, 200);
}

#[test]
fn pages_show_what_is_there_and_run_nothing_of_it() {
    let (_provider, home) = world();
    home.run(&["task", "run", "announce"]).expect(3);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let id_of = |key: &str| {
        let all = home.run(&["delivery", "list"]).expect(0).json();
        let found = all
            .as_array()
            .unwrap()
            .iter()
            .find(|delivery| delivery["key"].as_str().unwrap().starts_with(key))
            .cloned();
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let run = home.run(&["run", "list"]).expect(0).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let evil = id_of("D");
    for (path, words) in [
        (
            "/".to_owned(),
            vec!["1 delivery is in doubt", "1 record was rejected", "announce"],
        ),
        ("/connections".to_owned(), vec!["The shop", "company"]),
        ("/connections/company".to_owned(), vec!["complete", "Root URL"]),
        ("/databases".to_owned(), vec!["erp", "writable"]),
        (
            "/databases/erp?table=items".to_owned(),
            vec!["refuse me", "4 rows"],
        ),
        (
            "/databases/erp?sql=selec+1".to_owned(),
            vec!["DB-004", "aria-invalid"],
        ),
        ("/tasks".to_owned(), vec!["announce", "enabled", "0 3 * * *"]),
        (
            "/tasks/announce".to_owned(),
            vec!["create_item over company", "select k, text from items", "Run now"],
        ),
        ("/tasks/announce/rehearsal".to_owned(), vec!["Nothing was sent"]),
        ("/runs?state=succeeded".to_owned(), vec!["announce", "4 read"]),
        (
            format!("/runs/{run}"),
            vec!["succeeded", "Try the rejected again"],
        ),
        ("/deliveries?state=rejected".to_owned(), vec![">B<", "Send again"]),
        ("/deliveries?key=D*".to_owned(), vec!["delivered"]),
        (format!("/deliveries/{evil}"), vec!["delivered", "attempt 1"]),
        (
            format!("/deliveries/{}", id_of("C")),
            vec!["It was sent", "Nobody knows whether it arrived"],
        ),
        (
            "/decide?state=rejected&as=again".to_owned(),
            vec!["1 of 1 can be decided so"],
        ),
        ("/approvals".to_owned(), vec!["Nothing waits for you"]),
    ] {
        let (status, page) = browser.get(&path);
        assert_eq!(status, 200, "{path}: {page}");
        for word in words {
            assert!(page.contains(word), "{path} does not say {word:?}: {page}");
        }
        assert!(!page.contains(EVIL), "{path} lets a record run");
        assert!(
            !page.contains(" style=") && !page.contains("<style") && !page.contains("onclick="),
            "{path}"
        );
    }
    let head = browser.head("/deliveries");
    assert!(
        head.contains("default-src 'none'; style-src 'self'; script-src 'self'"),
        "{head}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
    for (path, status) in [
        ("/runs/none", 404),
        ("/tasks/none", 404),
        ("/tasks/none/edit", 404),
        ("/tasks/none/versions", 404),
        ("/tasks/announce/versions/9", 404),
        ("/tasks/announce/versions/x", 400),
        ("/tasks/none/start", 404),
        ("/deliveries/999", 404),
        ("/connections/none", 404),
        ("/databases/none", 404),
        ("/approvals/999", 404),
        ("/deliveries/x", 400),
        ("/tasks/a%20b", 422),
    ] {
        assert_eq!(browser.get(path).0, status, "{path}");
    }
}

#[test]
fn what_is_decided_in_the_browser_happens_and_is_noted_as_such() {
    let (provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    // Run now: the page of the run follows.
    let (status, to) = browser.submit("/tasks/announce", "/tasks/announce/run", "");
    assert_eq!(status, 303, "{to}");
    let run = to.split('?').next().unwrap().to_owned();
    until("the run has ended", || browser.get(&run).1.contains("succeeded"));
    let live = browser.first_event(&format!("/live{run}"));
    assert!(
        live.contains("event: part") && live.contains("succeeded"),
        "{live}"
    );
    // A doubt: it was sent after all, and is never sent again.
    let doubt = home.deliveries("in_doubt")[0]["id"].as_str().unwrap().to_owned();
    let page = format!("/deliveries/{doubt}");
    let (status, to) = browser.submit(&page, &format!("{page}/resolve"), "as=sent");
    assert_eq!((status, to.as_str()), (303, format!("{page}?said=sent").as_str()));
    let (_, story) = browser.get(&to);
    assert!(
        story.contains("a person in the browser decided: sent") && story.contains("Noted as sent"),
        "{story}"
    );
    // The same form once more finds that there is nothing to decide.
    assert_eq!(
        browser
            .submit("/deliveries", &format!("{page}/resolve"), "as=again")
            .0,
        409
    );
    assert_eq!(
        browser
            .submit("/deliveries", &format!("{page}/resolve"), "as=whatever")
            .0,
        422
    );
    // The rejected one, by all that fit.
    let (status, to) = browser.submit("/deliveries", "/decide", "state=rejected&as=skip");
    assert_eq!(status, 303);
    assert!(to.ends_with("said=decided&n=1"), "{to}");
    assert_eq!(home.deliveries("skipped").len(), 1);
    let sent = provider.bodies().len();
    // Off and on.
    for (action, word) in [("disable", "disabled"), ("enable", "enabled")] {
        let (status, _) = browser.submit("/tasks/announce", &format!("/tasks/announce/{action}"), "");
        assert_eq!(status, 303);
        assert!(
            browser
                .get("/tasks/announce")
                .1
                .contains(&format!("</span>{word}</span>"))
        );
    }
    // Everything is settled, so another run sends nothing.
    let (_, to) = browser.submit("/tasks/announce", "/tasks/announce/run", "");
    let run = to.split('?').next().unwrap().to_owned();
    until("the second run has ended", || {
        browser.get(&run).1.contains("succeeded")
    });
    assert_eq!(provider.bodies().len(), sent, "nothing left twice");
}

#[test]
fn a_paused_run_goes_on_and_a_waiting_one_can_be_ended() {
    let (_provider, home) = world();
    home.apply(
        "wait.yaml",
        "task: later\nsteps:\n  - { id: pause, wait: { for: 3h } }\n",
    )
    .expect(0);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, to) = browser.submit("/tasks/later", "/tasks/later/run", "");
    let run = to.split('?').next().unwrap().to_owned();
    until("it waits", || browser.get(&run).1.contains("goes on in 2 h"));
    assert_eq!(browser.submit(&run, &format!("{run}/pause"), "").0, 303);
    until("it is held", || {
        browser.get(&run).1.contains("</span>paused</span>")
    });
    assert_eq!(browser.submit(&run, &format!("{run}/resume"), "").0, 303);
    until("it waits again", || {
        browser.get(&run).1.contains("</span>waiting</span>")
    });
    assert_eq!(browser.submit(&run, &format!("{run}/cancel"), "").0, 303);
    until("it has ended", || {
        browser.get(&run).1.contains("</span>cancelled</span>")
    });
    assert_eq!(browser.submit("/runs", &format!("{run}/cancel"), "").0, 409);
    assert_eq!(browser.submit("/runs", &format!("{run}/dance"), "").0, 404);
}

#[test]
fn what_waits_for_a_release_is_shown_as_it_will_go_and_goes_when_released() {
    let (provider, home) = world();
    home.apply(
        "asked.yaml",
        "task: asked
steps:
  - id: rows
    query: { database: erp, sql: \"select k, text from items where k in ('A', 'B')\" }
  - id: ok
    approve: { from: rows, key: \"{{ k }}\", show: \"About {{ k }}\", role: accounting }
  - id: post
    call: { connection: company, operation: create_item, for_each: ok, key: \"asked-{{ k }}\", with: { text: \"checked {{ k }}\" } }
",
    )
    .expect(0);
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    browser.submit("/tasks/asked", "/tasks/asked/run", "");
    until("two are asked about", || {
        browser.get("/approvals").1.matches("type=\"checkbox\"").count() == 2
    });
    // What a form sends back: which question, and a digest of what was shown of it.
    let seen = |key: &str| {
        let (_, page) = browser.get("/approvals");
        let (before, _) = page.split_once(&format!("aria-label=\"{key}\"")).unwrap();
        let (_, value) = before.rsplit_once("name=\"seen\" value=\"").unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    let decide = |fields: &str| browser.submit("/approvals", "/decide-approvals", fields);
    let (a, b) = (seen("A"), seen("B"));
    let id = a.split('.').next().unwrap();
    let (_, page) = browser.get(&format!("/approvals/{id}"));
    assert!(page.contains("/items") && page.contains("checked A"), "{page}");
    assert_eq!(decide("as=release").0, 422, "nothing was chosen");
    assert_eq!(decide(&format!("seen={a}")).0, 422, "no decision was given");
    // Somebody who saw something else releases nothing, and is told what became of the others.
    let (status, page) = decide(&format!("as=release&seen={id}.something-else"));
    assert_eq!(status, 409, "{page}");
    assert!(
        page.contains("0 of 1 chosen record(s) were released; 1 stay as they are"),
        "{page}"
    );
    assert!(!provider.bodies().iter().any(|body| body.contains("checked A")));
    let (status, page) = decide(&format!(
        "as=refuse&reason=too+dear&seen={id}.something-else&seen={b}"
    ));
    assert_eq!(status, 409, "{page}");
    assert!(page.contains("1 of 2 chosen record(s) were refused"), "{page}");
    let (_, to) = decide(&format!("as=release&seen={a}"));
    assert_eq!(to, "/approvals?said=released&n=1");
    until("it was sent", || {
        provider.bodies().iter().any(|body| body.contains("checked A"))
    });
    assert!(!provider.bodies().iter().any(|body| body.contains("checked B")));
    assert!(browser.get("/approvals?state=refused").1.contains("too dear"));
}

#[test]
fn who_changed_what_stands_in_the_audit_log() {
    let (_provider, home) = world();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    browser.submit("/tasks/announce", "/tasks/announce/disable", "");
    home.run(&["task", "enable", "announce"]).expect(0);
    let (status, page) = browser.get("/audit");
    assert_eq!(status, 200);
    for word in [
        "task disabled",
        "task enabled",
        "connection changed",
        "session opened",
        "start-up link",
        "command line",
        "127.0.0.1",
    ] {
        assert!(page.contains(word), "{word:?} is not in {page}");
    }
    let rows = |path: &str| browser.get(path).1.matches("<tr><td>").count();
    assert_eq!(rows("/audit?what=session"), 1);
    assert_eq!(rows("/audit?text=ENABLED"), 1);
    assert_eq!(rows("/audit?who=start-up+link&what=task"), 1);
    assert_eq!(rows("/audit?text=nothing-of-that-kind"), 0);
    assert_eq!(rows("/audit?before=1"), 0);
    // Reading leaves nothing, and neither does what is refused.
    let all = rows("/audit");
    browser.get("/tasks");
    assert_eq!(browser.submit("/tasks", "/tasks/none/disable", "").0, 404);
    assert_eq!(browser.submit("/tasks", "/runs/none/cancel", "").0, 404);
    assert_eq!(rows("/audit"), all);
}
