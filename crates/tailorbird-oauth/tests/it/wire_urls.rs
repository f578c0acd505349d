//! URLs: what can be signed, and how they are built.

use tailorbird_oauth::{
    BaseStringError, MAX_PARAMETERS, UrlError, authorization_url, base_string, base_string_uri, wire_url,
};

const NONE: [(&str, &str); 0] = [];

#[test]
fn urls_that_cannot_be_signed() {
    for (url, error) in [
        ("", UrlError::NotAbsoluteHttp),
        ("/path", UrlError::NotAbsoluteHttp),
        ("ftp://h/", UrlError::NotAbsoluteHttp),
        ("https:/h/", UrlError::NotAbsoluteHttp),
        ("https://", UrlError::NoHost),
        ("https:///p", UrlError::NoHost),
        ("https://user@/p", UrlError::NoHost),
        ("https://:80/p", UrlError::NoHost),
        ("https://[::1/p", UrlError::BrokenIpv6),
        ("https://[::1]x/p", UrlError::BrokenIpv6),
        ("https://h:x/", UrlError::BadPort),
        ("https://h:65536/", UrlError::BadPort),
        ("https://h:-1/", UrlError::BadPort),
        ("https://h/a\r\nb", UrlError::ControlCharacter),
        ("https://h/\u{7f}", UrlError::ControlCharacter),
    ] {
        assert_eq!(base_string_uri(url), Err(error), "{url:?}");
    }
}

#[test]
fn methods_that_cannot_be_signed() {
    for method in ["", "GET /", "G\nET", "GÉT"] {
        let error = base_string(method, "http://h/", None, &NONE).unwrap_err();
        assert_eq!(
            error,
            BaseStringError::Method {
                given: method.to_owned()
            }
        );
    }
    assert!(
        base_string("X-My_Method", "http://h/", None, &NONE)
            .unwrap()
            .starts_with("X-MY_METHOD&")
    );
}

#[test]
fn parameters_have_a_limit() {
    let form = |count: usize| vec!["a"; count].join("&");
    assert!(base_string("POST", "http://h/", Some(form(MAX_PARAMETERS).as_bytes()), &NONE).is_ok());
    assert_eq!(
        base_string(
            "POST",
            "http://h/?b",
            Some(form(MAX_PARAMETERS).as_bytes()),
            &NONE
        ),
        Err(BaseStringError::TooManyParameters {
            count: MAX_PARAMETERS + 1
        })
    );
}

#[test]
fn wire_urls_hold_only_what_may_stand_raw() {
    for (base, pairs, wire) in [
        ("https://h", vec![], "https://h/"),
        ("https://h?a=1", vec![("b", "2")], "https://h/?a=1&b=2"),
        ("https://h/p?", vec![("b", "")], "https://h/p?b="),
        (
            "https://h/a b/ü",
            vec![("q", "a&b=c/d?")],
            "https://h/a%20b/%C3%BC?q=a%26b%3Dc%2Fd%3F",
        ),
        ("https://h/a+b?c+d", vec![], "https://h/a+b?c%20d"),
        ("https://h/%zz%2f?%", vec![], "https://h/%25zz%2f?%25"),
        ("https://h/$!*'(),;:@&=", vec![], "https://h/$!*'(),;:@&="),
        ("http://[::1]:8080/[x]", vec![], "http://[::1]:8080/%5Bx%5D"),
        ("HTTPS://H/p#frag", vec![("a", "1")], "https://H/p?a=1"),
        ("https://h/\t\n", vec![], "https://h/%09%0A"),
    ] {
        assert_eq!(wire_url(base, pairs).unwrap(), wire, "{base}");
    }
    assert_eq!(wire_url("https://h o/", NONE), Err(UrlError::ControlCharacter));
    assert_eq!(wire_url("h/", NONE), Err(UrlError::NotAbsoluteHttp));
}

#[test]
fn values_may_be_bytes() {
    assert_eq!(
        wire_url("https://h/", [("a", &b"\xff\xfe"[..])]).unwrap(),
        "https://h/?a=%FF%FE"
    );
}

#[test]
fn authorization_urls() {
    for (url, built) in [
        ("https://h/authorize", "https://h/authorize?oauth_token=t%2B1"),
        ("https://h/authorize?", "https://h/authorize?oauth_token=t%2B1"),
        (
            "https://h/authorize?lang=de&x",
            "https://h/authorize?lang=de&x=&oauth_token=t%2B1",
        ),
        (
            "https://h/authorize?oauth_token=old&a=b%26c",
            "https://h/authorize?a=b%26c&oauth_token=t%2B1",
        ),
        ("https://h/authorize#top", "https://h/authorize?oauth_token=t%2B1"),
    ] {
        assert_eq!(authorization_url(url, "t+1", []).unwrap(), built, "{url}");
    }
    assert!(authorization_url("authorize", "t", []).is_err());
}
