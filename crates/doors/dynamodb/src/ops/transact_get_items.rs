//! TransactGetItems.

use std::sync::Arc;

use headwater_items::Item;
use headwater_shapes_dynamodb::{
    Get, ItemResponse, TransactGetItem, TransactGetItemsInput, TransactGetItemsOutput,
    ops::TransactGetItems,
};
use headwater_tables::TableRecord;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        actions::check_faults,
        capacity::Told,
        fault::Fault,
        keys,
        named::Named,
        placeholders::{Sent, check_used},
        projection::{Projecting, Wanted},
        together::Read as Wants,
        values,
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
        let (mut wants, mut wanted) = (Vec::new(), Vec::new());
        for (read, table) in reads.into_iter().zip(tables) {
            wants.push(Wants {
                given: read.named.given,
                table,
                key: read.key,
            });
            wanted.push(read.wanted);
        }
        let told = Told::of(return_consumed_capacity.as_deref());
        let (items, consumed_capacity) = self.get_together(wants, told).await?;
        let responses = items
            .into_iter()
            .zip(wanted)
            .map(|(item, wanted)| ItemResponse {
                item: item.map(|item| wanted.shown(item)),
            });
        Ok(TransactGetItemsOutput {
            consumed_capacity,
            responses: Some(responses.collect()),
        })
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
