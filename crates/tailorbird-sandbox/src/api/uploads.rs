//! Media uploads, the same for both API versions: announce, send in segments, finalize, wait, attach.

use super::call::{Call, NotStored};
use super::render::media_kind;
use crate::clock::plus_seconds;
use crate::settings::MEDIA_LIFETIME_S;
use crate::state::{Event, Media, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Largest image in bytes.
const MAX_IMAGE: u64 = 5 * 1024 * 1024;
/// Largest animated GIF in bytes.
const MAX_GIF: u64 = 15 * 1024 * 1024;
/// Largest video in bytes.
const MAX_VIDEO: u64 = 512 * 1024 * 1024;
/// Largest segment number.
pub(crate) const MAX_SEGMENT: u32 = 999;
/// Segments up to this size in bytes are kept as they are; of larger ones only the size is. The state file
/// would otherwise grow by every video somebody rehearses with.
const KEPT_BYTES: usize = 1024 * 1024;
/// Seconds after finalizing at which a video or GIF is found "in progress", then "succeeded".
const PROCESSING_S: [i64; 2] = [1, 2];
/// The categories there are.
pub(crate) const CATEGORIES: &[&str] = &[
    "tweet_image",
    "tweet_video",
    "tweet_gif",
    "amplify_video",
    "dm_image",
    "dm_video",
    "dm_gif",
    "subtitles",
];
/// The media types there are.
pub(crate) const MEDIA_TYPES: &[&str] = &[
    "image/jpeg",
    "image/jpg",
    "image/png",
    "image/webp",
    "image/bmp",
    "image/pjpeg",
    "image/tiff",
    "image/gif",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "video/mp2t",
    "text/srt",
    "text/vtt",
    "model/gltf-binary",
];

/// Why an upload or a part of one was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A type that cannot be uploaded.
    Type(String),
    /// A category outside [`CATEGORIES`].
    Category(String),
    /// Nothing, or more than the kind allows (the limit in bytes).
    Size(u64),
    /// No such upload, of another account, or older than a day.
    Unknown(u64),
    /// A segment number above [`MAX_SEGMENT`].
    Segment,
    /// More bytes than announced.
    TooMuch,
    /// A segment after finalizing.
    Finished(u64),
    /// Finalizing before all announced bytes are there.
    Incomplete,
}

impl Refusal {
    /// X's sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Type(given) => {
                format!(
                    "media type unrecognized: [{given}] is not one of [{}]",
                    MEDIA_TYPES.join(", ")
                )
            }
            Self::Category(given) => {
                format!(
                    "media_category [{given}] is not one of [{}]",
                    CATEGORIES.join(", ")
                )
            }
            Self::Size(most) => format!("File size must be between 1 and {most} bytes."),
            Self::Unknown(id) => format!("Invalid mediaId: [{id}] is unknown, expired or not yours."),
            Self::Segment => format!("segment_index must be between 0 and {MAX_SEGMENT}."),
            Self::TooMuch => "File size exceeds the announced total_bytes.".to_owned(),
            Self::Finished(id) => format!("Invalid mediaId: [{id}] is finalized already."),
            Self::Incomplete => "Segments do not add up to provided total file size.".to_owned(),
        }
    }
}

/// Starts an upload.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn start(
    call: &Call,
    media_type: &str,
    total_bytes: u64,
    category: &str,
) -> Result<Result<Media, Refusal>, NotStored> {
    let now = call.now();
    let mut media = Media {
        id: 0,
        owner: call.account(),
        media_type: media_type.to_ascii_lowercase(),
        category: category.to_ascii_lowercase(),
        total_bytes,
        segments: BTreeMap::new(),
        contents: BTreeMap::new(),
        created_at: now,
        finalized_at: None,
        alt_text: String::new(),
    };
    if !MEDIA_TYPES.contains(&media.media_type.as_str()) {
        return Ok(Err(Refusal::Type(media.media_type)));
    }
    if !media.category.is_empty() && !CATEGORIES.contains(&media.category.as_str()) {
        return Ok(Err(Refusal::Category(media.category)));
    }
    let most = match media_kind(&media) {
        "photo" => MAX_IMAGE,
        "animated_gif" => MAX_GIF,
        _ => MAX_VIDEO,
    };
    if total_bytes == 0 || total_bytes > most {
        return Ok(Err(Refusal::Size(most)));
    }
    call.write(|state| {
        media.id = state.next_id(now);
        (vec![Event::MediaStarted(media.clone())], Ok(media))
    })
    .await
}

/// Takes one segment; the same number again replaces what was there, so that a client may repeat.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn append(
    call: &Call,
    id: u64,
    segment: u32,
    content: &Bytes,
) -> Result<Result<Media, Refusal>, NotStored> {
    let (account, now) = (call.account(), call.now());
    let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let kept = (content.len() <= KEPT_BYTES).then(|| STANDARD.encode(content));
    call.write(|state| {
        let refuse = |refusal| (Vec::new(), Err(refusal));
        let Some(media) = own(state, account, id, now) else {
            return refuse(Refusal::Unknown(id));
        };
        if segment > MAX_SEGMENT {
            return refuse(Refusal::Segment);
        }
        if media.finalized_at.is_some() {
            return refuse(Refusal::Finished(id));
        }
        let others = media
            .received_bytes()
            .saturating_sub(media.segments.get(&segment).copied().unwrap_or(0));
        if bytes == 0 || others.saturating_add(bytes) > media.total_bytes {
            return refuse(Refusal::TooMuch);
        }
        (
            vec![Event::MediaAppended {
                id,
                segment,
                bytes,
                content: kept,
            }],
            Ok(media.clone()),
        )
    })
    .await
}

/// Closes an upload. Once more is answered like the first time.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn finalize(call: &Call, id: u64) -> Result<Result<Media, Refusal>, NotStored> {
    let (account, now) = (call.account(), call.now());
    call.write(|state| {
        let Some(media) = own(state, account, id, now) else {
            return (Vec::new(), Err(Refusal::Unknown(id)));
        };
        if media.received_bytes() != media.total_bytes {
            return (Vec::new(), Err(Refusal::Incomplete));
        }
        let mut media = media.clone();
        if media.finalized_at.is_some() {
            return (Vec::new(), Ok(media));
        }
        media.finalized_at = Some(now);
        (vec![Event::MediaFinalized { id, at: now }], Ok(media))
    })
    .await
}

/// An upload in one request.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn whole(
    call: &Call,
    media_type: &str,
    category: &str,
    content: &Bytes,
) -> Result<Result<Media, Refusal>, NotStored> {
    let total = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let media = match start(call, media_type, total, category).await? {
        Ok(media) => media,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = append(call, media.id, 0, content).await? {
        return Ok(Err(refusal));
    }
    finalize(call, media.id).await
}

/// The caller's upload, while it lasts.
pub(crate) fn own(state: &State, account: u64, id: u64, now: Timestamp) -> Option<&Media> {
    state
        .media
        .get(&id)
        .filter(|media| media.owner == account && seconds_left(media, now) > 0)
}

/// Whether an upload can be attached now: the caller's, in time, finalized and processed.
pub(crate) fn usable(state: &State, account: u64, id: u64, now: Timestamp) -> bool {
    own(state, account, id, now).is_some_and(|media| {
        media.finalized_at.is_some() && progress(media, now).is_none_or(|state| state == "succeeded")
    })
}

/// Seconds until an upload can no longer be attached.
pub(crate) fn seconds_left(media: &Media, now: Timestamp) -> i64 {
    plus_seconds(media.created_at, MEDIA_LIFETIME_S)
        .as_second()
        .saturating_sub(now.as_second())
        .max(0)
}

/// How far the processing of a finalized video or GIF is; images need none.
fn progress(media: &Media, now: Timestamp) -> Option<&'static str> {
    let finalized = media.finalized_at?;
    if media_kind(media) == "photo" {
        return None;
    }
    let age = now.as_second().saturating_sub(finalized.as_second());
    let [begins, ends] = PROCESSING_S;
    Some(match age {
        age if age >= ends => "succeeded",
        age if age >= begins => "in_progress",
        _ => "pending",
    })
}

/// The `processing_info` of an upload that is being processed.
pub(crate) fn processing_info(media: &Media, now: Timestamp) -> Option<Value> {
    Some(match progress(media, now)? {
        "succeeded" => json!({ "state": "succeeded", "progress_percent": 100 }),
        "in_progress" => json!({ "state": "in_progress", "check_after_secs": 1, "progress_percent": 50 }),
        pending => json!({ "state": pending, "check_after_secs": 1 }),
    })
}

/// The media type by a file's first bytes, for uploads that do not name it.
pub(crate) fn sniff(content: &[u8]) -> &'static str {
    match content {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "video/mp4",
        // A rehearsal often sends bytes that are no picture at all; X would refuse them after processing.
        _ => "image/jpeg",
    }
}
