//! Counts of all that went through a stream and its shards, and the metrics of the shards that are published.

use std::{collections::BTreeSet, sync::Arc};

use headwater_types::StreamName;

use crate::{
    ConsumerCalls, ConsumerMetrics, Error, Shard, ShardCalls, ShardMetric, ShardMetrics, Stream,
    StreamCalls, Streams,
};

impl Shard {
    /// Counts of what went through the shard since the process started.
    pub fn metrics(&self) -> ShardMetrics {
        self.live.counters.now()
    }

    /// What was counted of its calls since this was asked last: for one who publishes it.
    pub fn take_calls(&self) -> ShardCalls {
        self.live.counters.take()
    }
}

impl Stream {
    /// Counts of what went through all its shards since the process started, those that it no longer has too; and the
    /// highest age.
    pub fn metrics(&self) -> ShardMetrics {
        let shards = self.shards().iter();
        shards.fold(self.gone, |sum, shard| sum.and(shard.metrics()))
    }

    /// What was counted of its calls since this was asked last: for one who publishes it.
    pub fn take_calls(&self) -> StreamCalls {
        self.calls.take()
    }

    /// What was counted of the subscriptions of each of its consumers since this was asked last: for one who publishes it.
    pub fn take_consumer_calls(&self) -> impl Iterator<Item = (&str, ConsumerCalls)> {
        let consumers = self.following.iter();
        consumers.map(|(name, counters)| (&**name, counters.take()))
    }

    /// Counts of all that the subscriptions of each of its consumers were sent since the process started.
    pub fn consumer_metrics(&self) -> impl Iterator<Item = (&str, ConsumerMetrics)> {
        let consumers = self.following.iter();
        consumers.map(|(name, counters)| (&**name, counters.now()))
    }
}

impl Streams {
    /// Switches shard-level metrics of a stream on, or off; those that were on before.
    pub async fn monitor(
        self: &Arc<Self>,
        name: StreamName,
        metrics: BTreeSet<ShardMetric>,
        on: bool,
    ) -> Result<BTreeSet<ShardMetric>, Error> {
        let before = self.get(&name)?.record.metrics.clone();
        self.alter(name, move |record, _| {
            match on {
                true => record.metrics.extend(&metrics),
                false => record.metrics.retain(|metric| !metrics.contains(metric)),
            }
            Ok(())
        })
        .await?;
        Ok(before)
    }

    /// Allows records of up to `bytes` of data and partition key; those that are larger and there already stay.
    pub async fn limit_records(
        self: &Arc<Self>,
        name: StreamName,
        bytes: u32,
    ) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.max_record_bytes = bytes;
            Ok(())
        })
        .await
    }
}
