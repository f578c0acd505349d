//! Pages: reads a list to its end, or to a limit.
//!
//! The state is plain and moves only when an answer is taken in, so a run can store the token of the last
//! page and go on from there. A provider that repeats itself is noticed (the loop guard).

use std::collections::{BTreeMap, BTreeSet};

use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Pagination;
use tailorbird_model::{Failure, Meaning, Record, Value, codes};
use url::Url;

use crate::answer::Answer;
use crate::build::{MAX_URL_BYTES, build};
use crate::connector::Connector;
use crate::extract::records;
use crate::judge::judge;
use crate::origin::Origin;
use crate::request::{Request, hex};
use crate::resolve::Resolved;
use sha2::{Digest as _, Sha256};

/// The most pages of one listing; a longer one is cut into several by its cursor.
pub const MAX_PAGES: u32 = 10_000;

/// The longest page token, in bytes.
const MAX_TOKEN_BYTES: usize = 4_096;

/// A listing under way.
#[derive(Debug, Clone)]
pub struct Pages {
    operation: String,
    pagination: Option<Pagination>,
    next: Option<Request>,
    read: u32,
    limit: u32,
    seen_tokens: BTreeSet<String>,
    last_page: Option<String>,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its records.
    pub records: Vec<Record>,
    /// Its number, from 1.
    pub number: u32,
    /// The token that leads to the page after it; none at the end.
    pub next: Option<String>,
    /// Whether the limit of pages ended the listing though there is more.
    pub more: bool,
}

impl Pages {
    /// Begins a listing. `limit` is the greatest number of pages wanted, at most [`MAX_PAGES`]. `token` goes
    /// on from a page's `next`.
    ///
    /// # Errors
    /// Those of [`build`].
    pub fn new(
        resolved: &Resolved,
        operation: &str,
        arguments: &BTreeMap<String, Value>,
        limit: Option<u32>,
        token: Option<&str>,
    ) -> Result<Self, Failure> {
        let first = build(resolved, operation, arguments)?;
        let mut pages = Self {
            operation: operation.to_owned(),
            pagination: resolved.operation(operation)?.pagination.clone(),
            next: None,
            read: 0,
            limit: limit.unwrap_or(MAX_PAGES).min(MAX_PAGES),
            seen_tokens: BTreeSet::new(),
            last_page: None,
        };
        pages.next = Some(match token {
            Some(token) => pages.turn(&first, token)?,
            None => first,
        });
        Ok(pages)
    }

    /// The request of the next page; none at the end.
    pub fn next_request(&self) -> Option<&Request> {
        self.next.as_ref().filter(|_| self.read < self.limit)
    }

    /// Takes the answer to [`Pages::next_request`] in.
    ///
    /// # Errors
    /// Those of [`judge`] and [`records`]; SEND-010 where the provider repeats a token or a page, or points
    /// to another origin.
    pub fn take(&mut self, resolved: &Resolved, answer: &Answer) -> Result<Page, Failure> {
        let Some(request) = self.next.take() else {
            return Err(self.broken("there is no page left to read", "Begin the listing anew."));
        };
        if let Err(failure) = judge(resolved, &request, answer) {
            self.next = Some(request);
            return Err(failure);
        }
        let found = records(resolved, &request, answer)?;
        self.read += 1;
        let digest = digest(&found);
        if !found.is_empty() && self.last_page.as_ref() == Some(&digest) {
            return Err(self.broken(
                "the provider gave the same page twice",
                "Look at the pagination of the operation in the service file: the parameter may be misspelt.",
            ));
        }
        self.last_page = Some(digest);

        let token = self.token(&found, answer)?;
        if let Some(token) = &token {
            if !self.seen_tokens.insert(token.clone()) {
                return Err(self.broken(
                    "the provider gave the same page token twice",
                    "Try again later; what was read so far is kept by its keys.",
                ));
            }
            self.next = Some(self.turn(&request, token)?);
        }
        let more = token.is_some() && self.read >= self.limit;
        if more && self.limit == MAX_PAGES {
            return Err(self.broken(
                &format!("the listing has more than {MAX_PAGES} pages"),
                "Narrow it, for example by a cursor such as since_id.",
            ));
        }
        Ok(Page {
            records: found,
            number: self.read,
            next: token,
            more,
        })
    }

    /// The token that leads on, from the answer or from the least id of the page.
    fn token(&self, found: &[Record], answer: &Answer) -> Result<Option<String>, Failure> {
        match &self.pagination {
            None => Ok(None),
            Some(Pagination::Cursor { from, end, .. }) => {
                let token = answer
                    .json
                    .as_ref()
                    .and_then(|json| json.pointer(from))
                    .and_then(|value| match value {
                        serde_json::Value::String(text) => Some(text.clone()),
                        serde_json::Value::Number(number) => Some(number.to_string()),
                        _ => None,
                    });
                let token = token.filter(|token| !token.is_empty() && end.as_ref() != Some(token));
                if token.as_ref().is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
                    return Err(self.broken(
                        "the page token is longer than 4096 bytes",
                        "Check `from` of the pagination in the service file.",
                    ));
                }
                Ok(token)
            }
            Some(Pagination::DescendingId { column, .. }) => {
                let ids: Option<Vec<i128>> = found
                    .iter()
                    .map(|record| record.get(column)?.to_string().parse().ok())
                    .collect();
                let ids = ids.ok_or_else(|| {
                    self.broken(
                        &format!("a record has no whole number in the column {column:?}"),
                        "Check the pagination of the operation in the service file.",
                    )
                })?;
                // The provider takes the given id as the greatest wanted, so one below the least goes on.
                Ok(ids
                    .into_iter()
                    .min()
                    .filter(|least| *least > 0)
                    .map(|least| (least - 1).to_string()))
            }
        }
    }

    /// The request of the page that a token leads to.
    fn turn(&self, request: &Request, token: &str) -> Result<Request, Failure> {
        let Some(Pagination::Cursor { parameter, .. } | Pagination::DescendingId { parameter, .. }) =
            &self.pagination
        else {
            return Err(self.broken("the operation has no pages", "Leave the page token out."));
        };
        let refuse =
            |what: &str| self.broken(what, "Nothing was sent there: credentials stay on their origin.");
        let mut turned = request.clone();
        // Some providers give the whole address of the next page in place of a token.
        if token.starts_with("https://") || token.starts_with("http://") {
            let (here, there) = (Origin::parse(&request.url), Origin::parse(token));
            if here != there || token.len() > MAX_URL_BYTES {
                return Err(refuse("the next page is on another origin"));
            }
            let mut url = Url::parse(token).map_err(|_| refuse("the next page's address cannot be read"))?;
            let _nothing_to_remove = (url.set_username(""), url.set_password(None));
            url.set_fragment(None);
            turned.url = url.into();
            return Ok(turned);
        }
        let (base, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let name = tailorbird_oauth::percent_encode(parameter);
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name.as_str()))
            .map(str::to_owned)
            .collect();
        pairs.push(format!("{name}={}", tailorbird_oauth::percent_encode(token)));
        turned.url = format!("{base}?{}", pairs.join("&"));
        Ok(turned)
    }

    fn broken(&self, what: &str, hint: &str) -> Failure {
        Failure::new(
            codes::PAGES,
            Meaning::Rejected,
            format!("listing {} ended early: {what}", self.operation),
        )
        .detail(format!("{} pages were read.", self.read))
        .hint(hint.to_owned())
    }
}

fn digest(records: &[Record]) -> String {
    let mut hasher = Sha256::new();
    for record in records {
        hasher.update(record.to_json().to_string().as_bytes());
        hasher.update(b"\n");
    }
    hex(&hasher.finalize())
}

impl Connector {
    /// Reads the next page of a listing; none at its end or at its limit.
    ///
    /// # Errors
    /// Those of [`Connector::send`] and [`Pages::take`]. After a failure that passes (a limit, a lost
    /// answer) the same page can be asked for again.
    pub async fn next_page(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        pages: &mut Pages,
    ) -> Result<Option<(Page, Answer)>, Failure> {
        let Some(request) = pages.next_request().cloned() else {
            return Ok(None);
        };
        let answer = self.send(resolved, credentials, &request).await?;
        let page = pages.take(resolved, &answer)?;
        Ok(Some((page, answer)))
    }
}
