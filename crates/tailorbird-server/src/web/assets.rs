//! Style sheets, scripts and the mark, embedded in the binary.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// How long a browser may keep an asset without asking: short, because a new binary brings new ones under the same
/// names.
const CACHE_CONTROL: &str = "public, max-age=60";

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const ASSETS: [(&str, &str, &str); 10] = [
    ("tokens.css", CSS, include_str!("../../assets/tokens.css")),
    ("base.css", CSS, tailorbird_look::BASE_CSS),
    ("pages.css", CSS, include_str!("../../assets/pages.css")),
    ("editor.css", CSS, include_str!("../../assets/editor.css")),
    ("complete.js", JS, include_str!("../../assets/complete.js")),
    ("editor.js", JS, include_str!("../../assets/editor.js")),
    ("connect.css", CSS, include_str!("../../assets/connect.css")),
    ("look.js", JS, tailorbird_look::LOOK_JS),
    ("live.js", JS, include_str!("../../assets/live.js")),
    ("mark.svg", SVG, include_str!("../../assets/mark.svg")),
];

/// `GET /assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some((_, kind, content)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return (StatusCode::NOT_FOUND, "no such asset\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *kind),
        (header::CACHE_CONTROL, CACHE_CONTROL),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, *content).into_response()
}
