//! The kinesis door: AWS's operations over the streams domain, one file an operation.
//!
//! Owns AWS's spelling of streams: names and ARNs, defaults, paging, texts. Keeps no state of its own. Operations that
//! the model has and this table has not are refused by `wire` with an error that says so.

mod access;
mod account;
mod channels;
mod describe;
mod dry_run;
mod errors;
mod monitoring;
#[cfg(test)]
mod nowhere;
mod ops;
mod place;
mod position;
mod queues;
mod tags;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_queues::Queues;
use headwater_shapes_kinesis::{SERVICE, ops as shapes};
use headwater_streams::Streams;
use headwater_wire::{READS, Routes, Table, WRITES};

pub use channels::Channels;
pub use ops::subscribe_to_shard::Subscribers;

/// The state that handlers run on.
pub struct Kinesis {
    /// The streams.
    pub streams: Arc<Streams>,
    /// Their channels.
    pub channels: Channels,
    /// The queues over them.
    pub queues: Arc<Queues>,
    /// The subscribers to shards.
    pub subscribers: Subscribers,
}

/// The operations that are built.
pub fn table(kinesis: Arc<Kinesis>) -> Table {
    Routes::new(&SERVICE, kinesis)
        .route_on::<shapes::AcknowledgeDeadLetterQueueRecords>(
            WRITES.data().shared(),
            |input, _| input.queue_arn.clone(),
        )
        .route_on::<shapes::AcknowledgeQueueRecords>(WRITES.data().shared(), |input, _| {
            input.queue_arn.clone()
        })
        .route::<shapes::AddTagsToStream>(WRITES)
        .route::<shapes::CreateChannel>(WRITES)
        .route::<shapes::CreateQueue>(WRITES)
        .route::<shapes::CreateStream>(WRITES)
        .route::<shapes::DecreaseStreamRetentionPeriod>(WRITES)
        .route::<shapes::DeleteChannel>(WRITES)
        .route::<shapes::DeleteQueue>(WRITES)
        .route::<shapes::DeleteResourcePolicy>(WRITES)
        .route::<shapes::DeleteStream>(WRITES)
        .route::<shapes::DeregisterStreamConsumer>(WRITES)
        .route::<shapes::DescribeAccountSettings>(READS)
        .route::<shapes::DescribeChannel>(READS)
        .route::<shapes::DescribeLimits>(READS)
        .route_on::<shapes::DescribeQueue>(READS.shared(), |input, _| input.queue_arn.clone())
        .route_on::<shapes::DescribeStream>(READS.shared(), |input, context| {
            place::arn(&input.stream_name, &input.stream_arn, context)
        })
        .route::<shapes::DescribeStreamConsumer>(READS.shared())
        .route_on::<shapes::DescribeStreamSummary>(READS.shared(), |input, context| {
            place::arn(&input.stream_name, &input.stream_arn, context)
        })
        .route::<shapes::DisableEnhancedMonitoring>(WRITES)
        .route::<shapes::EnableEnhancedMonitoring>(WRITES)
        .direct_on::<shapes::GetRecords>(READS.data().gives_records().shared(), |input, context| {
            place::arn(&None, &input.stream_arn, context)
        })
        .route::<shapes::GetResourcePolicy>(READS)
        .route_on::<shapes::GetShardIterator>(READS.data().shared(), |input, context| {
            place::arn(&input.stream_name, &input.stream_arn, context)
        })
        .route::<shapes::IncreaseStreamRetentionPeriod>(WRITES)
        .route::<shapes::ListChannels>(READS)
        .route::<shapes::ListQueues>(READS)
        .route_on::<shapes::ListShards>(READS.shared(), |input, context| {
            place::arn(&input.stream_name, &input.stream_arn, context)
        })
        .route::<shapes::ListStreamConsumers>(READS)
        .route::<shapes::ListStreams>(READS)
        .route::<shapes::ListTagsForResource>(READS)
        .route::<shapes::ListTagsForStream>(READS)
        .route::<shapes::MergeShards>(WRITES)
        .direct_on::<shapes::PutRecord>(WRITES.data().takes_records().shared(), |input, context| {
            place::arn(&input.stream_name, &input.stream_arn, context)
        })
        .direct_on::<shapes::PutRecords>(
            WRITES.data().takes_records().shared(),
            |input, context| place::arn(&input.stream_name, &input.stream_arn, context),
        )
        .route::<shapes::PutResourcePolicy>(WRITES)
        .route_on::<shapes::ReceiveDeadLetterQueueRecords>(
            WRITES.data().gives_records().waits().shared(),
            |input, _| input.queue_arn.clone(),
        )
        .route_on::<shapes::ReceiveQueueRecords>(
            WRITES.data().gives_records().waits().shared(),
            |input, _| input.queue_arn.clone(),
        )
        .route::<shapes::RegisterStreamConsumer>(WRITES)
        .route::<shapes::RemoveTagsFromStream>(WRITES)
        .route_on::<shapes::RestoreDeadLetterQueueRecords>(WRITES.data().shared(), |input, _| {
            input.queue_arn.clone()
        })
        .route::<shapes::SplitShard>(WRITES)
        .route::<shapes::StartStreamEncryption>(WRITES)
        .route::<shapes::StopStreamEncryption>(WRITES)
        .direct_on::<shapes::SubscribeToShard>(READS.data().shared(), |input, _| {
            input.consumer_arn.clone()
        })
        .route::<shapes::TagResource>(WRITES)
        .route::<shapes::UntagResource>(WRITES)
        .route::<shapes::UpdateAccountSettings>(WRITES)
        .route::<shapes::UpdateChannel>(WRITES)
        .route_on::<shapes::UpdateDeadLetterQueueRecordsVisibility>(
            WRITES.data().shared(),
            |input, _| input.queue_arn.clone(),
        )
        .route::<shapes::UpdateMaxRecordSize>(WRITES)
        .route::<shapes::UpdateQueue>(WRITES)
        .route_on::<shapes::UpdateQueueRecordsVisibility>(WRITES.data().shared(), |input, _| {
            input.queue_arn.clone()
        })
        .route::<shapes::UpdateShardCount>(WRITES)
        .route::<shapes::UpdateStreamMode>(WRITES)
        .route::<shapes::UpdateStreamRecordDistributionStrategy>(WRITES)
        .route::<shapes::UpdateStreamWarmThroughput>(WRITES)
        .build()
}
