//! `GET /2/users/me`, `/2/users?ids=`, `/2/users/:id`, `/2/users/by?usernames=`, `/2/users/by/username/:username`

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::page::Page;
use crate::api::params::Params;
use crate::api::problem::{Missing, Problem};
use crate::api::render::{self, Includes, Sheet, View};
use crate::state::{Account, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

/// Most ids or names in one request.
const MAX_USERS: usize = 100;

/// `GET /2/users/me`
pub(crate) async fn me(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let account = call.account();
    Ok(single(
        &call,
        &fields,
        |state| state.accounts.get(&account),
        &Missing::new("user", "id", account),
    ))
}

/// `GET /2/users/:id`
pub(crate) async fn one(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    Ok(single(
        &call,
        &fields,
        |state| state.accounts.get(&id),
        &Missing::new("user", "id", id),
    ))
}

/// `GET /2/users/by/username/:username`
pub(crate) async fn by_name(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let name = call.segment("username").to_owned();
    params.check_username("username", &name);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    Ok(single(
        &call,
        &fields,
        |state| state.account_named(&name),
        &Missing::new("user", "username", &name),
    ))
}

/// `GET /2/users?ids=`
pub(crate) async fn many(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let ids = params.ids("ids", MAX_USERS);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let asked: Vec<String> = ids.iter().map(u64::to_string).collect();
    Ok(several(&call, &fields, "ids", &asked, |state, id| {
        state.accounts.get(&id.parse().ok()?)
    }))
}

/// `GET /2/users/by?usernames=`
pub(crate) async fn by_names(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let names = params.usernames("usernames", MAX_USERS);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    Ok(several(&call, &fields, "usernames", &names, |state, name| {
        state.account_named(name)
    }))
}

fn single(
    call: &Call,
    fields: &Fields,
    find: impl for<'s> FnOnce(&'s State) -> Option<&'s Account>,
    missing: &Missing,
) -> Response {
    let now = call.now();
    call.read(|state| {
        let Some(account) = find(state) else {
            return super::only_missing(missing);
        };
        let view = super::view(call, state, fields, now);
        let mut sheet = Sheet::default();
        let item = users(&view, &[account], &mut sheet).pop();
        sheet.data(item.unwrap_or_default());
        sheet.answer()
    })
}

fn several(
    call: &Call,
    fields: &Fields,
    parameter: &'static str,
    asked: &[String],
    find: impl for<'s> Fn(&'s State, &str) -> Option<&'s Account>,
) -> Response {
    let now = call.now();
    call.read(|state| {
        let view = super::view(call, state, fields, now);
        let mut sheet = Sheet::default();
        let mut found = Vec::new();
        for value in asked {
            match find(state, value) {
                Some(account) => found.push(account),
                None => sheet.missing(&Missing::new("user", parameter, value)),
            }
        }
        let items = users(&view, &found, &mut sheet);
        sheet.list(items);
        sheet.answer()
    })
}

/// Renders accounts with what they expand to.
fn users(view: &View<'_>, accounts: &[&Account], sheet: &mut Sheet) -> Vec<Value> {
    let mut includes = Includes::default();
    for account in accounts {
        includes.of_user(view, account.id);
    }
    includes.write(view, sheet);
    accounts
        .iter()
        .map(|account| render::user(view, account))
        .collect()
}

/// Renders a page of accounts with its `meta`.
pub(crate) fn page_of_users(view: &View<'_>, page: Page) -> Response {
    let found: Vec<&Account> = page
        .keys
        .iter()
        .filter_map(|id| view.state.accounts.get(id))
        .collect();
    let mut sheet = Sheet::default();
    let items = users(view, &found, &mut sheet);
    let mut meta = Map::new();
    meta.insert("result_count".to_owned(), json!(items.len()));
    super::add_tokens(&mut meta, page.next, page.previous);
    sheet.list(items);
    sheet.meta(Value::Object(meta));
    sheet.answer()
}
