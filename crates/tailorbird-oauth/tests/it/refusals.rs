//! Refusals of every shape that X is known for, and of some others.

use tailorbird_oauth::{MAX_REFUSAL_MESSAGE_LENGTH, Refusal, RefusalShape, read_refusal};

fn read(status: u16, body: &str) -> Refusal {
    read_refusal(status, body.as_bytes())
}

fn check(status: u16, body: &str, code: Option<i64>, message: &str, shape: RefusalShape) {
    let refusal = read(status, body);
    assert_eq!((refusal.status, refusal.code), (status, code), "{body}");
    assert_eq!((&*refusal.message, refusal.shape), (message, shape), "{body}");
}

#[test]
fn errors_json() {
    let shape = RefusalShape::ErrorsJson;
    check(
        401,
        r#"{"errors":[{"code":89,"message":"Invalid or expired token."}]}"#,
        Some(89),
        "Invalid or expired token.",
        shape,
    );
    check(
        401,
        r#"{"errors":[{"message":"Could not authenticate you.","code":32}],"x":1}"#,
        Some(32),
        "Could not authenticate you.",
        shape,
    );
    check(
        403,
        r#"{"errors":[{"code":"453","message":"subset"}]}"#,
        Some(453),
        "subset",
        shape,
    );
    check(
        403,
        r#"{"errors":"sorry, that page does not exist"}"#,
        None,
        "sorry, that page does not exist",
        shape,
    );
    check(
        403,
        r#"{"errors":[{"code":99,"label":"authenticity_token_error","message":"Unable to verify your credentials"}]}"#,
        Some(99),
        "Unable to verify your credentials",
        shape,
    );
    let two = read(
        403,
        r#"{"errors":[{"message":"first"},{"code":7,"message":"second"}]}"#,
    );
    assert_eq!((&*two.message, two.code, two.items.len()), ("first", Some(7), 2));
}

#[test]
fn errors_xml() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<errors>\n  <error code=\"415\">Callback URL not approved for \
                this client application. Approved callback URLs can be adjusted in your application \
                settings</error>\n</errors>\n";
    let message = "Callback URL not approved for this client application. Approved callback URLs can be adjusted \
                   in your application settings";
    check(403, body, Some(415), message, RefusalShape::ErrorsXml);
    check(
        401,
        "<errors><error code='32'>a &lt;b&gt; &amp; &#39;c&#x27;</error></errors>",
        Some(32),
        "a <b> & 'c'",
        RefusalShape::ErrorsXml,
    );
}

#[test]
fn hash_xml() {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><hash><error>Desktop applications only support the \
                oauth_callback value 'oob'</error><request>/oauth/request_token</request></hash>";
    check(
        401,
        body,
        None,
        "Desktop applications only support the oauth_callback value 'oob'",
        RefusalShape::HashXml,
    );
}

#[test]
fn plain_text() {
    for body in [
        "Error processing your OAuth request: Invalid oauth_verifier parameter",
        "Reverse auth credentials are invalid",
        "Invalid / expired Token",
        "a = b is no form",
    ] {
        check(401, body, None, body, RefusalShape::PlainText);
    }
    check(500, "{broken", None, "{broken", RefusalShape::PlainText);
}

#[test]
fn request_and_error() {
    check(
        401,
        r#"{"request":"/1.1/statuses/update.json","error":"Read-only application cannot POST."}"#,
        None,
        "Read-only application cannot POST.",
        RefusalShape::RequestErrorJson,
    );
}

#[test]
fn problems() {
    let body = r#"{"title":"Forbidden","status":403,"detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.","type":"https://api.twitter.com/2/problems/oauth1-permissions"}"#;
    for body in [body.to_owned(), body.replace("twitter.com", "x.com")] {
        let refusal = read(403, &body);
        assert_eq!(refusal.problem.as_deref(), Some("oauth1-permissions"));
        assert_eq!(refusal.title.as_deref(), Some("Forbidden"));
        assert_eq!(refusal.shape, RefusalShape::ProblemJson);
        assert!(refusal.message.starts_with("Your client app is not configured"));
    }
    let blank = r#"{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}"#;
    let refusal = read(401, blank);
    assert_eq!((refusal.problem, &*refusal.message), (None, "Unauthorized"));
    let invalid = r#"{"errors":[{"parameters":{"id":["x"]},"message":"The `id` query parameter value [x] is not valid"}],"title":"Invalid Request","detail":"One or more parameters to your request was invalid.","type":"https://api.x.com/2/problems/invalid-request"}"#;
    let refusal = read(400, invalid);
    assert_eq!(
        (refusal.items.len(), refusal.problem.as_deref()),
        (2, Some("invalid-request"))
    );
    assert_eq!(
        refusal.items[1].message,
        "The `id` query parameter value [x] is not valid"
    );
    let depleted = r#"{"title":"CreditsDepleted","type":"about:blank"}"#;
    assert_eq!(read(402, depleted).message, "CreditsDepleted");
}

#[test]
fn oauth2_and_problem_reporting() {
    let refusal = read(
        400,
        r#"{"error":"invalid_request","error_description":"Value passed was invalid."}"#,
    );
    assert_eq!(refusal.shape, RefusalShape::ErrorDescriptionJson);
    assert_eq!(refusal.message, "invalid_request: Value passed was invalid.");
    assert_eq!(refusal.problem.as_deref(), Some("invalid_request"));
    let refusal = read(
        401,
        "oauth_problem=timestamp_refused&oauth_problem_advice=clock%20is%20off",
    );
    assert_eq!(
        (refusal.shape, &*refusal.message),
        (RefusalShape::OAuthProblem, "timestamp_refused: clock is off")
    );
    check(
        401,
        "error=invalid_client",
        None,
        "invalid_client",
        RefusalShape::ErrorForm,
    );
}

#[test]
fn pages_and_nothing() {
    let page =
        "<!DOCTYPE html><html><head><title>Twitter / Error</title></head><body>Whoa there!</body></html>";
    check(503, page, None, "Twitter / Error", RefusalShape::Html);
    check(
        502,
        "<html><body><h1>502</h1></body></html>",
        None,
        "",
        RefusalShape::Html,
    );
    check(500, " \n", None, "", RefusalShape::Empty);
    assert_eq!(read(500, "").to_string(), "HTTP 500");
}

#[test]
fn other_json() {
    check(
        400,
        r#"{"message":"no","code":3}"#,
        Some(3),
        "no",
        RefusalShape::OtherJson,
    );
    check(400, r#"["no"]"#, None, "no", RefusalShape::OtherJson);
    check(400, r#""no""#, None, "no", RefusalShape::OtherJson);
    check(
        400,
        r#"{"error":{"message":"no","code":"AUTH"}}"#,
        None,
        "no",
        RefusalShape::OtherJson,
    );
    check(400, "{}", None, "", RefusalShape::OtherJson);
}

#[test]
fn messages_are_fit_for_a_line() {
    assert_eq!(read(400, "a\r\n\u{1b}[31m  b\tc").message, "a [31m b c");
    let long = read(400, &"ä ".repeat(5_000)).message;
    assert_eq!(long.chars().count(), MAX_REFUSAL_MESSAGE_LENGTH + 1);
    assert!(long.ends_with('…'));
    let many = format!("{{\"errors\":[{}]}}", vec!["{\"code\":1}"; 500].join(","));
    assert_eq!(read(400, &many).items.len(), tailorbird_oauth::MAX_REFUSAL_ITEMS);
    let deep = "[".repeat(100_000);
    assert_eq!(read(400, &deep).shape, RefusalShape::PlainText);
}
