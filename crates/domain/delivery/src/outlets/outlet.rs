//! The trait of outlets, and two helpers of those that write objects.

use async_trait::async_trait;
use bytes::Bytes;

use super::{errors::Errors, object::ObjectWriter};
use crate::{
    intent::{ExecuteError, Ledger},
    ports::ObjectsError,
    records::Item,
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
pub async fn write(
    writer: &mut ObjectWriter,
    items: Vec<Item>,
    errors: &mut Errors<'_>,
) -> Result<(), ObjectsError> {
    let unfit = writer.write(pieces_of(&items)).await?;
    errors.unfit(&items, unfit).await
}

/// The data of items.
pub fn pieces_of(items: &[Item]) -> Vec<Bytes> {
    items.iter().map(|item| item.data.clone()).collect()
}
