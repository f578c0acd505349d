//! Canary secrets appear in no `Debug` and no error.

use tailorbird_oauth::{
    Candidates, ClientCredentials, ClientSecret, IncomingRequest, Placement, Presented, ProtocolParameters,
    RawRequest, RequestToSign, RsaPrivateKeyPem, SignatureMethod, Signer, SigningKey, Strictness,
    TemporaryCredentials, TokenCredentials, TokenSecret, VerificationKey, place, read_callback,
    read_token_credentials, sign_raw,
};

const CANARY: &str = "canary-7f3a";

fn clean(value: &dyn std::fmt::Debug) {
    let text = format!("{value:?} {value:#?}");
    assert!(!text.contains(CANARY), "{text}");
}

#[test]
fn nothing_prints_a_secret() {
    let secret = ClientSecret::new(CANARY);
    let token_secret = TokenSecret::new(CANARY);
    clean(&secret);
    clean(&token_secret);
    clean(&RsaPrivateKeyPem::new(CANARY));
    clean(&ClientCredentials::new("key", CANARY).with_rsa_private_key(CANARY));
    clean(&TemporaryCredentials::new("token-and-more", CANARY));
    clean(&TokenCredentials::new("token-and-more", CANARY));
    clean(&VerificationKey::Secrets {
        client_secret: &secret,
        token_secret: Some(&token_secret),
    });
    clean(&Candidates::new("key", &secret));
    assert_eq!(format!("{secret:?}"), "ClientSecret(redacted)");

    for method in [SignatureMethod::Plaintext, SignatureMethod::HmacSha1] {
        let key = SigningKey::from_secrets(method, &secret, Some(&token_secret)).unwrap();
        clean(&key);
        let parameters = crate::case::parameters(method).with("oauth_signature", CANARY);
        clean(&parameters);
        let request = RequestToSign {
            method: "POST",
            url: "https://h/",
            form_body: Some(b""),
        };
        let mut signer = Signer::new();
        let result = signer.sign(&request, &parameters, &key, None).unwrap();
        clean(&result);
        for placement in Placement::all() {
            clean(&place(&request, &parameters, &result, placement));
        }
        let incoming = IncomingRequest {
            method: "POST",
            scheme: "https",
            host: "h",
            path_and_query: "/",
            authorization: Some(&result.authorization),
            content_type: None,
            body: CANARY.as_bytes(),
        };
        clean(&incoming);
        clean(&Presented::read(&incoming, Strictness::Strict).unwrap());
        clean(&tailorbird_oauth::parse_authorization(&result.authorization));
    }
}

#[test]
fn a_used_signer_prints_no_secret() {
    // PLAINTEXT leaves the secrets in the signer's own buffers.
    let key = SigningKey::from_secrets(SignatureMethod::Plaintext, &ClientSecret::new(CANARY), None).unwrap();
    let mut signer = Signer::new();
    let request = RequestToSign {
        method: "GET",
        url: "https://h/",
        form_body: None,
    };
    signer
        .sign(
            &request,
            &crate::case::parameters(SignatureMethod::Plaintext),
            &key,
            None,
        )
        .unwrap();
    clean(&signer);
}

#[test]
fn messages_print_no_secret() {
    let body = format!("oauth_token=t&oauth_token_secret={CANARY}&oauth_session_handle={CANARY}");
    clean(&read_token_credentials(200, body.as_bytes()).unwrap());
    clean(&read_callback(&format!("oauth_token=t&oauth_verifier={CANARY}")).unwrap());
}

#[test]
fn errors_print_no_secret() {
    let oauth = [("oauth_signature_method".into(), "RSA-SHA1".into())];
    let request = RawRequest {
        method: "GET",
        url: "https://h/",
        body: Some((CANARY, CANARY.as_bytes())),
        oauth: &oauth,
        consumer_secret: Some(CANARY),
        token_secret: Some(CANARY),
        rsa_private_key: Some(CANARY),
        realm: None,
    };
    clean(&request);
    let error = sign_raw(&request).unwrap_err();
    clean(&error);
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = source {
        assert!(!error.to_string().contains(CANARY));
        source = error.source();
    }
}

#[test]
fn secrets_are_compared_by_value() {
    assert_eq!(ClientSecret::new("a"), ClientSecret::from("a".to_owned()));
    assert_ne!(ClientSecret::new("a"), ClientSecret::new("b"));
    assert_ne!(ClientSecret::new("a"), ClientSecret::new("ab"));
    let padded = TokenSecret::new(" a\n");
    assert!(padded.has_outer_whitespace() && !padded.trimmed().has_outer_whitespace());
    assert_eq!(padded.trimmed(), TokenSecret::new("a"));
    let parameters = ProtocolParameters::default().with_version().into_owned();
    assert_eq!(parameters.get("oauth_version"), Some("1.0"));
}
