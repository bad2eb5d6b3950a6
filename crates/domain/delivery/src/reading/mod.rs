//! Reading a source: once to close batches, and again, range by range, when they are delivered.

mod direct;
mod groups;
mod left;
mod reader;

pub use self::{
    direct::{DirectShard, record_id, remove_strays},
    groups::{Expired, Groups},
    left::left_of,
    reader::{Batch, Reader},
};
