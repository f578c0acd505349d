//! Lists: making, changing, members, posts.

use serde_json::json;

use crate::api_support::{Body, World};

#[tokio::test]
async fn a_list_is_made_filled_read_changed_and_deleted() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let made = client
        .post("/2/lists", json!({ "name": "Customers", "description": "Ours" }))
        .await
        .expect(201);
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made, json!({ "data": { "id": id, "name": "Customers" } }));

    let followers = client
        .walk(&format!("/2/users/{me}/followers"), &[], "pagination_token")
        .await;
    let members = format!("/2/lists/{id}/members");
    for member in &followers[..3] {
        let added = client
            .post(&members, json!({ "user_id": member }))
            .await
            .expect(200);
        assert_eq!(added, json!({ "data": { "is_member": true } }));
    }
    let mut listed = client
        .walk(&members, &[("max_results", "2")], "pagination_token")
        .await;
    let mut expected = followers[..3].to_vec();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);

    let posts = client
        .find(&format!("/2/lists/{id}/tweets"), &[("tweet.fields", "author_id")])
        .await
        .expect(200);
    assert!(posts["meta"]["result_count"].as_u64().unwrap() > 0);
    for post in posts["data"].as_array().unwrap() {
        assert!(expected.contains(&post["author_id"].as_str().unwrap().to_owned()));
    }
    let fields = "list.fields=member_count,private,owner_id,description,created_at&expansions=owner_id";
    let read = client.get(&format!("/2/lists/{id}?{fields}")).await.expect(200);
    assert_eq!(read["data"]["member_count"], 3);
    assert_eq!(read["data"]["private"], false);
    assert_eq!(read["includes"]["users"][0]["id"], me);
    let owned = client
        .walk(&format!("/2/users/{me}/owned_lists"), &[], "pagination_token")
        .await;
    assert_eq!(owned, vec![id.clone()]);
    let memberships = format!("/2/users/{}/list_memberships", followers[0]);
    assert_eq!(
        client.walk(&memberships, &[], "pagination_token").await,
        vec![id.clone()]
    );

    let removed = client
        .delete(&format!("{members}/{}", followers[0]))
        .await
        .expect(200);
    assert_eq!(removed, json!({ "data": { "is_member": false } }));
    assert_eq!(client.walk(&members, &[], "pagination_token").await.len(), 2);
    let change = Body::Json(json!({ "name": "Good customers", "private": true }));
    let changed = client
        .call("PUT", &format!("/2/lists/{id}"), change)
        .await
        .expect(200);
    assert_eq!(changed, json!({ "data": { "updated": true } }));
    assert_eq!(
        client.get(&format!("/2/lists/{id}")).await.expect(200)["data"]["name"],
        "Good customers"
    );
    let deleted = client.delete(&format!("/2/lists/{id}")).await.expect(200);
    assert_eq!(deleted, json!({ "data": { "deleted": true } }));
    let gone = client.get(&format!("/2/lists/{id}")).await.expect(200);
    assert_eq!(gone["errors"][0]["resource_type"], "list");
}

#[tokio::test]
async fn lists_that_break_a_rule_are_refused() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    assert_eq!(
        client
            .post("/2/lists", json!({ "description": "nameless" }))
            .await
            .faults(),
        ["$.name: is missing but it is required"]
    );
    assert_eq!(
        client
            .post("/2/lists", json!({ "name": "x".repeat(26) }))
            .await
            .faults(),
        ["$.name: must be at most 25 characters long"]
    );
    assert_eq!(
        client.delete("/2/lists/17").await.problem(404),
        "resource-not-found"
    );
    let made = client
        .post("/2/lists", json!({ "name": "Empty" }))
        .await
        .expect(201);
    let members = format!("/2/lists/{}/members", made["data"]["id"].as_str().unwrap());
    assert_eq!(
        client
            .post(&members, json!({ "user_id": "17" }))
            .await
            .problem(404),
        "resource-not-found"
    );
    let reader = world.client("read").await;
    assert_eq!(
        reader
            .post("/2/lists", json!({ "name": "No" }))
            .await
            .problem(403),
        "oauth1-permissions"
    );
}
