//! `explain CODE`.

use serde_json::json;
use tailorbird_app::AppError;
use tailorbird_model::{Failure, Meaning, codes};

use crate::Ended;
use crate::render::{Render, table};

pub(crate) fn run(code: Option<&str>, render: Render) -> Result<Ended, AppError> {
    let Some(code) = code else {
        let rows: Vec<Vec<String>> = codes::ALL
            .iter()
            .map(|page| vec![page.code.to_owned(), page.title.to_owned()])
            .collect();
        let json: Vec<_> = codes::ALL
            .iter()
            .map(|page| json!({"code": page.code, "title": page.title}))
            .collect();
        render.data(&json.into(), || table(&["CODE", "WHAT"], &rows, ""));
        return Ok(Ended::Well);
    };
    let Some(page) = codes::page(code) else {
        let all: Vec<&str> = codes::ALL.iter().map(|page| page.code).collect();
        let hint = tailorbird_model::yaml::shape::suggest(code, &all, "Codes");
        let failure = Failure::new(
            codes::FILE_UNREADABLE,
            Meaning::Rejected,
            format!("there is no error code {code:?}"),
        );
        return Err(AppError::usage(failure.hint(hint)));
    };
    let json = json!({"code": page.code, "title": page.title, "text": page.text});
    render.data(&json, || page.text.to_owned());
    Ok(Ended::Well)
}
