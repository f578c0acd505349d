//! A sandbox with something on every page, for looking at the portal while working on it:
//! `cargo run -p tailorbird-sandbox --example portal_preview [PORT]`, stopped with Ctrl+C.
//!
//! Everything is made the way a person and a client make it: by the pages and by signed requests. It prints
//! one address a line, among them consent pages that wait for a decision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a tool for developers that borrows the tests' browser and fails by panicking"
)]

#[path = "../tests/it/portal_support.rs"]
mod portal_support;

use std::net::SocketAddr;

use portal_support::{Browser, form_value};
use tailorbird_sandbox::{
    ApplicationKeys, Consent, Decision, Level, LimitMode, Running, Settings, Visitor, start,
};

const CALLBACK: &str = "http://127.0.0.1:7082/oauth/callback";
const POSTS: [&str; 4] = [
    "New in stock: Oak serving board, oiled & engraved, at £34.50 https://shop.example.com/p/OAK-114 #kitchen",
    "New in stock: Linen apron <slate>, two pockets, at £28.00",
    "New in stock: Brass desk lamp \"Ellen\" at £112.00",
    "@harbour_homeware Thank you! The six-pack is back next Tuesday.",
];

#[tokio::main]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(0, |port| port.parse().expect("PORT is a number"));
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        limits: LimitMode::Off,
        ..Settings::default()
    };
    let running = start(settings).await.unwrap();
    let mut visitor = running.visitor();
    let app = |name, description| (name, description, "https://shop.example.com");
    let erp = app(
        "ERP announcer",
        "Posts each newly published product once, and collects what customers say about it.",
    );
    let erp = visitor
        .create_application(erp.0, erp.1, erp.2, CALLBACK)
        .await
        .unwrap();
    for (name, description, website) in [
        app("Support desk", "Answers direct messages from the ticket system."),
        app(
            "Dashboard",
            "Reads public metrics for the weekly marketing report.",
        ),
    ] {
        let keys = visitor
            .create_application(name, description, website, "")
            .await
            .unwrap();
        let level = if name == "Dashboard" {
            Level::Read
        } else {
            Level::ReadWriteDm
        };
        visitor.set_level(&keys.client_key, level).await.unwrap();
    }
    let mut client = Browser::new(&running);
    let read_only = authorized(&mut client, &mut visitor, &erp).await;
    post(&mut client, &erp, &read_only, POSTS[0]).await;
    visitor
        .set_level(&erp.client_key, Level::ReadWrite)
        .await
        .unwrap();
    let token = authorized(&mut client, &mut visitor, &erp).await;
    for text in POSTS.into_iter().chain([POSTS[0]]) {
        post(&mut client, &erp, &token, text).await;
    }
    let me = ("GET", "/2/users/me?user.fields=public_metrics");
    client
        .signed(&erp, me, &[("oauth_token", &token.token)], Some(&token.secret))
        .await
        .expect(200);
    let fault = "[{\"match\":\"POST /1.1/statuses/update.json\",\"nth\":1,\"do\":\"503\"}]";
    client
        .send(
            "POST",
            "/_sandbox/faults",
            &[("content-type", "application/json")],
            fault,
        )
        .await
        .expect(200);
    post(&mut client, &erp, &token, "Once more").await;
    mistakes(&mut client, &erp, &token).await;
    println!("portal {}/", running.addresses().portal);
    for (what, callback) in [("pin", "oob"), ("deny", "oob"), ("callback", CALLBACK)] {
        let (token, _) = client.request_token(&erp, callback).await;
        println!("consent-{what} {}?oauth_token={token}", erp.urls.authorize);
    }
    used(&running, &mut client, &mut visitor, &erp).await;
    println!("ready");
    tokio::signal::ctrl_c().await.unwrap();
    running.stop().await;
}

/// What the three-legged flow gives a client.
struct Access {
    token: String,
    secret: String,
    /// The secret of step 1, which should be forgotten by now.
    temporary_secret: String,
}

/// The three-legged flow.
async fn authorized(client: &mut Browser, visitor: &mut Visitor, keys: &ApplicationKeys) -> Access {
    let (token, secret) = client.request_token(keys, "oob").await;
    let url = format!("{}?oauth_token={token}", keys.urls.authorize);
    let Consent::Pin(pin) = visitor.consent(&url, Decision::Approve).await.unwrap() else {
        panic!("no PIN")
    };
    let reply = client
        .access_token(keys, (&token, &secret), &pin)
        .await
        .expect(200);
    Access {
        token: form_value(&reply.text, "oauth_token"),
        secret: form_value(&reply.text, "oauth_token_secret"),
        temporary_secret: secret,
    }
}

/// Posts by API v1.1, whatever comes of it.
async fn post(client: &mut Browser, keys: &ApplicationKeys, token: &Access, text: &str) {
    let encoded = tailorbird_oauth::percent_encode(text);
    let path = format!("/1.1/statuses/update.json?status={encoded}");
    client
        .signed(
            keys,
            ("POST", &path),
            &[("oauth_token", &token.token)],
            Some(&token.secret),
        )
        .await;
}

/// What usually goes wrong, for the page of requests.
async fn mistakes(client: &mut Browser, keys: &ApplicationKeys, token: &Access) {
    let me = ("GET", "/2/users/me");
    let mut swapped = keys.clone();
    swapped.client_secret.clone_from(&keys.client_key);
    client
        .signed(
            &swapped,
            me,
            &[("oauth_token", &token.token)],
            Some(&token.secret),
        )
        .await;
    client.send("GET", "/2/users/me", &[], "").await;
    // X's own Python SDK goes on signing with the secret from step 1.
    client
        .signed(
            keys,
            me,
            &[("oauth_token", &token.token)],
            Some(&token.temporary_secret),
        )
        .await;
}

/// A request token that was used already.
async fn used(running: &Running, client: &mut Browser, visitor: &mut Visitor, keys: &ApplicationKeys) {
    let (token, secret) = client.request_token(keys, "oob").await;
    let url = format!(
        "{}/oauth/authorize?oauth_token={token}",
        running.addresses().portal
    );
    let Consent::Pin(pin) = visitor.consent(&url, Decision::Approve).await.unwrap() else {
        panic!("no PIN")
    };
    client
        .access_token(keys, (&token, &secret), &pin)
        .await
        .expect(200);
    println!("consent-used {url}");
}
