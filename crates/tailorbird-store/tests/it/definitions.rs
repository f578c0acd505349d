//! Services, connections, databases, tasks.

use tailorbird_model::Failure;
use tailorbird_model::connection::Connection;
use tailorbird_model::database::{Database, DatabaseKind};
use tailorbird_store::{Applied, CredentialChange, ServiceFile, StoreError};

use crate::bench::{Bench, name};

fn connection(root: &str) -> Connection {
    Connection {
        connection: name("company-x"),
        service: name("x"),
        settings: [("root_url".to_owned(), root.to_owned())].into(),
        account: None,
        level: None,
        authorized_at: None,
    }
}

#[tokio::test]
async fn definitions_come_back_as_they_went_in() {
    let bench = Bench::new();
    let store = &bench.store;
    let service = ServiceFile {
        name: name("crm"),
        yaml: "service: crm\n".to_owned(),
    };
    store.put_service(service.clone()).await.unwrap();
    assert_eq!(store.service(&name("crm")).unwrap().unwrap().value, service);
    assert_eq!(store.services().unwrap().len(), 1);

    let database = Database {
        database: name("erp"),
        kind: DatabaseKind::Sqlite,
        settings: [("path".to_owned(), "erp.db".to_owned())].into(),
        writable: true,
    };
    store.put_database(database.clone()).await.unwrap();
    assert_eq!(store.database(&name("erp")).unwrap().unwrap().value, database);

    store
        .put_connection(connection("http://127.0.0.1:1"), CredentialChange::default())
        .await
        .unwrap();
    let made = store.connection(&name("company-x")).unwrap().unwrap();
    bench.advance(5);
    store
        .put_connection(connection("http://127.0.0.1:2"), CredentialChange::default())
        .await
        .unwrap();
    let changed = store.connection(&name("company-x")).unwrap().unwrap();
    assert_eq!(changed.value, connection("http://127.0.0.1:2"));
    assert_eq!(
        (changed.created_at, changed.updated_at),
        (made.created_at, bench.now())
    );
    assert_eq!(store.connections().unwrap(), [changed]);
    assert_eq!(store.connection(&name("other")).unwrap(), None);
}

#[tokio::test]
async fn what_is_removed_is_gone_and_what_is_not_there_is_named() {
    let bench = Bench::new();
    let store = &bench.store;
    store
        .put_connection(connection("http://127.0.0.1:1"), CredentialChange::default())
        .await
        .unwrap();
    store.remove_connection(&name("company-x")).await.unwrap();
    for (failure, code) in [
        (store.remove_connection(&name("company-x")).await, "CONN-001"),
        (store.remove_database(&name("erp")).await, "DB-001"),
        (store.remove_service(&name("crm")).await, "SVC-001"),
        (store.remove_task(&name("announce")).await, "TASK-001"),
        (store.set_task_enabled(&name("announce"), false).await, "TASK-001"),
    ] {
        assert_eq!(Failure::from(failure.unwrap_err()).code, code);
    }
}

#[tokio::test]
async fn a_changed_task_is_a_new_version_and_the_old_one_stays() {
    let bench = Bench::new();
    let store = &bench.store;
    let task = name("announce");
    assert_eq!(
        store.apply_task(&task, "one").await.unwrap(),
        Applied::Created { version: 1 }
    );
    assert_eq!(
        store.apply_task(&task, "one").await.unwrap(),
        Applied::Unchanged { version: 1 }
    );
    store.set_task_enabled(&task, false).await.unwrap();
    assert_eq!(
        store.apply_task(&task, "two").await.unwrap(),
        Applied::Changed { version: 2 }
    );
    let current = store.task(&task).unwrap().unwrap();
    assert_eq!(
        (current.version, current.yaml.as_str(), current.enabled),
        (2, "two", false)
    );
    assert_eq!(store.task_version(&task, 1).unwrap().unwrap().yaml, "one");

    store.remove_task(&task).await.unwrap();
    assert_eq!(store.task(&task).unwrap(), None);
    assert!(store.tasks().unwrap().is_empty());
    assert_eq!(store.task_version(&task, 2).unwrap().unwrap().yaml, "two");
    assert_eq!(
        store.apply_task(&task, "two").await.unwrap(),
        Applied::Created { version: 3 }
    );
    assert!(store.task(&task).unwrap().unwrap().enabled);
}

#[tokio::test]
async fn a_task_that_was_changed_meanwhile_is_not_overwritten() {
    let bench = Bench::new();
    let store = &bench.store;
    let task = name("announce");
    let saved = store.apply_task_over(&task, "one", 0).await.unwrap();
    assert_eq!(saved, Applied::Created { version: 1 });
    let refused = store.apply_task_over(&task, "another one", 0).await.unwrap_err();
    assert_eq!(refused.code(), "TASK-005", "it is there by now");
    store.apply_task_over(&task, "mine", 1).await.unwrap();
    let refused = store.apply_task_over(&task, "yours", 1).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Overtaken { version: 2, .. }),
        "{refused:?}"
    );
    assert_eq!(store.task(&task).unwrap().unwrap().yaml, "mine");
    let versions = store.task_versions(&task).unwrap();
    let told: Vec<(i64, &str)> = versions
        .iter()
        .map(|one| (one.version, one.yaml.as_str()))
        .collect();
    assert_eq!(told, [(2, "mine"), (1, "one")]);
    store.remove_task(&task).await.unwrap();
    let refused = store.apply_task_over(&task, "yours", 2).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Overtaken { version: 0, .. }),
        "{refused:?}"
    );
    assert!(store.apply_task_over(&task, "yours", 0).await.is_ok());
}

#[tokio::test]
async fn a_change_sees_what_is_stored_at_the_moment_of_the_commit() {
    let bench = Bench::new();
    let store = &bench.store;
    let none = CredentialChange::default;
    let company = name("company-x");
    let made = store
        .change_connection(&company, none(), |stored| {
            assert_eq!(stored, None);
            Some(connection("http://127.0.0.1:1"))
        })
        .await
        .unwrap();
    assert!(made);
    let told = store
        .change_connection(&company, none(), |stored| {
            let mut stored = stored.unwrap();
            stored.level = Some("read".to_owned());
            Some(stored)
        })
        .await
        .unwrap();
    assert!(told);
    let refused = store
        .change_connection(&company, none(), |stored| {
            assert_eq!(stored.unwrap().level.as_deref(), Some("read"));
            None
        })
        .await
        .unwrap();
    assert!(!refused);
    let now = store.connection(&company).unwrap().unwrap().value;
    assert_eq!(now.level.as_deref(), Some("read"));
    assert_eq!(now.settings, connection("http://127.0.0.1:1").settings);
}

#[tokio::test]
async fn a_service_file_is_replaced_only_where_it_is_what_it_was() {
    let bench = Bench::new();
    let store = &bench.store;
    let file = |yaml: &str| ServiceFile {
        name: name("crm"),
        yaml: yaml.to_owned(),
    };
    let mark = store.services_mark().unwrap();
    assert!(store.replace_service(file("one"), None).await.unwrap());
    assert_ne!(store.services_mark().unwrap(), mark);
    assert!(!store.replace_service(file("two"), None).await.unwrap(), "taken");
    let before = || Some("one".to_owned());
    assert!(store.replace_service(file("two"), before()).await.unwrap());
    assert!(!store.replace_service(file("three"), before()).await.unwrap());
    let now = store.service(&name("crm")).unwrap().unwrap().value;
    assert_eq!(now.yaml, "two");
}
