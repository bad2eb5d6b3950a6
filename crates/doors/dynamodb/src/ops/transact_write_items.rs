//! TransactWriteItems.

use std::collections::BTreeMap;

use headwater_shapes_dynamodb::{
    ItemCollectionMetrics, TransactWriteItem, TransactWriteItemsInput, TransactWriteItemsOutput,
    ops::TransactWriteItems,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        action::Action,
        actions::{check_bytes, check_faults},
        capacity::Told,
        collection::metrics,
        together::{Acting, Writes, digest},
    },
};

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
        let writes = self.read_writes(transact_items, context)?;
        let collections = collections(return_item_collection_metrics.as_deref(), &writes);
        let told = Told::of(return_consumed_capacity.as_deref());
        Ok(TransactWriteItemsOutput {
            consumed_capacity: self.write_together(writes, token, told).await?,
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
            actions.push(Acting {
                given,
                table,
                shows,
                inserts: false,
            });
        }
        let writes = check_faults(writes)?;
        Ok(Writes { actions, writes })
    }
}

/// The collections that are written to, each once.
fn collections(
    sent: Option<&str>,
    Writes { actions, writes }: &Writes,
) -> Option<BTreeMap<String, Vec<ItemCollectionMetrics>>> {
    let mut all: BTreeMap<String, Vec<ItemCollectionMetrics>> = BTreeMap::new();
    for (acting, (_, write)) in actions.iter().zip(writes) {
        if let Some(metrics) = metrics(sent, &acting.table, &write.key) {
            let of_table = all.entry(acting.given.clone()).or_default();
            if !of_table.contains(&metrics) {
                of_table.push(metrics);
            }
        }
    }
    (!all.is_empty()).then_some(all)
}
