//! The one way to declare a route: with what whoever calls it has to be.
//!
//! Nothing else in this crate builds a router out of paths (a test looks), so no route can be without its statement.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use http::Method;
use tailorbird_model::access::Right;

use crate::server::Shared;
use crate::web;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody who reaches the listener.
    Anybody,
    /// Anybody who has a session: it touches nothing but that.
    SignedIn,
    /// Whoever has this right.
    Right(Right),
}

/// A route as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The method.
    pub method: Method,
    /// The path, with its placeholders.
    pub path: String,
    /// Who may call it.
    pub access: Access,
}

/// Routes, each with its statement.
pub(crate) struct Routes {
    stated: Vec<(Stated, MethodRouter<Shared>)>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self { stated: Vec::new() }
    }

    /// Declares what is read. The handler must change nothing: a browser follows any link.
    pub(crate) fn get<H, T>(self, path: &str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.with(Method::GET, path, access, get(handler))
    }

    /// Declares what changes something.
    pub(crate) fn post<H, T>(self, path: &str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.with(Method::POST, path, access, post(handler))
    }

    fn with(mut self, method: Method, path: &str, access: Access, handler: MethodRouter<Shared>) -> Self {
        let path = path.to_owned();
        self.stated.push((Stated { method, path, access }, handler));
        self
    }

    /// More routes beside these.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.stated.extend(others.stated);
        self
    }

    /// What was stated, in its order.
    pub(crate) fn stated(&self) -> Vec<Stated> {
        self.stated.iter().map(|(stated, _)| stated.clone()).collect()
    }

    /// The router of pages: whoever has not what a route states is shown why before its handler runs.
    pub(crate) fn pages(self, shared: &Shared) -> Router<Shared> {
        self.stated
            .into_iter()
            .fold(Router::new(), |router, (stated, handler)| {
                let handler = match stated.access {
                    Access::Anybody => handler,
                    access => handler.route_layer(from_fn_with_state((shared.clone(), access), web::admit)),
                };
                router.route(&stated.path, handler)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that is declared twice for a method would leave open which statement counts.
    #[test]
    fn every_route_is_stated_once() {
        let stated = crate::stated_routes();
        assert!(stated.len() > 25, "{}", stated.len());
        for (place, route) in stated.iter().enumerate() {
            let again = stated
                .iter()
                .skip(place + 1)
                .find(|other| (&other.method, &other.path) == (&route.method, &route.path));
            assert_eq!(again, None);
        }
    }

    /// What anybody may call is named here, so that nothing joins it unseen.
    #[test]
    fn only_these_are_open_to_anybody() {
        let open: Vec<String> = crate::stated_routes()
            .into_iter()
            .filter(|route| route.access == Access::Anybody)
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        assert_eq!(
            open,
            [
                "GET /healthz",
                "GET /readyz",
                "GET /metrics",
                "GET /enter",
                "GET /assets/{name}"
            ]
        );
    }

    /// Nothing changes by a route that only wants a look.
    #[test]
    fn what_changes_something_wants_more_than_a_look() {
        for route in crate::stated_routes() {
            if route.method != Method::GET {
                assert_ne!(route.access, Access::Right(Right::Look), "{route:?}");
                assert_ne!(route.access, Access::Anybody, "{route:?}");
            }
        }
    }

    /// A router that is made elsewhere would have routes without a statement.
    #[test]
    fn routes_are_declared_nowhere_else() {
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        let mut looked = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                looked += 1;
                // Webhooks are known by their signatures, each by its own.
                if path.ends_with("routes.rs") || path.ends_with("hooks.rs") {
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for word in [
                    ".route(",
                    ".route_service(",
                    ".nest_service(",
                    ".fallback_service(",
                ] {
                    assert!(
                        !source.contains(word),
                        "{} makes a route by {word} instead of routes.rs",
                        path.display()
                    );
                }
            }
        }
        assert!(looked > 20, "{looked} files");
    }
}
