//! Streams and shards as AWS describes them.

use headwater_shapes::{
    Timestamp,
    kinesis::{self as shapes, EnhancedMetrics, HashKeyRange, SequenceNumberRange, StreamModeDetails},
};
use headwater_streams::{Shard, Stream};
use headwater_types::{Arn, HashRange, Millis};
use headwater_wire::Context;

/// What is as it shall be. Streams are made and removed within the call that asks for it, so only a resharding shows.
pub(crate) const ACTIVE: &str = "ACTIVE";

/// A stream's status.
pub(crate) fn status(stream: &Stream) -> String {
    if stream.is_resharding() { "UPDATING" } else { ACTIVE }.to_owned()
}

/// Nothing is encrypted at rest.
pub(crate) const NO_ENCRYPTION: &str = "NONE";

/// A stream's ARN.
pub(crate) fn arn(stream: &Stream, context: &Context) -> String {
    let resource = format!("stream/{}", stream.record.name);
    Arn::new("kinesis", &context.region, &context.account, resource).to_string()
}

/// When a stream was made, in whole seconds as AWS tells it.
pub(crate) fn created(stream: &Stream) -> Timestamp {
    timestamp(Millis(stream.record.created.seconds() * 1000))
}

/// A time on the wire.
pub(crate) fn timestamp(time: Millis) -> Timestamp {
    Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX))
}

/// The time that a client means; what is before the epoch is the epoch.
pub(crate) fn millis(timestamp: Timestamp) -> Millis {
    Millis(u64::try_from(timestamp.0).unwrap_or(0))
}

/// The capacity mode.
pub(crate) fn mode() -> StreamModeDetails {
    StreamModeDetails { stream_mode: "PROVISIONED".to_owned() }
}

/// No shard-level metrics, as AWS says it.
pub(crate) fn monitoring() -> Vec<EnhancedMetrics> {
    vec![EnhancedMetrics { shard_level_metrics: Some(Vec::new()) }]
}

/// A shard.
pub(crate) fn shard(shard: &Shard) -> shapes::Shard {
    shapes::Shard {
        shard_id: shard.record.index.to_string(),
        parent_shard_id: shard.record.parent.map(|index| index.to_string()),
        adjacent_parent_shard_id: shard.record.adjacent_parent.map(|index| index.to_string()),
        hash_key_range: range(shard.record.range),
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: shard.first_sequence().to_string(),
            ending_sequence_number: shard.last_sequence().map(|number| number.to_string()),
        },
    }
}

/// The hash keys of a shard.
pub(crate) fn range(range: HashRange) -> HashKeyRange {
    HashKeyRange { starting_hash_key: range.start.to_string(), ending_hash_key: range.end.to_string() }
}
