//! Writes of one item, and what is answered to them.

use headwater_expressions::Projection;
use headwater_shapes_dynamodb::{ConsumedCapacity, ItemCollectionMetrics};
use headwater_tables::{TableRecord, Write};
use headwater_wire::{ApiError, Context};

use crate::{
    Dynamo,
    items::{
        capacity::{Split, Told, of_write},
        collection::metrics,
        failed,
        named::Named,
        returned::Returned,
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
