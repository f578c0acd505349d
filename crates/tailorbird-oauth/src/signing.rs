//! Signatures, in the steps and under the names of RFC 5849 §3.4.

pub(crate) mod base_string;
pub(crate) mod base_string_uri;
pub(crate) mod parameter_normalization;
pub(crate) mod parameter_sources;
pub(crate) mod raw;
pub(crate) mod rsa_key;
pub(crate) mod sign;
pub(crate) mod signing_key;
