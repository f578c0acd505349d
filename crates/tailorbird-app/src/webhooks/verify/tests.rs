use proptest::prelude::*;
use tailorbird_model::task::trigger::SignedTime;

use super::super::bytes::to_hex;
use super::*;

const SECRET: &[u8] = b"It's a Secret to Everybody";
const NOW: i64 = 1_800_000_000;

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    pairs
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_bytes().to_vec()))
        .collect()
}

fn judge(style: &Verify, pairs: &[(&str, &str)], body: &str) -> Result<Verified, Disbelief> {
    let headers = headers(pairs);
    let request = Presented {
        headers: &headers,
        body: body.as_bytes(),
    };
    let now = Timestamp::from_second(NOW).unwrap();
    verify(style, Span::from_seconds(300), SECRET, request, now)
}

fn hex_mac(algorithm: HmacAlgorithm, text: &str) -> String {
    to_hex(&mac(algorithm, SECRET, &[text.as_bytes()]))
}

#[test]
fn the_example_of_github_is_right() {
    // From GitHub's documentation of webhooks ("Testing the webhook payload validation").
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let header = |value: &str| {
        judge(
            &Verify::Github,
            &[("X-Hub-Signature-256", value)],
            "Hello, World!",
        )
    };
    assert_eq!(header(right), Ok(Verified { signed_at: None }));
    assert_eq!(
        header(&right.to_uppercase().replace("SHA", "sha")),
        Ok(Verified { signed_at: None })
    );
    assert_eq!(header(&right.replace("757", "758")), Err(Disbelief::Signature));
    assert!(matches!(header("sha1=aa"), Err(Disbelief::Malformed { .. })));
    assert!(matches!(header("sha256="), Err(Disbelief::Malformed { .. })));
    assert_eq!(
        judge(&Verify::Github, &[], "Hello, World!"),
        Err(Disbelief::Missing("X-Hub-Signature-256".to_owned()))
    );
    let twice = [("X-Hub-Signature-256", right), ("x-hub-signature-256", right)];
    assert_eq!(
        judge(&Verify::Github, &twice, "Hello, World!"),
        Err(Disbelief::Several("X-Hub-Signature-256".to_owned()))
    );
}

#[test]
fn stripe_signs_the_time_with_the_body() {
    let body = r#"{"id":"evt_1"}"#;
    let sign = |at: i64| hex_mac(HmacAlgorithm::Sha256, &format!("{at}.{body}"));
    let header = |value: &str| judge(&Verify::Stripe, &[("Stripe-Signature", value)], body);
    let right = sign(NOW - 10);
    assert_eq!(
        header(&format!("t={},v0=00,v1={right}", NOW - 10)),
        Ok(Verified {
            signed_at: Some(NOW - 10)
        })
    );
    // While a secret is exchanged there are two.
    assert!(header(&format!("t={},v1=00ff,v1={right}", NOW - 10)).is_ok());
    // A time that was changed does not fit its signature; an old one is too old even where it fits.
    assert_eq!(header(&format!("t={NOW},v1={right}")), Err(Disbelief::Signature));
    let old = header(&format!("t={},v1={}", NOW - 301, sign(NOW - 301)));
    assert!(
        matches!(old, Err(Disbelief::TooOld { seconds: 301, .. })),
        "{old:?}"
    );
    let new = header(&format!("t={},v1={}", NOW + 301, sign(NOW + 301)));
    assert!(
        matches!(new, Err(Disbelief::TooNew { seconds: 301, .. })),
        "{new:?}"
    );
    for odd in [
        "",
        "t=1",
        "v1=00",
        "t=x,v1=00",
        "t=1,t=1,v1=00",
        "t=-1,v1=00",
        "t=1,v1=0g",
        "t",
    ] {
        assert!(matches!(header(odd), Err(Disbelief::Malformed { .. })), "{odd}");
    }
    let many = format!("t={NOW}{}", ",v1=00".repeat(9));
    assert!(matches!(header(&many), Err(Disbelief::Malformed { .. })));
}

#[test]
fn x_answers_a_challenge_and_signs_in_base64() {
    // HMAC-SHA256 of "challenge" by this secret, computed with Python's hmac module.
    assert_eq!(
        crc_answer(SECRET, "challenge").as_deref(),
        Some("sha256=jOGFUr/RVzNzIImBNlNhq483IboPHPL9BqNZNbjoofY=")
    );
    assert_eq!(crc_answer(SECRET, ""), None);
    assert_eq!(crc_answer(SECRET, &"x".repeat(2000)), None);
    let signature = format!(
        "sha256={}",
        to_base64(&mac(HmacAlgorithm::Sha256, SECRET, &[b"{}"]))
    );
    let header = |value: &str| judge(&Verify::X, &[("x-twitter-webhooks-signature", value)], "{}");
    assert!(header(&signature).is_ok());
    assert!(header(signature.trim_end_matches('=')).is_ok());
    assert_eq!(header("sha256=AAAA"), Err(Disbelief::Signature));
}

#[test]
fn a_style_of_ones_own_says_what_is_signed() {
    let style = |timestamp: Option<SignedTime>, algorithm, encoding| {
        Verify::Hmac(HmacStyle {
            header: "X-Sig".to_owned(),
            algorithm,
            encoding,
            prefix: String::new(),
            timestamp,
        })
    };
    for algorithm in [HmacAlgorithm::Sha1, HmacAlgorithm::Sha256, HmacAlgorithm::Sha512] {
        let signature = hex_mac(algorithm, "body");
        let plain = style(None, algorithm, Encoding::Hex);
        assert!(judge(&plain, &[("X-Sig", &signature)], "body").is_ok());
        assert_eq!(
            judge(&plain, &[("X-Sig", &signature)], "Body"),
            Err(Disbelief::Signature)
        );
    }
    // As Slack does.
    let time = SignedTime {
        header: "X-Time".to_owned(),
        signed: "v0:{timestamp}:{body}".to_owned(),
    };
    let slack = style(Some(time), HmacAlgorithm::Sha256, Encoding::Hex);
    let signature = hex_mac(HmacAlgorithm::Sha256, &format!("v0:{NOW}:body {{timestamp}}"));
    let now = NOW.to_string();
    let given = [("X-Sig", signature.as_str()), ("X-Time", now.as_str())];
    assert_eq!(
        judge(&slack, &given, "body {timestamp}"),
        Ok(Verified { signed_at: Some(NOW) })
    );
    assert_eq!(
        judge(&slack, &given[..1], "body {timestamp}"),
        Err(Disbelief::Missing("X-Time".to_owned()))
    );
}

#[test]
fn a_token_is_compared_whole() {
    let style = Verify::Token(TokenStyle {
        header: "Authorization".to_owned(),
        prefix: "Bearer ".to_owned(),
    });
    let header = |value: &str| judge(&style, &[("Authorization", value)], "");
    assert!(header("Bearer It's a Secret to Everybody").is_ok());
    for wrong in [
        "It's a Secret to Everybody",
        "Bearer ",
        "Bearer It's a Secret to Everybod",
        "Bearer x",
    ] {
        assert_eq!(header(wrong), Err(Disbelief::Token), "{wrong}");
    }
}

#[test]
fn no_reason_repeats_a_secret_or_a_signature() {
    let wrong = "sha256=abcdef0123";
    let why = judge(&Verify::Github, &[("X-Hub-Signature-256", wrong)], "x").unwrap_err();
    assert!(!why.to_string().contains("abcdef"), "{why}");
}

fn style() -> impl Strategy<Value = Verify> {
    let hmac = (any::<bool>(), any::<bool>()).prop_map(|(timed, base64)| {
        Verify::Hmac(HmacStyle {
            header: "X-Sig".to_owned(),
            algorithm: HmacAlgorithm::Sha512,
            encoding: if base64 { Encoding::Base64 } else { Encoding::Hex },
            prefix: "s=".to_owned(),
            timestamp: timed.then(|| SignedTime {
                header: "X-Time".to_owned(),
                signed: "{timestamp}.{body}".to_owned(),
            }),
        })
    });
    prop_oneof![Just(Verify::Github), Just(Verify::Stripe), Just(Verify::X), hmac]
}

proptest! {
    #[test]
    fn any_header_is_judged_and_none_is_believed(
        style in style(), value in proptest::collection::vec(any::<u8>(), 0..80), body in ".{0,20}", time in ".{0,14}"
    ) {
        let names = ["x-hub-signature-256", "stripe-signature", "x-twitter-webhooks-signature", "x-sig"];
        let mut headers: Vec<(String, Vec<u8>)> = names.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
        headers.push(("x-time".to_owned(), time.into_bytes()));
        let request = Presented { headers: &headers, body: body.as_bytes() };
        let now = Timestamp::from_second(NOW).unwrap();
        prop_assert!(verify(&style, Span::from_seconds(300), SECRET, request, now).is_err());
    }

    #[test]
    fn any_text_of_the_right_letters_is_judged(style in style(), value in "[tv01=,s:ha256a-f.+/]{0,60}") {
        let names = ["X-Hub-Signature-256", "Stripe-Signature", "X-Twitter-Webhooks-Signature", "X-Sig"];
        let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, value.as_str())).collect();
        prop_assert!(judge(&style, &pairs, "x").is_err());
    }

    #[test]
    fn one_changed_byte_of_the_body_is_enough(body in proptest::collection::vec(any::<u8>(), 1..60), at: prop::sample::Index) {
        let signature = format!("sha256={}", to_hex(&mac(HmacAlgorithm::Sha256, SECRET, &[&body])));
        let headers = headers(&[("X-Hub-Signature-256", &signature)]);
        let now = Timestamp::from_second(NOW).unwrap();
        let judge = |body: &[u8]| {
            verify(&Verify::Github, Span::from_seconds(300), SECRET, Presented { headers: &headers, body }, now)
        };
        prop_assert!(judge(&body).is_ok());
        let mut other = body.clone();
        other[at.index(body.len())] ^= 1;
        prop_assert_eq!(judge(&other), Err(Disbelief::Signature));
    }

    #[test]
    fn any_time_is_within_the_tolerance_or_told(age in -100_000_i64..100_000) {
        let at = NOW - age;
        let signature = hex_mac(HmacAlgorithm::Sha256, &format!("{at}.x"));
        let judged = judge(&Verify::Stripe, &[("Stripe-Signature", &format!("t={at},v1={signature}"))], "x");
        prop_assert_eq!(judged.is_ok(), age.abs() <= 300);
    }
}
