//! Media by the dedicated endpoints: initialize, append, finalize; texts for people who cannot see them.

use crate::api::call::{Call, Part};
use crate::api::params::Params;
use crate::api::problem::{InvalidParameter, Missing, Problem};
use crate::api::render;
use crate::api::schema::{self, Member, Shape, optional, required};
use crate::api::uploads::{self, MAX_SEGMENT, Refusal};
use crate::clock::plus_seconds;
use crate::settings::MEDIA_LIFETIME_S;
use crate::state::{Event, Media};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Longest base64 text of a segment; the cap on bodies is lower.
const MAX_BASE64: usize = 8 * 1024 * 1024;
/// Longest text for people who cannot see a picture, in characters.
const MAX_ALT_TEXT: usize = 1_000;

const INITIALIZE: &[Member] = &[
    required("media_type", Shape::Text { min: 1, max: 64 }),
    required(
        "total_bytes",
        Shape::Number {
            min: 1,
            max: 17_179_869_184,
        },
    ),
    optional("media_category", Shape::Text { min: 1, max: 32 }),
    optional("shared", Shape::Flag),
    optional(
        "additional_owners",
        Shape::List {
            item: &Shape::Id,
            min: 0,
            max: 100,
        },
    ),
];
const APPEND: &[Member] = &[
    required(
        "media",
        Shape::Text {
            min: 1,
            max: MAX_BASE64,
        },
    ),
    required("segment_index", Shape::Number { min: 0, max: 999 }),
];
const ALT: &[Member] = &[required(
    "text",
    Shape::Text {
        min: 1,
        max: MAX_ALT_TEXT,
    },
)];
const METADATA: &[Member] = &[optional("alt_text", Shape::Object(ALT))];
const DESCRIBE: &[Member] = &[
    required("id", Shape::Id),
    required("metadata", Shape::Object(METADATA)),
];

/// `POST /2/media/upload/initialize`
pub(crate) async fn initialize(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    Params::parse(&call.query).finish()?;
    let body = schema::read(call.content_type(), &call.body, INITIALIZE)?;
    let media = uploads::start(
        &call,
        schema::text(&body, "/media_type").unwrap_or_default(),
        schema::number(&body, "/total_bytes")
            .and_then(|total| u64::try_from(total).ok())
            .unwrap_or_default(),
        schema::text(&body, "/media_category").unwrap_or_default(),
    )
    .await?
    .map_err(|refusal| problem(&refusal))?;
    Ok(described(&media, call.now()))
}

/// `POST /2/media/upload/:id/append`, multipart or JSON
pub(crate) async fn append(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    let (segment, content) = if call.body_is("application/json") {
        let body = schema::read(call.content_type(), &call.body, APPEND)?;
        let segment = schema::number(&body, "/segment_index").and_then(|at| u32::try_from(at).ok());
        (
            segment.unwrap_or_default(),
            base64(schema::text(&body, "/media").unwrap_or_default())?,
        )
    } else {
        let parts = parts(&call).await?;
        let index = part(&parts, "segment_index").unwrap_or_default();
        segment_of(&parts, &index)?
    };
    append_to(&call, id, segment, &content).await
}

/// Takes a segment and answers until when the upload can be used.
pub(crate) async fn append_to(
    call: &Call,
    id: u64,
    segment: u32,
    content: &Bytes,
) -> Result<Response, Problem> {
    let media = uploads::append(call, id, segment, content)
        .await?
        .map_err(|refusal| problem(&refusal))?;
    let until = plus_seconds(media.created_at, MEDIA_LIFETIME_S).as_second();
    Ok(render::data(StatusCode::OK, &json!({ "expires_at": until })))
}

/// `POST /2/media/upload/:id/finalize`
pub(crate) async fn finalize(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    finalize_it(&call, id).await
}

/// Closes an upload and answers with its state.
pub(crate) async fn finalize_it(call: &Call, id: u64) -> Result<Response, Problem> {
    let media = uploads::finalize(call, id)
        .await?
        .map_err(|refusal| problem(&refusal))?;
    Ok(described(&media, call.now()))
}

/// `POST /2/media/metadata`
pub(crate) async fn describe(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    Params::parse(&call.query).finish()?;
    let body = schema::read(call.content_type(), &call.body, DESCRIBE)?;
    let id = schema::id(&body, "/id").unwrap_or_default();
    let alt_text = schema::text(&body, "/metadata/alt_text/text")
        .unwrap_or_default()
        .to_owned();
    let (account, now) = (call.account(), call.now());
    let given = alt_text.clone();
    call.write(|state| match uploads::own(state, account, id, now) {
        None => (
            Vec::new(),
            Err(Problem::not_found(&Missing::new("media", "id", id))),
        ),
        Some(_) => (vec![Event::MediaDescribed { id, alt_text }], Ok(())),
    })
    .await??;
    let metadata = json!({ "alt_text": { "text": given } });
    Ok(render::data(
        StatusCode::OK,
        &json!({ "id": id.to_string(), "associated_metadata": metadata }),
    ))
}

/// The answer that describes an upload.
pub(crate) fn described(media: &Media, now: Timestamp) -> Response {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(media.id.to_string()));
    body.insert("media_key".to_owned(), json!(render::media_key(media)));
    body.insert(
        "expires_after_secs".to_owned(),
        json!(uploads::seconds_left(media, now)),
    );
    if media.finalized_at.is_some() {
        body.insert(
            "size".to_owned(),
            json!(media.received_bytes().max(media.total_bytes)),
        );
    }
    if let Some(info) = uploads::processing_info(media, now) {
        body.insert("processing_info".to_owned(), info);
    }
    render::data(StatusCode::OK, &Value::Object(body))
}

/// X's answer to a refused upload.
pub(crate) fn problem(refusal: &Refusal) -> Problem {
    Problem::invalid_one(InvalidParameter::whole(refusal.sentence()))
}

/// The parts of a multipart body.
pub(crate) async fn parts(call: &Call) -> Result<Vec<Part>, Problem> {
    call.parts().await.ok_or_else(|| {
        Problem::invalid_one(InvalidParameter::whole(
            "Request body is not valid: send multipart/form-data or application/json.",
        ))
    })
}

/// The text of a part.
pub(crate) fn part(parts: &[Part], name: &str) -> Option<String> {
    let part = parts.iter().find(|part| part.name == name)?;
    Some(String::from_utf8_lossy(&part.content).trim().to_owned())
}

/// Number and content of a segment: the number as given, the content from the multipart body.
pub(crate) fn segment_of(parts: &[Part], given: &str) -> Result<(u32, Bytes), Problem> {
    let segment = given
        .parse::<u32>()
        .ok()
        .filter(|at| *at <= MAX_SEGMENT)
        .ok_or_else(|| {
            Problem::invalid_one(InvalidParameter::new(
                "segment_index",
                given,
                format!("segment_index must be between 0 and {MAX_SEGMENT}."),
            ))
        })?;
    Ok((segment, content_of(parts)?))
}

/// The content in a multipart body: `media` as bytes, or `media_data` as base64.
pub(crate) fn content_of(parts: &[Part]) -> Result<Bytes, Problem> {
    if let Some(media) = parts.iter().find(|part| part.name == "media") {
        return Ok(media.content.clone());
    }
    match part(parts, "media_data") {
        Some(text) => base64(&text),
        None => Err(Problem::invalid_one(InvalidParameter::new(
            "media",
            "",
            "$.media: is missing but it is required",
        ))),
    }
}

/// Decodes base64.
pub(crate) fn base64(text: &str) -> Result<Bytes, Problem> {
    STANDARD
        .decode(text)
        .map(Bytes::from)
        .map_err(|_| Problem::invalid_one(InvalidParameter::new("media", "", "$.media: is not valid base64")))
}
