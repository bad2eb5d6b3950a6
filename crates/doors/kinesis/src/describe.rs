//! Streams and shards as AWS describes them.

use std::sync::Arc;

use headwater_shapes::{Blob, Timestamp};
use headwater_shapes_kinesis as shapes;
use headwater_shapes_kinesis::{
    ChildShard, EnhancedMetrics, HashKeyRange, Record, SequenceNumberRange, StreamModeDetails,
    WarmThroughputObject,
};
use headwater_streams::{Consumer, Distribution, Mode, ReadRecord, Shard, ShardMetric, Stream};
use headwater_types::{Arn, HashRange, Millis, StreamName};
use headwater_wire::Context;

/// The status of a resource that is not changing. Streams are made and removed within the call that asks for it, so
/// only a resharding shows.
pub(crate) const ACTIVE: &str = "ACTIVE";

/// A stream's status.
pub(crate) fn status(stream: &Stream) -> String {
    if stream.is_resharding() {
        "UPDATING"
    } else {
        ACTIVE
    }
    .to_owned()
}

/// The encryption of records that are encrypted at rest.
pub(crate) const KMS: &str = "KMS";

/// A stream's encryption.
pub(crate) fn encryption(stream: &Stream) -> String {
    if stream.record.encryption.is_some() {
        KMS
    } else {
        "NONE"
    }
    .to_owned()
}

/// The encryption of a record, which AWS tells of encrypted ones only.
pub(crate) fn record_encryption(encrypted: bool) -> Option<String> {
    encrypted.then(|| KMS.to_owned())
}

/// How the records of an on-demand stream find their shards.
pub(crate) fn distribution(stream: &Stream) -> Option<String> {
    let strategy = match stream.record.distribution {
        Distribution::Auto => AUTO,
        Distribution::PartitionKey => "USER_PARTITION_KEY",
    };
    stream
        .record
        .mode
        .is_on_demand()
        .then(|| strategy.to_owned())
}

/// The distribution that a strategy's name means; the model has two.
pub(crate) fn distribution_of(strategy: &str) -> Distribution {
    if strategy == AUTO {
        Distribution::Auto
    } else {
        Distribution::PartitionKey
    }
}

/// The strategy of streams that distribute records themselves.
pub(crate) const AUTO: &str = "AUTO";

/// A stream's ARN.
pub(crate) fn arn(stream: &Stream, context: &Context) -> String {
    arn_of(&stream.record.name, context)
}

/// The ARN of the stream with that name.
pub(crate) fn arn_of(stream: &StreamName, context: &Context) -> String {
    Arn::new(
        "kinesis",
        &context.region,
        &context.account,
        format!("stream/{stream}"),
    )
    .to_string()
}

/// A consumer's ARN.
pub(crate) fn consumer_arn(consumer: &Consumer, context: &Context) -> String {
    let stream = arn_of(&consumer.stream, context);
    format!(
        "{stream}/consumer/{}:{}",
        consumer.name,
        consumer.created.seconds()
    )
}

/// A consumer. It is registered and removed within the call that asks for it, so it has no other status.
pub(crate) fn consumer(consumer: &Consumer, context: &Context) -> shapes::Consumer {
    shapes::Consumer {
        consumer_name: consumer.name.clone(),
        consumer_arn: consumer_arn(consumer, context),
        consumer_status: ACTIVE.to_owned(),
        consumer_creation_timestamp: timestamp(consumer.created),
    }
}

/// The shards that took over from another.
pub(crate) fn children<'a>(shards: impl IntoIterator<Item = &'a Arc<Shard>>) -> Vec<ChildShard> {
    let child = |shard: &Arc<Shard>| ChildShard {
        shard_id: shard.record.index.to_string(),
        parent_shards: [shard.record.parent, shard.record.adjacent_parent]
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        hash_key_range: range(shard.record.range),
    };
    shards.into_iter().map(child).collect()
}

/// A record.
pub(crate) fn record(record: ReadRecord) -> Record {
    Record {
        sequence_number: record.sequence.to_string(),
        approximate_arrival_timestamp: Some(timestamp(record.time)),
        data: Blob(record.data),
        partition_key: (!record.partition_key.is_empty()).then(|| text(&record.partition_key)),
        encryption_type: record_encryption(record.encrypted),
    }
}

/// A partition key, which is UTF-8: every record of a page has one, and to look it through for what is not takes longer.
fn text(key: &[u8]) -> String {
    str::from_utf8(key).map_or_else(|_| String::from_utf8_lossy(key).into_owned(), str::to_owned)
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
pub(crate) fn mode(stream: &Stream) -> StreamModeDetails {
    let mode = if stream.record.mode.is_on_demand() {
        ON_DEMAND
    } else {
        "PROVISIONED"
    };
    StreamModeDetails {
        stream_mode: mode.to_owned(),
    }
}

/// The mode of streams whose capacity follows their load.
pub(crate) const ON_DEMAND: &str = "ON_DEMAND";

/// The MiB a second that an on-demand stream is to take at once, where that was asked for. The stream is scaled within
/// the call that asks.
pub(crate) fn warm_throughput(stream: &Stream) -> Option<WarmThroughputObject> {
    let Mode::OnDemand {
        warm_mib: Some(mib),
        ..
    } = stream.record.mode
    else {
        return None;
    };
    let mib = Some(i32::try_from(mib).unwrap_or(i32::MAX));
    Some(WarmThroughputObject {
        target_mibps: mib,
        current_mibps: mib,
    })
}

/// The shard-level metrics that are on.
pub(crate) fn monitoring(stream: &Stream) -> Vec<EnhancedMetrics> {
    vec![EnhancedMetrics {
        shard_level_metrics: Some(metrics(&stream.record.metrics)),
    }]
}

/// The names of metrics.
pub(crate) fn metrics<'a>(metrics: impl IntoIterator<Item = &'a ShardMetric>) -> Vec<String> {
    metrics
        .into_iter()
        .map(|metric| format!("{metric:?}"))
        .collect()
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
    HashKeyRange {
        starting_hash_key: range.start.to_string(),
        ending_hash_key: range.end.to_string(),
    }
}
