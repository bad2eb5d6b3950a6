//! All tables of one installation: which there are, and the way to their partitions.

use std::{path::Path, sync::Arc};

use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_items::Item;
use headwater_log::ShardLog;

use crate::{
    Cancellation, Error, NewTable, Page, Range, TableRecord, Target, Transaction, Write, WriteError,
    Written,
};

/// All tables.
pub struct Tables {}

impl Tables {
    /// Opens the tables that `catalog` knows, whose changes are in `log`; their index is kept in the folder `index`.
    ///
    /// # Errors
    /// When the catalog, the log or the index fails.
    pub async fn open(
        _env: Env,
        _catalog: Arc<dyn Catalog>,
        _log: Arc<dyn ShardLog>,
        _index: &Path,
    ) -> Result<Arc<Self>, Error> {
        todo!()
    }

    /// The table of this name, as it is now.
    ///
    /// # Errors
    /// [`Error::NoTable`].
    pub fn get(&self, _name: &str) -> Result<TableRecord, Error> {
        todo!()
    }

    /// At most `limit` names of tables that come after `after`, in order, and whether there are more.
    pub fn list(&self, _after: Option<&str>, _limit: usize) -> (Vec<String>, bool) {
        todo!()
    }

    /// Makes a table.
    ///
    /// # Errors
    /// [`Error::Exists`], or what failed below.
    pub async fn create(&self, _new: NewTable) -> Result<TableRecord, Error> {
        todo!()
    }

    /// Changes what the catalog has of a table: `change` is given the newest record, and may be called again.
    ///
    /// # Errors
    /// [`Error::NoTable`], what `change` refuses, or what failed below.
    pub async fn change<E: From<Error> + Send>(
        &self,
        _name: &str,
        _change: impl Fn(&mut TableRecord) -> Result<(), E> + Send + Sync,
    ) -> Result<TableRecord, E> {
        todo!()
    }

    /// Deletes a table with all that it has. Returns it as it was.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::Protected`], [`Error::Busy`], or what failed below.
    pub async fn delete(&self, _name: &str) -> Result<TableRecord, Error> {
        todo!()
    }

    /// How many items a table or an index of it has, and their bytes.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoIndex`], or what failed below.
    pub fn count(&self, _target: &Target) -> Result<(u64, u64), Error> {
        todo!()
    }

    /// Writes an item. Durable when it returns.
    ///
    /// # Errors
    /// Whatever speaks against it: then nothing was written, or after [`Error::Interrupted`] it is not known.
    pub async fn write(&self, _table: &str, _write: Write) -> Result<Written, WriteError> {
        todo!()
    }

    /// Writes items, each by itself, as [`Self::write`] does: one result an item, in order.
    pub async fn write_many(
        &self,
        _writes: Vec<(String, Write)>,
    ) -> Vec<Result<Written, WriteError>> {
        todo!()
    }

    /// Does all writes or none. Durable when it returns. True where they were done by an earlier call with the token.
    ///
    /// # Errors
    /// Whatever speaks against one of them.
    pub async fn transact(&self, _transaction: Transaction) -> Result<bool, Cancellation> {
        todo!()
    }

    /// The item with this key.
    ///
    /// # Errors
    /// [`Error::NoTable`], or what failed below.
    pub async fn read(&self, _table: &str, _key: &Item) -> Result<Option<Item>, Error> {
        todo!()
    }

    /// The items with these keys as they were at one moment; none of it where a transaction is changing one of them: then
    /// which.
    ///
    /// # Errors
    /// [`Cancellation::Reasons`] with [`WriteError::Conflict`], or what failed below.
    pub async fn read_together(
        &self,
        _keys: Vec<(String, Item)>,
    ) -> Result<Vec<Option<Item>>, Cancellation> {
        todo!()
    }

    /// A page of a query or a scan.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoIndex`], or what failed below.
    pub async fn page(&self, _target: &Target, _range: Range) -> Result<Page, Error> {
        todo!()
    }

    /// Ends the workers, and leaves the index as it is found next time.
    pub async fn close(&self) {
        todo!()
    }
}
