//! Uploaded media as v2 shows them.

use super::View;
use crate::state::Media;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// X's number for each kind of media, which begins a media key, and the kind's name.
fn class(media: &Media) -> (u8, &'static str) {
    if media.category.ends_with("_gif") || media.media_type == "image/gif" {
        (16, "animated_gif")
    } else if media.media_type.starts_with("video/") || media.category.ends_with("_video") {
        (7, "video")
    } else {
        (3, "photo")
    }
}

/// `photo`, `video` or `animated_gif`.
pub(crate) fn kind(media: &Media) -> &'static str {
    class(media).1
}

/// The media key, such as `3_1146654567674912769`.
pub(crate) fn media_key(media: &Media) -> String {
    format!("{}_{}", class(media).0, media.id)
}

/// The media with the members asked for; `media_key` and `type` are always there.
pub(crate) fn media(view: &View<'_>, media: &Media) -> Value {
    let mut body = Map::new();
    body.insert("media_key".to_owned(), json!(media_key(media)));
    body.insert("type".to_owned(), json!(kind(media)));
    let address = |suffix: &str| format!("https://pbs.twimg.com/media/{}.{suffix}", media.id);
    for field in &view.fields.media {
        let value = match *field {
            "alt_text" if !media.alt_text.is_empty() => json!(media.alt_text),
            "width" | "height" => match dimensions(media) {
                Some((width, height)) => json!(if *field == "width" { width } else { height }),
                None => continue,
            },
            "url" if kind(media) == "photo" => {
                json!(address(media.media_type.rsplit('/').next().unwrap_or("jpg")))
            }
            "preview_image_url" if kind(media) != "photo" => json!(address("jpg")),
            "public_metrics" if kind(media) == "video" => json!({ "view_count": 0 }),
            _ => continue,
        };
        body.insert((*field).to_owned(), value);
    }
    Value::Object(body)
}

/// Width and height in pixels, where the content was kept and is a PNG or GIF.
pub(crate) fn dimensions(media: &Media) -> Option<(u32, u32)> {
    let content = STANDARD.decode(media.contents.get(&0)?).ok()?;
    let be = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(*content.get(at..)?.first_chunk::<4>()?)) };
    let le = |at: usize| -> Option<u32> {
        Some(u32::from(u16::from_le_bytes(
            *content.get(at..)?.first_chunk::<2>()?,
        )))
    };
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some((be(16)?, be(20)?))
    } else if content.starts_with(b"GIF8") {
        Some((le(6)?, le(8)?))
    } else {
        None
    }
}
