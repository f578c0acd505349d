//! Server-side verification (RFC 5849 §3.2), in separate checks with everything variable as a parameter.
//!
//! 1. [`Presented::read`] collects what a request carries and computes its base string;
//! 2. [`Presented::verify`] checks form and signature;
//! 3. [`Presented::check_time`] and [`Presented::check_nonce`] check freshness, against a window, a clock
//!    reading and a memory that the caller owns.
//!
//! A refusal is a [`Rejection`] with its facts, so that a provider can explain it; what a lenient provider
//! lets pass is a [`Note`].

pub(crate) mod collect;
pub(crate) mod freshness;
pub(crate) mod presented;
pub(crate) mod rejection;
