//! What is told of item collections: items with one partition key, in tables with local indexes.

use std::collections::BTreeMap;

use headwater_items::Item;
use headwater_shapes_dynamodb::ItemCollectionMetrics;
use headwater_tables::TableRecord;

/// The range that is told, in gigabytes: that of a collection up to 1 GB. AWS's own is an estimate, which lags behind.
const RANGE: [f64; 2] = [0.0, 1.0];

/// What is told of the collection that an item with this key is in; nothing where it was not asked for
/// (`ReturnItemCollectionMetrics`), or the table has no local index.
pub(crate) fn metrics(
    sent: Option<&str>,
    table: &TableRecord,
    key: &Item,
) -> Option<ItemCollectionMetrics> {
    if sent != Some("SIZE") || table.local.is_empty() {
        return None;
    }
    let (name, value) = key.get_key_value(&table.key.partition)?;
    Some(ItemCollectionMetrics {
        item_collection_key: Some(BTreeMap::from([(name.clone(), value.clone().into())])),
        size_estimate_range_gb: Some(RANGE.to_vec()),
    })
}
