//! Reads and writes of several items at one moment: what is common to the operations of transactions.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use headwater_items::Item;
use headwater_shapes::Tree;
use headwater_shapes_dynamodb::ConsumedCapacity;
use headwater_tables::{
    Cancellation, Metered, TableRecord, Transaction, Units, Write, WriteAction, WriteError,
    limits::TRANSACTION_TIMES,
};
use headwater_wire::ApiError;
use sha2::{Digest, Sha256};

use crate::{
    Dynamo,
    items::{
        actions::check_distinct,
        capacity::{Consistency, Split, Told, of_read},
        failed::below,
        transaction::{self, Acted},
    },
};

/// A read of a transaction, with a key that its table takes.
pub(crate) struct Read {
    /// The table as the request names it.
    pub given: String,
    /// The table.
    pub table: Arc<TableRecord>,
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
    pub table: Arc<TableRecord>,
    /// Whether the item is shown where the condition does not hold.
    pub shows: bool,
    /// Whether its condition is that there is no item yet.
    pub inserts: bool,
}

/// What a write costs, and what reading its item does where it was done before.
struct Cost {
    write: Units,
    read: Units,
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
        let costs = match told {
            Told::Nothing => Vec::new(),
            _ => self.costs(&actions, &writes).await?,
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
        for (cost, acting) in costs.iter().zip(&actions) {
            let took = units.entry(acting.given.clone()).or_default();
            match was_done {
                true => took.add(&cost.read, 1.0),
                false => took.add(&cost.write, TRANSACTION_TIMES),
            }
        }
        let split = match was_done {
            true => Split::Read,
            false => Split::Written,
        };
        Ok(told.of_tables(&units, split))
    }

    /// What writes will cost, by the items as they are. One is read after the other, and none is kept.
    async fn costs(
        &self,
        actions: &[Acting],
        writes: &[(String, Write)],
    ) -> Result<Vec<Cost>, ApiError> {
        let mut costs = Vec::with_capacity(writes.len());
        for ((name, write), acting) in writes.iter().zip(actions) {
            let before = self.tables.read(name, &write.key).await.map_err(below)?;
            let after = after(write, before.as_ref());
            costs.push(Cost {
                write: Units::of_write(&acting.table, before.as_ref(), after.as_deref()),
                read: of_read(before.as_ref(), Consistency::Transactional),
            });
        }
        Ok(costs)
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
fn after<'a>(write: &'a Write, before: Option<&'a Item>) -> Option<Cow<'a, Item>> {
    match &write.action {
        WriteAction::Put(item) => Some(Cow::Borrowed(item)),
        WriteAction::Update(update) => {
            let after = update.apply(before.unwrap_or(&write.key));
            after.ok().map(Cow::Owned)
        }
        WriteAction::Delete => None,
        WriteAction::Check => before.map(Cow::Borrowed),
    }
}
