//! Which of the three OAuth addresses an address is, and whether it stands in the right box.

use std::collections::BTreeMap;

use tailorbird_model::service::Service;
use tailorbird_model::{Failure, Meaning, codes};
use url::Url;

use crate::origin::Origin;

/// The three addresses of the three-legged flow (RFC 5849 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OAuthAddress {
    /// RFC 5849 §2.1.
    TemporaryCredentials,
    /// RFC 5849 §2.2.
    Authorization,
    /// RFC 5849 §2.3.
    Token,
}

impl OAuthAddress {
    const ALL: [Self; 3] = [Self::TemporaryCredentials, Self::Authorization, Self::Token];

    /// The setting's name.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::TemporaryCredentials => "temporary_credentials_url",
            Self::Authorization => "authorization_url",
            Self::Token => "token_url",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::TemporaryCredentials => "where a request token is handed out",
            Self::Authorization => "the page on which the account's owner approves",
            Self::Token => "where the verification code is exchanged for the access token",
        }
    }

    fn of_service(self, service: &Service) -> Option<&str> {
        let oauth = service.authentication.oauth1.as_ref()?;
        match self {
            Self::TemporaryCredentials => oauth.temporary_credentials_url.as_deref(),
            Self::Authorization => oauth.authorization_url.as_deref(),
            Self::Token => oauth.token_url.as_deref(),
        }
    }

    /// Guesses from the last parts of the path which one an address is. Names differ from provider to
    /// provider (`access_token`, `OAuthGetAccessToken`, `accesstoken`, `token/access`), the words do not.
    fn guess(url: &Url) -> Option<Self> {
        let mut parts = url.path().rsplit('/').filter(|part| !part.is_empty());
        let plain = |part: Option<&str>| -> String {
            part.unwrap_or_default()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| c.to_ascii_lowercase())
                .collect()
        };
        let (last, before) = (plain(parts.next()), plain(parts.next()));
        let has = |words: &[&str]| words.iter().any(|word| last.contains(word));
        // "authorizetoken" is an authorization page, so this comes first.
        if has(&["authoriz", "authoris", "authenticate"]) {
            Some(Self::Authorization)
        } else if has(&["requesttoken", "temporary", "initiate"]) || (before == "token" && last == "request")
        {
            Some(Self::TemporaryCredentials)
        } else if has(&["accesstoken"]) || last == "token" || (before == "token" && last == "access") {
            Some(Self::Token)
        } else {
            None
        }
    }
}

/// Checks the three addresses that would be in force.
pub(super) fn check(service: &Service, settings: &BTreeMap<String, String>) -> Vec<Failure> {
    let effective = |role: OAuthAddress| {
        settings
            .get(role.setting())
            .map(String::as_str)
            .or_else(|| role.of_service(service))
            .and_then(|url| Url::parse(url).ok())
    };
    let mut problems = Vec::new();
    for role in OAuthAddress::ALL {
        if !settings.contains_key(role.setting()) {
            continue;
        }
        if let Some(url) = effective(role)
            && let Err(problem) = refuse_misplaced(service, role, &url, new_home(service, settings).as_ref())
        {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let pairs = [
        (OAuthAddress::TemporaryCredentials, OAuthAddress::Authorization),
        (OAuthAddress::TemporaryCredentials, OAuthAddress::Token),
        (OAuthAddress::Authorization, OAuthAddress::Token),
    ];
    for (one, other) in pairs {
        if let (Some(first), Some(second)) = (effective(one), effective(other))
            && first == second
        {
            problems.push(
                Failure::new(
                    codes::AUTHORIZE_URL_WRONG,
                    Meaning::ConnectionFault,
                    format!("{} and {} are the same address", one.setting(), other.setting()),
                )
                .detail(format!(
                    "Both are {first}. OAuth 1.0a needs three different ones: {} is {}, {} is {}.",
                    one.setting(),
                    one.purpose(),
                    other.setting(),
                    other.purpose()
                ))
                .hint("Look up the three addresses in the provider's documentation and set the one that is wrong."),
            );
        }
    }
    problems
}

/// The origin to which a connection moved its service, if it did.
fn new_home(service: &Service, settings: &BTreeMap<String, String>) -> Option<Origin> {
    let to = Origin::parse(settings.get("root_url")?)?;
    let from = Origin::parse(service.root_url.as_deref()?)?;
    (to != from).then_some(to)
}

/// Refuses an address whose own words, or the known service, say that it belongs into another box.
///
/// # Errors
/// AUTH-007 with the box it belongs into and, where known, the address that belongs here.
pub(crate) fn refuse_misplaced(
    service: &Service,
    role: OAuthAddress,
    url: &Url,
    new_home: Option<&Origin>,
) -> Result<(), Failure> {
    let known = OAuthAddress::ALL.into_iter().find(|other| {
        other
            .of_service(service)
            .and_then(|known| Url::parse(known).ok())
            .is_some_and(|known| known == *url)
    });
    let Some(found) = known.or_else(|| OAuthAddress::guess(url)) else {
        return Ok(());
    };
    if found == role {
        return Ok(());
    }
    let known = role.of_service(service).and_then(|known| Url::parse(known).ok());
    let known = known.map(|known| new_home.and_then(|home| home.adopt(&known)).unwrap_or(known));
    let right = match (known, role) {
        (Some(known), _) => format!("For {} it is {known}.", service.title),
        (None, OAuthAddress::Authorization) => "It usually ends in \"authorize\".".to_owned(),
        (None, OAuthAddress::TemporaryCredentials) => "It usually ends in \"request_token\".".to_owned(),
        (None, OAuthAddress::Token) => "It usually ends in \"access_token\".".to_owned(),
    };
    Err(Failure::new(
        codes::AUTHORIZE_URL_WRONG,
        Meaning::ConnectionFault,
        format!(
            "{} holds the address that belongs into {}",
            role.setting(),
            found.setting()
        ),
    )
    .detail(format!(
        "{url} is {}; here belongs {}. Nothing was sent.",
        found.purpose(),
        role.purpose()
    ))
    .hint(format!("Set {} to the right address. {right}", role.setting())))
}

#[cfg(test)]
mod tests {
    use super::OAuthAddress::{self, Authorization, TemporaryCredentials, Token};

    #[test]
    fn the_last_words_of_a_path_tell_its_purpose() {
        for (url, expected) in [
            (
                "https://api.x.com/oauth/request_token",
                Some(TemporaryCredentials),
            ),
            ("https://api.x.com/oauth/authorize", Some(Authorization)),
            ("https://api.x.com/oauth/authenticate", Some(Authorization)),
            ("https://api.x.com/oauth/access_token", Some(Token)),
            ("https://api.x.com/oauth/access_token/", Some(Token)),
            ("https://photos.example.net/initiate", Some(TemporaryCredentials)),
            ("https://photos.example.net/token", Some(Token)),
            (
                "https://trello.com/1/OAuthGetRequestToken",
                Some(TemporaryCredentials),
            ),
            ("https://trello.com/1/OAuthAuthorizeToken", Some(Authorization)),
            ("https://trello.com/1/OAuthGetAccessToken", Some(Token)),
            (
                "https://shop.example/oauth/token/request",
                Some(TemporaryCredentials),
            ),
            ("https://shop.example/oauth/token/access", Some(Token)),
            ("https://shop.example/admin/oauth_authorize", Some(Authorization)),
            (
                "https://crm.example/app/login/secure/authorizetoken.nl",
                Some(Authorization),
            ),
            ("https://wiki.example/step-one", None),
        ] {
            assert_eq!(OAuthAddress::guess(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
