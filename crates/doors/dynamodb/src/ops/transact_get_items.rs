//! TransactGetItems.

use std::{collections::BTreeMap, sync::Arc};

use headwater_items::Item;
use headwater_shapes_dynamodb::{
    Get, ItemResponse, TransactGetItem, TransactGetItemsInput, TransactGetItemsOutput,
    ops::TransactGetItems,
};
use headwater_tables::{Cancellation, Metered, TableRecord, Units, WriteError};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        actions::{check_distinct, check_faults},
        capacity::{Consistency, Split, Told, of_read},
        fault::Fault,
        keys,
        named::Named,
        placeholders::{Sent, check_used},
        projection::{Projecting, Wanted},
        transaction, values,
    },
};

/// A read of a transaction.
struct Read {
    named: Named,
    key: Item,
    wanted: Wanted,
}

impl Handle<TransactGetItems> for Dynamo {
    async fn handle(
        &self,
        input: TransactGetItemsInput,
        context: &Context,
    ) -> Result<TransactGetItemsOutput, ApiError> {
        let TransactGetItemsInput {
            transact_items,
            return_consumed_capacity,
        } = input;
        let reads = transact_items.into_iter().map(|sent| read(sent, context));
        let reads = reads.collect::<Result<Vec<_>, _>>()?;
        let tables = reads.iter().map(|read| self.open(&read.named, context));
        let tables = tables.collect::<Result<Vec<Arc<TableRecord>>, _>>()?;
        let checked = reads.iter().zip(&tables);
        check_faults(checked.map(|(read, table)| check(read, table)).collect())?;
        let keys = reads.iter().zip(&tables);
        let keys: Vec<(String, Item)> = keys
            .map(|(read, table)| (table.name.clone(), read.key.clone()))
            .collect();
        check_distinct(keys.iter().map(|(table, key)| (table.as_str(), key)))?;
        let actions: Vec<_> = tables.iter().map(|table| (&**table, false)).collect();
        let failed = |error| transaction::failed(error, &actions);
        let metered = self.admit(&reads, &tables).map_err(failed)?;
        let items = self.tables.read_together(keys).await.map_err(failed)?;
        let told = Told::of(return_consumed_capacity.as_deref());
        let mut units: BTreeMap<String, Units> = BTreeMap::new();
        let mut responses = Vec::with_capacity(items.len());
        for ((item, read), metered) in items.into_iter().zip(reads).zip(metered) {
            let took = units.entry(read.named.given).or_default();
            let cost = of_read(item.as_ref(), Consistency::Transactional);
            metered.take(&cost);
            took.add(&cost, 1.0);
            let item = item.map(|item| read.wanted.shown(item));
            responses.push(ItemResponse { item });
        }
        Ok(TransactGetItemsOutput {
            consumed_capacity: told.of_tables(&units, Split::Read),
            responses: Some(responses),
        })
    }
}

impl Dynamo {
    /// The ways to the capacity of all reads, which may be made now.
    fn admit(
        &self,
        reads: &[Read],
        tables: &[Arc<TableRecord>],
    ) -> Result<Vec<Metered>, Cancellation> {
        let metered = reads
            .iter()
            .zip(tables)
            .map(|(read, table)| self.tables.metered_item(table, &read.key));
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
}

fn read(sent: TransactGetItem, context: &Context) -> Result<Read, ApiError> {
    let TransactGetItem { get } = sent;
    let Get {
        key,
        table_name,
        projection_expression,
        expression_attribute_names,
    } = get;
    let named = Named::new(table_name, context)?;
    let sent = Sent {
        names: expression_attribute_names,
        values: None,
    };
    let projecting = Projecting {
        expression: projection_expression,
        attributes: None,
    };
    projecting.check_dialects(&sent)?;
    let key = values::item(key)?;
    let mut placeholders = sent.read()?;
    let wanted = projecting.read(&mut placeholders)?;
    check_used(&placeholders)?;
    Ok(Read { named, key, wanted })
}

fn check(read: &Read, table: &TableRecord) -> Result<(), Fault> {
    keys::check(&read.key, table)?;
    read.wanted.check(table)
}
