//! `account/verify_credentials`, `account/settings`, `account/update_profile`

use super::input::Input;
use super::render::{Mode, View, user};
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::state::{Account, AccountSettings, Event, ProfileChange};
use axum::Json;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The profile's members, how long each may be in characters, and its name in X's sentence.
const PROFILE: [(&str, usize, &str); 4] = [
    ("name", 50, "Name"),
    ("url", 100, "Url"),
    ("location", 30, "Location"),
    ("description", 160, "Description"),
];

/// `GET account/verify_credentials`
pub(crate) async fn verify_credentials(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let mut body = profile(&call, Mode::of(&input))?;
    if let Some(body) = body.as_object_mut() {
        if !input.flag("skip_status") {
            let newest = call.read(|state| {
                let view = View::new(
                    state,
                    call.account(),
                    call.now(),
                    Mode {
                        trim_user: true,
                        ..Mode::of(&input)
                    },
                );
                state
                    .posts_of(call.account())
                    .next()
                    .map(|post| super::render::status(&view, post))
            });
            if let Some(newest) = newest {
                body.insert("status".to_owned(), newest);
            }
        }
        if input.flag("include_email") {
            body.insert("email".to_owned(), json!(""));
        }
    }
    Ok(Json(body).into_response())
}

fn profile(call: &Call, mode: Mode) -> Result<Value, LegacyError> {
    let now = call.now();
    call.read(|state| {
        let account = state
            .accounts
            .get(&call.account())
            .ok_or_else(LegacyError::unknown_user)?;
        Ok(user(&View::new(state, call.account(), now, mode), account))
    })
}

/// `POST account/update_profile`
pub(crate) async fn update_profile(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    for (name, most, title) in PROFILE {
        let length = input.text(name).unwrap_or_default().chars().count();
        if length > most {
            return Err(LegacyError::profile(format!(
                "Account update failed: {title} is too long (maximum is {most} characters)."
            )));
        }
    }
    if input.text("name").is_some_and(|name| name.trim().is_empty()) {
        return Err(LegacyError::profile(
            "Account update failed: Name can't be blank.",
        ));
    }
    let given = |name: &str| input.text(name).map(|text| text.trim().to_owned());
    let website = given("url").map(|url| {
        if url.is_empty() || url.contains("://") {
            url
        } else {
            format!("http://{url}")
        }
    });
    let change = ProfileChange {
        name: given("name"),
        description: given("description"),
        location: given("location"),
        website,
    };
    let account = call.account();
    if change != ProfileChange::default() {
        call.write(|_| (vec![Event::ProfileChanged { account, change }], ()))
            .await?;
    }
    Ok(Json(profile(&call, Mode::of(&input))?).into_response())
}

/// `GET account/settings`
pub(crate) async fn settings(call: Call) -> Result<Response, LegacyError> {
    current(&call)
}

/// `POST account/settings`
pub(crate) async fn change_settings(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let account = call.account();
    call.write(|state| {
        let Some(found) = state.accounts.get(&account) else {
            return (Vec::new(), Err(LegacyError::unknown_user()));
        };
        match changed(&found.settings, &input) {
            Ok(settings) if settings == found.settings => (Vec::new(), Ok(())),
            Ok(settings) => (vec![Event::AccountSettingsChanged { account, settings }], Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        }
    })
    .await??;
    current(&call)
}

fn changed(before: &AccountSettings, input: &Input) -> Result<AccountSettings, LegacyError> {
    let mut settings = before.clone();
    if let Some(language) = input.text("lang") {
        let good = (2..=8).contains(&language.len())
            && language
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !good {
            return Err(LegacyError::invalid("lang"));
        }
        language.clone_into(&mut settings.language);
    }
    if let Some(zone) = input.text("time_zone") {
        TimeZone::get(zone).map_err(|_| LegacyError::invalid("time_zone"))?;
        zone.clone_into(&mut settings.time_zone);
    }
    if let Some(enabled) = input.flag_given("sleep_time_enabled") {
        settings.sleep_enabled = enabled;
    }
    let hour = |name: &str| match input.text(name) {
        None => Ok(None),
        Some(text) => text
            .parse::<u8>()
            .ok()
            .filter(|hour| *hour < 24)
            .map(Some)
            .ok_or_else(|| LegacyError::invalid(name)),
    };
    settings.sleep_start_hour = hour("start_sleep_time")?.or(settings.sleep_start_hour);
    settings.sleep_end_hour = hour("end_sleep_time")?.or(settings.sleep_end_hour);
    if let Some(place) = input.id("trend_location_woeid")? {
        settings.trend_location_woeid = place;
    }
    if let Some(whose) = input.text("allow_dms_from") {
        if !matches!(whose, "all" | "following") {
            return Err(LegacyError::invalid("allow_dms_from"));
        }
        whose.clone_into(&mut settings.allow_dms_from);
    }
    if let Some(found) = input.flag_given("discoverable_by_email") {
        settings.discoverable_by_email = found;
    }
    Ok(settings)
}

fn current(call: &Call) -> Result<Response, LegacyError> {
    let now = call.now();
    call.read(|state| {
        let account = state
            .accounts
            .get(&call.account())
            .ok_or_else(LegacyError::unknown_user)?;
        let offset =
            TimeZone::get(&account.settings.time_zone).map_or(0, |zone| zone.to_offset(now).seconds());
        Ok(Json(described(account, offset)).into_response())
    })
}

fn described(account: &Account, utc_offset: i32) -> Value {
    let settings = &account.settings;
    json!({
        "protected": account.protected,
        "screen_name": account.username,
        "always_use_https": true,
        "use_cookie_personalization": false,
        "sleep_time": {
            "enabled": settings.sleep_enabled,
            "start_time": settings.sleep_start_hour,
            "end_time": settings.sleep_end_hour,
        },
        "geo_enabled": false,
        "language": settings.language,
        "discoverable_by_email": settings.discoverable_by_email,
        "discoverable_by_mobile_phone": false,
        "display_sensitive_media": false,
        "allow_contributor_request": "none",
        "allow_dms_from": settings.allow_dms_from,
        "allow_dm_groups_from": settings.allow_dms_from,
        "translator_type": "none",
        "trend_location": [{
            "name": if settings.trend_location_woeid == 1 { "Worldwide" } else { "" },
            "woeid": settings.trend_location_woeid,
        }],
        "time_zone": {
            "name": settings.time_zone,
            "tzinfo_name": settings.time_zone,
            "utc_offset": utc_offset,
        },
    })
}
