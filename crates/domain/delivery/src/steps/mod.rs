//! Steps of records on their way from the source to the destination, one behind the other.
//!
//! Owns their order and what they have in common: a step takes items and gives items and rejections. The work of each
//! is in its own file; all but the function are pure.

pub mod append;
pub mod check;
pub mod contract;
pub mod deaggregate;
pub mod decompress;
pub mod function;
pub mod log_events;
mod pipeline;
pub mod pure;
pub mod query;

pub use self::pipeline::Steps;
