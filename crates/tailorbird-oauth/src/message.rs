//! The messages of the three-legged flow, from the client's side (RFC 5849 §2).
//!
//! Providers answer in more shapes than the RFC knows: form-encoded text labelled as HTML or JSON, JSON
//! objects, XML, plain sentences. All of them are read here, by their look rather than by their label.

pub(crate) mod answer;
pub(crate) mod authorization_url;
pub(crate) mod callback;
pub(crate) mod refusal;
pub(crate) mod xml;
