//! Rule 20 and the security rules for the home folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tailorbird_model::Failure;
use tailorbird_store::{DriveLock, Home, Store, StoreError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_home_is_private_and_out_of_git() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/home");
    let home = Home::create(&path).unwrap();
    assert_eq!(mode(home.path()), 0o700);
    assert_eq!(mode(&home.key_path()), 0o600);
    assert_eq!(mode(&home.ledger_path()), 0o600);
    assert_eq!(fs::read_to_string(home.path().join(".gitignore")).unwrap(), "*\n");
    let store = Store::open(&home).unwrap();
    assert_eq!(store.home(), &Home::open(&path).unwrap());
    drop(store);
    assert_eq!(mode(&home.ledger_path()), 0o600);
}

#[test]
fn opening_never_makes_a_home() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none");
    let failure = Failure::from(Home::open(&path).unwrap_err());
    assert_eq!(failure.code, "HOME-001");
    assert!(failure.message.contains("none"), "{}", failure.message);
    assert!(failure.hint.contains("connection add"), "{}", failure.hint);
    assert!(!path.exists());
    fs::create_dir(&path).unwrap();
    assert!(matches!(Home::open(&path), Err(StoreError::NoHome { .. })));
}

#[test]
fn open_or_create_says_whether_it_made_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    assert!(Home::open_or_create(&path).unwrap().1);
    assert!(!Home::open_or_create(&path).unwrap().1);
    assert!(matches!(Home::create(&path), Err(StoreError::HomeExists { .. })));
}

#[test]
fn a_lost_part_is_never_made_anew() {
    for (lost, code, word) in [
        ("ledger.db", "HOME-002", "ledger.db"),
        ("sealing.key", "HOME-003", "missing"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let home = Home::create(&path).unwrap();
        fs::remove_file(home.path().join(lost)).unwrap();
        for error in [Home::open(&path).unwrap_err(), Home::create(&path).unwrap_err()] {
            let failure = Failure::from(error);
            assert_eq!(failure.code, code);
            assert!(failure.message.contains(word), "{}", failure.message);
            assert!(failure.hint.contains("backup"), "{}", failure.hint);
        }
        assert!(!home.path().join(lost).exists());
    }
}

#[test]
fn a_ledger_that_was_emptied_or_swapped_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    let error = |home: &Home| Failure::from(Store::open(home).unwrap_err());
    fs::write(home.ledger_path(), b"").unwrap();
    assert_eq!(error(&home).code, "HOME-002");
    fs::remove_file(home.ledger_path()).unwrap();
    rusqlite::Connection::open(home.ledger_path())
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let failure = error(&home);
    assert!(
        failure.message.contains("was not made by this program"),
        "{}",
        failure.message
    );
}

#[test]
fn odd_places_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(
        Failure::from(Home::open(&file).unwrap_err())
            .message
            .contains("is not a folder")
    );
    let repository = folder.path().join("repository");
    fs::create_dir(&repository).unwrap();
    fs::write(repository.join(".gitignore"), "target\n").unwrap();
    fs::set_permissions(&repository, fs::Permissions::from_mode(0o755)).unwrap();
    let failure = Failure::from(Home::create(&repository).unwrap_err());
    assert!(failure.message.contains(".gitignore"), "{}", failure.message);
    assert_eq!(mode(&repository), 0o755);
    assert!(!repository.join("sealing.key").exists());
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("prices.csv"), "sku;price\n").unwrap();
    fs::set_permissions(&project, fs::Permissions::from_mode(0o755)).unwrap();
    let failure = Failure::from(Home::create(&project).unwrap_err());
    assert_eq!(failure.code, "HOME-002");
    assert!(failure.message.contains("prices.csv"), "{}", failure.message);
    assert!(failure.hint.contains("--home"), "{}", failure.hint);
    assert_eq!(mode(&project), 0o755);
    let left: Vec<_> = fs::read_dir(&project).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_empty_folder_and_one_with_services_become_homes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    for inside in [None, Some("services"), Some("demo")] {
        fs::create_dir(&path).unwrap();
        if let Some(inside) = inside {
            fs::create_dir(path.join(inside)).unwrap();
            fs::write(path.join(inside).join("crm.yaml"), "service: crm\n").unwrap();
            fs::write(path.join(".gitignore"), "*\n").unwrap();
        }
        let home = Home::create(&path).unwrap();
        assert_eq!(mode(home.path()), 0o700);
        if let Some(inside) = inside {
            assert!(path.join(inside).join("crm.yaml").exists());
        }
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn an_opened_home_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    Home::create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Home::open(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    let home = Home::create(&path).unwrap();
    fs::set_permissions(home.key_path(), fs::Permissions::from_mode(0o640)).unwrap();
    let failure = Failure::from(Home::open(&path).unwrap_err());
    assert_eq!(failure.code, "HOME-003");
    assert!(failure.hint.contains("chmod 600"), "{}", failure.hint);
    assert!(
        !failure.hint.contains("rotate"),
        "no command rotates: {}",
        failure.hint
    );
}

#[test]
fn one_process_drives_and_the_next_one_has_another_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    assert_eq!(DriveLock::holder(&home).unwrap(), None);
    let first = DriveLock::acquire(&home).unwrap();
    let failure = Failure::from(DriveLock::acquire(&home).unwrap_err());
    assert_eq!(failure.code, "RUN-002");
    assert!(
        failure.detail.contains(&std::process::id().to_string()),
        "{}",
        failure.detail
    );
    assert_eq!(DriveLock::holder(&home).unwrap(), Some(Some(std::process::id())));
    let epoch = first.epoch().clone();
    drop(first);
    assert_eq!(DriveLock::holder(&home).unwrap(), None);
    assert_ne!(DriveLock::acquire(&home).unwrap().epoch(), &epoch);
}

#[test]
fn a_home_whose_making_was_cut_off_can_be_made_anew() {
    for leftovers in [vec!["ledger.db.new"], vec!["ledger.db.new", "sealing.key"]] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let finished = Home::create(folder.path().join("finished")).unwrap();
        fs::create_dir(&path).unwrap();
        for name in leftovers {
            let from = if name == "sealing.key" {
                finished.key_path()
            } else {
                finished.ledger_path()
            };
            fs::copy(from, path.join(name)).unwrap();
        }
        assert!(matches!(Home::open(&path), Err(StoreError::NoHome { .. })));
        let home = Home::create(&path).unwrap();
        assert!(!path.join("ledger.db.new").exists());
        assert!(Store::open(&home).is_ok());
    }
}

#[test]
fn two_processes_that_make_a_home_do_not_mix_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || Home::create(path))
        })
        .collect();
    let made = makers.into_iter().flat_map(|maker| maker.join().unwrap()).count();
    assert_eq!(made, 1);
    assert!(Store::open(&Home::open(&path).unwrap()).is_ok());
}
