//! Streams, their shards where that was asked for, and their consumers.

use headwater_streams::{Shard, ShardMetric, ShardMetrics, Stream, Streams};

use super::{Samples, families::*};

/// Adds what all streams count.
pub fn measure(streams: &Streams, to: &mut Samples) {
    for stream in streams.after(None, usize::MAX) {
        of_stream(&stream, to);
        for shard in stream.shards() {
            of_shard(&stream, shard, to);
        }
        of_consumers(&stream, to);
    }
}

fn of_stream(stream: &Stream, to: &mut Samples) {
    let labels = [stream.record.name.as_str()];
    to.add(&STREAM_SHARDS, &labels, u64::from(stream.open_shards()));
    let counted = stream.metrics();
    to.add(&STREAM_IN_RECORDS, &labels, counted.incoming_records);
    to.add(&STREAM_IN_BYTES, &labels, counted.incoming_bytes);
    to.add(&STREAM_OUT_RECORDS, &labels, counted.outgoing_records);
    to.add(&STREAM_OUT_BYTES, &labels, counted.outgoing_bytes);
    to.add(&STREAM_WRITES_THROTTLED, &labels, counted.write_exceeded);
    to.add(&STREAM_READS_THROTTLED, &labels, counted.read_exceeded);
    to.add(&STREAM_ITERATOR_AGE, &labels, seconds(counted.iterator_age));
}

/// The metrics of a shard that EnableEnhancedMonitoring has switched on for its stream.
fn of_shard(stream: &Stream, shard: &Shard, to: &mut Samples) {
    let switched_on = &stream.record.metrics;
    if switched_on.is_empty() {
        return;
    }
    let id = shard.record.index.to_string();
    let labels = [stream.record.name.as_str(), &*id];
    let counted = shard.metrics();
    for metric in switched_on {
        match counter(*metric, &counted) {
            Some((family, count)) => to.add(family, &labels, count),
            None => to.add(&SHARD_ITERATOR_AGE, &labels, seconds(counted.iterator_age)),
        }
    }
}

/// The counter behind a metric of CloudWatch's, and its value; none where it is the one that is no counter.
fn counter(metric: ShardMetric, counted: &ShardMetrics) -> Option<(&'static Metric, u64)> {
    Some(match metric {
        ShardMetric::IncomingBytes => (&SHARD_IN_BYTES, counted.incoming_bytes),
        ShardMetric::IncomingRecords => (&SHARD_IN_RECORDS, counted.incoming_records),
        ShardMetric::OutgoingBytes => (&SHARD_OUT_BYTES, counted.outgoing_bytes),
        ShardMetric::OutgoingRecords => (&SHARD_OUT_RECORDS, counted.outgoing_records),
        ShardMetric::WriteProvisionedThroughputExceeded => {
            (&SHARD_WRITES_THROTTLED, counted.write_exceeded)
        }
        ShardMetric::ReadProvisionedThroughputExceeded => {
            (&SHARD_READS_THROTTLED, counted.read_exceeded)
        }
        ShardMetric::IteratorAgeMilliseconds => return None,
    })
}

fn of_consumers(stream: &Stream, to: &mut Samples) {
    for (consumer, counted) in stream.consumer_metrics() {
        let labels = [stream.record.name.as_str(), consumer];
        to.add(&CONSUMER_SUBSCRIPTIONS, &labels, counted.subscriptions);
        to.add(&CONSUMER_RECORDS, &labels, counted.outgoing_records);
        to.add(&CONSUMER_BYTES, &labels, counted.outgoing_bytes);
        to.add(&CONSUMER_BEHIND, &labels, seconds(counted.millis_behind));
    }
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
