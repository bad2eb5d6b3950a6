//! The vocabulary that AWS services are described in: operations, structures, constraints and errors as static tables,
//! and the types between them.
//!
//! One crate a service (`shapes-<service>`) is written in it by `cargo xtask codegen`, out of AWS's published models:
//! names, types, constraints and errors only. No logic of a service and no protocol is here: how a shape looks in
//! JSON, CBOR or XML is the `wire` crate's.
//!
//! Conventions of the generated crates: structures are named as in the model, their fields in snake case; required
//! members are plain, others `Option`. Every structure is a [`Tree`] whose keys are wire names: a member's key in JSON,
//! its element in XML, its header, query parameter or path label in the REST protocols. Those of operations that carry
//! data ([`Direct`]) are serde's as well, so that they can be read straight from the bytes. Members that stream are in
//! neither form and travel through the `*_stream` functions of [`Operation`]; so do answers that come as events.
//! Structures that only answers reach read a missing member as its default.

#[doc(hidden)]
pub mod check;
mod error;
mod events;
mod model;
mod scalars;
#[doc(hidden)]
pub mod value;
mod xml_roots;

#[doc(hidden)]
pub use serde_json::Value;

pub use check::Pattern;
pub use error::ApiError;
pub use events::{Event, EventError, EventFormat, EventStream, NoEvent, Shared};
pub use model::{
    Direct, ErrorShape, Http, Location, Member, NOTHING, Nothing, Operation, OperationShape,
    Protocol, Service, Shape, Structure, Valid, optional, required,
};
pub use scalars::{Blob, ByteStream, Timestamp};
pub use value::{Tree, Unfit};
