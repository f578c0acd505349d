//! `GET /2/tweets?ids=`, `GET /2/tweets/:id`

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::params::Params;
use crate::api::problem::{Missing, Problem, TYPE_BASE};
use crate::api::render::{self, Sheet};
use crate::state::Post;
use axum::response::Response;
use serde_json::{Value, json};

/// Most ids in one request.
const MAX_IDS: usize = 100;

/// `GET /2/tweets?ids=`
pub(crate) async fn many(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let ids = params.ids("ids", MAX_IDS);
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    Ok(answer(&call, &fields, &ids, "ids"))
}

/// `GET /2/tweets/:id`
pub(crate) async fn one(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    Ok(answer(&call, &fields, &[id], "id"))
}

/// What is there is in `data`, what is not has an entry in `errors`; the status is 200 either way, as at X.
fn answer(call: &Call, fields: &Fields, ids: &[u64], parameter: &'static str) -> Response {
    let now = call.now();
    call.read(|state| {
        let view = super::view(call, state, fields, now);
        let mut sheet = Sheet::default();
        let mut found: Vec<&Post> = Vec::new();
        for id in ids {
            match state.post(*id) {
                Some(post) if view.may_see(post.author) => found.push(post),
                Some(_) => sheet.errors(vec![not_authorized(*id, parameter)]),
                None => sheet.missing(&Missing::new("tweet", parameter, id)),
            }
        }
        let mut items = render::posts(&view, &found, &mut sheet);
        if parameter == "id" {
            if let Some(item) = items.pop() {
                sheet.data(item);
            }
        } else {
            sheet.list(items);
        }
        sheet.answer()
    })
}

fn not_authorized(id: u64, parameter: &str) -> Value {
    json!({
        "value": id.to_string(),
        "resource_id": id.to_string(),
        "parameter": parameter,
        "resource_type": "tweet",
        "section": "data",
        "title": "Authorization Error",
        "detail": format!("Sorry, you are not authorized to see the Tweet with {parameter}: [{id}]."),
        "type": format!("{TYPE_BASE}not-authorized-for-resource"),
    })
}
