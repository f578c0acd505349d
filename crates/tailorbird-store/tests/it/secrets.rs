//! Security rule 8: sealed under their place, never in the files, never in Debug.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tailorbird_model::Failure;
use tailorbird_model::ports::CredentialVault as _;
use tailorbird_oauth::TemporaryCredentials;
use tailorbird_store::{
    CallbackTaken, CredentialChange, Home, PendingAuthorization, SecretField, Store, StoreError,
    TakenAuthorization,
};

use crate::bench::{Bench, name};

const CANARIES: [&str; 5] = [
    "canary-client-key",
    "canary-client-secret",
    "canary-token",
    "canary-token-secret",
    "canary-rsa-key",
];

fn all() -> CredentialChange {
    CredentialChange {
        client_key: Some(CANARIES[0].into()),
        client_secret: Some(CANARIES[1].into()),
        token: Some(CANARIES[2].into()),
        token_secret: Some(CANARIES[3].into()),
        rsa_private_key: Some(CANARIES[4].into()),
    }
}

fn pending(bench: &Bench, token: &str) -> PendingAuthorization {
    PendingAuthorization {
        connection: name("company-x"),
        temporary: TemporaryCredentials::new(token, "canary-temporary-secret"),
        callback: "oob".to_owned(),
        started_at: bench.now(),
        expires_at: bench.after(600),
        browser: None,
        verifier: None,
    }
}

#[tokio::test]
async fn credentials_come_back_and_single_fields_can_be_replaced() {
    let bench = Bench::new();
    let (store, connection) = (&bench.store, name("company-x"));
    let empty = store.credentials(&connection).unwrap();
    assert!(empty.client.is_none() && empty.token.is_none() && empty.rsa_private_key.is_none());

    store.put_credentials(&connection, all()).await.unwrap();
    let opened = store.credentials(&connection).unwrap();
    let client = opened.client.unwrap();
    assert_eq!(
        (client.key.as_str(), client.secret.expose_for_sealing()),
        (CANARIES[0], CANARIES[1])
    );
    assert!(client.rsa_private_key.is_some());
    let token = opened.token.unwrap();
    assert_eq!(
        (token.token.as_str(), token.secret.expose_for_sealing()),
        (CANARIES[2], CANARIES[3])
    );

    let change = CredentialChange {
        client_secret: Some("new".into()),
        ..CredentialChange::default()
    };
    store.put_credentials(&connection, change).await.unwrap();
    let client = store.credentials(&connection).unwrap().client.unwrap();
    assert_eq!(
        (client.key.as_str(), client.secret.expose_for_sealing()),
        (CANARIES[0], "new")
    );

    store
        .remove_credentials(&connection, &[SecretField::TokenSecret])
        .await
        .unwrap();
    assert!(store.credentials(&connection).unwrap().token.is_none());
    let mut fields: Vec<_> = store
        .credential_fields(&connection)
        .unwrap()
        .into_iter()
        .map(|(field, _)| field.as_str())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        ["client_key", "client_secret", "rsa_private_key", "token"]
    );
}

#[tokio::test]
async fn a_client_key_alone_is_incomplete_and_with_an_rsa_key_it_is_not() {
    let bench = Bench::new();
    let (store, connection) = (&bench.store, name("company-x"));
    let key = CredentialChange {
        client_key: Some("key".into()),
        ..CredentialChange::default()
    };
    store.put_credentials(&connection, key).await.unwrap();
    assert!(store.credentials(&connection).unwrap().client.is_none());
    let rsa = CredentialChange {
        rsa_private_key: Some("pem".into()),
        ..CredentialChange::default()
    };
    store.put_credentials(&connection, rsa).await.unwrap();
    assert!(store.credentials(&connection).unwrap().client.is_some());
}

#[tokio::test]
async fn no_secret_is_in_any_file_of_the_home_or_in_debug() {
    let bench = Bench::new();
    bench
        .store
        .put_credentials(&name("company-x"), all())
        .await
        .unwrap();
    bench
        .store
        .put_pending_authorization(pending(&bench, "canary-temporary-token"))
        .await
        .unwrap();
    bench.store.rotate_key().await.unwrap();
    let mut read = 0;
    for entry in fs::read_dir(bench.home.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        read += bytes.len();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("canary"), "a canary is in a file of the home");
    }
    assert!(read > 50_000, "the database was among what was read");
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        all(),
        bench.store,
        bench.store.credentials(&name("company-x")).unwrap(),
        pending(&bench, "canary-temporary-token")
    );
    for canary in [
        "canary-client-secret",
        "canary-token-secret",
        "canary-rsa-key",
        "canary-temporary-secret",
    ] {
        assert!(!shown.contains(canary), "{shown}");
    }
}

#[tokio::test]
async fn a_row_that_is_moved_or_altered_does_not_open() {
    for tamper in [
        // The client secret of one connection in place of another's.
        "UPDATE secret SET (nonce, sealed) = (SELECT nonce, sealed FROM secret WHERE owner = 'b' AND field = 'client_secret')
         WHERE owner = 'company-x' AND field = 'client_secret'",
        // The token secret as client secret of the same connection.
        "UPDATE secret SET (nonce, sealed) = (SELECT nonce, sealed FROM secret WHERE owner = 'company-x' AND field = 'token_secret')
         WHERE owner = 'company-x' AND field = 'client_secret'",
        "UPDATE secret SET sealed = zeroblob(40) WHERE owner = 'company-x' AND field = 'client_secret'",
        "UPDATE secret SET nonce = zeroblob(24) WHERE owner = 'company-x' AND field = 'client_secret'",
    ] {
        let bench = Bench::new();
        bench.store.put_credentials(&name("company-x"), all()).await.unwrap();
        bench.store.put_credentials(&name("b"), all()).await.unwrap();
        assert_eq!(bench.raw().execute(tamper, []).unwrap(), 1);
        let error = bench.store.open_credentials(&name("company-x")).unwrap_err();
        assert!(matches!(&error, StoreError::Sealed { field, .. } if field == "client_secret"), "{error:?}");
        let failure = Failure::from(error);
        assert_eq!(failure.code, "HOME-003");
        assert!(bench.store.open_credentials(&name("b")).is_ok());
    }
}

#[tokio::test]
async fn another_key_is_refused_at_the_door() {
    let bench = Bench::new();
    bench
        .store
        .put_credentials(&name("company-x"), all())
        .await
        .unwrap();
    let other = Home::create(bench.path("other")).unwrap();
    fs::copy(other.key_path(), bench.home.key_path()).unwrap();
    let failure = Failure::from(Store::open(&bench.home).unwrap_err());
    assert_eq!(failure.code, "HOME-003");
    assert!(failure.message.contains("does not fit"), "{}", failure.message);
    fs::write(bench.home.key_path(), "short").unwrap();
    assert_eq!(
        Failure::from(Store::open(&bench.home).unwrap_err()).code,
        "HOME-003"
    );
}

#[tokio::test]
async fn rotation_changes_the_key_and_keeps_every_secret() {
    let bench = Bench::new();
    let connection = name("company-x");
    bench.store.put_credentials(&connection, all()).await.unwrap();
    bench.enrol(&["a"]).await;
    // A second process that has the old key in memory.
    let other = Store::open_with_clock(&bench.home, bench.clock()).unwrap();
    let before = fs::read(bench.home.key_path()).unwrap();
    bench.store.rotate_key().await.unwrap();
    assert_ne!(fs::read(bench.home.key_path()).unwrap(), before);
    assert!(!bench.home.path().join("sealing.key.new").exists());
    for store in [&bench.store, &other] {
        assert!(store.credentials(&connection).unwrap().client.is_some());
        store.put_credentials(&connection, all()).await.unwrap();
    }
    drop(other);
    let bench = bench.restart();
    assert!(bench.store.credentials(&connection).unwrap().token.is_some());
    assert!(
        bench.store.verify_chain().unwrap().is_whole(),
        "the chain's key outlives the rotation"
    );
}

#[tokio::test]
async fn a_rotation_that_was_cut_off_leaves_a_home_that_opens() {
    let bench = Bench::new();
    bench
        .store
        .put_credentials(&name("company-x"), all())
        .await
        .unwrap();
    // Cut off before the secrets changed: the new key lies beside the old one, which still fits.
    fs::copy(
        Home::create(bench.path("other")).unwrap().key_path(),
        bench.home.path().join("sealing.key.new"),
    )
    .unwrap();
    let bench = bench.restart();
    assert!(
        bench
            .store
            .credentials(&name("company-x"))
            .unwrap()
            .client
            .is_some()
    );
    // Cut off after they changed and before the rename: the new key fits and takes the old one's place.
    let old = fs::read(bench.home.key_path()).unwrap();
    bench.store.rotate_key().await.unwrap();
    fs::rename(bench.home.key_path(), bench.home.path().join("sealing.key.new")).unwrap();
    fs::write(bench.home.key_path(), old).unwrap();
    fs::set_permissions(bench.home.key_path(), fs::Permissions::from_mode(0o600)).unwrap();
    let bench = bench.restart();
    assert!(
        bench
            .store
            .credentials(&name("company-x"))
            .unwrap()
            .client
            .is_some()
    );
    assert!(!bench.home.path().join("sealing.key.new").exists());
}

#[tokio::test]
async fn a_pending_authorization_is_taken_once_and_in_time() {
    let bench = Bench::new();
    let (store, connection) = (&bench.store, name("company-x"));
    assert_eq!(
        store.take_pending_authorization(&connection).await.unwrap(),
        TakenAuthorization::Absent
    );

    let first = pending(&bench, "token-1");
    store.put_pending_authorization(first.clone()).await.unwrap();
    let second = pending(&bench, "token-2");
    store.put_pending_authorization(second.clone()).await.unwrap();
    assert_eq!(
        store.pending_authorization(&connection).unwrap(),
        Some(second.clone())
    );
    let taken = store.take_pending_authorization(&connection).await.unwrap();
    assert_eq!(
        taken,
        TakenAuthorization::Ready(second),
        "a second start ends the first"
    );
    assert_eq!(
        store.take_pending_authorization(&connection).await.unwrap(),
        TakenAuthorization::Absent
    );

    store.put_pending_authorization(first.clone()).await.unwrap();
    bench.advance(600);
    let late = store.take_pending_authorization(&connection).await.unwrap();
    assert_eq!(late, TakenAuthorization::Expired { at: first.expires_at });
    let count: i64 = bench
        .raw()
        .query_row(
            "SELECT count(*) FROM secret WHERE owner_kind = 'pending_authorization'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(count, 0, "nothing of it stays behind");
}

#[tokio::test]
async fn a_removed_connection_leaves_no_secret() {
    let bench = Bench::new();
    let connection = tailorbird_model::connection::Connection {
        connection: name("company-x"),
        service: name("x"),
        settings: std::collections::BTreeMap::new(),
        account: None,
        level: None,
        authorized_at: None,
    };
    bench.store.put_connection(connection, all()).await.unwrap();
    bench
        .store
        .put_pending_authorization(pending(&bench, "t"))
        .await
        .unwrap();
    bench.store.remove_connection(&name("company-x")).await.unwrap();
    let left: Vec<String> = bench
        .raw()
        .prepare("SELECT owner_kind FROM secret")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(left, ["home"], "only the chain's key is left");
}

#[tokio::test]
async fn a_callback_counts_once_and_only_from_the_browser_that_began() {
    let bench = Bench::new();
    let (store, connection) = (&bench.store, name("company-x"));
    let (mine, others) = ([7; 32], [8; 32]);
    let begun = PendingAuthorization {
        browser: Some(mine),
        ..pending(&bench, "token-1")
    };
    let verifier = || Some(tailorbird_oauth::TokenSecret::new("canary-verifier"));
    store.put_pending_authorization(begun.clone()).await.unwrap();
    for (token, browser, expected) in [
        ("token-0", mine, CallbackTaken::Absent),
        ("token-1", others, CallbackTaken::OtherBrowser),
        ("token-1", mine, CallbackTaken::Taken(connection.clone())),
        ("token-1", mine, CallbackTaken::Again(connection.clone())),
        ("token-1", others, CallbackTaken::OtherBrowser),
    ] {
        let taken = store.take_callback(token, browser, verifier()).await.unwrap();
        assert_eq!(taken, expected, "{token}");
    }
    // It stands over a restart, sealed.
    let bench = bench.restart();
    let store = &bench.store;
    let kept = store.pending_authorization(&connection).unwrap().unwrap();
    assert_eq!(kept.verifier, verifier());
    assert!(!format!("{kept:?}").contains("canary"), "{kept:?}");
    let raw = fs::read(bench.home.path().join("ledger.db")).unwrap();
    assert!(!raw.windows(15).any(|some| some == b"canary-verifier"));

    // A refusal ends the attempt; one that an old attempt brings does nothing more.
    store.put_pending_authorization(begun.clone()).await.unwrap();
    let denied = store.take_callback("token-1", mine, None).await.unwrap();
    assert_eq!(denied, CallbackTaken::Taken(connection.clone()));
    assert_eq!(store.pending_authorization(&connection).unwrap(), None);
    store.put_pending_authorization(begun.clone()).await.unwrap();
    bench.advance(600);
    let late = store.take_callback("token-1", mine, verifier()).await.unwrap();
    assert_eq!(late, CallbackTaken::Expired(connection.clone()));
    assert_eq!(store.pending_authorization(&connection).unwrap(), None);
    // What was begun by no browser is finished by none.
    let begun = pending(&bench, "token-2");
    store.put_pending_authorization(begun).await.unwrap();
    let taken = store.take_callback("token-2", mine, verifier()).await.unwrap();
    assert_eq!(taken, CallbackTaken::OtherBrowser);
}

#[tokio::test]
async fn a_new_sealing_key_makes_no_secret_younger() {
    let bench = Bench::new();
    let connection = name("company-x");
    bench.store.put_credentials(&connection, all()).await.unwrap();
    let set = bench.store.credential_fields(&connection).unwrap();
    bench.advance(60);
    bench.store.rotate_key().await.unwrap();
    assert_eq!(bench.store.credential_fields(&connection).unwrap(), set);
}
