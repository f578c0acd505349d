//! Parameters normalization (RFC 5849 §3.4.1.3.2): encode, sort by bytes, join.
//!
//! Sorting happens after encoding, because `%` sorts before every letter and digit while the characters
//! that it stands for may sort after them; several libraries sort before, and agree with nobody as soon
//! as a key holds such a character.
//!
//! Pairs are written **encoded twice** at once, which is how the base string wants them. Encoding again
//! turns each `%` into `%25` and changes nothing else, so it keeps the order: at the first place where
//! two encoded strings differ, their twice encoded forms differ by the same two characters.

use crate::percent_encoding::{
    ascii_string, encode_again_into, encode_twice_into, percent_decode, recode_twice_into,
};
use crate::signing::parameter_sources::form_pairs;

/// How many parameters one request may have, over all its places.
pub const MAX_PARAMETERS: usize = 10_000;

/// Where a pair lies in the buffer: its beginning, the end of its name, its end.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// The first eight bytes of the name, padded with zeros, which no encoded name holds. They sort as the
    /// name does and nearly always decide: `oauth_ti` against `oauth_to`.
    prefix: u64,
    start: usize,
    name_end: usize,
    end: usize,
}

/// The parameters of one request, encoded twice. Kept between requests, so that its memory is reused.
#[derive(Debug, Default)]
pub(crate) struct EncodedParameters {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// What joins name and value, and pair and pair, inside a base string: `=` and `&`, encoded once.
const ENCODED_EQUALS: &[u8] = b"%3D";
const ENCODED_AMPERSAND: &[u8] = b"%26";

impl EncodedParameters {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Adds a decoded pair.
    pub(crate) fn push_decoded(&mut self, name: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        encode_twice_into(&mut self.bytes, name);
        let name_end = self.bytes.len();
        encode_twice_into(&mut self.bytes, value);
        self.push_span(start, name_end);
    }

    /// Adds a pair that is encoded once already, each part with the length it had before: where that is the
    /// same, nothing was encoded and nothing needs to be looked at again.
    pub(crate) fn push_encoded(&mut self, name: (&[u8], usize), value: (&[u8], usize)) {
        let start = self.bytes.len();
        encode_again_into(&mut self.bytes, name.0, name.1);
        let name_end = self.bytes.len();
        encode_again_into(&mut self.bytes, value.0, value.1);
        self.push_span(start, name_end);
    }

    fn push_span(&mut self, start: usize, name_end: usize) {
        let name = self.bytes.get(start..name_end).unwrap_or_default();
        let prefix = name.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0; 8];
            for (to, from) in padded.iter_mut().zip(name) {
                *to = *from;
            }
            padded
        });
        let prefix = u64::from_be_bytes(prefix);
        self.spans.push(Span {
            prefix,
            start,
            name_end,
            end: self.bytes.len(),
        });
    }

    /// Adds the pairs of a query or form body, all but `oauth_signature` (RFC 5849 §3.4.1.3.1).
    pub(crate) fn push_form(&mut self, encoded: &[u8]) {
        for (name, value) in form_pairs(encoded) {
            let start = self.bytes.len();
            recode_twice_into(&mut self.bytes, name);
            let name_end = self.bytes.len();
            if self.bytes.get(start..) == Some(b"oauth_signature") {
                self.bytes.truncate(start);
                continue;
            }
            recode_twice_into(&mut self.bytes, value);
            self.push_span(start, name_end);
        }
    }

    fn name(bytes: &[u8], span: Span) -> &[u8] {
        bytes.get(span.start..span.name_end).unwrap_or_default()
    }

    fn value(bytes: &[u8], span: Span) -> &[u8] {
        bytes.get(span.name_end..span.end).unwrap_or_default()
    }

    /// Sorts by name, then by value, as bytes.
    pub(crate) fn sort(&mut self) {
        let bytes = &self.bytes;
        self.spans.sort_unstable_by(|a, b| {
            a.prefix
                .cmp(&b.prefix)
                .then_with(|| Self::name(bytes, *a).cmp(Self::name(bytes, *b)))
                .then_with(|| Self::value(bytes, *a).cmp(Self::value(bytes, *b)))
        });
    }

    /// Appends the normalized parameters, encoded once more, as the base string's last part.
    pub(crate) fn push_joined(&self, out: &mut Vec<u8>) {
        for (index, span) in self.spans.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(ENCODED_AMPERSAND);
            }
            out.extend_from_slice(Self::name(&self.bytes, *span));
            out.extend_from_slice(ENCODED_EQUALS);
            out.extend_from_slice(Self::value(&self.bytes, *span));
        }
    }

    /// At least as many bytes as [`EncodedParameters::push_joined`] appends.
    pub(crate) fn joined_len(&self) -> usize {
        self.bytes.len() + self.spans.len() * (ENCODED_EQUALS.len() + ENCODED_AMPERSAND.len())
    }
}

/// The normalized parameters of one query or form body, as RFC 5849 §3.4.1.3.2 prints them.
///
/// The signer never needs them in this form; people and tests do.
pub fn normalize_parameters(form_encoded: &[u8]) -> String {
    let mut parameters = EncodedParameters::default();
    parameters.push_form(form_encoded);
    parameters.sort();
    let mut joined = Vec::with_capacity(parameters.joined_len());
    parameters.push_joined(&mut joined);
    ascii_string(percent_decode(joined))
}
