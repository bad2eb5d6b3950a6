//! Which metrics of a stream's shards are published, and what they are now.

use std::{collections::BTreeSet, sync::Arc};

use headwater_types::StreamName;

use crate::{Error, Shard, ShardMetric, ShardMetrics, Streams};

impl Shard {
    /// Counts of what went through the shard since the process started.
    pub fn metrics(&self) -> ShardMetrics {
        self.live.counters.now()
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
