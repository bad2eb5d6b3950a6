//! Where the items of a batch go once their steps are done: into one object, into one a partition, or to a
//! destination beside the bucket.
//!
//! Owns what these have in common, and the objects for what fails.

mod errors;
mod one_object;
mod part;
mod partitions;
mod sink;

pub use self::{errors::Errors, one_object::OneObject, partitions::Partitions, sink::Chunks};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    execute::ExecuteError, item::Item, ledger::Ledger, object::ObjectWriter, ports::ObjectsError,
};

/// Takes the items of one execution.
#[async_trait]
pub trait Outlet: Send {
    /// Takes items; those that cannot go there go to `errors`.
    async fn take(&mut self, items: Vec<Item>, errors: &mut Errors<'_>)
    -> Result<(), ExecuteError>;

    /// There is no more: completes what was begun. The keys of the objects that were written.
    async fn finish(
        self: Box<Self>,
        ledger: &mut Ledger<'_>,
        errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError>;
}

/// Writes items to an object; those that cannot be in it go to `errors`.
async fn write(
    writer: &mut ObjectWriter,
    items: Vec<Item>,
    errors: &mut Errors<'_>,
) -> Result<(), ObjectsError> {
    let unfit = writer.write(pieces_of(&items)).await?;
    errors.unfit(&items, unfit).await
}

fn pieces_of(items: &[Item]) -> Vec<Bytes> {
    items.iter().map(|item| item.data.clone()).collect()
}
