//! TransactWriteItems.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use headwater_items::Item;
use headwater_shapes::Tree;
use headwater_shapes_dynamodb::{
    ItemCollectionMetrics, TransactWriteItem, TransactWriteItemsInput, TransactWriteItemsOutput,
    ops::TransactWriteItems,
};
use headwater_tables::{
    TableRecord, Transaction, Units, Write, WriteAction, limits::TRANSACTION_TIMES,
};
use headwater_wire::{ApiError, Context, Handle};
use sha2::{Digest, Sha256};

use crate::{
    Dynamo,
    items::{
        action::Action,
        actions::{check_bytes, check_distinct, check_faults},
        capacity::{Consistency, Split, Told, of_read},
        collection::metrics,
        failed::below,
        transaction,
    },
};

/// What a write costs, and what reading its item does where it was done before.
struct Cost {
    write: Units,
    read: Units,
}

/// The writes of a transaction, which their tables take.
struct Writes {
    /// The tables as the request names them, and whether each item is shown where its condition does not hold.
    actions: Vec<(String, Arc<TableRecord>, bool)>,
    writes: Vec<(String, Write)>,
}

impl Handle<TransactWriteItems> for Dynamo {
    async fn handle(
        &self,
        input: TransactWriteItemsInput,
        context: &Context,
    ) -> Result<TransactWriteItemsOutput, ApiError> {
        let TransactWriteItemsInput {
            transact_items,
            return_consumed_capacity,
            return_item_collection_metrics,
            client_request_token,
        } = input;
        let token = client_request_token.map(|token| (token, digest(&transact_items)));
        let Writes { actions, writes } = self.read_writes(transact_items, context)?;
        let collections = collections(return_item_collection_metrics.as_deref(), &actions, &writes);
        let told = Told::of(return_consumed_capacity.as_deref());
        let costs = match told {
            Told::Nothing => Vec::new(),
            _ => self.costs(&actions, &writes).await?,
        };
        let done = self.tables.transact(Transaction { writes, token }).await;
        let failed = |error| {
            let actions: Vec<_> = actions
                .iter()
                .map(|(_, table, shows)| (&**table, *shows))
                .collect();
            transaction::failed(error, &actions)
        };
        let was_done = done.map_err(failed)?;
        let mut units: BTreeMap<String, Units> = BTreeMap::new();
        for (cost, (given, _, _)) in costs.iter().zip(&actions) {
            let took = units.entry(given.clone()).or_default();
            match was_done {
                true => took.add(&cost.read, 1.0),
                false => took.add(&cost.write, TRANSACTION_TIMES),
            }
        }
        let split = if was_done {
            Split::Read
        } else {
            Split::Written
        };
        Ok(TransactWriteItemsOutput {
            consumed_capacity: told.of_tables(&units, split),
            item_collection_metrics: collections,
        })
    }
}

impl Dynamo {
    fn read_writes(
        &self,
        sent: Vec<TransactWriteItem>,
        context: &Context,
    ) -> Result<Writes, ApiError> {
        let read = sent.into_iter().map(|sent| Action::read(sent, context));
        let read = read.collect::<Result<Vec<Action>, _>>()?;
        check_bytes(read.iter().map(Action::bytes).sum())?;
        let mut actions = Vec::with_capacity(read.len());
        let mut writes = Vec::with_capacity(read.len());
        for action in read {
            // A policy allows each action as the operation that does the same alone.
            let mut alone = context.clone();
            alone.operation = action.operation();
            let table = self.open(&action.named, &alone)?;
            let (given, shows) = (action.named.given.clone(), action.shows);
            writes.push(
                action
                    .write(&table)
                    .map(|write| (table.name.clone(), write)),
            );
            actions.push((given, table, shows));
        }
        let writes = check_faults(writes)?;
        check_distinct(
            writes
                .iter()
                .map(|(table, write)| (table.as_str(), &write.key)),
        )?;
        Ok(Writes { actions, writes })
    }

    /// What writes will cost, by the items as they are. One is read after the other, and none is kept.
    async fn costs(
        &self,
        actions: &[(String, Arc<TableRecord>, bool)],
        writes: &[(String, Write)],
    ) -> Result<Vec<Cost>, ApiError> {
        let mut costs = Vec::with_capacity(writes.len());
        for ((name, write), (_, table, _)) in writes.iter().zip(actions) {
            let before = self.tables.read(name, &write.key).await.map_err(below)?;
            let after = after(write, before.as_ref());
            costs.push(Cost {
                write: Units::of_write(table, before.as_ref(), after.as_deref()),
                read: of_read(before.as_ref(), Consistency::Transactional),
            });
        }
        Ok(costs)
    }
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

/// A digest of what a request does.
fn digest(sent: &[TransactWriteItem]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for sent in sent {
        hash.update(sent.to_value().to_string());
    }
    hash.finalize().into()
}

/// The collections that are written to, each once.
fn collections(
    sent: Option<&str>,
    actions: &[(String, Arc<TableRecord>, bool)],
    writes: &[(String, Write)],
) -> Option<BTreeMap<String, Vec<ItemCollectionMetrics>>> {
    let mut all: BTreeMap<String, Vec<ItemCollectionMetrics>> = BTreeMap::new();
    for ((given, table, _), (_, write)) in actions.iter().zip(writes) {
        if let Some(metrics) = metrics(sent, table, &write.key) {
            let of_table = all.entry(given.clone()).or_default();
            if !of_table.contains(&metrics) {
                of_table.push(metrics);
            }
        }
    }
    (!all.is_empty()).then_some(all)
}
