use super::{Member, Shape, optional, read, required};

const OPTION: Shape = Shape::Text { min: 1, max: 5 };
const POLL: &[Member] = &[
    required(
        "options",
        Shape::List {
            item: &OPTION,
            min: 2,
            max: 4,
        },
    ),
    required("duration_minutes", Shape::Number { min: 5, max: 10_080 }),
];
const BODY: &[Member] = &[
    optional("text", Shape::Text { min: 0, max: 100 }),
    optional("quote_tweet_id", Shape::Id),
    optional("nullcast", Shape::Flag),
    optional("reply_settings", Shape::OneOf(&["following", "mentionedUsers"])),
    optional("poll", Shape::Object(POLL)),
];

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let messages: Vec<String> = match read(Some("application/json; charset=utf-8"), body.as_bytes(), BODY) {
        Ok(_) => Vec::new(),
        Err(problem) => problem.body()["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["message"].as_str().unwrap().to_owned())
            .collect(),
    };
    assert_eq!(messages, expected, "{body}");
}

#[test]
fn bodies_that_fit() {
    check("{}", &[]);
    check(
        r#"{"text":"a","quote_tweet_id":"17","nullcast":false,"reply_settings":"following"}"#,
        &[],
    );
    check(r#"{"poll":{"options":["yes","no"],"duration_minutes":5}}"#, &[]);
}

#[test]
fn each_fault_is_named_with_its_path() {
    check("[]", &["$: array found, object expected"]);
    check("nonsense", &["Request body is not valid JSON."]);
    check(r#"{"text":17}"#, &["$.text: integer found, string expected"]);
    check(
        r#"{"quote_tweet_id":"x","nullcast":"no"}"#,
        &[
            "$.quote_tweet_id: does not match the regex pattern ^[0-9]{1,19}$",
            "$.nullcast: string found, boolean expected",
        ],
    );
    check(
        r#"{"reply_settings":"nobody"}"#,
        &["$.reply_settings: does not have a value in the enumeration [following, mentionedUsers]"],
    );
    check(
        r#"{"poll":{"options":["yes"],"duration_minutes":4}}"#,
        &[
            "$.poll.options: there must be a minimum of 2 items in the array",
            "$.poll.duration_minutes: must have a minimum value of 5",
        ],
    );
    check(
        r#"{"poll":{"options":["yes","much too long"]}}"#,
        &[
            "$.poll.options[1]: must be at most 5 characters long",
            "$.poll.duration_minutes: is missing but it is required",
        ],
    );
    check(
        r#"{"texts":"a"}"#,
        &["$.texts: is not defined in the schema and the schema does not allow additional properties"],
    );
}

#[test]
fn another_content_type_is_refused_before_the_body_is_read() {
    for kind in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
    ] {
        let problem = read(kind, b"{}", BODY).unwrap_err();
        assert_eq!(
            problem.body()["errors"][0]["message"],
            "Requests with bodies must have content-type of application/json."
        );
    }
}
