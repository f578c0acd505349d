//! Folders into which other programs put files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tailorbird_database::{Folder, FolderError, Guard, Pattern, PutAway};
use tailorbird_model::Failure;

fn folder(path: &Path) -> Folder {
    Folder::open(path, &Guard::default()).unwrap()
}

fn look(path: &Path, pattern: &str) -> tailorbird_database::Look {
    folder(path).look(&Pattern::new(pattern).unwrap()).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn put(path: &Path, name: &str, content: &str, age: u64) -> PathBuf {
    let path = path.join(name);
    fs::write(&path, content).unwrap();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 - age);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(at)
        .unwrap();
    path
}

#[test]
fn a_look_finds_regular_files_the_oldest_first_and_follows_no_link() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path();
    put(path, "b.csv", "bb", 5);
    put(path, "a.csv", "a", 9);
    put(path, "c.txt", "c", 1);
    put(path, ".d.csv", "d", 1);
    fs::create_dir(path.join("done.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", path.join("link.csv")).unwrap();
    let look = look(path, "*.csv");
    let found: Vec<(&str, u64)> = look
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.size))
        .collect();
    assert_eq!(found, [("a.csv", 1), ("b.csv", 2)]);
    assert_eq!(
        look.passed_over,
        [("link.csv".to_owned(), "it is a symbolic link")]
    );
    assert_eq!(look.files[0].path, path.join("a.csv").to_str().unwrap());
}

#[test]
fn a_file_is_moved_once_and_over_no_other() {
    let temp = tempfile::tempdir().unwrap();
    let (path, done) = (temp.path(), temp.path().join("done"));
    for content in ["first", "second", "third"] {
        put(path, "a.csv", content, 5);
        let file = look(path, "*").files.remove(0);
        let moved = folder(path).put_away(&file, &done).unwrap();
        assert!(matches!(moved, PutAway::Moved(_)), "{moved:?}");
        assert_eq!(folder(path).put_away(&file, &done).unwrap(), PutAway::Gone);
    }
    assert_eq!(names(&done), ["a-2.csv", "a-3.csv", "a.csv"]);
    assert_eq!(fs::read_to_string(done.join("a-2.csv")).unwrap(), "second");

    // One that was written to since is another file, and stays.
    put(path, "a.csv", "x", 5);
    let file = look(path, "*").files.remove(0);
    put(path, "a.csv", "x and more", 4);
    assert_eq!(folder(path).put_away(&file, &done).unwrap(), PutAway::Replaced);
    assert_eq!(look(path, "*").files.len(), 1);
}

#[test]
fn a_crash_in_a_move_leaves_nothing_twice() {
    let temp = tempfile::tempdir().unwrap();
    let (path, done) = (temp.path(), temp.path().join("done"));
    fs::create_dir(&done).unwrap();
    put(path, "a.csv", "content", 5);
    let file = look(path, "*").files.remove(0);
    // Cut off after the name was reserved.
    fs::write(done.join("a.csv"), "").unwrap();
    assert_eq!(
        folder(path).put_away(&file, &done).unwrap(),
        PutAway::Moved(done.join("a.csv"))
    );
    // Cut off after a copy to another device had its name, and before the original went: that file looks the same
    // as any other of its size and time, so it is left alone.
    put(path, "b.csv", "content", 5);
    put(&done, "b.csv", "CONTENT", 5);
    let file = look(path, "*").files.remove(0);
    folder(path).put_away(&file, &done).unwrap();
    assert_eq!(names(&done), ["a.csv", "b-2.csv", "b.csv"]);
    assert_eq!(fs::read_to_string(done.join("b.csv")).unwrap(), "CONTENT");
    assert_eq!(fs::read_to_string(done.join("a.csv")).unwrap(), "content");
}

/// Another device than the temporary folder's, where this machine has one that can be written to.
fn other_device(path: &Path) -> Option<tempfile::TempDir> {
    use std::os::unix::fs::MetadataExt as _;
    let other = tempfile::tempdir_in("/dev/shm").ok()?;
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    (device(path) != device(other.path())).then_some(other)
}

#[test]
fn a_file_is_moved_to_another_device() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path();
    let Some(other) = other_device(path) else {
        println!("skipped: there is no second device here");
        return;
    };
    let from = put(path, "a.csv", "content", 5);
    let before = fs::metadata(&from).unwrap().modified().unwrap();
    let file = look(path, "*").files.remove(0);
    let moved = folder(path).put_away(&file, other.path()).unwrap();
    assert_eq!(moved, PutAway::Moved(other.path().join("a.csv")));
    assert_eq!(fs::read_to_string(other.path().join("a.csv")).unwrap(), "content");
    let after = fs::metadata(other.path().join("a.csv"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!((before, names(other.path())), (after, vec!["a.csv".to_owned()]));
    assert!(!from.exists());
}

#[test]
fn two_gigabytes_cost_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (path, done) = (temp.path(), temp.path().join("done"));
    File::create(path.join("big.csv"))
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let begun = std::time::Instant::now();
    let file = look(path, "*").files.remove(0);
    assert_eq!(file.size, 2 << 30);
    folder(path).put_away(&file, &done).unwrap();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(fs::metadata(done.join("big.csv")).unwrap().len(), 2 << 30);
}

#[test]
fn a_look_at_ten_thousand_files_is_quick() {
    let temp = tempfile::tempdir().unwrap();
    for number in 0..10_000 {
        File::create(temp.path().join(format!("{number}.csv"))).unwrap();
    }
    let begun = std::time::Instant::now();
    assert_eq!(look(temp.path(), "*.csv").files.len(), 10_000);
    let took = begun.elapsed();
    println!("a look at 10,000 files: {} ms", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_cannot_be_used_is_refused_with_words() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path();
    let told = |error: FolderError| {
        let failure = Failure::from(error);
        assert_eq!(failure.code, "TRIG-003");
        assert!(!failure.hint.is_empty());
        failure.to_string()
    };
    let open = |path: &Path| told(Folder::open(path, &Guard::default()).unwrap_err());
    assert!(open(&path.join("missing")).contains("does not exist"));
    assert!(open(&put(path, "a", "", 0)).contains("is no folder"));
    let home = path.join("home");
    fs::create_dir_all(home.join("in")).unwrap();
    let guard = Guard {
        files: vec![home.join("ledger.db")],
        ..Guard::default()
    };
    for inside in [home.clone(), home.join("in")] {
        let error = Folder::open(&inside, &guard).unwrap_err();
        assert!(told(error).contains("belongs to a Tailorbird home"));
    }
    // A link in place of the folder for what is done would lead files out of here.
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), path.join("done")).unwrap();
    let file = look(path, "a").files.remove(0);
    let error = folder(path).put_away(&file, &path.join("done")).unwrap_err();
    assert!(told(error).contains("symbolic link"));
    let error = folder(path).put_away(&file, &path.join("x/y")).unwrap_err();
    assert!(told(error).contains("make the folder"));
    assert!(path.join("a").exists());
}
