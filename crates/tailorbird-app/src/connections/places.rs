//! Where stored secrets go, and what is said when that changes.
//!
//! Secrets belong to the provider that gave them (security rule 5). A person may lead a connection elsewhere
//! and is told what that means; a file that came from somebody else may not.

use std::collections::BTreeSet;

use tailorbird_connector::{self as connector, Origin};
use tailorbird_model::connection::Connection;
use tailorbird_model::service::Service;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::SecretField;

use crate::{App, AppError};

/// The fields that prove something; key and token alone are only names (RFC 5849 §1.1).
const PROVING: [SecretField; 3] = [
    SecretField::ClientSecret,
    SecretField::TokenSecret,
    SecretField::RsaPrivateKey,
];

/// Where a connection's requests and credentials go; nowhere while its settings cannot be used.
fn places(service: &Service, connection: &Connection) -> BTreeSet<Origin> {
    connector::resolve(service, connection).map_or_else(|_| BTreeSet::new(), |resolved| resolved.origins)
}

fn listed(places: &BTreeSet<Origin>) -> String {
    if places.is_empty() {
        return "no place".to_owned();
    }
    places
        .iter()
        .map(Origin::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

impl App {
    /// What a person should know who leads the stored secrets of a connection to a place where they never
    /// went; nothing where none are stored besides those that are `replaced`.
    pub(crate) fn secrets_led_elsewhere(
        &self,
        name: &Name,
        replaced: impl Fn(SecretField) -> bool,
        before: (&Service, &Connection),
        after: (&Service, &Connection),
    ) -> Result<Option<String>, AppError> {
        let kept = self
            .store
            .credential_fields(name)?
            .into_iter()
            .any(|(field, _)| PROVING.contains(&field) && !replaced(field));
        let new: BTreeSet<Origin> = places(after.0, after.1)
            .difference(&places(before.0, before.1))
            .cloned()
            .collect();
        Ok((kept && !new.is_empty()).then(|| {
            format!(
                "The secrets stored for {name} go to {} from now on. If they were given for another provider, \
                 give the right ones with `tailorbird connection add {name} --secrets -`.",
                listed(&new)
            )
        }))
    }

    /// Refuses an imported connection that would lead stored secrets to another place.
    ///
    /// # Errors
    /// CONN-002.
    pub(crate) fn refuse_to_lead_elsewhere(
        &self,
        name: &Name,
        before: (&Service, &Connection),
        after: (&Service, &Connection),
    ) -> Result<(), AppError> {
        if self
            .secrets_led_elsewhere(name, |_| false, before, after)?
            .is_none()
        {
            return Ok(());
        }
        Err(AppError::usage(
            Failure::new(
                codes::CONNECTION_SETTING,
                Meaning::ConnectionFault,
                format!("the file would lead the secrets stored for `{name}` to another provider"),
            )
            .detail(format!(
                "They go to {} now; with the file they would go to {}. Nothing was changed.",
                listed(&places(before.0, before.1)),
                listed(&places(after.0, after.1))
            ))
            .hint(format!(
                "If that is meant, set the addresses yourself: `tailorbird connection add {name} --set \
                 root_url=…`. Else give the connection another name in the file."
            )),
        ))
    }
}
