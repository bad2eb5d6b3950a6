//! One object for the whole batch.

use async_trait::async_trait;

use super::{Errors, Outlet, write};
use crate::{execute::ExecuteError, item::Item, ledger::Ledger, object::ObjectWriter};

/// Writes all items to one object, as they come.
pub struct OneObject(pub ObjectWriter);

#[async_trait]
impl Outlet for OneObject {
    async fn take(&mut self, items: Vec<Item>, errors: &mut Errors<'_>) -> Result<(), ExecuteError> {
        Ok(write(&mut self.0, items, errors).await?)
    }

    async fn finish(
        self: Box<Self>,
        _ledger: &mut Ledger<'_>,
        _errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError> {
        let key = self.0.key().to_owned();
        Ok(self.0.finish().await?.then_some(key).into_iter().collect())
    }
}
