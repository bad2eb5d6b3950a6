//! BatchGetItem.

use std::{collections::BTreeMap, sync::Arc};

use headwater_items::{Item, item_size};
use headwater_shapes_dynamodb::{
    BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes, ops::BatchGetItem,
};
use headwater_tables::{TableRecord, Throttled, Units};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Consistency, Split, Told, of_read},
        dialect::Dialects,
        failed::below,
        keys,
        limits::{BATCH_GET_BYTES, BATCH_GETS},
        named::Named,
        placeholders::{Sent, check_used},
        projection::{Projecting, Wanted},
        throttled,
        values::{self, shown},
    },
};

/// The items that are wanted of one table.
struct Gets {
    named: Named,
    keys: Vec<Item>,
    wanted: Wanted,
    consistency: Consistency,
    /// The request without its keys, for those that are left to another call.
    rest: KeysAndAttributes,
}

impl Handle<BatchGetItem> for Dynamo {
    async fn handle(
        &self,
        input: BatchGetItemInput,
        context: &Context,
    ) -> Result<BatchGetItemOutput, ApiError> {
        let BatchGetItemInput {
            request_items,
            return_consumed_capacity,
        } = input;
        let mut answer = Answer::default();
        for (gets, table) in self.read_gets(request_items, context)? {
            let throttled = self.get(gets, &table, &mut answer).await?;
            let throttled = throttled.map(|error| throttled::api(&error, &table.name, context));
            answer.throttled = answer.throttled.or(throttled);
        }
        if let (Some(error), 0) = (answer.throttled, answer.reads) {
            return Err(error);
        }
        let told = Told::of(return_consumed_capacity.as_deref());
        let consumed = told.of_tables(&answer.units, Split::Untold);
        Ok(BatchGetItemOutput {
            responses: Some(answer.responses),
            unprocessed_keys: Some(answer.unprocessed),
            consumed_capacity: consumed,
        })
    }
}

/// What was read so far.
#[derive(Default)]
struct Answer {
    responses: BTreeMap<String, Vec<values::Attributes>>,
    unprocessed: BTreeMap<String, KeysAndAttributes>,
    units: BTreeMap<String, Units>,
    bytes: usize,
    /// How many items were asked for.
    reads: usize,
    /// Why some were not.
    throttled: Option<ApiError>,
}

impl Dynamo {
    /// What a request wants, each with its table, which takes it.
    fn read_gets(
        &self,
        sent: BTreeMap<String, KeysAndAttributes>,
        context: &Context,
    ) -> Result<Vec<(Gets, Arc<TableRecord>)>, ApiError> {
        check_dialects(&sent)?;
        let gets = sent
            .into_iter()
            .map(|(named, sent)| read(named, sent, context));
        let gets = gets.collect::<Result<Vec<_>, _>>()?;
        if gets.iter().map(|gets| gets.keys.len()).sum::<usize>() > BATCH_GETS {
            return Err(validation(
                "Too many items requested for the BatchGetItem call",
            ));
        }
        let opened = gets.into_iter().map(|gets| {
            let table = self.open(&gets.named, context)?;
            gets.keys
                .iter()
                .try_for_each(|key| keys::check(key, &table))?;
            gets.wanted.check(&table)?;
            Ok((gets, table))
        });
        opened.collect()
    }

    /// Reads items of one table, as long as the answer has room for them, and the table has capacity; if it has not, why.
    async fn get(
        &self,
        gets: Gets,
        table: &TableRecord,
        answer: &mut Answer,
    ) -> Result<Option<Throttled>, ApiError> {
        let mut throttled = None;
        let given = gets.named.given;
        let (mut found, mut left, mut units) = (Vec::new(), Vec::new(), Units::default());
        for key in gets.keys {
            if !left.is_empty() || answer.bytes > BATCH_GET_BYTES {
                left.push(shown(key));
                continue;
            }
            let metered = self.tables.metered_item(table, &key).map_err(below)?;
            if let Err(error) = metered.admit() {
                throttled = Some(error);
                left.push(shown(key));
                continue;
            }
            let item = self.tables.read(&table.name, &key).await.map_err(below)?;
            answer.bytes += item.as_ref().map_or(0, item_size);
            if answer.bytes > BATCH_GET_BYTES {
                left.push(shown(key));
                continue;
            }
            let cost = of_read(item.as_ref(), gets.consistency);
            metered.take(&cost);
            units.add(&cost, 1.0);
            answer.reads += 1;
            found.extend(item.map(|item| gets.wanted.shown(item)));
        }
        if !left.is_empty() {
            let rest = KeysAndAttributes {
                keys: left,
                ..gets.rest
            };
            answer.unprocessed.insert(given.clone(), rest);
        }
        answer.units.insert(given.clone(), units);
        answer.responses.insert(given, found);
        Ok(throttled)
    }
}

/// Whether all tables are asked in one dialect.
fn check_dialects(sent: &BTreeMap<String, KeysAndAttributes>) -> Result<(), ApiError> {
    let dialects = Dialects {
        projection: Some(
            sent.values()
                .any(|sent| sent.projection_expression.is_some()),
        ),
        expressions: &[],
        older: &[(
            "AttributesToGet",
            sent.values().any(|sent| sent.attributes_to_get.is_some()),
        )],
    };
    dialects.check(&Sent::default())
}

fn read(given: String, sent: KeysAndAttributes, context: &Context) -> Result<Gets, ApiError> {
    let KeysAndAttributes {
        keys,
        attributes_to_get,
        consistent_read,
        projection_expression,
        expression_attribute_names,
    } = sent;
    let rest = KeysAndAttributes {
        keys: Vec::new(),
        attributes_to_get: attributes_to_get.clone(),
        consistent_read,
        projection_expression: projection_expression.clone(),
        expression_attribute_names: expression_attribute_names.clone(),
    };
    let named = Named::new(given, context)?;
    let sent = Sent {
        names: expression_attribute_names,
        values: None,
    };
    let projecting = Projecting {
        expression: projection_expression,
        attributes: attributes_to_get,
    };
    projecting.check_dialects(&sent)?;
    let mut placeholders = sent.read()?;
    let wanted = projecting.read(&mut placeholders)?;
    check_used(&placeholders)?;
    let keys = keys.into_iter().map(values::item);
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let is_twice = |(at, key): (usize, &Item)| keys.iter().take(at).any(|before| before == key);
    if keys.iter().enumerate().any(is_twice) {
        return Err(validation("Provided list of item keys contains duplicates"));
    }
    Ok(Gets {
        named,
        keys,
        wanted,
        consistency: Consistency::of(consistent_read),
        rest,
    })
}
