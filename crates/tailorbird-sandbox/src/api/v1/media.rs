//! `media/upload` (INIT, APPEND, FINALIZE, STATUS, and in one request), `media/metadata/create`

use super::input::Input;
use crate::api::call::{Call, Part};
use crate::api::legacy_error::LegacyError;
use crate::api::params::parse_id;
use crate::api::render::{dimensions, media_key, media_kind};
use crate::api::uploads::{self, Refusal};
use crate::state::{Event, Media};
use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Longest text for people who cannot see a picture, in characters.
const MAX_ALT_TEXT: usize = 1_000;
/// Longest part of a multipart body that is read as a parameter, in bytes.
const MAX_PARAMETER: usize = 4_096;

/// `POST media/upload`
pub(crate) async fn upload(call: Call) -> Result<Response, LegacyError> {
    super::must_write(&call)?;
    let parts = if call.body_is("multipart/form-data") {
        call.parts()
            .await
            .ok_or_else(|| LegacyError::unreadable_body("The multipart body is broken."))?
    } else {
        Vec::new()
    };
    let texts = parts
        .iter()
        .filter(|part| part.name != "media" && part.content.len() <= MAX_PARAMETER)
        .map(|part| {
            (
                part.name.clone(),
                String::from_utf8_lossy(&part.content).into_owned(),
            )
        });
    let input = Input::of(&call).with(texts.collect::<Vec<_>>());
    let now = call.now();
    match input.text("command").unwrap_or_default() {
        "INIT" => {
            let total = input.text("total_bytes").and_then(|text| text.parse().ok());
            let total = total.ok_or_else(|| LegacyError::missing("total_bytes"))?;
            let kind = input
                .text("media_type")
                .ok_or_else(|| LegacyError::missing("media_type"))?;
            let category = input.text("media_category").unwrap_or_default();
            let media = uploads::start(&call, kind, total, category)
                .await?
                .map_err(|refusal| error(&refusal))?;
            Ok((StatusCode::ACCEPTED, Json(described(&media, now))).into_response())
        }
        "APPEND" => {
            let segment = input.text("segment_index").and_then(|text| text.parse().ok());
            let segment = segment.ok_or_else(|| LegacyError::missing("segment_index"))?;
            let content = content(&parts, &input)?;
            uploads::append(&call, id(&input)?, segment, &content)
                .await?
                .map_err(|refusal| error(&refusal))?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        "FINALIZE" => {
            let media = uploads::finalize(&call, id(&input)?)
                .await?
                .map_err(|refusal| error(&refusal))?;
            Ok((StatusCode::CREATED, Json(described(&media, now))).into_response())
        }
        "" => {
            let content = content(&parts, &input)?;
            let kind = uploads::sniff(&content);
            let category = input.text("media_category").unwrap_or_default();
            let media = uploads::whole(&call, kind, category, &content)
                .await?
                .map_err(|refusal| error(&refusal))?;
            Ok(Json(described(&media, now)).into_response())
        }
        other => Err(LegacyError::new(
            StatusCode::BAD_REQUEST,
            38,
            format!(
                "command parameter is invalid: [{other}] is not one of [INIT, APPEND, FINALIZE, STATUS]."
            ),
        )),
    }
}

/// `GET media/upload?command=STATUS&media_id=`
pub(crate) async fn status(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    if input.text("command") != Some("STATUS") {
        return Err(LegacyError::missing("command"));
    }
    let id = id(&input)?;
    let now = call.now();
    call.read(|state| match uploads::own(state, call.account(), id, now) {
        Some(media) => Ok(Json(described(media, now)).into_response()),
        None => Err(error(&Refusal::Unknown(id))),
    })
}

/// `POST media/metadata/create` with a JSON body
pub(crate) async fn describe(call: Call) -> Result<Response, LegacyError> {
    super::must_write(&call)?;
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return Err(LegacyError::unreadable_body("The body is not valid JSON."));
    };
    let id = match body.get("media_id") {
        Some(Value::String(text)) => parse_id(text),
        Some(Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    let id = id.ok_or_else(|| LegacyError::missing("media_id"))?;
    let alt_text = body
        .pointer("/alt_text/text")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if alt_text.chars().count() > MAX_ALT_TEXT {
        return Err(LegacyError::invalid("alt_text"));
    }
    let (account, now) = (call.account(), call.now());
    call.write(|state| match uploads::own(state, account, id, now) {
        Some(_) => (vec![Event::MediaDescribed { id, alt_text }], Ok(())),
        None => (Vec::new(), Err(error(&Refusal::Unknown(id)))),
    })
    .await??;
    Ok(StatusCode::OK.into_response())
}

fn id(input: &Input) -> Result<u64, LegacyError> {
    input
        .id("media_id")?
        .ok_or_else(|| LegacyError::missing("media_id"))
}

/// The content: the part `media` as bytes, or `media_data` as base64 in a part or a form.
fn content(parts: &[Part], input: &Input) -> Result<Bytes, LegacyError> {
    if let Some(media) = parts.iter().find(|part| part.name == "media") {
        return Ok(media.content.clone());
    }
    let part = parts
        .iter()
        .find(|part| part.name == "media_data")
        .map(|part| part.content.to_vec());
    let encoded = part
        .or_else(|| input.text("media_data").map(|text| text.as_bytes().to_vec()))
        .ok_or_else(|| LegacyError::missing("media"))?;
    // A form turns `+` into a space; base64 has no spaces, so they can only have been that.
    let encoded: Vec<u8> = encoded
        .into_iter()
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect();
    STANDARD
        .decode(encoded)
        .map(Bytes::from)
        .map_err(|_| LegacyError::invalid("media_data"))
}

fn error(refusal: &Refusal) -> LegacyError {
    let code = match refusal {
        Refusal::Unknown(_) => 325,
        Refusal::Incomplete | Refusal::TooMuch | Refusal::Size(_) => 324,
        _ => 38,
    };
    LegacyError::new(StatusCode::BAD_REQUEST, code, refusal.sentence())
}

fn described(media: &Media, now: Timestamp) -> Value {
    let mut body = Map::new();
    body.insert("media_id".to_owned(), json!(media.id));
    body.insert("media_id_string".to_owned(), json!(media.id.to_string()));
    body.insert("media_key".to_owned(), json!(media_key(media)));
    body.insert(
        "expires_after_secs".to_owned(),
        json!(uploads::seconds_left(media, now)),
    );
    if media.finalized_at.is_some() {
        body.insert("size".to_owned(), json!(media.total_bytes));
        if media_kind(media) == "photo" {
            let mut image = Map::new();
            image.insert("image_type".to_owned(), json!(media.media_type));
            if let Some((width, height)) = dimensions(media) {
                image.insert("w".to_owned(), json!(width));
                image.insert("h".to_owned(), json!(height));
            }
            body.insert("image".to_owned(), Value::Object(image));
        } else {
            body.insert("video".to_owned(), json!({ "video_type": media.media_type }));
        }
    }
    if let Some(info) = uploads::processing_info(media, now) {
        body.insert("processing_info".to_owned(), info);
    }
    Value::Object(body)
}
