//! Stored secrets stay with their provider (security rule 5).

use super::AddConnection;
use crate::{App, SecretsInput};

const HERE: &str = "http://127.0.0.1:1";
const ELSEWHERE: &str = "http://127.0.0.1:2";

async fn with_connection() -> (tempfile::TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let (app, _) = App::create(&folder.path().join("home")).unwrap();
    let secrets = r#"{"client_key":"k","client_secret":"canary-secret"}"#;
    let mut first = set(HERE, Some(secrets));
    first.service = Some("generic-oauth1".parse().unwrap());
    assert!(app.add_connection(first).await.unwrap().warnings.is_empty());
    (folder, app)
}

fn set(root: &str, secrets: Option<&str>) -> AddConnection {
    AddConnection {
        name: "crm".parse().unwrap(),
        service: None,
        settings: vec![("root_url".to_owned(), root.to_owned())],
        secrets: secrets.map(|text| SecretsInput::from_json(text).unwrap()),
    }
}

fn root_of(app: &App) -> Option<String> {
    app.connection(&"crm".parse().unwrap()).unwrap().root_url
}

#[tokio::test]
async fn an_imported_file_does_not_lead_stored_secrets_elsewhere() {
    let (_folder, app) = with_connection().await;
    let file = |name: &str, root: &str| {
        format!(
            "connection: {name}\nservice: generic-oauth1\nsettings:\n  root_url: \"{root}\"\n  signature_method: PLAINTEXT\n"
        )
    };
    let before = root_of(&app);
    let refused = app
        .import_connection("crm.yaml", &file("crm", ELSEWHERE))
        .await
        .unwrap_err();
    assert_eq!(refused.failure.code, "CONN-002");
    assert!(refused.is_usage());
    assert!(
        refused.failure.detail.contains(HERE) && refused.failure.detail.contains(ELSEWHERE),
        "{refused:?}"
    );
    assert_eq!(root_of(&app), before);

    // The same addresses, and the same file under a name that has no secrets, are welcome.
    app.import_connection("crm.yaml", &file("crm", HERE))
        .await
        .unwrap();
    app.import_connection("crm.yaml", &file("crm-2", ELSEWHERE))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_person_who_leads_stored_secrets_elsewhere_is_told() {
    let (_folder, app) = with_connection().await;
    let told = app.add_connection(set(ELSEWHERE, None)).await.unwrap().warnings;
    assert!(told.iter().any(|warning| warning.contains(ELSEWHERE)), "{told:?}");
    assert!(!format!("{told:?}").contains("canary"), "{told:?}");
    let again = app.add_connection(set(ELSEWHERE, None)).await.unwrap().warnings;
    assert!(again.is_empty(), "{again:?}");
    let fresh = r#"{"client_key":"k2","client_secret":"s2"}"#;
    let renewed = app
        .add_connection(set("http://127.0.0.1:3", Some(fresh)))
        .await
        .unwrap();
    assert!(renewed.warnings.is_empty(), "{:?}", renewed.warnings);
}

#[tokio::test]
async fn a_service_that_is_replaced_tells_whose_secrets_follow_it() {
    let (folder, app) = with_connection().await;
    let file = |root: &str| {
        format!(
            "service: shop\ntitle: Shop\nroot_url: {root}\nauthentication:\n  oauth1:\n    \
             temporary_credentials_url: {root}/oauth/request_token\n    authorization_url: {root}/oauth/authorize\n    \
             token_url: {root}/oauth/access_token\n"
        )
    };
    let first = app
        .add_services("shop.yaml", &file("https://shop.example"))
        .await
        .unwrap();
    assert_eq!(
        (first.names, first.warnings),
        (vec!["shop".to_owned()], Vec::new())
    );

    let app = App::open(&folder.path().join("home")).unwrap();
    let mut uses = set("", Some(r#"{"client_key":"k","client_secret":"canary-secret"}"#));
    uses.name = "shop-main".parse().unwrap();
    uses.service = Some("shop".parse().unwrap());
    app.add_connection(uses).await.unwrap();
    let same = app
        .add_services("shop.yaml", &file("https://shop.example"))
        .await
        .unwrap();
    assert!(same.warnings.is_empty(), "{:?}", same.warnings);
    let moved = app
        .add_services("shop.yaml", &file("https://evil.example"))
        .await
        .unwrap();
    assert!(
        moved
            .warnings
            .iter()
            .any(|w| w.contains("shop-main") && w.contains("https://evil.example")),
        "{:?}",
        moved.warnings
    );
}
