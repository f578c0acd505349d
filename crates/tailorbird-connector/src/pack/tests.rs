use tailorbird_model::service::Method;

use super::*;

fn operation(json: serde_json::Value) -> Operation {
    serde_json::from_value(json).unwrap()
}

fn listed(text: &str) -> Request {
    Request {
        operation: Some("add".to_owned()),
        method: Method::Post,
        url: "https://api.example.com/people".to_owned(),
        headers: Vec::new(),
        body: RequestBody::Json(text.to_owned()),
    }
}

fn body_of(request: &Request) -> &str {
    let RequestBody::Json(text) = &request.body else {
        panic!("{request:?}")
    };
    text
}

#[test]
fn items_are_joined_as_they_are_written() {
    let add = operation(serde_json::json!({
        "method": "POST", "path": "/people",
        "body": {"json": {"people": {"type": "json", "at": "/data/people"}, "list": {}}},
        "batch": {"parameter": "people", "max": 10},
    }));
    let of = |text: &str| Piece::of(&add, &listed(text));
    let one =
        of(r#"{"list":"a \"} [","data":{"x":[1,{"people":2}],"people":[{"price":1.10,"n":"],[\\"}]},"z":1}"#)
            .unwrap();
    let two = of(r#"{"list":"a \"} [","data":{"x":[1,{"people":2}],"people":[-12.50e3]},"z":1}"#).unwrap();
    assert!(one.fits(&two));
    let packed = pack(&[&one, &two]).unwrap();
    assert_eq!(
        body_of(&packed),
        r#"{"list":"a \"} [","data":{"x":[1,{"people":2}],"people":[{"price":1.10,"n":"],[\\"},-12.50e3]},"z":1}"#
    );
    assert_eq!(items(&add, &packed).unwrap().len(), 2);
    // Another list, another number of items, another shape.
    let other = of(r#"{"list":"b","data":{"people":[1]}}"#).unwrap();
    assert!(!one.fits(&other));
    for lonely in [
        r#"{"data":{"people":[1,2]}}"#,
        r#"{"data":{"people":[]}}"#,
        r#"{"data":{"people":7}}"#,
        r#"{"data":{}}"#,
        "[]",
        "",
    ] {
        assert!(of(lonely).is_none(), "{lonely}");
    }
}

#[test]
fn a_query_and_a_form_join_by_commas() {
    let read = operation(serde_json::json!({
        "method": "GET", "path": "/people",
        "parameters": {"ids": {"type": "list"}, "fields": {}},
        "batch": {"parameter": "ids", "max": 10},
    }));
    let of = |id: &str| {
        let request = Request {
            method: Method::Get,
            url: format!("https://api.example.com/people?ids={id}&fields=name%2Cage"),
            body: RequestBody::None,
            ..listed("")
        };
        Piece::of(&read, &request)
    };
    let (one, two) = (of("7").unwrap(), of("a%20b").unwrap());
    assert!(one.fits(&two));
    let packed = pack(&[&one, &two]).unwrap();
    assert_eq!(
        packed.url,
        "https://api.example.com/people?ids=7%2Ca%20b&fields=name%2Cage"
    );
    assert_eq!(items(&read, &packed).unwrap(), ["7", "a b"]);
    assert!(of("1%2C2").is_none() && of("").is_none());

    let form = operation(serde_json::json!({
        "method": "POST", "path": "/people",
        "body": {"form": {"ids": {"type": "list", "at": "/user_id"}}},
        "batch": {"parameter": "ids", "max": 10},
    }));
    let of = |id: &str| {
        let body = RequestBody::Form(vec![("user_id".to_owned(), id.to_owned())]);
        Piece::of(&form, &Request { body, ..listed("") }).unwrap()
    };
    let packed = pack(&[&of("1"), &of("2"), &of("3")]).unwrap();
    assert_eq!(
        packed.body,
        RequestBody::Form(vec![("user_id".to_owned(), "1,2,3".to_owned())])
    );
    assert_eq!(items(&form, &packed).unwrap().len(), 3);
}
