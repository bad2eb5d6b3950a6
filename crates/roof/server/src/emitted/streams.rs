//! Streams, their shards where that was asked for, and their consumers: `AWS/Kinesis`. (Source: the developer guide,
//! "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch".)

use std::sync::Arc;

use async_trait::async_trait;
use headwater_metrics::Unit;
use headwater_streams::{
    Arrived, ConsumerCalls, PutCalls, ShardCalls, ShardMetric, Stream, StreamCalls, Streams,
};
use headwater_types::Tallied;

use super::{Emits, Emitted, Name};

const fn bytes(name: &'static str) -> Name {
    Name::new("AWS/Kinesis", name, Unit::Bytes)
}

const fn count(name: &'static str) -> Name {
    Name::new("AWS/Kinesis", name, Unit::Count)
}

const fn millis(name: &'static str) -> Name {
    Name::new("AWS/Kinesis", name, Unit::Milliseconds)
}

/// A time that was counted in microseconds.
const fn micros(name: &'static str) -> Name {
    millis(name).times(0.001)
}

const INCOMING_BYTES: Name = bytes("IncomingBytes");
const INCOMING_RECORDS: Name = count("IncomingRecords");
const OUTGOING_BYTES: Name = bytes("OutgoingBytes");
const OUTGOING_RECORDS: Name = count("OutgoingRecords");
const WRITES_EXCEEDED: Name = count("WriteProvisionedThroughputExceeded");
const READS_EXCEEDED: Name = count("ReadProvisionedThroughputExceeded");
const ITERATOR_AGE: Name = millis("IteratorAgeMilliseconds");

const PUT_BYTES: Name = bytes("PutRecord.Bytes");
const PUT_LATENCY: Name = micros("PutRecord.Latency");
const PUT_SUCCESS: Name = count("PutRecord.Success");
const PUTS_BYTES: Name = bytes("PutRecords.Bytes");
const PUTS_LATENCY: Name = micros("PutRecords.Latency");
const PUTS_SUCCESS: Name = count("PutRecords.Success");
const PUTS_RECORDS: Name = count("PutRecords.Records");
const PUTS_TOTAL: Name = count("PutRecords.TotalRecords");
const PUTS_SUCCESSFUL: Name = count("PutRecords.SuccessfulRecords");
const PUTS_FAILED: Name = count("PutRecords.FailedRecords");
const PUTS_THROTTLED: Name = count("PutRecords.ThrottledRecords");
const GET_BYTES: Name = bytes("GetRecords.Bytes");
const GET_RECORDS: Name = count("GetRecords.Records");
const GET_LATENCY: Name = micros("GetRecords.Latency");
const GET_SUCCESS: Name = count("GetRecords.Success");
const GET_AGE: Name = millis("GetRecords.IteratorAge");
const GET_AGE_MILLIS: Name = millis("GetRecords.IteratorAgeMilliseconds");

const SUBSCRIBE_SUCCESS: Name = count("SubscribeToShard.Success");
const SUBSCRIBE_EXCEEDED: Name = count("SubscribeToShard.RateExceeded");
const EVENT_SUCCESS: Name = count("SubscribeToShardEvent.Success");
const EVENT_BYTES: Name = bytes("SubscribeToShardEvent.Bytes");
const EVENT_RECORDS: Name = count("SubscribeToShardEvent.Records");
const EVENT_BEHIND: Name = millis("SubscribeToShardEvent.MillisBehindLatest");

/// What streams emit.
pub struct EmitStreams(pub Arc<Streams>);

#[async_trait]
impl Emits for EmitStreams {
    async fn take(&self, to: &mut Emitted) {
        for stream in self.0.after(None, usize::MAX) {
            of_calls(&stream, &stream.take_calls(), to);
            of_shards(&stream, to);
            for (consumer, calls) in stream.take_consumer_calls() {
                of_consumer(&stream, consumer, &calls, to);
            }
        }
    }

    async fn arrived(&self, minute: u64, to: &mut Emitted) {
        for stream in self.0.after(None, usize::MAX) {
            let arrived = self.0.arrived(&stream, minute).await;
            let name = ("StreamName", stream.record.name.as_str());
            let all = arrived.iter().map(|(_, arrived)| *arrived);
            of_arrived(all.reduce(Arrived::and), &[name], |_| true, to);
            let switched_on = &stream.record.metrics;
            for (shard, arrived) in &arrived {
                let dimensions = [name, ("ShardId", &*shard.to_string())];
                let is_on = |metric| switched_on.contains(&metric);
                of_arrived(Some(*arrived), &dimensions, is_on, to);
            }
        }
    }

    async fn next_arrival(&self, from: u64) -> Option<u64> {
        self.0.next_arrival(from).await
    }
}

fn of_arrived(
    arrived: Option<Arrived>,
    dimensions: &[(&str, &str)],
    is_on: impl Fn(ShardMetric) -> bool,
    to: &mut Emitted,
) {
    let Some(Arrived { records, bytes }) = arrived else {
        return;
    };
    if is_on(ShardMetric::IncomingRecords) {
        to.add(&INCOMING_RECORDS, dimensions, Some(records));
    }
    if is_on(ShardMetric::IncomingBytes) {
        to.add(&INCOMING_BYTES, dimensions, Some(bytes));
    }
}

fn of_calls(stream: &Stream, calls: &StreamCalls, to: &mut Emitted) {
    let dimensions = [("StreamName", stream.record.name.as_str())];
    let StreamCalls {
        put_one,
        put_many,
        read,
    } = calls;
    for (name, tallied) in [
        (&PUT_SUCCESS, put_one.times.success),
        (&PUT_LATENCY, put_one.times.micros),
        (&PUT_BYTES, put_one.bytes),
        (&GET_SUCCESS, read.success),
        (&GET_LATENCY, read.micros),
    ] {
        to.add(name, &dimensions, tallied);
    }
    let PutCalls {
        times,
        bytes,
        records,
        taken,
        throttled,
        failed,
    } = *put_many;
    for (name, tallied) in [
        (&PUTS_SUCCESS, times.success),
        (&PUTS_LATENCY, times.micros),
        (&PUTS_BYTES, bytes),
        (&PUTS_RECORDS, taken),
        (&PUTS_TOTAL, records),
        (&PUTS_SUCCESSFUL, taken),
        (&PUTS_FAILED, failed),
        (&PUTS_THROTTLED, throttled),
    ] {
        to.add(name, &dimensions, tallied);
    }
}

/// What the calls had of each shard, of those metrics that EnableEnhancedMonitoring has switched on; and of all together.
fn of_shards(stream: &Stream, to: &mut Emitted) {
    let name = ("StreamName", stream.record.name.as_str());
    let mut all = ShardCalls::default();
    for shard in stream.shards() {
        let calls = shard.take_calls();
        let both = |one, other| Tallied::all([one, other]);
        all = ShardCalls {
            outgoing_bytes: both(all.outgoing_bytes, calls.outgoing_bytes),
            outgoing_records: both(all.outgoing_records, calls.outgoing_records),
            iterator_age: both(all.iterator_age, calls.iterator_age),
            write_exceeded: both(all.write_exceeded, calls.write_exceeded),
            read_exceeded: both(all.read_exceeded, calls.read_exceeded),
        };
        if stream.record.metrics.is_empty() || calls == ShardCalls::default() {
            continue;
        }
        let dimensions = [name, ("ShardId", &*shard.record.index.to_string())];
        for metric in &stream.record.metrics {
            if let Some((name, tallied)) = of_shard(*metric, &calls) {
                to.add(name, &dimensions, tallied);
            }
        }
    }
    for (metric, tallied) in [
        (&GET_BYTES, all.outgoing_bytes),
        (&GET_RECORDS, all.outgoing_records),
        (&GET_AGE, all.iterator_age),
        (&GET_AGE_MILLIS, all.iterator_age),
        (&WRITES_EXCEEDED, all.write_exceeded),
        (&READS_EXCEEDED, all.read_exceeded),
    ] {
        to.add(metric, &[name], tallied);
    }
}

/// A metric of a shard that is counted by calls; none where it is told by what arrived.
fn of_shard(metric: ShardMetric, calls: &ShardCalls) -> Option<(&'static Name, Option<Tallied>)> {
    Some(match metric {
        ShardMetric::IncomingBytes | ShardMetric::IncomingRecords => return None,
        ShardMetric::OutgoingBytes => (&OUTGOING_BYTES, calls.outgoing_bytes),
        ShardMetric::OutgoingRecords => (&OUTGOING_RECORDS, calls.outgoing_records),
        ShardMetric::WriteProvisionedThroughputExceeded => (&WRITES_EXCEEDED, calls.write_exceeded),
        ShardMetric::ReadProvisionedThroughputExceeded => (&READS_EXCEEDED, calls.read_exceeded),
        ShardMetric::IteratorAgeMilliseconds => (&ITERATOR_AGE, calls.iterator_age),
    })
}

fn of_consumer(stream: &Stream, consumer: &str, calls: &ConsumerCalls, to: &mut Emitted) {
    let dimensions = [
        ("StreamName", stream.record.name.as_str()),
        ("ConsumerName", consumer),
    ];
    for (name, tallied) in [
        (&SUBSCRIBE_SUCCESS, calls.subscribed),
        (&SUBSCRIBE_EXCEEDED, calls.exceeded),
        (&EVENT_SUCCESS, calls.sent),
        (&EVENT_BYTES, calls.bytes),
        (&EVENT_RECORDS, calls.records),
        (&EVENT_BEHIND, calls.millis_behind),
    ] {
        to.add(name, &dimensions, tallied);
    }
}
