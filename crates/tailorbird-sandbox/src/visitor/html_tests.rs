use super::VisitError;
use super::html::{Page, Token, tokens};

fn page(html: &str) -> Page {
    Page::read("/there", 200, html)
}

#[test]
fn a_form_is_read_with_its_hidden_fields_and_values() {
    let page = page(
        r#"<!doctype html><!-- <form action="/f"> --><form method=post action='/f' novalidate>
        <input type="hidden" name="csrf" value="a&amp;b&#38;&#x27;c"><input name=name value=x>
        <textarea name="text" rows="3">
&lt;b&gt; two
lines</textarea>
        <input type="radio" name="level" value="read" checked><input type="radio" name="level" value="write">
        <button name="decision" value="yes">Yes</button></form><input name="outside" value="1">"#,
    );
    let mut form = page.form("/f").unwrap();
    form.fill("name", "new").unwrap();
    form.choose("level", "write").unwrap();
    form.press("decision", "yes").unwrap();
    let sent: Vec<(&str, &str)> = form
        .sent()
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        sent,
        [
            ("csrf", "a&b&'c"),
            ("name", "new"),
            ("text", "<b> two\nlines"),
            ("level", "write"),
            ("decision", "yes")
        ]
    );
}

#[test]
fn what_a_page_lacks_is_named() {
    let page = page(r#"<form action="/f"><input name="a"><button name="d" value="yes"></button></form>"#);
    assert_eq!(
        page.form("/g").unwrap_err().to_string(),
        "page /there has no form to /g"
    );
    let mut form = page.form("/f").unwrap();
    assert!(matches!(form.fill("b", ""), Err(VisitError::Missing { what, .. }) if what == "field \"b\""));
    assert!(form.choose("a", "x").is_err());
    assert!(form.press("d", "no").is_err());
}

#[test]
fn texts_are_found_by_their_mark_with_what_stands_inside() {
    let page = page(
        r#"<h1>Hi</h1><output id="pin"><span>123</span><span>4567</span></output><dd data-field="k"> a<b>b</b> </dd>"#,
    );
    assert_eq!(page.text_of("id", "pin").unwrap(), "1234567");
    assert_eq!(page.text_of("data-field", "k").unwrap(), "ab");
    assert_eq!(page.text_of("data-field", "none"), None);
}

#[test]
fn a_refusal_tells_the_errors_beside_the_fields_or_the_heading() {
    let refusal = |html: &str| Page::read("/p", 422, html).expect_ok().unwrap_err().to_string();
    assert_eq!(
        refusal(r#"<h1>Form</h1><p class="field-error"><svg></svg><span>Too &amp; long.</span></p>"#),
        "page /p answered 422: Too & long."
    );
    assert_eq!(
        refusal("<h1>Whoa there!</h1>"),
        "page /p answered 422: Whoa there!"
    );
}

#[test]
fn broken_pages_end_in_tokens_and_never_hang() {
    for html in [
        "<",
        "<a",
        "<a b",
        "<a b=",
        "<a b=\"c",
        "</",
        "<!--",
        "<!",
        "< >",
        "<a =\"x\">",
        "<é>",
        "a<b>&#xfffffff;&",
    ] {
        let _ = tokens(html);
    }
    assert_eq!(tokens("a&unknown;b"), [Token::Text("a&unknown;b".into())]);
    assert_eq!(
        tokens("<script>if (a<b) {}</script>x"),
        [
            Token::Open {
                name: "script".into(),
                attributes: vec![]
            },
            Token::Text("if (a<b) {}".into()),
            Token::Close {
                name: "script".into()
            },
            Token::Text("x".into())
        ]
    );
}
