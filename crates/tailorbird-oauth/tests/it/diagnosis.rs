//! Each known mistake is made on purpose and has to be named.

use tailorbird_oauth::{
    BaseStringDifference, Candidates, Cause, ClientCredentials, ClientSecret, Diagnosis, Evidence, Placement,
    RequestToSign, SignatureMethod, SigningKey, Strictness, Suspicion, TokenCredentials, TokenSecret,
    compare_base_strings, diagnose, inspect_credentials, sign,
};

use crate::case::{CLIENT_KEY, CLIENT_SECRET, FORM, TOKEN, TOKEN_SECRET, hmac_key, parameters, send};

/// Owns what candidates borrow.
pub(crate) struct Secrets {
    client: ClientSecret,
    token: TokenSecret,
    temporary: TokenSecret,
    other_token: TokenSecret,
    other_client: ClientSecret,
}

pub(crate) fn candidates() -> Secrets {
    Secrets {
        client: ClientSecret::new(CLIENT_SECRET),
        token: TokenSecret::new(TOKEN_SECRET),
        temporary: TokenSecret::new("temporary-secret"),
        other_token: TokenSecret::new("other-token-secret"),
        other_client: ClientSecret::new("other-client-secret"),
    }
}

impl Secrets {
    pub(crate) fn candidates(&self) -> Candidates<'_> {
        Candidates {
            token: Some(TOKEN),
            token_secret: Some(&self.token),
            temporary_secret: Some(&self.temporary),
            hosts: &["api.twitter.com", "localhost:9999"],
            ..Candidates::new(CLIENT_KEY, &self.client)
        }
    }
}

const METHOD: SignatureMethod = SignatureMethod::HmacSha1;
const URL: &str = "https://Api.X.com:8443/1.1/a%20b.json?q=a+b&f%5Bid%5D=%2Fx&z=%20&realm=r&q=%C3%A9&q=z";

/// Signs `signed` with `key`, presents it as `sent`, and gives the diagnosis from both sides.
fn explain(
    sent: &RequestToSign<'_>,
    signed: &RequestToSign<'_>,
    key: &SigningKey,
    content_type: &str,
) -> Diagnosis {
    let parameters = parameters(METHOD);
    let signature = sign(signed, &parameters, key, None).unwrap();
    let pairs: Vec<_> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let secrets = candidates();
    let own = diagnose(
        &Evidence {
            method: sent.method,
            url: sent.url,
            body: sent.form_body.map(|body| (content_type, body)),
            header_parameters: &pairs,
            realm: None,
            signature_method: METHOD,
            signature: &signature.signature,
        },
        &secrets.candidates(),
    )
    .unwrap();
    let received = crate::case::Received {
        method: sent.method.to_owned(),
        url: sent.url.to_owned(),
        authorization: Some(signature.authorization),
        content_type: Some(content_type.to_owned()),
        body: sent.form_body.unwrap_or_default().to_vec(),
    };
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let presented = received.read(strictness).unwrap();
        assert_eq!(
            presented.diagnose(&secrets.candidates()),
            own,
            "both sides say the same"
        );
    }
    own
}

fn get(url: &str) -> RequestToSign<'_> {
    RequestToSign {
        method: "GET",
        url,
        form_body: None,
    }
}

#[test]
fn a_right_signature_is_said_to_be_right() {
    assert_eq!(
        explain(&get(URL), &get(URL), &hmac_key(METHOD), FORM),
        Diagnosis::SignatureIsRight
    );
}

#[test]
fn mistakes_about_the_key() {
    let key = |client: &str, token: Option<&str>| {
        let token = token.map(TokenSecret::new);
        SigningKey::from_secrets(METHOD, &ClientSecret::new(client), token.as_ref()).unwrap()
    };
    for (key, cause) in [
        (key(CLIENT_KEY, Some(TOKEN_SECRET)), Cause::ClientKeyUsedAsSecret),
        (key(CLIENT_SECRET, Some(TOKEN)), Cause::TokenUsedAsSecret),
        (key(TOKEN_SECRET, Some(CLIENT_SECRET)), Cause::SecretsSwapped),
        (key(CLIENT_SECRET, None), Cause::TokenSecretMissing),
        (
            key(CLIENT_SECRET, Some("temporary-secret")),
            Cause::TemporarySecretUsed,
        ),
        (
            key(&format!("{CLIENT_SECRET}\n"), Some(TOKEN_SECRET)),
            Cause::ClientSecretHasWhitespace,
        ),
        (
            key(CLIENT_SECRET, Some(&format!(" {TOKEN_SECRET}"))),
            Cause::TokenSecretHasWhitespace,
        ),
    ] {
        assert_eq!(
            explain(&get(URL), &get(URL), &key, FORM),
            Diagnosis::Explained(vec![cause])
        );
    }
}

#[test]
fn secrets_of_others_are_named_by_whose_they_are() {
    let secrets = candidates();
    let others = [("the sandbox account", &secrets.other_token)];
    let clients = [("the old application", &secrets.other_client)];
    let candidates = Candidates {
        other_token_secrets: &others,
        other_client_secrets: &clients,
        ..secrets.candidates()
    };
    let parameters = parameters(METHOD);
    for (client, token, sentence) in [
        (
            CLIENT_SECRET,
            "other-token-secret",
            "the token secret is that of the sandbox account",
        ),
        (
            "other-client-secret",
            TOKEN_SECRET,
            "the client secret is that of the old application",
        ),
    ] {
        let key =
            SigningKey::from_secrets(METHOD, &ClientSecret::new(client), Some(&TokenSecret::new(token)))
                .unwrap();
        let received = send(&get("https://h/"), &parameters, &key, Placement::Header);
        let Diagnosis::Explained(causes) = received.read(Strictness::Strict).unwrap().diagnose(&candidates)
        else {
            panic!("{sentence}")
        };
        assert_eq!(causes.len(), 1);
        assert_eq!(causes[0].to_string(), sentence);
    }
}

#[test]
fn mistakes_about_the_url() {
    for (signed, cause) in [
        (
            URL.replace("Api.X.com:8443", "api.twitter.com"),
            Cause::OtherHost {
                host: "api.twitter.com".into(),
            },
        ),
        (
            URL.replace("Api.X.com:8443", "localhost:9999"),
            Cause::OtherHost {
                host: "localhost:9999".into(),
            },
        ),
        (URL.replace("https", "http"), Cause::OtherScheme),
        (URL.replace(":8443", ""), Cause::PortLeftOut),
        (URL.replace("a+b", "a%2Bb"), Cause::PlusKept),
        (URL.split_once('?').unwrap().0.to_owned(), Cause::QueryLeftOut),
        (URL.replace("a%20b", "a b"), Cause::PathDecoded),
        (URL.replace(".json?", ".json/?"), Cause::TrailingSlash),
        (
            URL.replace("%5B", "%255B").replace("%5D", "%255D"),
            Cause::NamesEncodedTwice,
        ),
        (URL.replace("&realm=r", ""), Cause::OrdinaryRealmLeftOut),
        (
            "https://Api.X.com:8443/1.1/a%20b.json?f%5Bid%5D=%2Fx&z=%20&realm=r&q=z".into(),
            Cause::SameNamesMerged,
        ),
    ] {
        let diagnosis = explain(&get(URL), &get(&signed), &hmac_key(METHOD), FORM);
        assert_eq!(diagnosis, Diagnosis::Explained(vec![cause]), "{signed}");
    }
}

/// Mistakes that our own signer cannot make: the base string is spoilt by hand.
#[test]
fn mistakes_about_encoding() {
    let parameters = parameters(METHOD);
    let key = hmac_key(METHOD);
    let secrets = candidates();
    let check = |url: &str, spoil: &dyn Fn(String) -> String, cause: Cause| {
        let right = sign(&get(url), &parameters, &key, None).unwrap();
        let spoilt = spoil(right.base_string.clone());
        assert_ne!(spoilt, right.base_string, "{cause:?}");
        let signature = key.sign(spoilt.as_bytes()).unwrap();
        let header = right.authorization.replace(
            &tailorbird_oauth::percent_encode(&right.signature),
            &tailorbird_oauth::percent_encode(&signature),
        );
        let received = crate::case::Received {
            method: "GET".into(),
            url: url.into(),
            authorization: Some(header),
            content_type: None,
            body: Vec::new(),
        };
        let presented = received.read(Strictness::Strict).unwrap();
        assert_eq!(
            presented.diagnose(&secrets.candidates()),
            Diagnosis::Explained(vec![cause])
        );
    };
    check(
        "https://h/?a=x%20y",
        &|base| base.replace("x%2520y", "x%2By"),
        Cause::SpaceAsPlus,
    );
    check(
        "https://h/?a=%2F",
        &|base| base.replace("a%3D%252F", "a%3D%25252F"),
        Cause::ValuesEncodedTwice,
    );
}

#[test]
fn mistakes_about_order() {
    // Raw, `a` precedes `é`; encoded, `%C3` precedes `a`.
    let url = "https://h/?%C3%A9=1&a=2";
    let parameters = parameters(METHOD);
    let key = hmac_key(METHOD);
    let right = sign(&get(url), &parameters, &key, None).unwrap();
    let (head, tail) = right.base_string.split_once("%25C3%25A9%3D1%26").unwrap();
    let signature = key
        .sign(format!("{head}{tail}%26%25C3%25A9%3D1").as_bytes())
        .unwrap();
    let pairs: Vec<_> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let secrets = candidates();
    let diagnosis = diagnose(
        &Evidence {
            method: "GET",
            url,
            body: None,
            header_parameters: &pairs,
            realm: None,
            signature_method: METHOD,
            signature: &signature,
        },
        &secrets.candidates(),
    );
    assert_eq!(
        diagnosis,
        Ok(Diagnosis::Explained(vec![Cause::SortedBeforeEncoding]))
    );
}

#[test]
fn mistakes_about_method_and_body() {
    let post = |body| RequestToSign {
        method: "POST",
        url: "https://h/p",
        form_body: body,
    };
    let key = hmac_key(METHOD);
    assert_eq!(
        explain(&post(Some(b"status=hi")), &post(None), &key, FORM),
        Diagnosis::Explained(vec![Cause::FormBodyLeftOut])
    );
    assert_eq!(
        explain(
            &post(Some(b"status=hi")),
            &post(Some(b"status=hi")),
            &key,
            "application/json"
        ),
        Diagnosis::Explained(vec![Cause::OtherBodySigned])
    );
    assert_eq!(
        explain(&post(None), &get("https://h/p"), &key, FORM),
        Diagnosis::Explained(vec![Cause::OtherMethod { method: "GET" }])
    );
}

#[test]
fn two_mistakes_at_once_are_both_named() {
    let key = SigningKey::from_secrets(METHOD, &ClientSecret::new(CLIENT_SECRET), None).unwrap();
    let diagnosis = explain(&get(URL), &get(&URL.replace("https", "http")), &key, FORM);
    assert_eq!(
        diagnosis,
        Diagnosis::Explained(vec![Cause::OtherScheme, Cause::TokenSecretMissing])
    );
}

#[test]
fn an_unknown_secret_stays_unexplained() {
    let key = SigningKey::from_secrets(METHOD, &ClientSecret::new("nobody's"), None).unwrap();
    let Diagnosis::Unexplained { tried } = explain(&get(URL), &get(URL), &key, FORM) else {
        panic!()
    };
    assert!(tried > 100, "{tried}");
}

#[test]
fn a_signature_spoilt_on_its_way() {
    let parameters = parameters(METHOD);
    let key = hmac_key(METHOD);
    let pairs: Vec<_> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let secrets = candidates();
    let ask = |url: &str, signature: &str| {
        diagnose(
            &Evidence {
                method: "GET",
                url,
                body: None,
                header_parameters: &pairs,
                realm: None,
                signature_method: METHOD,
                signature,
            },
            &secrets.candidates(),
        )
        .unwrap()
    };
    let (url, signature) = (0..1_000)
        .map(|number| format!("https://h/{number}"))
        .map(|url| {
            (
                url.clone(),
                sign(&get(&url), &parameters, &key, None).unwrap().signature,
            )
        })
        .find(|(_, signature)| signature.contains('+'))
        .unwrap();
    assert_eq!(ask(&url, &signature), Diagnosis::SignatureIsRight);
    assert_eq!(
        ask(&url, &signature.replace('+', " ")),
        Diagnosis::Explained(vec![Cause::SignaturePlusLost])
    );
    let encoded = tailorbird_oauth::percent_encode(&signature);
    assert_eq!(
        ask(&url, &encoded),
        Diagnosis::Explained(vec![Cause::SignatureEncodedTwice])
    );
}

#[test]
fn a_parameter_that_was_not_signed_is_named() {
    let sent = parameters(METHOD).with_verifier("1234567");
    let key = hmac_key(METHOD);
    let wrong = sign(&get("https://h/"), &parameters(METHOD), &key, None)
        .unwrap()
        .signature;
    let right = sign(&get("https://h/"), &sent, &key, None).unwrap();
    let header = right.authorization.replace(
        &tailorbird_oauth::percent_encode(&right.signature),
        &tailorbird_oauth::percent_encode(&wrong),
    );
    let received = crate::case::Received {
        method: "GET".into(),
        url: "https://h/".into(),
        authorization: Some(header),
        content_type: None,
        body: Vec::new(),
    };
    let secrets = candidates();
    let diagnosis = received
        .read(Strictness::Strict)
        .unwrap()
        .diagnose(&secrets.candidates());
    assert_eq!(
        diagnosis,
        Diagnosis::Explained(vec![Cause::ParameterLeftOut {
            name: "oauth_verifier".into()
        }])
    );
}

#[test]
fn base_strings_are_compared_part_by_part() {
    let first = "GET&http%3A%2F%2Fh%2F&a%3D1%26b%3Dx%2520y";
    assert_eq!(compare_base_strings(first, first), []);
    assert_eq!(
        compare_base_strings(first, "POST&https%3A%2F%2Fh%2F&a%3D1%26b%3Dx%252By%26c%3D"),
        [
            BaseStringDifference::Method {
                first: "GET".into(),
                second: "POST".into()
            },
            BaseStringDifference::Uri {
                first: "http://h/".into(),
                second: "https://h/".into()
            },
            BaseStringDifference::Values {
                name: "b".into(),
                first: vec!["x y".into()],
                second: vec!["x+y".into()]
            },
            BaseStringDifference::Values {
                name: "c".into(),
                first: vec![],
                second: vec![String::new()]
            },
        ]
    );
    assert_eq!(
        compare_base_strings(first, "GET&http%3A%2F%2Fh%2F&b%3Dx%2520y%26a%3D1"),
        [BaseStringDifference::OrderOrEncoding]
    );
    assert_eq!(
        compare_base_strings(first, "nothing"),
        [BaseStringDifference::NotABaseString { first: false }]
    );
}

#[test]
fn credentials_are_looked_over() {
    let fine = ClientCredentials::new(
        "xvz1evFS4wEEPTGEFPHBog",
        "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    );
    let token = "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb";
    let secret = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE";
    assert_eq!(
        inspect_credentials(&fine, Some(&TokenCredentials::new(token, secret))),
        []
    );
    assert_eq!(
        inspect_credentials(&fine, Some(&TokenCredentials::new(secret, token))),
        [Suspicion::TokenAndSecretLookSwapped]
    );
    let swapped = ClientCredentials::new(
        "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "xvz1evFS4wEEPTGEFPHBog",
    );
    assert_eq!(
        inspect_credentials(&swapped, None),
        [Suspicion::ClientKeyAndSecretLookSwapped]
    );
    let copied = ClientCredentials::new(" key", "secret%2Band\n");
    assert_eq!(
        inspect_credentials(&copied, None),
        [
            Suspicion::ClientKeyHasWhitespace,
            Suspicion::ClientSecretHasWhitespace,
            Suspicion::SecretLooksEncoded
        ]
    );
}
