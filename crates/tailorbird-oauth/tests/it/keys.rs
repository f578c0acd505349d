//! Keys that can be used, and messages about those that cannot.

use std::error::Error as _;

use tailorbird_oauth::{
    ClientCredentials, ClientSecret, RawRequest, RsaKeyError, RsaPrivateKeyPem, RsaVerifyingKey, SignError,
    SignatureMethod, SigningKey, SigningKeyError, sign_raw,
};

use crate::case::{private_pem, text};

const METHOD: SignatureMethod = SignatureMethod::RsaSha256;

fn signing_key(pem: &str) -> Result<SigningKey, SigningKeyError> {
    SigningKey::from_rsa_private_key(METHOD, &RsaPrivateKeyPem::new(pem))
}

fn complaint(pem: &str) -> String {
    let error = signing_key(pem).unwrap_err();
    assert_eq!(error.to_string(), "RSA private key cannot be used");
    error.source().unwrap().to_string()
}

#[test]
fn pkcs8_and_pkcs1_are_the_same_key() {
    let pkcs8 = signing_key(&private_pem("own-rsa-2048")).unwrap();
    let pkcs1 = signing_key(&text("keys/own-rsa-2048.pkcs1.pem")).unwrap();
    assert_eq!(pkcs8.sign(b"x").unwrap(), pkcs1.sign(b"x").unwrap());
    let spki = RsaVerifyingKey::from_public_pem(&text("keys/own-rsa-2048.public.pem"));
    let pkcs1_public = RsaVerifyingKey::from_public_pem(&text("keys/own-rsa-2048.pkcs1-public.pem"));
    assert!(spki.is_ok() && pkcs1_public.is_ok());
}

#[test]
fn pem_is_read_as_it_arrives() {
    let pem = private_pem("own-rsa-2048");
    let right = signing_key(&pem).unwrap().sign(b"x").unwrap();
    for variant in [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        format!("    {}", pem.replace('\n', "  \n    ")),
        format!("Bag Attributes\n  friendlyName: x\n{pem}\ntrailing text"),
        pem.trim_end().to_owned(),
    ] {
        assert_eq!(
            signing_key(&variant).unwrap().sign(b"x").unwrap(),
            right,
            "{variant}"
        );
    }
}

#[test]
fn what_is_no_private_key_is_named() {
    let expected = "RSA private key in PEM form, PKCS#8 (BEGIN PRIVATE KEY) or PKCS#1 (BEGIN RSA PRIVATE KEY), was expected";
    for (pem, found) in [
        ("secret", "there is no PEM block (-----BEGIN …-----) at all"),
        ("", "there is no PEM block (-----BEGIN …-----) at all"),
        (&*text("keys/own-rsa-2048.public.pem"), "there is a public key"),
        (
            "-----BEGIN EC PRIVATE KEY-----\nx\n",
            "there is an elliptic-curve key",
        ),
        ("-----BEGIN CERTIFICATE-----\nx\n", "there is a certificate"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n",
            "there is a private key with a pass phrase; remove the pass phrase first",
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n",
            "there is an OpenSSH key; convert it to PEM first",
        ),
    ] {
        assert_eq!(
            complaint(pem),
            format!("{expected}, but {found}").replace(",, but", ", but")
        );
    }
}

#[test]
fn damaged_keys_are_refused() {
    let pem = private_pem("own-rsa-2048");
    let at = pem.find("MII").unwrap() + 200;
    let flipped = if &pem[at..=at] == "A" { "B" } else { "A" };
    let damaged = format!("{}{flipped}{}", &pem[..at], &pem[at + 1..]);
    for pem in [
        damaged,
        pem.replace("BEGIN PRIVATE KEY", "BEGIN RSA PRIVATE KEY"),
        pem[..400].to_owned(),
    ] {
        assert!(complaint(&pem).starts_with("RSA key is damaged"), "{pem}");
    }
    assert!(complaint(&"x".repeat(40_000)).starts_with("RSA key has 40000 bytes"));
}

#[test]
fn a_key_too_short_for_its_digest_is_refused() {
    // 512 bits leave 64 bytes: too few for a SHA-512 digest with its prefix.
    let pem = RsaPrivateKeyPem::new(private_pem("python-oauth2-rsa-512"));
    let key = SigningKey::from_rsa_private_key(SignatureMethod::RsaSha512, &pem).unwrap();
    let error = key.sign(b"x").unwrap_err();
    assert!(matches!(error, RsaKeyError::TooShortForHash { .. }));
    assert_eq!(error.to_string(), "RSA key is too short for SHA-512");
    // And a server takes no public key of that size.
    let public = text("keys/python-oauth2-rsa-512.public.pem");
    assert_eq!(
        RsaVerifyingKey::from_public_pem(&public).unwrap_err(),
        RsaKeyError::Damaged
    );
}

#[test]
fn method_and_key_have_to_fit() {
    let client = ClientCredentials::new("k", "s");
    assert_eq!(
        SigningKey::for_client(METHOD, &client, None).unwrap_err(),
        SigningKeyError::RsaKeyMissing { method: METHOD }
    );
    let pem = RsaPrivateKeyPem::new(private_pem("own-rsa-2048"));
    assert_eq!(
        SigningKey::from_rsa_private_key(SignatureMethod::HmacSha1, &pem).unwrap_err(),
        SigningKeyError::NotAnRsaMethod {
            method: SignatureMethod::HmacSha1
        }
    );
    let client = client.with_rsa_private_key(private_pem("own-rsa-2048"));
    for method in SignatureMethod::all() {
        assert_eq!(
            SigningKey::for_client(method, &client, None).unwrap().method(),
            method
        );
    }
}

#[test]
fn verifying_tells_right_from_wrong_for_each_method() {
    let client = ClientCredentials::new("k", "s").with_rsa_private_key(private_pem("own-rsa-2048"));
    for method in SignatureMethod::all() {
        let key = SigningKey::for_client(method, &client, None).unwrap();
        let signature = key.sign(b"base").unwrap();
        assert_eq!(key.verify(b"base", &signature), Ok(true));
        // PLAINTEXT covers nothing of the request.
        assert_eq!(
            key.verify(b"Base", &signature),
            Ok(method == SignatureMethod::Plaintext)
        );
        assert_eq!(key.verify(b"base", ""), Ok(false));
    }
}

fn raw<'a>(
    oauth: &'a [(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)],
    secret: Option<&'a str>,
) -> RawRequest<'a> {
    RawRequest {
        method: "GET",
        url: "http://h/",
        body: None,
        oauth,
        consumer_secret: secret,
        token_secret: None,
        rsa_private_key: None,
        realm: None,
    }
}

#[test]
fn raw_requests_without_what_they_need() {
    let oauth = [("oauth_signature_method".into(), "HMAC-SHA1".into())];
    let error = sign_raw(&raw(&oauth, None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "HMAC-SHA1 needs the client secret (consumer_secret), and there is none"
    );
    assert_eq!(
        sign_raw(&raw(&[], Some("s"))).unwrap_err().to_string(),
        "oauth_signature_method is missing; valid are HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, RSA-SHA1, \
         RSA-SHA256, RSA-SHA512, PLAINTEXT"
    );
    let unknown = [("oauth_signature_method".into(), "hmac-sha1".into())];
    assert!(
        sign_raw(&raw(&unknown, Some("s")))
            .unwrap_err()
            .to_string()
            .contains("valid are HMAC-SHA1, HMAC-SHA256")
    );
    let rsa = [("oauth_signature_method".into(), "RSA-SHA1".into())];
    assert!(matches!(
        sign_raw(&raw(&rsa, Some("s"))).unwrap_err(),
        SignError::Key(SigningKeyError::RsaKeyMissing { .. })
    ));
}

#[test]
fn raw_requests_may_lack_the_secret_for_rsa() {
    let oauth = [("oauth_signature_method".into(), "RSA-SHA256".into())];
    let pem = private_pem("own-rsa-2048");
    let request = RawRequest {
        rsa_private_key: Some(&pem),
        ..raw(&oauth, None)
    };
    let mut signer = tailorbird_oauth::RawSigner::new();
    let first = signer.sign(&request).unwrap();
    // The key is kept for the next one, under each of its methods.
    let other = [("oauth_signature_method".into(), "RSA-SHA1".into())];
    let second = signer
        .sign(&RawRequest {
            oauth: &other,
            ..request
        })
        .unwrap();
    let third = signer.sign(&request).unwrap();
    assert_eq!(first, third);
    assert_ne!(first.signature, second.signature);
    assert_eq!(
        second,
        sign_raw(&RawRequest {
            oauth: &other,
            ..request
        })
        .unwrap()
    );
}

#[test]
fn raw_bodies_are_signed_by_their_content_type_under_every_method() {
    let oauth = [("oauth_signature_method".into(), "HMAC-SHA1".into())];
    for (content_type, signed) in [
        ("application/x-www-form-urlencoded", true),
        ("application/x-www-form-urlencoded;charset=utf-8", true),
        ("APPLICATION/X-WWW-FORM-URLENCODED ; charset=ISO-8859-1", true),
        ("application/json", false),
        ("", false),
    ] {
        for method in ["GET", "POST", "DELETE", "PATCH"] {
            let body = Some((content_type, &b"a=1"[..]));
            let request = RawRequest {
                method,
                body,
                ..raw(&oauth, Some("s"))
            };
            assert_eq!(
                sign_raw(&request).unwrap().base_string.contains("&a%3D1%26"),
                signed,
                "{content_type}"
            );
        }
    }
}

#[test]
fn a_given_signature_is_replaced_and_never_signed() {
    let oauth = [
        ("oauth_signature_method".into(), "HMAC-SHA1".into()),
        ("oauth_signature".into(), "old".into()),
        ("oauth_consumer_key".into(), "k".into()),
    ];
    let request = RawRequest {
        url: "http://h/?oauth_signature=older&a=1",
        ..raw(&oauth, Some("s"))
    };
    let signed = sign_raw(&request).unwrap();
    assert!(
        !signed.base_string.contains("oauth_signature%3D"),
        "{}",
        signed.base_string
    );
    assert_eq!(signed.authorization.matches("oauth_signature=").count(), 1);
    assert!(!signed.authorization.contains("old"));
}

#[test]
fn a_key_for_another_method_than_the_parameters_name_is_refused() {
    let key = SigningKey::from_secrets(SignatureMethod::HmacSha1, &ClientSecret::new("s"), None).unwrap();
    let error = tailorbird_oauth::sign(
        &tailorbird_oauth::RequestToSign {
            method: "GET",
            url: "http://h/",
            form_body: None,
        },
        &crate::case::parameters(SignatureMethod::HmacSha256),
        &key,
        None,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "oauth_signature_method is HMAC-SHA256, but the signing key is one for HMAC-SHA1"
    );
}

#[test]
fn a_realm_among_the_pairs_goes_where_the_other_realm_goes() {
    let oauth = [
        ("realm".into(), "given".into()),
        ("oauth_signature_method".into(), "HMAC-SHA1".into()),
        ("oauth_consumer_key".into(), "k".into()),
    ];
    let among = sign_raw(&raw(&oauth, Some("s"))).unwrap();
    let apart = sign_raw(&RawRequest {
        realm: Some("given"),
        ..raw(&oauth[1..], Some("s"))
    })
    .unwrap();
    assert_eq!(among, apart);
    assert!(!among.base_string.contains("realm"), "{}", among.base_string);
    assert_eq!(
        among.authorization.matches("realm=\"given\"").count(),
        1,
        "{}",
        among.authorization
    );
}
