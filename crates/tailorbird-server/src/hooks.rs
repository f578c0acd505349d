//! Webhooks: `/hooks/…`.

use axum::Router;

use crate::problem::Problem;
use crate::server::Shared;

/// What `/hooks/…` leads to, on whichever listener.
pub(crate) fn router() -> Router<Shared> {
    Router::new().fallback(|| async {
        Problem::not_found(
            "there is no webhook at this path",
            "A webhook's path is in its task's trigger.",
        )
    })
}
