//! The AWS protocols, written once: decoding, validation, errors, dispatch, and the client's half.
//!
//! A service is a [`Table`] of routes from operations to handlers; this crate turns requests into typed inputs and
//! outputs into answers, in AWS JSON, CBOR, REST-JSON and REST-XML, and says no in AWS's words. It knows no service.

pub mod client;
mod context;
mod error;
mod limits;
mod route;
pub mod sign;

pub use context::Context;
pub use error::ApiError;
pub use route::{Handle, Route, Table};
