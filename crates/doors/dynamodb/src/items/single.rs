//! Reads and writes of one item, and what is answered to them.

use headwater_expressions::Projection;
use headwater_items::Item;
use headwater_shapes_dynamodb::{ConsumedCapacity, ItemCollectionMetrics};
use headwater_tables::{TableRecord, Units, Write};
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
    /// Reads the item with a key that its table takes, and says what that took.
    pub(crate) async fn read_one(
        &self,
        table: &TableRecord,
        key: &Item,
        consistency: Consistency,
        context: &Context,
    ) -> Result<(Option<Item>, Units), ApiError> {
        let metered = self.tables.metered_item(table, key).map_err(below)?;
        let admitted = metered.admit();
        admitted.map_err(|error| throttled::api(&error, &table.name, context))?;
        let item = self.tables.read(&table.name, key).await.map_err(below)?;
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
        let written = self.tables.write(&table.name, write).await;
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
