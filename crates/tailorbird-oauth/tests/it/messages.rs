//! Answers that hand credentials out, and what comes back from the user.

use tailorbird_oauth::{
    AnswerError, CallbackAnswer, CallbackConfirmation, CallbackError, RefusalShape, TypedVerifier,
    read_callback, read_temporary_credentials, read_token_credentials, read_typed_verifier,
};

fn temporary(body: &str) -> Result<(String, String), AnswerError> {
    let answer = read_temporary_credentials(200, body.as_bytes(), CallbackConfirmation::Required)?;
    Ok((
        answer.credentials.token.clone(),
        answer.credentials.secret.expose_for_sealing().to_owned(),
    ))
}

#[test]
fn temporary_credentials_in_every_shape() {
    for body in [
        "oauth_token=t%2F1&oauth_token_secret=s+%26&oauth_callback_confirmed=true",
        "oauth_callback_confirmed=true&oauth_token_secret=s%20%26&oauth_token=t/1",
        "  oauth_token=t/1&oauth_token_secret=s%20%26&oauth_callback_confirmed=true\r\n",
        "\u{feff}oauth_token=t/1&oauth_token_secret=s%20%26&oauth_callback_confirmed=TRUE",
        r#"{"oauth_token":"t/1","oauth_token_secret":"s &","oauth_callback_confirmed":"true"}"#,
        r#"{"oauth_token":"t/1","oauth_token_secret":"s &","oauth_callback_confirmed":true,"x":null}"#,
    ] {
        assert_eq!(temporary(body), Ok(("t/1".into(), "s &".into())), "{body}");
    }
}

#[test]
fn the_callback_has_to_be_confirmed() {
    for body in [
        "oauth_token=t&oauth_token_secret=s",
        "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false",
    ] {
        assert_eq!(temporary(body), Err(AnswerError::CallbackNotConfirmed));
        let lax = read_temporary_credentials(200, body.as_bytes(), CallbackConfirmation::Optional).unwrap();
        assert!(!lax.callback_confirmed);
    }
}

#[test]
fn token_credentials_bring_the_account_along() {
    let body = b"oauth_token=7-x&oauth_token_secret=s&user_id=7&screen_name=acme%20shop&x_auth_expires=0";
    let answer = read_token_credentials(200, body).unwrap();
    assert_eq!(answer.credentials.token, "7-x");
    assert_eq!(answer.user_id(), Some("7"));
    assert_eq!(answer.screen_name(), Some("acme shop"));
    assert_eq!(answer.get("x_auth_expires"), Some("0"));
    let json = br#"{"oauth_token":"7-x","oauth_token_secret":"","user_id":7}"#;
    let answer = read_token_credentials(201, json).unwrap();
    assert_eq!(answer.user_id(), Some("7"));
    assert!(
        answer.credentials.secret.is_empty(),
        "RSA providers may send an empty secret"
    );
}

#[test]
fn answers_without_credentials() {
    let missing = |name| AnswerError::Missing { name, status: 200 };
    assert_eq!(temporary(""), Err(missing("oauth_token")));
    assert_eq!(temporary("{}"), Err(missing("oauth_token")));
    assert_eq!(
        temporary("oauth_token=&oauth_token_secret=s"),
        Err(missing("oauth_token"))
    );
    assert_eq!(temporary("oauth_token=t"), Err(missing("oauth_token_secret")));
    assert!(matches!(
        temporary(&"x".repeat(70_000)),
        Err(AnswerError::TooLong { length: 70_000 })
    ));
}

#[test]
fn a_web_page_is_called_one() {
    // The tutorial's own mistake: the authorization page where a token address belongs.
    let page = "<!DOCTYPE html><html><head><title>Authorize</title></head><body>…</body></html>";
    assert_eq!(temporary(page), Err(AnswerError::WebPage { status: 200 }));
    let message = temporary(page).unwrap_err().to_string();
    assert!(message.contains("authorization page"), "{message}");
}

#[test]
fn a_refusal_is_one_whatever_its_status() {
    let xml = r#"<?xml version="1.0"?><errors><error code="415">Callback URL not approved</error></errors>"#;
    for status in [200, 403] {
        let error =
            read_temporary_credentials(status, xml.as_bytes(), CallbackConfirmation::Required).unwrap_err();
        let AnswerError::Refused(refusal) = error else {
            panic!("{error}")
        };
        assert_eq!(
            (refusal.code, refusal.shape),
            (Some(415), RefusalShape::ErrorsXml)
        );
    }
    let error = read_token_credentials(401, b"Reverse auth credentials are invalid").unwrap_err();
    assert_eq!(
        error.to_string(),
        "provider refused to hand out credentials (HTTP 401: Reverse auth credentials are invalid)"
    );
    // A status of failure is a refusal even where the body looks like credentials.
    assert!(matches!(
        read_token_credentials(500, b"oauth_token=t&oauth_token_secret=s"),
        Err(AnswerError::Refused(_))
    ));
}

#[test]
fn callbacks() {
    let granted = CallbackAnswer::Granted {
        token: "t/1".into(),
        verifier: "v w".into(),
    };
    for query in [
        "oauth_token=t%2F1&oauth_verifier=v+w",
        "?oauth_verifier=v%20w&state=x&oauth_token=t/1",
        "http://127.0.0.1:7082/oauth/callback?oauth_token=t/1&oauth_verifier=v%20w#_",
        "/oauth/callback?oauth_token=t/1&oauth_token=t/1&oauth_verifier=v%20w",
    ] {
        assert_eq!(read_callback(query).as_ref(), Ok(&granted), "{query}");
    }
    assert_eq!(
        read_callback("denied=t/1"),
        Ok(CallbackAnswer::Denied { token: "t/1".into() })
    );
    assert_eq!(
        read_callback(""),
        Err(CallbackError::Missing { name: "oauth_token" })
    );
    assert_eq!(
        read_callback("oauth_token=t"),
        Err(CallbackError::Missing {
            name: "oauth_verifier"
        })
    );
    assert_eq!(
        read_callback("oauth_token=t&oauth_verifier=a&oauth_verifier=b"),
        Err(CallbackError::Ambiguous {
            name: "oauth_verifier"
        })
    );
}

#[test]
fn typed_verifiers() {
    assert_eq!(
        read_typed_verifier(" 1234567\n"),
        Ok(TypedVerifier::Code("1234567".into()))
    );
    assert_eq!(
        read_typed_verifier("https://c.example/?oauth_token=t&oauth_verifier=v"),
        Ok(TypedVerifier::Callback(CallbackAnswer::Granted {
            token: "t".into(),
            verifier: "v".into()
        }))
    );
    assert_eq!(read_typed_verifier("  "), Err(CallbackError::Empty));
    assert_eq!(
        read_typed_verifier(&"1".repeat(5_000)),
        Err(CallbackError::TooLong { length: 5_000 })
    );
}
