//! Settings over service files, and what they refuse.

use tailorbird_connector::{Origin, check_credentials, check_settings, missing, resolve};
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Meaning, codes};
use tailorbird_oauth::{ClientCredentials, Placement, SignatureMethod, TokenCredentials};

use crate::fixtures::{connection, credentials, resolved, shipped};

fn refusal(service: &str, settings: &[(&str, &str)]) -> tailorbird_model::Failure {
    let service = shipped(service);
    let checked = check_settings(&service, &connection(&service, settings).settings);
    assert_eq!(checked.problems.len(), 1, "{:#?}", checked.problems);
    checked.problems.into_iter().next().unwrap()
}

#[test]
fn another_root_moves_the_whole_service_there() {
    let here = resolved(&shipped("x-1.1"), &[("root_url", "http://127.0.0.1:7081")]);
    let oauth = here.oauth1().unwrap();
    assert_eq!(
        oauth.token_url.as_ref().unwrap().as_str(),
        "http://127.0.0.1:7081/oauth/access_token"
    );
    assert_eq!(
        oauth.authorization_url.as_ref().unwrap().as_str(),
        "http://127.0.0.1:7081/oauth/authorize"
    );
    let only = Origin::parse("http://127.0.0.1:7081").unwrap();
    assert_eq!(here.origins.iter().collect::<Vec<_>>(), [&only]);
    assert_eq!(here.allowed_private.iter().collect::<Vec<_>>(), [&only]);
    let upload = tailorbird_connector::build(
        &here,
        "get_media_status",
        &crate::fixtures::arguments(&[("media_id", "1".into())]),
    );
    assert_eq!(
        upload.unwrap().url,
        "http://127.0.0.1:7081/1.1/media/upload.json?command=STATUS&media_id=1"
    );
}

#[test]
fn a_service_at_home_keeps_all_its_places() {
    let here = resolved(&shipped("x-1.1"), &[]);
    let origins: Vec<String> = here.origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://api.x.com", "https://upload.x.com"]);
    assert!(here.allowed_private.is_empty());
}

#[test]
fn an_address_that_is_set_stays_where_it_is() {
    let here = resolved(
        &shipped("x"),
        &[
            ("root_url", "http://127.0.0.1:7081"),
            ("token_url", "http://127.0.0.1:9/oauth/access_token"),
        ],
    );
    assert_eq!(here.oauth1().unwrap().token_url.as_ref().unwrap().port(), Some(9));
    assert!(
        here.origins
            .contains(&Origin::parse("http://127.0.0.1:9").unwrap())
    );
}

#[test]
fn connection_settings_win() {
    let here = resolved(
        &shipped("x"),
        &[
            ("signature_method", "RSA-SHA256"),
            ("placement", " query "),
            ("realm", "shop"),
        ],
    );
    let oauth = here.oauth1().unwrap();
    assert_eq!(oauth.signature_method, SignatureMethod::RsaSha256);
    assert_eq!(oauth.placement, Placement::Query);
    assert_eq!(oauth.realm.as_deref(), Some("shop"));
}

#[test]
fn the_tutorials_mistake_is_refused_with_the_right_address() {
    let refused = refusal(
        "x",
        &[("authorization_url", "https://api.twitter.com/oauth/access_token")],
    );
    assert_eq!(refused.code, codes::AUTHORIZE_URL_WRONG);
    assert_eq!(refused.meaning, Meaning::ConnectionFault);
    assert!(
        refused
            .message
            .contains("authorization_url holds the address that belongs into token_url"),
        "{refused}"
    );
    assert!(
        refused.hint.contains("https://api.x.com/oauth/authorize"),
        "{}",
        refused.hint
    );
    let reverse = refusal("x", &[("token_url", "http://127.0.0.1:1/oauth/authorize")]);
    assert_eq!(reverse.code, codes::AUTHORIZE_URL_WRONG);
    // A service that was moved to a sandbox gets the sandbox's address as the right one.
    let here = [
        ("root_url", "http://127.0.0.1:1"),
        ("authorization_url", "http://127.0.0.1:1/oauth/access_token"),
    ];
    let moved = refusal("x", &here);
    assert!(
        moved.hint.contains("http://127.0.0.1:1/oauth/authorize"),
        "{}",
        moved.hint
    );
    let equal = refusal(
        "generic-oauth1",
        &[
            ("authorization_url", "https://a.example/o"),
            ("token_url", "https://a.example/o"),
        ],
    );
    assert_eq!(equal.code, codes::AUTHORIZE_URL_WRONG);
    assert!(equal.message.contains("are the same address"), "{equal}");
}

#[test]
fn settings_that_cannot_be_are_refused_without_repeating_secrets() {
    for (name, value, words) in [
        (
            "root_url",
            "https://me:canary@api.example.com",
            "user name or password",
        ),
        ("root_url", "https://api.example.com/?a=1", "query"),
        ("root_url", "https://api.example.com/#top", "fragment"),
        ("root_url", "ftp://api.example.com", "only http and https"),
        ("root_url", "api.example.com", "not a complete address"),
        ("signature_method", "HMAC-MD5", "HMAC-SHA256"),
        ("placement", "cookie", "header, query, body"),
        (
            "root_ur",
            "https://api.example.com",
            "there is no connection setting",
        ),
        ("realm", "a\nb", "line break"),
    ] {
        let refused = refusal("generic-oauth1", &[(name, value)]);
        assert_eq!(refused.code, codes::CONNECTION_SETTING);
        assert!(refused.message.contains(words), "{refused}");
        assert!(!crate::fixtures::whole(&refused).contains("canary"));
    }
    assert!(
        refusal("x", &[("root_ur", "x")])
            .hint
            .contains("Did you mean \"root_url\"?")
    );
}

#[test]
fn slips_are_trimmed_with_a_note_or_warned_of() {
    let service = shipped("x");
    let checked = check_settings(
        &service,
        &connection(
            &service,
            &[("root_url", " http://api.example.com "), ("realm", "r")],
        )
        .settings,
    );
    assert!(checked.problems.is_empty());
    assert_eq!(checked.settings["root_url"], "http://api.example.com");
    assert!(checked.notes[0].contains("White space around root_url"));
    assert!(
        checked.warnings[0].contains("plain http"),
        "{:?}",
        checked.warnings
    );
    let loopback = check_settings(
        &service,
        &connection(&service, &[("root_url", "http://127.0.0.1:1")]).settings,
    );
    assert!(loopback.warnings.is_empty(), "{:?}", loopback.warnings);

    let key = "k".repeat(25);
    let secret = "s".repeat(50);
    let given = |key: &str, secret: &str| Credentials {
        client: Some(ClientCredentials::new(key, secret)),
        token: Some(TokenCredentials::new(" 42-abc", "in ner\n")),
        rsa_private_key: None,
        ..Credentials::default()
    };
    let right = check_credentials(&service, &given(&format!("{key} "), &secret));
    assert_eq!(right.credentials.client.as_ref().unwrap().key, key);
    assert_eq!(right.credentials.token.as_ref().unwrap().token, "42-abc");
    assert_eq!(
        right.credentials.token.unwrap().secret.expose_for_sealing(),
        "in ner"
    );
    assert_eq!(right.notes.len(), 3, "{:?}", right.notes);
    assert_eq!(right.warnings.len(), 1, "{:?}", right.warnings);
    let swapped = check_credentials(&service, &given(&secret, &key));
    assert!(
        swapped
            .warnings
            .iter()
            .any(|warning| warning.contains("API Key and API Key Secret look swapped"))
    );
    assert!(
        !format!("{swapped:?}").contains(&key),
        "no secret in what is shown"
    );
}

#[test]
fn an_incomplete_connection_says_what_is_missing_in_the_providers_words() {
    let here = resolved(&shipped("x-1.1"), &[]);
    let lacks = missing(&here, &Credentials::default());
    let labels: Vec<&str> = lacks.iter().map(|lack| lack.label.as_str()).collect();
    assert_eq!(labels, ["Consumer Key", "Shared Secret", "Access Token"]);
    assert!(missing(&here, &credentials()).is_empty());
    // Two-legged: nothing could hand out a token.
    let generic = resolved(&shipped("generic-oauth1"), &[("root_url", "http://127.0.0.1:1")]);
    assert!(
        missing(
            &generic,
            &Credentials {
                token: None,
                ..credentials()
            }
        )
        .is_empty()
    );
    let bare = resolved(&shipped("generic-oauth1"), &[("signature_method", "RSA-SHA1")]);
    let fields: Vec<&str> = missing(&bare, &Credentials::default())
        .iter()
        .map(|lack| lack.field)
        .collect();
    assert_eq!(fields, ["root_url", "client_key", "rsa_private_key"]);
}

#[test]
fn resolve_refuses_what_the_check_refuses() {
    let service = shipped("x");
    let refused = resolve(
        &service,
        &connection(
            &service,
            &[("authorization_url", "https://api.x.com/oauth/access_token")],
        ),
    );
    assert_eq!(refused.unwrap_err().code, codes::AUTHORIZE_URL_WRONG);
}
