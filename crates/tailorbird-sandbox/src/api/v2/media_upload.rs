//! Media at the one address `/2/media/upload`: the older `command=` form, and the upload in one request.

use super::media::{append_to, base64, content_of, described, finalize_it, part, parts, problem, segment_of};
use crate::api::call::Call;
use crate::api::params::{Params, decode_pairs};
use crate::api::problem::{InvalidParameter, Problem};
use crate::api::schema::{self, Member, Shape, optional, required};
use crate::api::uploads::{self, Refusal};
use axum::response::Response;

const ONE_SHOT: &[Member] = &[
    required(
        "media",
        Shape::Text {
            min: 1,
            max: 8 * 1024 * 1024,
        },
    ),
    optional("media_category", Shape::Text { min: 1, max: 32 }),
    optional("media_type", Shape::Text { min: 1, max: 64 }),
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

/// `GET /2/media/upload?command=STATUS&media_id=`
pub(crate) async fn status(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let command = params.text("command").unwrap_or_else(|| "STATUS".to_owned());
    if command != "STATUS" {
        params.fault(InvalidParameter::new(
            "command",
            command.clone(),
            format!("The `command` query parameter value [{command}] is not one of [STATUS]"),
        ));
    }
    let text = params.required("media_id");
    params.finish()?;
    let id = super::id_of("media_id", &text)?;
    let now = call.now();
    call.read(|state| match uploads::own(state, call.account(), id, now) {
        Some(media) => Ok(described(media, now)),
        None => Err(problem(&Refusal::Unknown(id))),
    })
}

/// `POST /2/media/upload`
pub(crate) async fn upload(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    if call.body_is("application/json") {
        let body = schema::read(call.content_type(), &call.body, ONE_SHOT)?;
        let content = base64(schema::text(&body, "/media").unwrap_or_default())?;
        let category = schema::text(&body, "/media_category").unwrap_or_default();
        let kind = schema::text(&body, "/media_type").unwrap_or_else(|| uploads::sniff(&content));
        let media = uploads::whole(&call, kind, category, &content)
            .await?
            .map_err(|refusal| problem(&refusal))?;
        return Ok(described(&media, call.now()));
    }
    let parts = if call.body_is("multipart/form-data") {
        parts(&call).await?
    } else {
        Vec::new()
    };
    let mut pairs = decode_pairs(&call.query);
    if call.body_is("application/x-www-form-urlencoded") {
        pairs.extend(decode_pairs(&String::from_utf8_lossy(&call.body)));
    }
    let value = |name: &str| {
        part(&parts, name)
            .or_else(|| {
                pairs
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            })
            .unwrap_or_default()
    };
    match value("command").as_str() {
        "INIT" => {
            let total = value("total_bytes").parse().unwrap_or_default();
            let started =
                uploads::start(&call, &value("media_type"), total, &value("media_category")).await?;
            Ok(described(
                &started.map_err(|refusal| problem(&refusal))?,
                call.now(),
            ))
        }
        "APPEND" => {
            let (segment, content) = segment_of(&parts, &value("segment_index"))?;
            append_to(
                &call,
                super::id_of("media_id", &value("media_id"))?,
                segment,
                &content,
            )
            .await
        }
        "FINALIZE" => finalize_it(&call, super::id_of("media_id", &value("media_id"))?).await,
        "" => {
            let content = content_of(&parts)?;
            let given = value("media_type");
            let kind = if given.is_empty() {
                uploads::sniff(&content)
            } else {
                given.as_str()
            };
            let whole = uploads::whole(&call, kind, &value("media_category"), &content).await?;
            Ok(described(
                &whole.map_err(|refusal| problem(&refusal))?,
                call.now(),
            ))
        }
        other => Err(Problem::invalid_one(InvalidParameter::new(
            "command",
            other,
            format!(
                "The `command` query parameter value [{other}] is not one of [INIT,APPEND,FINALIZE,STATUS]"
            ),
        ))),
    }
}
