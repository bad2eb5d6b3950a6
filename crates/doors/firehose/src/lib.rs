//! The firehose door: AWS's operations over the delivery domain, one file an operation.
//!
//! Owns AWS's spelling of delivery streams: configurations and their defaults, descriptions, paging, texts. Keeps no
//! state of its own. What the model has and this table has not is answered by `wire` with an error that says so; a
//! setting that is not built is refused by name.

mod destinations;
mod encryption;
mod errors;
mod ops;
mod processing;
mod tags;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_delivery::Deliveries;
use headwater_shapes::firehose::{SERVICE, ops as shapes};
use headwater_wire::Table;

/// What handlers run on.
pub struct Firehose {
    /// The delivery streams.
    pub deliveries: Arc<Deliveries>,
}

/// The operations that are built.
pub fn table(firehose: Arc<Firehose>) -> Table<Firehose> {
    Table::new(&SERVICE, firehose)
        .route::<shapes::CreateDeliveryStream>()
        .route::<shapes::DeleteDeliveryStream>()
        .route::<shapes::DescribeDeliveryStream>()
        .route::<shapes::ListDeliveryStreams>()
        .route::<shapes::ListTagsForDeliveryStream>()
        .route::<shapes::PutRecord>()
        .route::<shapes::PutRecordBatch>()
        .route::<shapes::StartDeliveryStreamEncryption>()
        .route::<shapes::StopDeliveryStreamEncryption>()
        .route::<shapes::TagDeliveryStream>()
        .route::<shapes::UntagDeliveryStream>()
        .route::<shapes::UpdateDestination>()
}
