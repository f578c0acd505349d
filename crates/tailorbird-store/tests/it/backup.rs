//! A backup is whole or nothing, and comes back marked (rule 20).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tailorbird_model::Failure;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_store::{DriveLock, Home, Passphrase, Restore, Restored, Store, StoreError, restore};

use crate::bench::{Bench, name};

const PASSPHRASE: &str = "correct horse battery staple";

async fn with_something() -> Bench {
    let bench = Bench::new();
    bench.put_into("sent", DeliveryState::Delivered).await;
    bench.put_into("pending", DeliveryState::Pending).await;
    fs::create_dir(bench.home.services_path()).unwrap();
    fs::write(bench.home.services_path().join("own.yaml"), "service: own\n").unwrap();
    fs::write(bench.home.services_path().join("odd name"), "x").unwrap();
    bench
}

fn back(file: &Path, target: &Path, how: &Restore<'_>) -> Result<Restored, StoreError> {
    restore(file, target, how, &mut |_| ())
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_home_goes_into_one_file_and_comes_back_marked() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    let mut told = Vec::new();
    let report = bench
        .store
        .backup(&file, None, &mut |progress| told.push(progress))
        .unwrap();
    assert_eq!(
        (report.services, report.left_out),
        (1, vec!["odd name".to_owned()])
    );
    assert_eq!((report.manifest.deliveries, report.manifest.key), (2, None));
    assert_eq!(report.manifest.backup_at, bench.now());
    assert_eq!(report.bytes, fs::metadata(&file).unwrap().len());
    assert!(told.iter().any(|progress| progress.done == progress.total));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        names_in(bench.path("x").parent().unwrap()),
        ["backup.tar", "home"],
        "nothing else stays behind"
    );

    let target = bench.path("deep/new");
    let key = bench.home.key_path();
    let how = Restore {
        key: Some(&key),
        ..Restore::default()
    };
    let restored = back(&file, &target, &how).unwrap();
    assert_eq!((restored.services, restored.set_aside), (1, None));
    assert_eq!(
        names_in(&target),
        [".gitignore", "drive.lock", "ledger.db", "sealing.key", "services"]
    );
    for private in ["ledger.db", "sealing.key", "services/own.yaml"] {
        let mode = fs::metadata(target.join(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
    let store = Store::open(&Home::open(&target).unwrap()).unwrap();
    assert_eq!(
        store.restoration().unwrap().unwrap().backup_at,
        report.manifest.backup_at
    );
    let lock = DriveLock::acquire(store.home()).unwrap();
    store.recover(&lock).await.unwrap();
    assert_eq!(
        store.find_delivery("pending").unwrap().state,
        DeliveryState::InDoubt
    );
    assert_eq!(
        store.find_delivery("sent").unwrap().state,
        DeliveryState::Delivered
    );
    assert!(store.verify_chain().unwrap().is_whole());
}

/// What the documentation says: other tools can look into it and check it.
#[tokio::test]
async fn other_tools_read_it() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    let folder = bench.path("look");
    fs::create_dir(&folder).unwrap();
    let tar = Command::new("tar")
        .arg("-xf")
        .arg(&file)
        .arg("-C")
        .arg(&folder)
        .status();
    assert!(tar.unwrap().success());
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stderr));
    assert_eq!(
        String::from_utf8(sums.stdout).unwrap().lines().count(),
        3,
        "manifest, service, ledger"
    );
    let ledger = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    let count: i64 = ledger
        .query_row("SELECT count(*) FROM delivery", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn a_file_that_is_there_is_never_replaced() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    fs::write(&file, "precious").unwrap();
    let failure = Failure::from(bench.store.backup(&file, None, &mut |_| ()).unwrap_err());
    assert_eq!(failure.code, "HOME-005");
    assert!(failure.message.contains("is there already"), "{failure}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(
        bench
            .store
            .backup(&bench.path("none/backup.tar"), None, &mut |_| ())
            .is_err()
    );
    assert_eq!(
        names_in(bench.path("x").parent().unwrap()),
        ["backup.tar", "home"]
    );
}

#[tokio::test]
async fn it_shows_one_moment_while_others_write() {
    let bench = with_something().await;
    let store = bench.store.clone();
    let writer = tokio::spawn(async move {
        for number in 0..60 {
            let new = crate::bench::delivery(&format!("late-{number}"), "text");
            store.enrol(vec![new]).await.unwrap();
        }
    });
    let (store, file) = (bench.store.clone(), bench.path("backup.tar"));
    let report = tokio::task::spawn_blocking(move || store.backup(&file, None, &mut |_| ()))
        .await
        .unwrap()
        .unwrap();
    writer.await.unwrap();
    let key = bench.home.key_path();
    let how = Restore {
        key: Some(&key),
        ..Restore::default()
    };
    let restored = back(&report.path, &bench.path("new"), &how).unwrap();
    let whole = Store::open(&restored.home).unwrap().verify_chain().unwrap();
    assert!(whole.is_whole(), "rows and links of one moment: {whole:?}");
    assert_eq!(whole.deliveries, report.manifest.deliveries);
}

#[tokio::test]
async fn a_wrong_or_damaged_file_changes_nothing() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    let whole = fs::read(&file).unwrap();
    let key = bench.home.key_path();
    let how = Restore {
        key: Some(&key),
        force: true,
        ..Restore::default()
    };
    let ledger_at = whole
        .windows(16)
        .position(|part| part == b"SQLite format 3\0")
        .unwrap();
    let altered = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (what, bytes, words) in [
        ("empty", Vec::new(), "is not a backup"),
        (
            "a ledger",
            fs::read(bench.home.ledger_path()).unwrap(),
            "is not a backup",
        ),
        ("text", b"hello".to_vec(), "is not a backup"),
        (
            "a byte of the ledger",
            altered(ledger_at + 5000),
            "does not have its checksum",
        ),
        ("a byte of the manifest", altered(512 + 120), "damaged"),
        ("a byte of a header", altered(ledger_at - 400), "damaged"),
        ("cut in the ledger", whole[..ledger_at + 9000].to_vec(), "cut off"),
        (
            "cut before the sums",
            whole[..whole.len() - 3072].to_vec(),
            "damaged",
        ),
    ] {
        let wrong = bench.path("wrong.tar");
        fs::write(&wrong, bytes).unwrap();
        for target in ["new", "home"] {
            let failure = Failure::from(back(&wrong, &bench.path(target), &how).unwrap_err());
            assert_eq!(failure.code, "HOME-005", "{what}: {failure}");
            assert!(failure.message.contains(words), "{what}: {failure}");
        }
    }
    assert_eq!(
        names_in(bench.path("x").parent().unwrap()),
        ["backup.tar", "home", "wrong.tar"]
    );
    let failure = Failure::from(back(&bench.path("none"), &bench.path("new"), &how).unwrap_err());
    assert!(failure.message.contains("could not read"), "{failure}");
}

#[tokio::test]
async fn a_home_that_is_there_stays_unless_forced() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    let path = bench.home.path().to_owned();
    let refused = back(&file, &path, &Restore::default()).unwrap_err();
    assert!(matches!(refused, StoreError::HomeExists { .. }));
    let force = Restore {
        force: true,
        ..Restore::default()
    };
    assert!(
        matches!(back(&file, &path, &force), Err(StoreError::Driven { .. })),
        "its runs are driven"
    );
    drop(bench.lock);
    // The key of the home that it replaces fits.
    let restored = back(&file, &path, &force).unwrap();
    let aside = restored.set_aside.unwrap();
    assert!(aside.join("ledger.db").exists() && aside.join("services/odd name").exists());
    assert!(
        aside.to_string_lossy().contains("home.before-restore-"),
        "{aside:?}"
    );
    assert!(
        Store::open(&Home::open(&path).unwrap())
            .unwrap()
            .restoration()
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_left_alone() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    let key = bench.home.key_path();
    let how = Restore {
        key: Some(&key),
        force: true,
        ..Restore::default()
    };
    let target = bench.path("project");
    fs::create_dir_all(target.join("services")).unwrap();
    fs::write(target.join("services/mine.yaml"), "x").unwrap();
    let failure = Failure::from(back(&file, &target, &how).unwrap_err());
    assert!(failure.message.contains("service files"), "{failure}");
    fs::write(target.join("main.c"), "x").unwrap();
    let failure = Failure::from(back(&file, &target, &how).unwrap_err());
    assert!(failure.message.contains("main.c"), "{failure}");
    assert_eq!(names_in(&target), ["main.c", "services"]);
}

#[tokio::test]
async fn a_return_that_was_cut_off_is_no_home_and_can_be_done_again() {
    let bench = with_something().await;
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    let key = bench.home.key_path();
    let how = Restore {
        key: Some(&key),
        ..Restore::default()
    };
    let target = bench.path("new");
    back(&file, &target, &how).unwrap();
    // As it is right before the last move.
    fs::rename(target.join("ledger.db"), target.join("ledger.db.restoring")).unwrap();
    for error in [
        Home::open(&target).unwrap_err(),
        Home::create(&target).unwrap_err(),
    ] {
        let failure = Failure::from(error);
        assert_eq!(failure.code, "HOME-002");
        assert!(failure.message.contains("has not come back whole"), "{failure}");
    }
    back(&file, &target, &how).unwrap();
    assert!(Store::open(&Home::open(&target).unwrap()).is_ok());
}

#[tokio::test]
async fn the_key_is_not_in_it_unless_it_is_locked_in_it() {
    let bench = with_something().await;
    bench
        .store
        .put_credentials(
            &name("company-x"),
            tailorbird_store::CredentialChange {
                client_key: Some("the key".into()),
                client_secret: Some("the secret".into()),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    let key = fs::read_to_string(bench.home.key_path())
        .unwrap()
        .trim()
        .to_owned();
    let (plain, locked) = (bench.path("plain.tar"), bench.path("locked.tar"));
    let passphrase = Passphrase::new(PASSPHRASE.to_owned()).unwrap();
    bench.store.backup(&plain, None, &mut |_| ()).unwrap();
    let report = bench
        .store
        .backup(&locked, Some(&passphrase), &mut |_| ())
        .unwrap();
    assert!(report.manifest.key.is_some());
    for file in [&plain, &locked] {
        let bytes = fs::read(file).unwrap();
        for secret in [key.as_str(), PASSPHRASE, "the secret"] {
            let is_in = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!is_in, "{secret:?} is in {file:?}");
        }
    }
    let code = |file: &Path, how: &Restore<'_>| {
        let failure = Failure::from(back(file, &bench.path("new"), how).unwrap_err());
        assert_eq!(failure.code, "HOME-003", "{failure}");
        assert!(!bench.path("new").exists());
        failure.message + &failure.hint
    };
    let given = |passphrase| Restore {
        passphrase: Some(passphrase),
        ..Restore::default()
    };
    assert!(code(&plain, &Restore::default()).contains("--key"));
    assert!(code(&locked, &Restore::default()).contains("--passphrase"));
    assert!(code(&plain, &given(&passphrase)).contains("not in this backup"));
    let wrong = Passphrase::new("another passphrase".to_owned()).unwrap();
    assert!(code(&locked, &given(&wrong)).contains("does not open"));
    let other = Bench::new();
    let other_key = other.home.key_path();
    let foreign = Restore {
        key: Some(&other_key),
        ..Restore::default()
    };
    assert!(code(&plain, &foreign).contains("does not fit"));

    let restored = back(&locked, &bench.path("new"), &given(&passphrase)).unwrap();
    let store = Store::open(&restored.home).unwrap();
    let credentials = store.open_credentials(&name("company-x")).unwrap();
    assert_eq!(credentials.client.unwrap().key, "the key");
}
