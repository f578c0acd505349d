//! `open`: a link to the pages of the running server.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError};

use crate::Ended;
use crate::render::Render;

pub(crate) async fn run(home: &Path, render: Render) -> Result<Ended, AppError> {
    let link = App::open(home)?.entry_link().await?;
    render.data(&json!({ "url": link }), || format!("{link}\n"));
    Ok(Ended::Well)
}
