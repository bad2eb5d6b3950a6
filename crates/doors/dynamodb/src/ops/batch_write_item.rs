//! BatchWriteItem.

use std::{collections::BTreeMap, sync::Arc};

use headwater_items::Item;
use headwater_shapes_dynamodb::{
    BatchWriteItemInput, BatchWriteItemOutput, DeleteRequest, ItemCollectionMetrics, PutRequest,
    WriteRequest, ops::BatchWriteItem,
};
use headwater_tables::{TableRecord, Units, Write, WriteAction, WriteError, Written};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Split, Told, of_write},
        collection::metrics,
        failed,
        fault::Fault,
        limits::BATCH_WRITES,
        named::Named,
        throttled,
        values::{self, shown},
        writes,
    },
};

/// A write of a batch, as it was sent.
enum Sent {
    Put(Item),
    Delete(Item),
}

/// The writes to one table, which takes them.
struct Batch {
    given: String,
    table: Arc<TableRecord>,
    writes: Vec<Write>,
}

impl Handle<BatchWriteItem> for Dynamo {
    async fn handle(
        &self,
        input: BatchWriteItemInput,
        context: &Context,
    ) -> Result<BatchWriteItemOutput, ApiError> {
        let BatchWriteItemInput {
            request_items,
            return_consumed_capacity,
            return_item_collection_metrics,
        } = input;
        let batches = self.read_batches(request_items, context)?;
        let collections = collections(return_item_collection_metrics.as_deref(), &batches);
        let (mut tables, mut writes) = (Vec::new(), Vec::new());
        for batch in batches {
            let name = batch.table.name.clone();
            tables.push((batch.given, batch.table, batch.writes.len()));
            writes.extend(batch.writes.into_iter().map(|write| (name.clone(), write)));
        }
        // What is throttled goes back as it came; its item is shared until then.
        let kept = match self.tables.is_limited() {
            true => writes.clone(),
            false => Vec::new(),
        };
        let mut results = self.tables.write_many(writes).await.into_iter();
        let (mut kept, mut answer) = (kept.into_iter(), Answer::default());
        for (given, table, count) in tables {
            answer.units.insert(given.clone(), Units::default());
            for result in results.by_ref().take(count) {
                answer.add(&given, &table, kept.next(), result, context)?;
            }
        }
        if let (Some(error), 0) = (answer.throttled, answer.written) {
            return Err(error);
        }
        let told = Told::of(return_consumed_capacity.as_deref());
        Ok(BatchWriteItemOutput {
            unprocessed_items: Some(answer.unprocessed),
            item_collection_metrics: collections,
            consumed_capacity: told.of_tables(&answer.units, Split::Untold),
        })
    }
}

/// What was written so far.
#[derive(Default)]
struct Answer {
    unprocessed: BTreeMap<String, Vec<WriteRequest>>,
    units: BTreeMap<String, Units>,
    /// How many items were written.
    written: usize,
    /// Why some were not.
    throttled: Option<ApiError>,
}

impl Answer {
    /// Adds what became of a write, which goes back if it is to be sent again.
    fn add(
        &mut self,
        given: &str,
        table: &TableRecord,
        kept: Option<(String, Write)>,
        result: Result<Written, WriteError>,
        context: &Context,
    ) -> Result<(), ApiError> {
        match (result, kept) {
            (Ok(written), _) => {
                let took = self.units.entry(given.to_owned()).or_default();
                took.add(&of_write(table, &written), 1.0);
                self.written += 1;
            }
            (Err(WriteError::Throttled(error)), Some((_, write))) => {
                let requests = self.unprocessed.entry(given.to_owned()).or_default();
                requests.push(again(write));
                let error = || throttled::api(&error, &table.name, context);
                self.throttled.get_or_insert_with(error);
            }
            (Err(error), _) => return Err(failed::write(error, table, false, context)),
        }
        Ok(())
    }
}

/// The request for a write.
fn again(write: Write) -> WriteRequest {
    match write.action {
        WriteAction::Put(item) => WriteRequest {
            put_request: Some(PutRequest {
                item: shown(Arc::unwrap_or_clone(item)),
            }),
            delete_request: None,
        },
        _ => WriteRequest {
            put_request: None,
            delete_request: Some(DeleteRequest {
                key: shown(write.key),
            }),
        },
    }
}

impl Dynamo {
    fn read_batches(
        &self,
        sent: BTreeMap<String, Vec<WriteRequest>>,
        context: &Context,
    ) -> Result<Vec<Batch>, ApiError> {
        if sent.values().map(Vec::len).sum::<usize>() > BATCH_WRITES {
            return Err(validation(
                "Too many items requested for the BatchWriteItem call",
            ));
        }
        let read = sent.into_iter().map(|(given, sent)| {
            let named = Named::new(given, context)?;
            let sent = sent.into_iter().map(read);
            Ok((named, sent.collect::<Result<Vec<_>, ApiError>>()?))
        });
        let read = read.collect::<Result<Vec<_>, ApiError>>()?;
        let batches = read.into_iter().map(|(named, sent)| {
            let table = self.open(&named, context)?;
            let writes = sent.into_iter().map(|sent| sent.write(&table));
            let writes = writes.collect::<Result<Vec<_>, _>>()?;
            check_distinct(&writes)?;
            Ok(Batch {
                given: named.given,
                table,
                writes,
            })
        });
        batches.collect()
    }
}

impl Sent {
    /// The write, which the table takes. What is wrong with the key of an item that is put is told as of a key alone.
    fn write(self, table: &TableRecord) -> Result<Write, Fault> {
        match self {
            Self::Delete(key) => writes::of_key(key, WriteAction::Delete, None, table),
            Self::Put(item) => writes::put(item, None, table).map_err(|fault| match fault {
                Fault::NoKey(_) | Fault::KeyKind { .. } => Fault::KeyMismatch,
                other => other,
            }),
        }
    }
}

fn read(sent: WriteRequest) -> Result<Sent, ApiError> {
    let WriteRequest {
        put_request,
        delete_request,
    } = sent;
    match (put_request, delete_request) {
        (Some(PutRequest { item }), None) => {
            let item = values::item(item)?;
            writes::check_size(&item)?;
            Ok(Sent::Put(item))
        }
        (None, Some(DeleteRequest { key })) => Ok(Sent::Delete(values::item(key)?)),
        _ => Err(validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        )),
    }
}

/// Whether every item is written once.
fn check_distinct(writes: &[Write]) -> Result<(), ApiError> {
    let is_twice = |(at, write): (usize, &Write)| {
        let mut before = writes.iter().take(at);
        before.any(|before| before.key == write.key)
    };
    match writes.iter().enumerate().any(is_twice) {
        true => Err(validation("Provided list of item keys contains duplicates")),
        false => Ok(()),
    }
}

/// The collections that are written to, each once.
fn collections(
    sent: Option<&str>,
    batches: &[Batch],
) -> Option<BTreeMap<String, Vec<ItemCollectionMetrics>>> {
    let mut all = BTreeMap::new();
    for batch in batches {
        let mut of_table: Vec<ItemCollectionMetrics> = Vec::new();
        for write in &batch.writes {
            let metrics = metrics(sent, &batch.table, &write.key);
            of_table.extend(metrics.filter(|metrics| !of_table.contains(metrics)));
        }
        if !of_table.is_empty() {
            all.insert(batch.given.clone(), of_table);
        }
    }
    (!all.is_empty()).then_some(all)
}
