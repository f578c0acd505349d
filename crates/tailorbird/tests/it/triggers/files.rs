//! Files that arrive.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::support::{SEEN, ended, rows, runs, trigger_state};
use crate::serve::support::{Server, until};
use crate::support::Home;

fn task(folder: &Path, more: &str) -> String {
    format!(
        "task: intake
trigger:
  file: {{ folder: {}, pattern: \"*.csv\", settled: 1s, every: 1s{more} }}
steps:
  - id: keep
    write:
      database: crm
      table: seen
      from: trigger
      key: [id]
      columns: {{ id: \"{{{{ name }}}}\", what: \"{{{{ size }}}}\", kind: \"{{{{ trigger.kind }}}}\", more: \"{{{{ path }}}}\" }}
",
        folder.display()
    )
}

/// A home with the task, and the folder that it watches.
fn watching(more: &str) -> (Home, PathBuf) {
    let home = Home::new();
    home.database("crm", SEEN);
    let folder = home.file("in");
    fs::create_dir(&folder).unwrap();
    home.apply("intake.yaml", &task(&folder, more)).expect(0);
    (home, folder)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn a_file_that_rests_is_one_run_and_is_moved_away() {
    let (home, folder) = watching("");
    fs::write(folder.join("a.csv"), "12345").unwrap();
    fs::write(folder.join("notes.txt"), "x").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.join("link.csv")).unwrap();
    let server = Server::start(&home);
    ended(&home, "intake", 1);
    until("the file is moved", || names(&folder.join("done")) == ["a.csv"]);
    let path = folder.join("a.csv").display().to_string();
    let seen = rows(&home, "select id, what, kind, more from seen");
    assert_eq!(
        seen,
        format!(r#"[{{"id":"a.csv","what":"5","kind":"file","more":"{path}"}}]"#)
    );
    // The same name again is another file, and so is one that a person puts back.
    fs::write(folder.join("a.csv"), "123456").unwrap();
    ended(&home, "intake", 2);
    until("the second file is moved", || {
        names(&folder.join("done")) == ["a-2.csv", "a.csv"]
    });
    fs::rename(folder.join("done/a.csv"), folder.join("a.csv")).unwrap();
    ended(&home, "intake", 3);
    until("it is moved again", || {
        names(&folder.join("done")) == ["a-2.csv", "a.csv"]
    });
    assert_eq!(names(&folder), ["done", "link.csv", "notes.txt"]);
    let state = trigger_state(&home, "intake");
    let problem = state["problem"].to_string();
    assert!(problem.contains("link.csv: it is a symbolic link"), "{problem}");
    drop(server);
}

#[test]
fn a_file_that_grows_is_waited_for() {
    let (home, folder) = watching("");
    let _server = Server::start(&home);
    for length in 1..=6 {
        fs::write(folder.join("slow.csv"), "x".repeat(length * 10)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(450));
    }
    ended(&home, "intake", 1);
    assert_eq!(rows(&home, "select what from seen"), r#"[{"what":"60"}]"#);
}

#[test]
fn a_file_whose_run_failed_goes_to_the_other_folder() {
    let (home, folder) = watching("");
    crate::support::sql(&home.file("crm.sqlite"), "drop table seen");
    fs::write(folder.join("a.csv"), "x").unwrap();
    let _server = Server::start(&home);
    ended(&home, "intake", 1);
    assert_eq!(runs(&home, "intake")[0]["state"], "failed");
    until("the file is moved", || names(&folder.join("failed")) == ["a.csv"]);
}

#[test]
fn a_crash_before_the_move_works_on_nothing_twice() {
    let home = Home::new();
    home.database("crm", SEEN);
    let (folder, done) = (home.file("in"), home.file("away"));
    fs::create_dir(&folder).unwrap();
    // A file stands where the folder should be, so that nothing can be moved yet.
    fs::write(&done, "in the way").unwrap();
    let more = format!(", done: {}", done.display());
    home.apply("intake.yaml", &task(&folder, &more)).expect(0);
    fs::write(folder.join("a.csv"), "x").unwrap();
    for _ in 0..2 {
        let server = Server::start(&home);
        ended(&home, "intake", 1);
        until("the reason is shown", || {
            let state = trigger_state(&home, "intake");
            state["problem"]["message"]
                .as_str()
                .is_some_and(|message| message.ends_with("is no folder"))
        });
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        drop(server);
    }
    assert_eq!(
        (runs(&home, "intake").len(), names(&folder)),
        (1, vec!["a.csv".to_owned()])
    );
    fs::remove_file(&done).unwrap();
    let _server = Server::start(&home);
    until("the file is moved", || names(&done) == ["a.csv"]);
    until("the problem is over", || {
        trigger_state(&home, "intake")["problem"].is_null()
    });
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!((runs(&home, "intake").len(), names(&folder).len()), (1, 0));
}

#[test]
fn a_folder_that_is_missing_is_told_and_taken_when_it_comes() {
    let home = Home::new();
    home.database("crm", SEEN);
    let folder = home.file("later");
    home.apply("intake.yaml", &task(&folder, "")).expect(0);
    let _server = Server::start(&home);
    until("the reason is shown", || {
        trigger_state(&home, "intake")["problem"]["code"] == "TRIG-003"
    });
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.csv"), "x").unwrap();
    ended(&home, "intake", 1);
    until("the problem is over", || {
        trigger_state(&home, "intake")["problem"].is_null()
    });
}

#[test]
fn two_gigabytes_are_never_read() {
    let (home, folder) = watching("");
    fs::File::create(folder.join("big.csv"))
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let server = Server::start(&home);
    ended(&home, "intake", 1);
    until("the file is moved", || names(&folder.join("done")) == ["big.csv"]);
    assert_eq!(
        rows(&home, "select what from seen"),
        json!([{"what": (2_u64 << 30).to_string()}]).to_string()
    );
    let peak = server.peak_memory_mib();
    assert!(peak < 128, "{peak} MiB");
}
