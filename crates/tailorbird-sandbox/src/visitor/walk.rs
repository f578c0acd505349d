//! Requests and answers of a visit: cookies, forms, redirects.

use axum::body::Body;
use http::{Method, Request, Response, header};
use tower::ServiceExt;
use url::form_urlencoded;

use super::html::{Form, Page};
use super::{VisitError, Visitor};

/// Most redirects followed after one click.
const REDIRECTS_MAX: usize = 5;
/// Most bytes of a page: the longest (a page of requests) stays far below.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An answer before any redirect is followed.
pub(super) struct Answer {
    /// What stands on the page.
    pub page: Page,
    /// Where it sends the browser.
    pub location: Option<String>,
}

impl Visitor {
    /// Opens a page, following redirects inside the portal.
    pub(super) async fn get(&mut self, path: &str) -> Result<Page, VisitError> {
        let answer = self.ask(Method::GET, path, String::new()).await?;
        self.follow(path, answer).await
    }

    /// Sends a form, following redirects inside the portal.
    pub(super) async fn send(&mut self, form: Form) -> Result<Page, VisitError> {
        let path = form.action.clone();
        let answer = self.send_once(form).await?;
        self.follow(&path, answer).await
    }

    /// Sends a form and leaves a redirect to the caller.
    pub(super) async fn send_once(&mut self, form: Form) -> Result<Answer, VisitError> {
        let path = self.own_path(&form.action)?;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.sent())
            .finish();
        self.ask(Method::POST, &path, body).await
    }

    async fn follow(&mut self, first: &str, mut answer: Answer) -> Result<Page, VisitError> {
        for _ in 0..REDIRECTS_MAX {
            let Some(location) = answer.location else {
                return Ok(answer.page);
            };
            let path = self.own_path(&location)?;
            answer = self.ask(Method::GET, &path, String::new()).await?;
        }
        match answer.location {
            None => Ok(answer.page),
            Some(_) => Err(VisitError::Circles {
                page: first.to_owned(),
                most: REDIRECTS_MAX,
            }),
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Result<Answer, VisitError> {
        let elsewhere = || VisitError::Elsewhere(path.to_owned());
        let host = self
            .portal
            .split_once("://")
            .map_or(self.portal.as_str(), |(_, host)| host)
            .to_owned();
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, host);
        if !self.jar.is_empty() {
            let cookies: Vec<String> = self
                .jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if method == Method::POST {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, &self.portal);
        }
        let request = request.body(Body::from(body)).map_err(|_| elsewhere())?;
        let response = match self.app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        self.keep_cookies(&response);
        let location = response
            .status()
            .is_redirection()
            .then(|| response.headers().get(header::LOCATION))
            .flatten()
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), PAGE_BYTES_MAX)
            .await
            .map_err(|_| VisitError::TooLong {
                page: path.to_owned(),
                most: PAGE_BYTES_MAX,
            })?;
        let page = Page::read(path, status, &String::from_utf8_lossy(&bytes));
        Ok(Answer { page, location })
    }

    fn keep_cookies(&mut self, response: &Response<Body>) {
        for value in response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|it| it.to_str().ok())
        {
            let mut parts = value.split(';').map(str::trim);
            let Some((name, content)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), content.to_owned());
            }
        }
    }
}
