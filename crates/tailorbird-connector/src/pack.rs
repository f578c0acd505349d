//! Packs the requests of several records into one, where an operation takes a list.
//!
//! A record's request holds a list of its one item. Requests that are equal but for that item are packed by putting
//! the items beside each other as they are written: nothing is parsed and written anew, so every digit stays, and
//! what a person approved is what is sent.

use tailorbird_model::service::{Body, Operation, ParameterPlace};
use tailorbird_oauth::wire_url;
use url::Url;

use crate::build::{MAX_URL_BYTES, pointer_of, pointer_parts, wire_name};
use crate::request::{Request, RequestBody};

/// The request of one record, taken apart: its item, and what is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    around: Around,
    item: String,
}

/// All of a request but the item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Around {
    request: Request,
    place: Place,
}

/// Where the item was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Of the JSON body, between these texts.
    Json { before: String, after: String },
    /// Of this pair of the form.
    Form(usize),
    /// Of this pair of the query.
    Query {
        address: String,
        pairs: Vec<(String, String)>,
        index: usize,
    },
}

impl Piece {
    /// Takes a record's request apart. None where the operation takes no list, or where the request does not hold
    /// exactly one item: then it goes by itself.
    pub fn of(operation: &Operation, request: &Request) -> Option<Self> {
        let name = operation.batch.as_ref()?.parameter.as_str();
        let mut rest = request.clone();
        if let Some(field) = operation.body.as_ref().and_then(|body| body.fields().get(name)) {
            return match (operation.body.as_ref()?, &mut rest.body) {
                (Body::Json(_), RequestBody::Json(text)) => {
                    let (before, item, after) = cut(text, &pointer_parts(&pointer_of(name, field)).ok()?)?;
                    text.clear();
                    let place = Place::Json { before, after };
                    Some(Self {
                        around: Around { request: rest, place },
                        item,
                    })
                }
                (Body::Form(_), RequestBody::Form(pairs)) => {
                    let wire = wire_name(name, field);
                    let index = pairs.iter().position(|(known, _)| *known == wire)?;
                    let item = std::mem::take(&mut pairs.get_mut(index)?.1);
                    Self::joined(rest, Place::Form(index), item)
                }
                _ => None,
            };
        }
        let parameter = operation.parameters.get(name)?;
        if parameter.place != ParameterPlace::Query {
            return None;
        }
        let mut url = Url::parse(&rest.url).ok()?;
        let mut pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let index = pairs.iter().position(|(known, _)| known == name)?;
        let item = std::mem::take(&mut pairs.get_mut(index)?.1);
        url.set_query(None);
        rest.url.clear();
        let address = url.into();
        Self::joined(
            rest,
            Place::Query {
                address,
                pairs,
                index,
            },
            item,
        )
    }

    /// A place where items are joined by commas.
    fn joined(request: Request, place: Place, item: String) -> Option<Self> {
        let is_one = !item.is_empty() && !item.contains(',');
        is_one.then_some(Self {
            around: Around { request, place },
            item,
        })
    }

    /// Tells whether two records can share a request.
    pub fn fits(&self, other: &Self) -> bool {
        self.around == other.around
    }

    /// The item as it is written.
    pub fn item(&self) -> &str {
        &self.item
    }

    /// How much it adds to a packed request, in bytes at most.
    pub fn bytes(&self) -> usize {
        match self.around.place {
            Place::Json { .. } => self.item.len() + 1,
            // Every byte may be escaped, and so is the comma.
            Place::Form(_) | Place::Query { .. } => self.item.len() * 3 + 3,
        }
    }

    /// How many bytes the items of a packed request may have together: what the operation takes, or what fits into
    /// an address.
    pub fn most_bytes(&self, operation: &Operation) -> usize {
        let of_body = operation
            .batch
            .as_ref()
            .map_or(0, tailorbird_model::service::Batch::most_bytes);
        match &self.around.place {
            Place::Json { before, after } => of_body.saturating_sub(before.len() + after.len() + 2),
            Place::Form(_) => of_body,
            Place::Query { address, pairs, .. } => {
                let others = pairs
                    .iter()
                    .map(|(name, value)| (name.len() + value.len()) * 3 + 2);
                MAX_URL_BYTES.saturating_sub(address.len() + others.sum::<usize>())
            }
        }
    }

    /// The record's request with another item.
    pub(crate) fn with_item(self, item: String) -> Request {
        let items = [item];
        around(&self.around, &items.each_ref().map(String::as_str))
    }
}

/// The request of several records that fit each other; none where there are none.
pub fn pack(pieces: &[&Piece]) -> Option<Request> {
    let first = pieces.first()?;
    debug_assert!(
        pieces.iter().all(|piece| piece.fits(first)),
        "packed what does not fit"
    );
    let items: Vec<&str> = pieces.iter().map(|piece| piece.item()).collect();
    Some(around(&first.around, &items))
}

fn around(around: &Around, items: &[&str]) -> Request {
    let mut request = around.request.clone();
    let list = items.join(",");
    match &around.place {
        Place::Json { before, after } => {
            request.body = RequestBody::Json(format!("{before}[{list}]{after}"));
        }
        Place::Form(index) => {
            if let RequestBody::Form(pairs) = &mut request.body
                && let Some((_, value)) = pairs.get_mut(*index)
            {
                *value = list;
            }
        }
        Place::Query {
            address,
            pairs,
            index,
        } => {
            let mut pairs = pairs.clone();
            if let Some((_, value)) = pairs.get_mut(*index) {
                *value = list;
            }
            let of = |(name, value): &(String, String)| (name.clone(), value.clone());
            // The address was a whole one before its query was taken off, so this cannot fail.
            request.url = wire_url(address, pairs.iter().map(of)).unwrap_or_else(|_| address.clone());
        }
    }
    request
}

/// The items of a request, read; none where it holds no list.
pub fn items(operation: &Operation, request: &Request) -> Option<Vec<serde_json::Value>> {
    let name = operation.batch.as_ref()?.parameter.as_str();
    let texts = |list: &str| {
        let items = list.split(',').filter(|item| !item.is_empty());
        items.map(serde_json::Value::from).collect()
    };
    if let Some(field) = operation.body.as_ref().and_then(|body| body.fields().get(name)) {
        return match &request.body {
            RequestBody::Json(text) => {
                let json: serde_json::Value = serde_json::from_str(text).ok()?;
                json.pointer(&pointer_of(name, field))?.as_array().cloned()
            }
            RequestBody::Form(pairs) => {
                let wire = wire_name(name, field);
                let (_, list) = pairs.iter().find(|(known, _)| *known == wire)?;
                Some(texts(list))
            }
            RequestBody::None | RequestBody::Multipart(_) | RequestBody::Raw { .. } => None,
        };
    }
    let url = Url::parse(&request.url).ok()?;
    let (_, list) = url.query_pairs().find(|(known, _)| known == name)?;
    Some(texts(&list))
}

/// Cuts the only item of the list at a pointer out of a JSON text: what is before the list, the item, and what is
/// behind the list.
fn cut(text: &str, pointer: &[String]) -> Option<(String, String, String)> {
    let mut begin = 0;
    for name in pointer {
        begin += member(text.get(begin..)?, name)?;
    }
    let rest = text.get(begin..)?;
    let end = begin + value_end(rest)?;
    let list = text.get(begin..end)?.trim_start();
    let inside = list.strip_prefix('[')?.strip_suffix(']')?;
    let item_end = value_end(inside)?;
    let behind = inside.get(item_end..)?;
    if !behind.trim().is_empty() {
        return None;
    }
    let item = inside.get(..item_end)?.trim().to_owned();
    Some((text.get(..begin)?.to_owned(), item, text.get(end..)?.to_owned()))
}

/// Where the value of a member of the object at the beginning of a text begins.
fn member(text: &str, wanted: &str) -> Option<usize> {
    let skip = |from: usize| {
        let rest = text.get(from..)?;
        Some(from + rest.len() - rest.trim_start().len())
    };
    let mut at = skip(0)?;
    text.get(at..)?.strip_prefix('{')?;
    at += 1;
    // Each turn goes behind one member, so this ends with the text.
    loop {
        at = skip(at)?;
        let rest = text.get(at..)?;
        let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next()?.ok()?;
        at = skip(at + names.byte_offset())?;
        text.get(at..)?.strip_prefix(':')?;
        at = skip(at + 1)?;
        if name == wanted {
            return Some(at);
        }
        at = skip(at + value_end(text.get(at..)?)?)?;
        text.get(at..)?.strip_prefix(',')?;
        at += 1;
    }
}

/// Where the JSON value at the beginning of a text ends.
fn value_end(text: &str) -> Option<usize> {
    // The end of a number is only known by what follows it, so numbers are measured by hand.
    let trimmed = text.trim_start();
    let lead = text.len() - trimmed.len();
    if trimmed.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        return Some(lead + trimmed.find(|c: char| !is_part(c)).unwrap_or(trimmed.len()));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

#[cfg(test)]
mod tests;
