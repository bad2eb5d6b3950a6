//! Resharding: splits, merges and changes of the whole count, under load and across crashes.
//!
//! First the steps are written into the stream's record as an intent, then the parents are sealed in the log, then
//! the children appear, with one commit that also drops the intent. An intent is finished by the next start, the next
//! resharding, or a put that meets a sealed shard. A resharding is done within the call that asks for
//! it, and another that comes meanwhile waits for it; meanwhile the stream is described as being updated.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use headwater_types::{HashKey, Millis, ShardIndex, StreamName};

use crate::{
    Error, NoOtherReaders, OtherReaders, Shard, Step, Stream, StreamRecord, Streams,
    limits::{CONFLICTS_MAX, MAX_SCALINGS, SCALINGS_PERIOD},
    plan,
};

impl Streams {
    /// Splits an open shard in two, the second of which begins at `at`. Done when this returns.
    pub async fn split(
        self: &Arc<Self>,
        name: StreamName,
        shard: ShardIndex,
        at: HashKey,
    ) -> Result<(), Error> {
        self.reshard(name, move |streams, record| {
            provisioned(record)?;
            streams.check_quota(1)?;
            Ok(vec![plan::split(record, shard, at)?])
        })
        .await
        .map(drop)
    }

    /// Merges an open shard with the one whose keys follow. Done when this returns.
    pub async fn merge(
        self: &Arc<Self>,
        name: StreamName,
        shard: ShardIndex,
        adjacent: ShardIndex,
    ) -> Result<(), Error> {
        self.reshard(name, move |_, record| {
            provisioned(record)?;
            Ok(vec![plan::merge(record, shard, adjacent)?])
        })
        .await
        .map(drop)
    }

    /// Splits and merges until `target` open shards, at least 1, own equal parts of the ring; how many there were
    /// before. Done when this returns.
    pub async fn scale(self: &Arc<Self>, name: StreamName, target: u32) -> Result<u32, Error> {
        self.reshard(name, move |streams, record| {
            provisioned(record)?;
            streams.admit_scaling(record, target)?;
            Ok(plan::scale(record, target))
        })
        .await
    }

    /// Whether a stream may be scaled now; counts it.
    fn admit_scaling(&self, record: &mut StreamRecord, target: u32) -> Result<(), Error> {
        let open = record
            .shards
            .iter()
            .filter(|shard| shard.closed.is_none())
            .count() as u32;
        let quota = self.room_for(open);
        if target > quota {
            return Err(Error::ScaledOverQuota {
                open,
                target,
                quota,
            });
        }
        if !self.options.limits {
            return Ok(());
        }
        if target > open * 2 || target * 2 < open {
            return Err(Error::ScaledTooFar { open, target });
        }
        let now = self.env.clock.now();
        record
            .scalings
            .retain(|at| now.since(*at) < SCALINGS_PERIOD);
        if record.scalings.len() >= MAX_SCALINGS {
            return Err(Error::ScaledTooOften(record.name.clone()));
        }
        record.scalings.push(now);
        Ok(())
    }

    /// Takes the steps of `plan`, which may also change the record otherwise; how many shards were open before. The plan
    /// is made again where another node changed the record first.
    pub(crate) async fn reshard(
        self: &Arc<Self>,
        name: StreamName,
        plan: impl Fn(&Self, &mut StreamRecord) -> Result<Vec<Step>, Error> + Send + 'static,
    ) -> Result<u32, Error> {
        let plan = move |streams: &Self, record: &mut StreamRecord, _| plan(streams, record);
        self.reshard_among(name, Arc::new(NoOtherReaders), plan)
            .await
    }

    /// The same where the plan depends on how many other readers the stream has: they are as many when it is written.
    pub(crate) async fn reshard_among(
        self: &Arc<Self>,
        name: StreamName,
        others: Arc<dyn OtherReaders>,
        plan: impl Fn(&Self, &mut StreamRecord, usize) -> Result<Vec<Step>, Error> + Send + 'static,
    ) -> Result<u32, Error> {
        let this = self.clone();
        self.to_the_end(async move {
            let _one = this.changing.lock().await;
            let open = this.intend(&name, &*others, plan).await?;
            if !this.get(&name)?.is_resharding() {
                return Ok(open);
            }
            this.finish(&name).await?;
            tracing::info!(stream = %name, before = open, after = this.get(&name)?.open_shards(), "resharded");
            Ok(open)
        })
        .await
    }

    /// Writes the steps of `plan` into the stream's record; how many shards are open. The caller holds `changing`.
    async fn intend(
        &self,
        name: &StreamName,
        others: &dyn OtherReaders,
        plan: impl Fn(&Self, &mut StreamRecord, usize) -> Result<Vec<Step>, Error>,
    ) -> Result<u32, Error> {
        for _ in 0..CONFLICTS_MAX {
            self.refresh(name).await?;
            self.finish(name).await?;
            let before = self.get(name)?;
            let others = others.count(name).await?;
            let mut record = before.record.clone();
            record.resharding = plan(self, &mut record, others.value)?;
            if record == before.record {
                return Ok(before.open_shards());
            }
            match self.replace(&before, record, others.checks).await {
                Err(Error::Conflict(_)) => {}
                done => return done.map(|()| before.open_shards()),
            }
        }
        Err(Error::Conflict(name.clone()))
    }

    /// Waits for the resharding that is under way, or finishes what one left half done.
    pub(crate) async fn settle(self: &Arc<Self>, name: StreamName) -> Result<(), Error> {
        let this = self.clone();
        self.to_the_end(async move {
            let _one = this.changing.lock().await;
            this.refresh(&name).await?;
            this.finish(&name).await
        })
        .await
    }

    /// Finishes what a crash left half done. A resharding that cannot be finished now is tried again once its shards are needed.
    pub(crate) async fn finish_all(&self) {
        let _one = self.changing.lock().await;
        for stream in self.all() {
            let name = &stream.record.name;
            if let Err(error) = self.finish(name).await {
                tracing::warn!(stream = %name, %error, "a resharding could not be finished");
            }
        }
    }

    /// Seals the parents of an intent and makes its children. The caller holds `changing`.
    async fn finish(&self, name: &StreamName) -> Result<(), Error> {
        for _ in 0..CONFLICTS_MAX {
            let before = self.get(name)?;
            self.ensure_open(&before).await?;
            if !before.is_resharding() {
                return Ok(());
            }
            let newest = self.seal_shards(&parents(&before)).await?;
            let now = self.env.clock.now();
            let mut record = before.record.clone();
            plan::take(&mut record, now.max(newest));
            let horizon = record.horizon(now);
            plan::forget_expired(&mut record, horizon);
            match self.replace(&before, record, Vec::new()).await {
                Err(Error::Conflict(_)) => self.refresh(name).await?,
                done => return done,
            }
        }
        Err(Error::Conflict(name.clone()))
    }

    /// Seals shards in the log, all with few syncs; when their newest record came.
    async fn seal_shards(&self, shards: &[Arc<Shard>]) -> Result<Millis, Error> {
        let sealed = join_all(shards.iter().map(|shard| self.log.seal(shard.number))).await;
        let mut newest = Millis::ZERO;
        for (shard, sealed) in shards.iter().zip(sealed) {
            sealed?;
            newest = newest.max(self.log.state(shard.number).await?.newest);
        }
        Ok(newest)
    }
}

/// Only such streams are resharded by their owners.
fn provisioned(record: &StreamRecord) -> Result<(), Error> {
    if record.mode.is_on_demand() {
        Err(Error::OnDemand(record.name.clone()))
    } else {
        Ok(())
    }
}

/// The shards that an intent closes, without those that it opens itself.
fn parents(stream: &Stream) -> Vec<Arc<Shard>> {
    let indexes: BTreeSet<ShardIndex> = stream
        .record
        .resharding
        .iter()
        .map(Step::parents)
        .flat_map(|(first, second)| std::iter::once(first).chain(second))
        .collect();
    indexes
        .into_iter()
        .filter_map(|index| stream.shard(index).ok().cloned())
        .collect()
}
