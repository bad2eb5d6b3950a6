//! Request and response types, constraints and errors of the AWS services: generated and checked in.
//!
//! `cargo xtask codegen` writes one module a service out of AWS's published models; names, types, constraints and
//! errors only. By hand here: the vocabulary those modules are written in. No logic of a service, no protocol: how
//! a shape looks in JSON, CBOR or XML is the `wire` crate's.

mod model;
mod scalars;

pub use model::{
    ErrorShape, Http, Location, Member, Operation, OperationShape, Protocol, Service, Shape, Structure, Valid,
};
pub use scalars::{Blob, ByteStream, Timestamp};
