//! One connection through the three access levels of the tutorial: a token keeps the level it was granted.

use serde_json::json;

use crate::support::{Home, Sandbox};

#[test]
fn one_connection_through_the_three_levels() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = home.connect(&sandbox, "company-x", "x", "read");
    let key = keys["client_key"].as_str().unwrap();

    let authorized = home.authorize(&sandbox, "company-x");
    assert_eq!(authorized["account"]["name"], "tailorbird_demo");
    assert_eq!(authorized["level"], "read");
    home.run(&["call", "company-x", "list_mentions", "--param", "max_results=5"])
        .expect(0);
    let refused = home
        .run(&["call", "company-x", "create_post", "--param", "text=Hello"])
        .expect(1)
        .json();
    assert_eq!(refused["failure"]["code"], "AUTH-004");

    // Raising the application changes nothing for a token that was granted before.
    sandbox.post(&format!("apps/{key}"), &json!({"level": "read_write"}));
    home.run(&["call", "company-x", "create_post", "--param", "text=Hello"])
        .expect(1);
    assert_eq!(home.authorize(&sandbox, "company-x")["level"], "read-write");
    home.run(&["call", "company-x", "create_post", "--param", "text=Hello"])
        .expect(0);
    let direct = [
        "call",
        "company-x",
        "send_direct_message",
        "--param",
        "participant_id=1",
        "--param",
        "text=Hi",
    ];
    let direct_to = |id: &str| {
        let participant = format!("participant_id={id}");
        let mut arguments = direct.to_vec();
        arguments[4] = &participant;
        home.run(&arguments)
    };
    let other = home
        .run(&["call", "company-x", "list_mentions", "--param", "max_results=5"])
        .expect(0)
        .json();
    let other = other["body"]["data"][0]["author_id"].as_str().unwrap().to_owned();
    assert_eq!(direct_to(&other).expect(1).json()["failure"]["code"], "AUTH-004");

    sandbox.post(&format!("apps/{key}"), &json!({"level": "read_write_dm"}));
    assert_eq!(
        home.authorize(&sandbox, "company-x")["level"],
        "read-write-directmessages"
    );
    assert_eq!(direct_to(&other).expect(0).json()["status"], 201);
    assert_eq!(sandbox.texts(), ["Hello"]);
}
