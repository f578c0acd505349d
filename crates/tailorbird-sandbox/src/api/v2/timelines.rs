//! Posts of an account, mentions of it, its home timeline, quotes of a post.

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::page::Page;
use crate::api::params::Params;
use crate::api::problem::{InvalidParameter, Missing, Problem};
use crate::api::render::{self, Sheet, View};
use crate::api::timeline::{self, Cut, Filter, Source};
use crate::state::{Post, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

/// `GET /2/users/:id/tweets`
pub(crate) async fn own(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 5..=100, 10);
    let mut filter = Filter::read(&mut params);
    let exclude = params.choices(&["exclude"], &["replies", "retweets"], &[("reposts", "retweets")]);
    filter.no_replies = exclude.contains(&"replies");
    filter.no_reposts = exclude.contains(&"retweets");
    answer(
        &call,
        params,
        id,
        &format!("users/{id}/tweets"),
        limit,
        &filter,
        |_| Source::Author(id),
    )
}

/// `GET /2/users/:id/mentions`
pub(crate) async fn mentions(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 5..=100, 10);
    let filter = Filter::read(&mut params);
    answer(
        &call,
        params,
        id,
        &format!("users/{id}/mentions"),
        limit,
        &filter,
        |_| Source::Mentions(id),
    )
}

/// `GET /2/users/:id/timelines/reverse_chronological`
pub(crate) async fn home(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    if id != 0 && id != call.account() {
        params.fault(InvalidParameter::new(
            "id",
            id.to_string(),
            format!(
                "The `id` query parameter value [{id}] must be the same as the authenticating user [{}]",
                call.account()
            ),
        ));
    }
    let limit = params.count("max_results", 1..=100, 100);
    let mut filter = Filter::read(&mut params);
    let exclude = params.choices(&["exclude"], &["replies", "retweets"], &[("reposts", "retweets")]);
    filter.no_replies = exclude.contains(&"replies");
    filter.no_reposts = exclude.contains(&"retweets");
    answer(
        &call,
        params,
        id,
        &format!("users/{id}/home"),
        limit,
        &filter,
        |state| timeline::home(state, id),
    )
}

/// `GET /2/tweets/:id/quote_tweets`
pub(crate) async fn quotes(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 10..=100, 10);
    let scope = format!("tweets/{id}/quotes");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let view = super::view(&call, state, &fields, now);
        if state.post(id).is_none() {
            return super::only_missing(&Missing::new("tweet", "id", id));
        }
        let cut = Cut {
            window,
            limit,
            scope: &scope,
        };
        let page = timeline::page(
            state,
            call.account(),
            &Source::Quotes(id),
            &Filter::default(),
            &cut,
        );
        page_of_posts(&view, page)
    }))
}

fn answer(
    call: &Call,
    mut params: Params,
    id: u64,
    scope: &str,
    limit: usize,
    filter: &Filter,
    source: impl FnOnce(&State) -> Source,
) -> Result<Response, Problem> {
    let window = params.window(&["pagination_token"], scope);
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        if !state.accounts.contains_key(&id) {
            return super::only_missing(&Missing::new("user", "id", id));
        }
        if !render::may_see(state, call.account(), id) {
            return super::hidden_user(id);
        }
        let view = super::view(call, state, &fields, now);
        let cut = Cut { window, limit, scope };
        let page = timeline::page(state, call.account(), &source(state), filter, &cut);
        page_of_posts(&view, page)
    }))
}

/// Renders a page of posts with its `meta`.
pub(crate) fn page_of_posts(view: &View<'_>, page: Page) -> Response {
    let found: Vec<&Post> = page.keys.iter().filter_map(|id| view.state.post(*id)).collect();
    let mut sheet = Sheet::default();
    let items = render::posts(view, &found, &mut sheet);
    let mut meta = Map::new();
    meta.insert("result_count".to_owned(), json!(items.len()));
    if let (Some(newest), Some(oldest)) = (page.keys.first(), page.keys.last()) {
        meta.insert("newest_id".to_owned(), json!(newest.to_string()));
        meta.insert("oldest_id".to_owned(), json!(oldest.to_string()));
    }
    super::add_tokens(&mut meta, page.next, page.previous);
    sheet.list(items);
    sheet.meta(Value::Object(meta));
    sheet.answer()
}
