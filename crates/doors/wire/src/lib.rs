//! The AWS protocols, written once: decoding, validation, errors, dispatch, and the client's half.
//!
//! A service is a [`Table`] of routes from operations to handlers; this crate turns requests into typed inputs and
//! outputs into answers, in AWS JSON, CBOR, REST-JSON and REST-XML, and says no in AWS's words. It knows no service.

pub mod body;
pub mod cbor;
pub mod chunked;
pub mod client;
mod context;
mod door;
mod error;
pub mod event_stream;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod json;
mod limits;
mod rest;
mod route;
pub mod server;
pub mod sign;
mod validate;
pub mod verify;
mod xml;

pub use body::{Body, Buffers};
pub use context::{Caller, Context, Origin};
pub use door::{Door, OperationName};
pub use error::ApiError;
pub use rest::Rest;
pub use route::{Handle, Route, Table};
