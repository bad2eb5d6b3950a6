//! The firehose door: AWS's operations over the delivery domain, one file an operation.
//!
//! Owns AWS's spelling of delivery streams: configurations and their defaults, descriptions, paging, texts. Keeps no
//! state of its own. An operation that the model has and this table has not is answered by `wire` with an error that
//! says so; a setting that is not built is refused by name.

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
use headwater_shapes_firehose::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};

/// The domain that handlers run on.
pub struct Firehose {
    /// The delivery streams.
    pub deliveries: Arc<Deliveries>,
}

/// The operations that are built.
pub fn table(firehose: Arc<Firehose>) -> Table {
    Routes::new(&SERVICE, firehose)
        .route::<shapes::CreateDeliveryStream>(WRITES)
        .route::<shapes::DeleteDeliveryStream>(WRITES)
        .route::<shapes::DescribeDeliveryStream>(READS)
        .route::<shapes::ListDeliveryStreams>(READS)
        .route::<shapes::ListTagsForDeliveryStream>(READS)
        .direct::<shapes::PutRecord>(WRITES.data().takes_records())
        .direct::<shapes::PutRecordBatch>(WRITES.data().takes_records())
        .route::<shapes::StartDeliveryStreamEncryption>(WRITES)
        .route::<shapes::StopDeliveryStreamEncryption>(WRITES)
        .route::<shapes::TagDeliveryStream>(WRITES)
        .route::<shapes::UntagDeliveryStream>(WRITES)
        .route::<shapes::UpdateDestination>(WRITES)
        .build()
}
