//! Fuzz targets: backups, keys, locks and what a person types about a delivery are read or refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_store::{DriveLock, Home, Restore, Store, restore};

use crate::bench::Bench;

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt, spoilt_bytes};

/// A good backup and the key of its home.
static BACKUP: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let bench = Bench::new();
    fs::create_dir(bench.home.services_path()).unwrap();
    fs::write(bench.home.services_path().join("own.yaml"), "service: own\n").unwrap();
    let file = bench.path("backup.tar");
    bench.store.backup(&file, None, &mut |_| ()).unwrap();
    (fs::read(file).unwrap(), fs::read(bench.home.key_path()).unwrap())
});

/// The key in a file that only its owner may read: others are refused.
fn put_key(path: &Path) {
    fs::write(path, &BACKUP.1).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Where the entries of the backup begin: spoiling the ledger's pages only tests its checksum.
fn heads(backup: &[u8]) -> Vec<usize> {
    (0..backup.len())
        .step_by(512)
        .filter(|at| backup[*at..].get(257..262) == Some(b"ustar"))
        .collect()
}

proptest! {
    #![proptest_config(fewer(4))]

    #[test]
    fn backups(entry: prop::sample::Index, spoiler in spoilt_bytes(vec![vec![]]), at in 0..700_usize, bit in 0..8_u8, cut in prop::option::of(any::<prop::sample::Index>())) {
        let mut bytes = BACKUP.0.clone();
        let heads = heads(&bytes);
        let place = heads[entry.index(heads.len())] + at;
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << bit;
        }
        drop(bytes.splice(place.min(bytes.len())..place.min(bytes.len()), spoiler));
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let (file, target) = (folder.path().join("b.tar"), folder.path().join("home"));
        fs::write(&file, &bytes).unwrap();
        let key = folder.path().join("key");
        put_key(&key);
        let how = Restore { key: Some(&key), ..Restore::default() };
        // Whole or nothing: a home that a spoilt file leaves behind would be believed.
        match restore(&file, &target, &how, &mut |_| ()) {
            Ok(_) => drop(Store::open(&Home::open(&target).unwrap()).unwrap()),
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert!(!target.exists(), "{error}");
            }
        }
    }

    #[test]
    fn keys_and_locks(key in spoilt(vec!["0f".repeat(32)], &["0", "f", "g", "é", "\n", " ", "\u{0}"]), note in spoilt(vec!["{\"pid\":1,\"epoch\":\"x\",\"serving\":true}".to_owned()], &["{", "}", "\"", "-1", "null", ",", "18446744073709551616"])) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path().join("home")).unwrap();
        fs::write(home.key_path(), &key).unwrap();
        fs::write(home.path().join("drive.lock"), &note).unwrap();
        if let Err(error) = Store::open(&home) {
            prop_assert!(!error.to_string().contains(&key) || key.len() < 8, "an error never repeats a key");
        }
        prop_assert_eq!(DriveLock::holder(&home).unwrap(), None, "a note without a lock holds nothing");
        drop(DriveLock::is_served(&home));
        drop(DriveLock::acquire(&home).unwrap());
    }

    #[test]
    fn words_for_a_delivery(text in spoilt(["17", "#17", "A-1", "product-A-1"].map(str::to_owned).into(), &["#", "-", "9223372036854775808", "'", "%", "\u{0}", "é", " "])) {
        static FILLED: LazyLock<Bench> = LazyLock::new(Bench::new);
        if let Ok(found) = FILLED.store.find_delivery(&text) {
            prop_assert_ne!(found.state, DeliveryState::InDoubt);
        }
    }
}

#[test]
fn the_backup_that_is_spoilt_was_good() {
    let folder = tempfile::tempdir().unwrap();
    let [file, key, target] = ["b.tar", "key", "home"].map(|name| folder.path().join(name));
    fs::write(&file, &BACKUP.0).unwrap();
    put_key(&key);
    let how = Restore {
        key: Some(&key),
        ..Restore::default()
    };
    assert_eq!(restore(&file, &target, &how, &mut |_| ()).unwrap().services, 1);
}
