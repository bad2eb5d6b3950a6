//! Request and response types, constraints and errors of the AWS services: generated and checked in.
//!
//! `cargo xtask codegen` writes one module a service out of AWS's published models; names, types, constraints and
//! errors only. By hand here: the vocabulary those modules are written in. No logic of a service, no protocol: how
//! a shape looks in JSON, CBOR or XML is the `wire` crate's.

//!
//! Conventions of the generated modules: structures are named as in the model, their fields in snake case; required
//! members are plain, others `Option`. A member's serde name is its [`Member::wire_name`]: its key in JSON, its
//! element in XML, its header, query parameter or path label in the REST protocols. Members that stream are skipped
//! by serde and travel through the `*_stream` functions of [`Operation`]; so do answers that come as events. Structures that only answers reach read a
//! missing member as its default.

mod check;
mod events;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod firehose;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod glue;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod kinesis;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod lambda;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod logs;
mod model;
#[expect(missing_docs, reason = "generated, and without the models' prose")]
pub mod s3;
mod scalars;
mod xml_roots;

pub use check::Pattern;
pub use events::{Event, EventError, EventFormat, EventStream, NoEvent, Shared};
pub use model::{
    ErrorShape, Http, Location, Member, NOTHING, Nothing, Operation, OperationShape, Protocol,
    Service, Shape, Structure, Valid,
};
pub use scalars::{Blob, ByteStream, Timestamp};
