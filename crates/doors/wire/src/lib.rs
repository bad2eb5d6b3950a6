//! The AWS protocols, written once, and the one pipeline that every request takes.
//!
//! A service is a [`Table`] of lines from operations to handlers; the [`Pipeline`] turns requests into typed inputs and
//! outputs into answers, in every protocol that the service's model names, and says no in AWS's words. It knows which
//! services AWS has, to name those that are not built, and nothing of what any of them does.

// Tests that this crate shares with the client name it as the client does.
#[cfg(test)]
extern crate self as headwater_wire;

mod authorize;
mod aws_json;
mod calls;
pub mod cbor;
mod chunked;
mod context;
mod cross_origin;
mod dialect;
mod dynamo;
mod error_types;
pub mod event_stream;
mod hosted;
mod json;
mod known;
mod limits;
mod observe;
mod packing;
mod pipeline;
mod query;
pub mod requests;
pub mod rest;
mod table;
mod tags;
#[cfg(test)]
mod testing;
mod validate;
pub mod xml;

pub use authorize::{AccessRequest, Authorize, Denied, OwnAccount};
pub use calls::{Called, KeepCalls};
pub use chunked::body_error;
pub use context::{Context, Origin};
pub use cross_origin::{CrossOrigin, CrossRequest};
pub use headwater_auth::Caller;
pub use headwater_shapes::ApiError;
pub use hosted::Hosted;
pub use observe::{Observe, Seen};
pub use pipeline::{OpenPlace, Options, Page, Pipeline, Place};
pub use query::{Spelled, Spelling};
pub use table::{Access, Handle, Line, Plane, READS, Resource, Route, Routes, Table, WRITES};
pub use tags::{RESERVED_TAG, TagFault, tag_fault};
pub use validate::Needed;
