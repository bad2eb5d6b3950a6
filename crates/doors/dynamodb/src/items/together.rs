//! Reads and writes of several items at one moment: what is common to the operations of transactions.

use std::collections::BTreeMap;

use headwater_items::{Item, item_size};
use headwater_shapes::Tree;
use headwater_shapes_dynamodb::ConsumedCapacity;
use headwater_tables::{
    Cancellation, Metered, TableRecord, Transaction, Units, Write, WriteAction, WriteError,
    Written, limits::TRANSACTION_TIMES,
};
use headwater_wire::ApiError;
use sha2::{Digest, Sha256};

use crate::{
    Dynamo,
    items::{
        actions::{check_bytes, check_distinct},
        capacity::{Consistency, Split, Told, of_read, of_write},
        transaction::{self, Acted},
    },
};

/// A read of a transaction, with a key that its table takes.
pub(crate) struct Read {
    /// The table as the request names it.
    pub given: String,
    /// The table.
    pub table: TableRecord,
    /// The key.
    pub key: Item,
}

/// The writes of a transaction, which their tables take.
pub(crate) struct Writes {
    /// What is known of each.
    pub actions: Vec<Acting>,
    /// The tables by name, and what is written there.
    pub writes: Vec<(String, Write)>,
}

/// What is known of a write of a transaction.
pub(crate) struct Acting {
    /// The table as the request names it.
    pub given: String,
    /// The table.
    pub table: TableRecord,
    /// Whether the item is shown where the condition does not hold.
    pub shows: bool,
    /// Whether its condition is that there is no item yet.
    pub inserts: bool,
}

impl Dynamo {
    /// Reads items as they are at one moment, and says what that took.
    pub(crate) async fn get_together(
        &self,
        reads: Vec<Read>,
        told: Told,
    ) -> Result<(Vec<Option<Item>>, Option<Vec<ConsumedCapacity>>), ApiError> {
        let keys = reads.iter();
        let keys: Vec<(String, Item)> = keys
            .map(|read| (read.table.name.clone(), read.key.clone()))
            .collect();
        check_distinct(keys.iter().map(|(table, key)| (table.as_str(), key)))?;
        let failed = |error| {
            let actions = reads.iter().map(|read| Acted::reading(&read.table));
            transaction::failed(error, &actions.collect::<Vec<_>>())
        };
        let metered = self.admit(&reads).map_err(failed)?;
        let items = self.tables.read_together(keys).await.map_err(failed)?;
        check_bytes(items.iter().flatten().map(item_size).sum())?;
        let mut units: BTreeMap<String, Units> = BTreeMap::new();
        for ((item, read), metered) in items.iter().zip(reads).zip(metered) {
            let cost = of_read(item.as_ref(), Consistency::Transactional);
            metered.take(&cost);
            units.entry(read.given).or_default().add(&cost, 1.0);
        }
        Ok((items, told.of_tables(&units, Split::Read)))
    }

    /// The ways to the capacity of all reads, which may be made now.
    fn admit(&self, reads: &[Read]) -> Result<Vec<Metered>, Cancellation> {
        let metered = reads.iter();
        let metered = metered.map(|read| self.tables.metered_item(&read.table, &read.key));
        let metered = metered.collect::<Result<Vec<_>, _>>()?;
        let admitted = metered
            .iter()
            .map(|metered| metered.admit().err().map(WriteError::Throttled));
        let reasons: Vec<_> = admitted.collect();
        match reasons.iter().all(Option::is_none) {
            true => Ok(metered),
            false => Err(Cancellation::Reasons(reasons)),
        }
    }

    /// Does all of these writes or none, and says what that took. The same under the same token does nothing more.
    pub(crate) async fn write_together(
        &self,
        Writes { actions, writes }: Writes,
        token: Option<(String, [u8; 32])>,
        told: Told,
    ) -> Result<Option<Vec<ConsumedCapacity>>, ApiError> {
        let keys = writes.iter();
        check_distinct(keys.map(|(table, write)| (table.as_str(), &write.key)))?;
        let expected = match told {
            Told::Nothing => Vec::new(),
            _ => self.expected(&writes).await?,
        };
        let done = self.tables.transact(Transaction { writes, token }).await;
        let was_done = done.map_err(|error| {
            let acted = actions.iter().map(|acting| Acted {
                table: &acting.table,
                shows: acting.shows,
                inserts: acting.inserts,
            });
            transaction::failed(error, &acted.collect::<Vec<_>>())
        })?;
        let mut units: BTreeMap<String, Units> = BTreeMap::new();
        for (written, acting) in expected.iter().zip(&actions) {
            let took = units.entry(acting.given.clone()).or_default();
            match was_done {
                true => {
                    let read = of_read(written.before.as_ref(), Consistency::Transactional);
                    took.add(&read, 1.0);
                }
                false => took.add(&of_write(&acting.table, written), TRANSACTION_TIMES),
            }
        }
        let split = match was_done {
            true => Split::Read,
            false => Split::Written,
        };
        Ok(told.of_tables(&units, split))
    }

    /// What writes will do to the items as they are: what they cost is told by it.
    async fn expected(&self, writes: &[(String, Write)]) -> Result<Vec<Written>, ApiError> {
        let keys = writes
            .iter()
            .map(|(table, write)| (table.clone(), write.key.clone()));
        let before = self.tables.read_together(keys.collect()).await;
        let before = before.map_err(|error| transaction::failed(error, &[]))?;
        let written = before.into_iter().zip(writes).map(|(before, (_, write))| {
            let after = after(write, before.as_ref());
            Written { before, after }
        });
        Ok(written.collect())
    }
}

/// A digest of what a request does.
pub(crate) fn digest<T: Tree>(sent: &[T]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for sent in sent {
        hash.update(sent.to_value().to_string());
    }
    hash.finalize().into()
}

/// What a write makes of an item.
fn after(write: &Write, before: Option<&Item>) -> Option<Item> {
    match &write.action {
        WriteAction::Put(item) => Some(item.clone()),
        WriteAction::Update(update) => update.apply(before.unwrap_or(&write.key)).ok(),
        WriteAction::Delete => None,
        WriteAction::Check => before.cloned(),
    }
}
