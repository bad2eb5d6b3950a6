//! One object for the whole batch.

use async_trait::async_trait;

use super::{
    errors::Errors,
    object::ObjectWriter,
    outlet::{Outlet, write},
};
use crate::{
    budget::Reservation,
    intent::{ExecuteError, Ledger},
    records::Item,
};

/// Writes all items to one object, as they come.
pub struct OneObject {
    /// The object.
    pub writer: ObjectWriter,
    /// The room that it takes in memory, where it does.
    pub room: Option<Reservation>,
}

#[async_trait]
impl Outlet for OneObject {
    async fn take(
        &mut self,
        items: Vec<Item>,
        errors: &mut Errors<'_>,
    ) -> Result<(), ExecuteError> {
        Ok(write(&mut self.writer, items, errors).await?)
    }

    async fn finish(
        self: Box<Self>,
        _ledger: &mut Ledger<'_>,
        _errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError> {
        let Self {
            writer,
            room: _room,
        } = *self;
        let key = writer.key().to_owned();
        Ok(writer.finish().await?.then_some(key).into_iter().collect())
    }
}
