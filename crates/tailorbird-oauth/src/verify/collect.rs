//! Collects the parameters of an incoming request from header, query and form body
//! (RFC 5849 §3.4.1.3.1), and judges where they stand (§3.5).

use std::collections::HashSet;
use std::fmt;

use crate::authorization_header::parse_authorization;
use crate::percent_encoding::form_decode;
use crate::placement::Placement;
use crate::signing::parameter_sources::{form_pairs, is_form_content_type};
use crate::verify::rejection::{Note, ReadError, Rejection};

/// A request as a server received it. Nothing may have been tidied up: the signature covers these bytes.
#[derive(Clone, Copy)]
pub struct IncomingRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// `http` or `https`, as the client saw it.
    pub scheme: &'a str,
    /// The Host header as received, with its port if it had one. Not a configured name: the client signed
    /// the one it used.
    pub host: &'a str,
    /// Path and query as received, still encoded.
    pub path_and_query: &'a str,
    /// The `Authorization` header, if there is one.
    pub authorization: Option<&'a str>,
    /// The `Content-Type` header, if there is one. It decides whether the body is signed.
    pub content_type: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

// Header and body may hold the secrets themselves (PLAINTEXT), so neither is shown.
impl fmt::Debug for IncomingRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingRequest")
            .field("method", &self.method)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// How closely a provider keeps to RFC 5849 §3.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// By the RFC: protocol parameters in one place, each once, nothing else in the header.
    #[default]
    Strict,
    /// As X is: protocol parameters may be split over places, the same value in two places counts once,
    /// other header items are signed along. Everything let pass becomes a [`Note`].
    Lenient,
}

/// One collected parameter, decoded, with the place in which it was found.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedParameter {
    /// Decoded name. Bytes, since `%FF` may stand in it.
    pub name: Vec<u8>,
    /// Decoded value.
    pub value: Vec<u8>,
    /// Where it stood.
    pub place: Placement,
}

impl fmt::Debug for PresentedParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name_lossy(), self.place)
    }
}

impl PresentedParameter {
    /// Whether it is a protocol parameter, known to the RFC or not.
    pub fn is_protocol(&self) -> bool {
        self.name.starts_with(b"oauth_")
    }

    /// The name as text, with U+FFFD for what is none. For screens.
    pub fn name_lossy(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// What was collected, with what is wrong about it.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) parameters: Vec<PresentedParameter>,
    pub(crate) realm: Option<String>,
    pub(crate) is_form: bool,
    pub(crate) rejections: Vec<Rejection>,
    pub(crate) notes: Vec<Note>,
}

/// Collects and judges the places. Under [`Strictness::Lenient`] repetitions are already dropped.
pub(crate) fn collect(request: &IncomingRequest<'_>, strictness: Strictness) -> Result<Collected, ReadError> {
    let mut parameters = Vec::new();
    let mut realm = None;
    if let Some(header) = request
        .authorization
        .map(parse_authorization)
        .transpose()?
        .flatten()
    {
        realm = header.realm;
        parameters.extend(header.pairs.into_iter().map(|(name, value)| PresentedParameter {
            name,
            value,
            place: Placement::Header,
        }));
    }
    let query = request
        .path_and_query
        .split_once('?')
        .map(|(_, query)| query)
        .unwrap_or_default();
    parameters.extend(form_parameters(query.as_bytes(), Placement::Query));
    let is_form = request.content_type.is_some_and(is_form_content_type);
    if is_form {
        parameters.extend(form_parameters(request.body, Placement::Body));
    }
    if !parameters.iter().any(PresentedParameter::is_protocol) {
        return Err(ReadError::NotSigned);
    }
    let mut collected = Collected {
        parameters,
        realm,
        is_form,
        rejections: Vec::new(),
        notes: Vec::new(),
    };
    collected.judge_header_items(strictness);
    collected.judge_repetitions(strictness);
    collected.judge_places(strictness);
    Ok(collected)
}

fn form_parameters(encoded: &[u8], place: Placement) -> impl Iterator<Item = PresentedParameter> {
    form_pairs(encoded).map(move |(name, value)| PresentedParameter {
        name: form_decode(name),
        value: form_decode(value),
        place,
    })
}

impl Collected {
    fn judge_header_items(&mut self, strictness: Strictness) {
        for parameter in &self.parameters {
            if parameter.place == Placement::Header && !parameter.is_protocol() {
                let name = parameter.name_lossy();
                match strictness {
                    Strictness::Strict => self.rejections.push(Rejection::UnexpectedHeaderItem { name }),
                    Strictness::Lenient => self.notes.push(Note::ExtraHeaderItem { name }),
                }
            }
        }
    }

    /// Finds protocol parameters that are there more than once. Ordinary parameters may repeat.
    fn judge_repetitions(&mut self, strictness: Strictness) {
        let mut kept: Vec<PresentedParameter> = Vec::with_capacity(self.parameters.len());
        // Sorting an index keeps this linear in practice: a request may carry thousands of parameters.
        let mut order: Vec<&PresentedParameter> = self
            .parameters
            .iter()
            .filter(|parameter| parameter.is_protocol())
            .collect();
        order.sort_by(|a, b| a.name.cmp(&b.name));
        for group in order.chunk_by(|a, b| a.name == b.name) {
            let [first, others @ ..] = group else { continue };
            if others.is_empty() {
                continue;
            }
            let name = first.name_lossy();
            let places: Vec<_> = group.iter().map(|parameter| parameter.place).collect();
            if others.iter().any(|other| other.value != first.value) {
                self.rejections
                    .push(Rejection::ConflictingParameter { name, places });
            } else if strictness == Strictness::Strict {
                self.rejections
                    .push(Rejection::RepeatedParameter { name, places });
            } else {
                self.notes.push(Note::RepeatedParameter { name, places });
            }
        }
        if strictness == Strictness::Strict {
            return;
        }
        let mut seen = HashSet::new();
        for parameter in &self.parameters {
            let fresh = !parameter.is_protocol() || seen.insert((&parameter.name, &parameter.value));
            if fresh {
                kept.push(parameter.clone());
            }
        }
        self.parameters = kept;
    }

    fn judge_places(&mut self, strictness: Strictness) {
        let places: Vec<_> = Placement::all()
            .into_iter()
            .filter(|place| {
                self.parameters
                    .iter()
                    .any(|parameter| parameter.is_protocol() && parameter.place == *place)
            })
            .collect();
        if places.len() < 2 {
            return;
        }
        match strictness {
            Strictness::Strict => self.rejections.push(Rejection::SeveralPlaces { places }),
            Strictness::Lenient => self.notes.push(Note::SeveralPlaces { places }),
        }
    }
}
