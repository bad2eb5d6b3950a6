//! The kinesis door: AWS's operations over the streams domain, one file an operation.
//!
//! Owns AWS's spelling of streams: names and ARNs, defaults, paging, texts. Keeps no state of its own. What the model
//! has and this table has not is answered by `wire` with an error that says so.

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
use headwater_shapes::kinesis::{SERVICE, ops as shapes};
use headwater_streams::Streams;
use headwater_wire::Table;

pub use channels::Channels;

/// What handlers run on.
pub struct Kinesis {
    /// The streams.
    pub streams: Arc<Streams>,
    /// Their channels.
    pub channels: Channels,
    /// The queues over them.
    pub queues: Arc<Queues>,
}

/// The operations that are built.
pub fn table(kinesis: Arc<Kinesis>) -> Table<Kinesis> {
    Table::new(&SERVICE, kinesis)
        .shared(access::OF_STREAMS)
        .shared(access::OF_CONSUMERS)
        .shared(access::OF_QUEUES)
        .route::<shapes::AcknowledgeDeadLetterQueueRecords>()
        .route::<shapes::AcknowledgeQueueRecords>()
        .route::<shapes::AddTagsToStream>()
        .route::<shapes::CreateChannel>()
        .route::<shapes::CreateQueue>()
        .route::<shapes::CreateStream>()
        .route::<shapes::DecreaseStreamRetentionPeriod>()
        .route::<shapes::DeleteChannel>()
        .route::<shapes::DeleteQueue>()
        .route::<shapes::DeleteResourcePolicy>()
        .route::<shapes::DeleteStream>()
        .route::<shapes::DeregisterStreamConsumer>()
        .route::<shapes::DescribeAccountSettings>()
        .route::<shapes::DescribeChannel>()
        .route::<shapes::DescribeLimits>()
        .route::<shapes::DescribeQueue>()
        .route::<shapes::DescribeStream>()
        .route::<shapes::DescribeStreamConsumer>()
        .route::<shapes::DescribeStreamSummary>()
        .route::<shapes::DisableEnhancedMonitoring>()
        .route::<shapes::EnableEnhancedMonitoring>()
        .route::<shapes::GetRecords>()
        .route::<shapes::GetResourcePolicy>()
        .route::<shapes::GetShardIterator>()
        .route::<shapes::IncreaseStreamRetentionPeriod>()
        .route::<shapes::ListChannels>()
        .route::<shapes::ListQueues>()
        .route::<shapes::ListShards>()
        .route::<shapes::ListStreamConsumers>()
        .route::<shapes::ListStreams>()
        .route::<shapes::ListTagsForResource>()
        .route::<shapes::ListTagsForStream>()
        .route::<shapes::MergeShards>()
        .route::<shapes::PutRecord>()
        .route::<shapes::PutRecords>()
        .route::<shapes::PutResourcePolicy>()
        .route::<shapes::ReceiveDeadLetterQueueRecords>()
        .route::<shapes::ReceiveQueueRecords>()
        .route::<shapes::RegisterStreamConsumer>()
        .route::<shapes::RemoveTagsFromStream>()
        .route::<shapes::RestoreDeadLetterQueueRecords>()
        .route::<shapes::SplitShard>()
        .route::<shapes::StartStreamEncryption>()
        .route::<shapes::StopStreamEncryption>()
        .route::<shapes::SubscribeToShard>()
        .route::<shapes::TagResource>()
        .route::<shapes::UntagResource>()
        .route::<shapes::UpdateAccountSettings>()
        .route::<shapes::UpdateChannel>()
        .route::<shapes::UpdateDeadLetterQueueRecordsVisibility>()
        .route::<shapes::UpdateMaxRecordSize>()
        .route::<shapes::UpdateQueue>()
        .route::<shapes::UpdateQueueRecordsVisibility>()
        .route::<shapes::UpdateShardCount>()
        .route::<shapes::UpdateStreamMode>()
        .route::<shapes::UpdateStreamRecordDistributionStrategy>()
        .route::<shapes::UpdateStreamWarmThroughput>()
}
