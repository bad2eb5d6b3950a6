//! The commands that run outside the server: replay, trip generator, load generator, demo, policies of what was called.
//!
//! They speak to any endpoint over the public API and know nothing of the server's inside; credentials and
//! addresses come from where AWS's own tools take them. Each command is its arguments and a `run`.

pub mod bench;
pub mod demo;
mod files;
mod limits;
pub mod policy;
pub mod replay;
pub mod trips;
