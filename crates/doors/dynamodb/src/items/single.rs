//! Reads and writes of one item, and what is answered to them.

use std::time::Duration;

use headwater_expressions::Projection;
use headwater_items::Item;
use headwater_shapes_dynamodb::{ConsumedCapacity, ItemCollectionMetrics};
use headwater_tables::{CallKind, Ended, TableRecord, Units, Write};
use headwater_wire::{ApiError, Context};

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, Split, Told, of_read, of_write},
        collection::metrics,
        failed::{self, below},
        named::Named,
        returned::Returned,
        throttled,
        values::Attributes,
    },
};

/// What a request wants to be told of the write.
#[derive(Debug)]
pub(crate) struct Asked {
    /// `ReturnValues`.
    pub returned: Returned,
    /// What the update writes to.
    pub touched: Projection,
    /// `ReturnConsumedCapacity`.
    pub told: Told,
    /// `ReturnItemCollectionMetrics`.
    pub metrics: Option<String>,
    /// Whether the item is shown where the condition does not hold.
    pub shows: bool,
}

/// What is answered to a write.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The item, before or after.
    pub attributes: Option<Attributes>,
    /// What it took.
    pub consumed: Option<ConsumedCapacity>,
    /// The collection that the item is in.
    pub metrics: Option<ItemCollectionMetrics>,
}

impl Dynamo {
    /// Counts a call of a table that began then.
    pub(crate) fn called(&self, table: &str, kind: CallKind, ended: Ended, began: Duration) {
        let took = self.clock.elapsed().saturating_sub(began);
        self.tables.called(table, kind, ended, took);
    }

    /// Reads the item with a key that its table takes, and says what that took.
    pub(crate) async fn read_one(
        &self,
        table: &TableRecord,
        key: &Item,
        consistency: Consistency,
        context: &Context,
    ) -> Result<(Option<Item>, Units), ApiError> {
        let began = self.clock.elapsed();
        let ended = |ended| self.called(&table.name, CallKind::Get, ended, began);
        let metered = self.tables.metered_item(table, key).map_err(below)?;
        metered.admit().map_err(|error| {
            ended(Ended::Throttled);
            throttled::api(&error, &table.name, context)
        })?;
        let item = self.tables.read(&table.name, key).await;
        ended(Ended::of_read(&item));
        let item = item.map_err(below)?;
        let units = of_read(item.as_ref(), consistency);
        metered.take(&units);
        Ok((item, units))
    }

    /// Writes an item.
    pub(crate) async fn write(
        &self,
        named: &Named,
        table: &TableRecord,
        write: Write,
        asked: Asked,
        context: &Context,
    ) -> Result<Answer, ApiError> {
        let metrics = metrics(asked.metrics.as_deref(), table, &write.key);
        let (kind, began) = (CallKind::of_write(&write), self.clock.elapsed());
        let written = self.tables.write(&table.name, write).await;
        if let Some(kind) = kind {
            self.called(&table.name, kind, Ended::of_write(&written), began);
        }
        let written = written.map_err(|error| failed::write(error, table, asked.shows, context))?;
        let consumed = match asked.told {
            Told::Nothing => None,
            told => told.consumed(&named.given, &of_write(table, &written), Split::Untold),
        };
        Ok(Answer {
            attributes: asked.returned.attributes(written, &asked.touched),
            consumed,
            metrics,
        })
    }
}
