//! Lists: making, changing, members, posts of the members.

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::page::{self, Page};
use crate::api::params::Params;
use crate::api::problem::{Missing, Problem};
use crate::api::render::{self, Sheet, View};
use crate::api::schema::{self, Member, Shape, optional, required};
use crate::api::timeline::{self, Cut, Filter, Source};
use crate::state::{Event, List, ListChange, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const NAME: Shape = Shape::Text { min: 1, max: 25 };
const DESCRIPTION: Shape = Shape::Text { min: 0, max: 100 };
const CREATE: &[Member] = &[
    required("name", NAME),
    optional("description", DESCRIPTION),
    optional("private", Shape::Flag),
];
const UPDATE: &[Member] = &[
    optional("name", NAME),
    optional("description", DESCRIPTION),
    optional("private", Shape::Flag),
];
const MEMBER: &[Member] = &[required("user_id", Shape::Id)];

/// Most lists of one account, as at X.
const MAX_LISTS: usize = 1_000;
/// Most members of one list, as at X.
const MAX_MEMBERS: usize = 5_000;

/// `POST /2/lists`
pub(crate) async fn create(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let body = schema::read(call.content_type(), &call.body, CREATE)?;
    let (owner, now) = (call.account(), call.now());
    let mut list = List {
        id: 0,
        owner,
        name: schema::text(&body, "/name").unwrap_or_default().to_owned(),
        description: schema::text(&body, "/description").unwrap_or_default().to_owned(),
        private: schema::flag(&body, "/private").unwrap_or_default(),
        members: BTreeSet::new(),
        created_at: now,
    };
    let list = call
        .write(|state| {
            if state.lists.values().filter(|list| list.owner == owner).count() >= MAX_LISTS {
                return (Vec::new(), Err(Problem::not_permitted()));
            }
            list.id = state.next_id(now);
            (vec![Event::ListCreated(list.clone())], Ok(list))
        })
        .await??;
    Ok(render::data(
        StatusCode::CREATED,
        &json!({ "id": list.id.to_string(), "name": list.name }),
    ))
}

/// `PUT /2/lists/:id`
pub(crate) async fn update(call: Call) -> Result<Response, Problem> {
    let body = own_list_body(&call, UPDATE)?;
    let id = super::path_id(&call, "id")?;
    let change = ListChange {
        name: schema::text(&body, "/name").map(str::to_owned),
        description: schema::text(&body, "/description").map(str::to_owned),
        private: schema::flag(&body, "/private"),
    };
    of_own(&call, id, |_, _| Ok(Event::ListChanged { id, change })).await?;
    Ok(render::data(StatusCode::OK, &json!({ "updated": true })))
}

/// `DELETE /2/lists/:id`
pub(crate) async fn remove(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    of_own(&call, id, |_, _| Ok(Event::ListDeleted { id })).await?;
    Ok(render::data(StatusCode::OK, &json!({ "deleted": true })))
}

/// `POST /2/lists/:id/members`
pub(crate) async fn add_member(call: Call) -> Result<Response, Problem> {
    let body = own_list_body(&call, MEMBER)?;
    let id = super::path_id(&call, "id")?;
    let account = schema::id(&body, "/user_id").unwrap_or_default();
    of_own(&call, id, |state, list| {
        if !state.accounts.contains_key(&account) {
            return Err(Problem::not_found(&Missing::new("user", "user_id", account)));
        }
        if list.members.len() >= MAX_MEMBERS && !list.members.contains(&account) {
            return Err(Problem::not_permitted());
        }
        Ok(Event::ListMemberAdded { id, account })
    })
    .await?;
    Ok(render::data(StatusCode::OK, &json!({ "is_member": true })))
}

/// `DELETE /2/lists/:id/members/:user_id`
pub(crate) async fn remove_member(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    let account = super::path_id(&call, "user_id")?;
    of_own(&call, id, |_, _| Ok(Event::ListMemberRemoved { id, account })).await?;
    Ok(render::data(StatusCode::OK, &json!({ "is_member": false })))
}

fn own_list_body(call: &Call, members: &'static [Member]) -> Result<Value, Problem> {
    call.must_write()?;
    schema::read(call.content_type(), &call.body, members)
}

/// Changes a list that must be the caller's.
async fn of_own(
    call: &Call,
    id: u64,
    change: impl FnOnce(&State, &List) -> Result<Event, Problem>,
) -> Result<(), Problem> {
    let account = call.account();
    call.write(|state| match seen(state, account, id) {
        None => (
            Vec::new(),
            Err(Problem::not_found(&Missing::new("list", "id", id))),
        ),
        Some(list) if list.owner != account => (Vec::new(), Err(Problem::not_permitted())),
        Some(list) => match change(state, list) {
            Ok(event) => (vec![event], Ok(())),
            Err(problem) => (Vec::new(), Err(problem)),
        },
    })
    .await?
}

/// The list, if the caller may know of it: private ones are their owner's secret.
fn seen(state: &State, account: u64, id: u64) -> Option<&List> {
    state
        .lists
        .get(&id)
        .filter(|list| !list.private || list.owner == account)
}

/// `GET /2/lists/:id`
pub(crate) async fn one(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let fields = Fields::read(&mut params, Kind::Lists);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let Some(list) = seen(state, call.account(), id) else {
            return super::only_missing(&Missing::new("list", "id", id));
        };
        let view = super::view(&call, state, &fields, now);
        let mut sheet = Sheet::default();
        let item = render::lists(&view, &[list], &mut sheet).pop();
        sheet.data(item.unwrap_or_default());
        sheet.answer()
    }))
}

/// `GET /2/users/:id/owned_lists`
pub(crate) async fn owned(call: Call) -> Result<Response, Problem> {
    of_user(&call, "owned", |list, account| list.owner == account)
}

/// `GET /2/users/:id/list_memberships`
pub(crate) async fn memberships(call: Call) -> Result<Response, Problem> {
    of_user(&call, "memberships", |list, account| {
        list.members.contains(&account)
    })
}

fn of_user(call: &Call, name: &str, belongs: impl Fn(&List, u64) -> bool) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 1..=100, 100);
    let scope = format!("users/{id}/lists/{name}");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Lists);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        if !state.accounts.contains_key(&id) {
            return super::only_missing(&Missing::new("user", "id", id));
        }
        let view = super::view(call, state, &fields, now);
        let keep = |one: u64| seen(state, call.account(), one).is_some_and(|list| belongs(list, id));
        let keys = state.lists.keys().rev().copied();
        page_of_lists(&view, page::cut(keys, keep, window, limit, &scope))
    }))
}

fn page_of_lists(view: &View<'_>, page: Page) -> Response {
    let found: Vec<&List> = page
        .keys
        .iter()
        .filter_map(|id| view.state.lists.get(id))
        .collect();
    let mut sheet = Sheet::default();
    let items = render::lists(view, &found, &mut sheet);
    let mut meta = Map::new();
    meta.insert("result_count".to_owned(), json!(items.len()));
    super::add_tokens(&mut meta, page.next, page.previous);
    sheet.list(items);
    sheet.meta(Value::Object(meta));
    sheet.answer()
}

/// `GET /2/lists/:id/members`
pub(crate) async fn members(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 1..=100, 100);
    let scope = format!("lists/{id}/members");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let Some(list) = seen(state, call.account(), id) else {
            return super::only_missing(&Missing::new("list", "id", id));
        };
        let view = super::view(&call, state, &fields, now);
        let page = page::cut(
            list.members.iter().rev().copied(),
            |_| true,
            window,
            limit,
            &scope,
        );
        super::users::page_of_users(&view, page)
    }))
}

/// `GET /2/lists/:id/tweets`
pub(crate) async fn posts(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 1..=100, 100);
    let scope = format!("lists/{id}/tweets");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let Some(list) = seen(state, call.account(), id) else {
            return super::only_missing(&Missing::new("list", "id", id));
        };
        let view = super::view(&call, state, &fields, now);
        let cut = Cut {
            window,
            limit,
            scope: &scope,
        };
        let source = Source::Authors(list.members.clone());
        let page = timeline::page(state, call.account(), &source, &Filter::default(), &cut);
        super::timelines::page_of_posts(&view, page)
    }))
}
