//! Full disks: under the home, under the written database, under a backup and an archive.

use super::clock::{library, off};
use super::small_disk::SmallDisk;
use super::{PRODUCTS, all_once, announcing, set_up};
use crate::serve::support::{Server, until_slowly};
use crate::support::{Home, Said, Sandbox, number, sql};

/// A disk that the home and a good part of a run fit on.
const HOME_DISK_MB: u32 = 12;

#[test]
fn a_full_disk_under_the_home_stops_the_run_and_the_next_one_goes_on() {
    let home = Home::new();
    let Some(disk) = SmallDisk::mount(&home.path(), HOME_DISK_MB) else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    set_up(&home, &sandbox);
    // Room for some of the deliveries and not for all.
    disk.fill(160 << 10);
    let said = home.run(&["task", "run", "announce"]);
    said.failed(1, "HOME-002")
        .says(&["disk is full", "disk has room"]);
    let sent = sandbox.accepted();
    assert!(
        sent < u64::try_from(PRODUCTS).unwrap(),
        "the disk was full in the middle: {sent}"
    );
    // Still full: nothing is sent, and it says so again.
    assert_eq!(home.run(&["task", "run", "announce"]).code, 1);
    assert_eq!(sandbox.accepted(), sent);
    disk.free();
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_server_outlives_a_full_disk() {
    let home = Home::new();
    let Some(disk) = SmallDisk::mount(&home.path(), HOME_DISK_MB) else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    set_up(&home, &sandbox);
    let server = Server::start(&home);
    disk.fill(160 << 10);
    let mut run = home.command(&["task", "run", "announce"]).spawn().unwrap();
    // Either the run stands or the hand-over fails: in both cases the server lives and says it is not well.
    until_slowly("the server notices that it cannot store", || {
        server.get("/readyz").0 == 503 || !home.run(&["run", "list"]).stdout.contains("\"running\"")
    });
    disk.free();
    drop(run.wait());
    home.run(&["task", "run", "announce"]);
    until_slowly("all are sent", || {
        sandbox.accepted() == u64::try_from(PRODUCTS).unwrap()
    });
    until_slowly("all are written back", || {
        number(&home.file("erp.sqlite"), "select count(*) from product_posts")
            == i64::try_from(PRODUCTS).unwrap()
    });
    all_once(&home, &sandbox);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_full_disk_under_the_written_database_loses_no_write_back() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let folder = home.file("small");
    let Some(disk) = SmallDisk::mount(&folder, 2) else {
        return;
    };
    // The database lives on the small disk; a link leads there, so that the task stays as it is.
    let (old, new) = (home.file("erp.sqlite"), folder.join("erp.sqlite"));
    std::fs::copy(&old, &new).unwrap();
    std::fs::remove_file(&old).unwrap();
    std::os::unix::fs::symlink(&new, &old).unwrap();
    sql(&new, "create table filler (a blob)");
    disk.fill(0);
    let said = home.run(&["task", "run", "announce"]);
    said.failed(1, "DB-010")
        .says(&["disk of the database", "Make room", "nothing is sent again"]);
    assert_eq!(
        home.deliveries("delivered").len(),
        usize::try_from(sandbox.accepted()).unwrap()
    );
    disk.free();
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_full_disk_under_a_backup_leaves_no_half_file() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    home.run(&["task", "run", "announce"]).expect(0);
    let folder = home.file("backups");
    let Some(disk) = SmallDisk::mount(&folder, 4) else {
        return;
    };
    disk.fill(64 << 10);
    let file = folder.join("home.tar");
    let arguments = ["backup", file.to_str().unwrap()];
    home.run(&arguments)
        .refused(1, "HOME-002")
        .says(&["the disk has room"]);
    let names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        names,
        ["ballast"],
        "nothing stays behind that could be taken for a backup"
    );
    disk.free();
    home.run(&arguments).expect(0);
    assert!(file.exists());
}

#[test]
fn a_full_disk_under_the_archive_drops_nothing() {
    let Some(library) = library() else { return };
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    home.run(&["task", "run", "announce"]).expect(0);
    let folder = home.file("archive");
    let Some(disk) = SmallDisk::mount(&folder, 1) else {
        return;
    };
    let archive = folder.to_str().unwrap();
    home.run(&["home", "retention", "--keep", "1d", "--archive", archive])
        .expect(0);
    disk.fill(0);
    let mut tidy = off(&home, &library, &["home", "tidy"]);
    home.write("time", "+30d");
    Said::from(tidy.output().unwrap())
        .refused(1, "FILE-001")
        .says(&["the disk has room", "Nothing that is not archived is dropped"]);
    let kept = home.deliveries("delivered");
    assert_eq!(kept.len(), PRODUCTS);
    let number = format!("#{}", kept[0]["id"].as_str().unwrap());
    let story = home.run(&["delivery", "show", &number]).expect(0).stdout;
    assert!(story.contains("Kettle"), "its contents are there: {story}");
    disk.free();
    Said::from(tidy.output().unwrap()).expect(0);
    let names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        matches!(names.as_slice(), [name] if name.starts_with("deliveries-")),
        "one whole archive and no half one: {names:?}"
    );
}
