//! Reading a source: once to close batches, and again, range by range, when they are delivered.

mod direct;
mod groups;
mod reader;

pub use self::{
    direct::{DirectShard, record_id, remove_strays},
    groups::Groups,
    reader::{Batch, Reader},
};
