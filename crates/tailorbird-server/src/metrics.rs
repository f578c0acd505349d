//! `/metrics`: what Prometheus reads. Names and units are documented in `docs/metrics.md`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

use crate::exposition::{CONTENT_TYPE, Exposition, Kind};
use crate::server::Shared;

/// Answers with all figures.
pub(crate) async fn page(State(shared): State<Shared>) -> Response {
    let mut page = Exposition::default();
    page.family(
        "tailorbird_build_info",
        Kind::Gauge,
        "Always 1; the version is a label.",
    )
    .sample(
        "tailorbird_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        "1",
    );
    answers(&mut page, &shared);
    let mut response = page.into_text().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

fn answers(page: &mut Exposition, shared: &Shared) {
    let name = "tailorbird_http_answers_total";
    page.family(
        name,
        Kind::Counter,
        "Answers to HTTP requests, by listener and class of status.",
    );
    for (listener, class, count) in shared.counters().all() {
        page.sample(
            name,
            &[("listener", listener), ("class", class)],
            &count.to_string(),
        );
    }
}
