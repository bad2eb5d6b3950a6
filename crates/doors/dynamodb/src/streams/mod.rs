//! The service `dynamodbstreams`: the changes of tables, read shard by shard. Its operations run on the state of the tables'
//! service, and their actions and resources are that service's, as on AWS.

mod errors;
pub(crate) mod event;
mod number;
mod ops;
mod place;

use std::sync::Arc;

use headwater_shapes_dynamodbstreams::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table};

use crate::Dynamo;

pub use event::record;
pub use number::sequence_number;

/// The operations that are built. None is shared: that takes a policy of the stream, which is not built.
pub fn table(dynamo: Arc<Dynamo>) -> Table {
    Routes::new(&SERVICE, dynamo)
        .route_on::<shapes::DescribeStream>(READS.action("dynamodb:DescribeStream"), |input, _| {
            input.stream_arn.clone()
        })
        .direct_on::<shapes::GetRecords>(
            READS.data().gives_records().action("dynamodb:GetRecords"),
            |input, _| place::arn_of_iterator(&input.shard_iterator).to_owned(),
        )
        .route_on::<shapes::GetShardIterator>(
            READS.data().action("dynamodb:GetShardIterator"),
            |input, _| input.stream_arn.clone(),
        )
        .route::<shapes::ListStreams>(READS.action("dynamodb:ListStreams"))
        .build()
}
