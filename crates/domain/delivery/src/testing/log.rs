//! A log in memory, as far as direct puts need one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_log::{
    Append, AppendError, Appended, Chunk, LogError, ReadLimit, Record, Retention, ShardLog,
    ShardNumber, ShardState,
};
use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::Notify;

type Shard = (Vec<Record>, Option<Retention>);

#[derive(Default)]
pub struct MemoryLog {
    shards: Mutex<BTreeMap<ShardNumber, Shard>>,
    appended: Notify,
}

impl MemoryLog {
    /// The retention that a shard was opened with.
    pub fn retention(&self, shard: ShardNumber) -> Option<Retention> {
        self.shards.lock().get(&shard)?.1
    }

    fn state_now(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        let shards = self.shards.lock();
        let (records, _) = shards.get(&shard).ok_or(LogError::Unknown(shard))?;
        Ok(ShardState {
            first: 0,
            end: records.len() as u64,
            newest: Millis::ZERO,
            sealed: false,
        })
    }
}

#[async_trait]
impl ShardLog for MemoryLog {
    async fn open_shards(
        &self,
        numbers: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError> {
        let mut shards = self.shards.lock();
        for number in numbers {
            shards.entry(*number).or_default().1 = Some(retention);
        }
        Ok(())
    }

    async fn remove_shards(&self, numbers: &[ShardNumber]) -> Result<(), LogError> {
        let mut shards = self.shards.lock();
        numbers
            .iter()
            .for_each(|number| drop(shards.remove(number)));
        Ok(())
    }

    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError> {
        Ok(self.shards.lock().keys().copied().collect())
    }

    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>> {
        let mut shards = self.shards.lock();
        let mut append = |append: &Append<'_>| {
            let (records, _) = shards
                .get_mut(&append.shard)
                .ok_or(AppendError::Unknown(append.shard))?;
            let first_offset = records.len() as u64;
            let time = Millis(1_500_000_000_000 + first_offset);
            for (offset, new) in (first_offset..).zip(append.records) {
                let (key, value) = (new.key.to_vec().into(), new.value.to_vec().into());
                records.push(Record {
                    offset,
                    time,
                    key,
                    value,
                });
            }
            Ok(Appended { first_offset, time })
        };
        let results = batch.iter().map(&mut append).collect();
        self.appended.notify_waiters();
        results
    }

    async fn append_whole(&self, _batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError> {
        unreachable!("deliveries append one by one")
    }

    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        let state = self.state_now(shard)?;
        let shards = self.shards.lock();
        let (records, _) = &shards[&shard];
        let records: Vec<_> = records
            .iter()
            .skip(from as usize)
            .take(limit.records.min(7))
            .cloned()
            .collect();
        Ok(Chunk {
            next: from + records.len() as u64,
            records,
            state,
        })
    }

    async fn offset_at(&self, _shard: ShardNumber, _time: Millis) -> Result<u64, LogError> {
        unreachable!("deliveries read by offset")
    }

    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        self.state_now(shard)
    }

    async fn wait(&self, shard: ShardNumber, offset: u64) {
        loop {
            let appended = self.appended.notified();
            if self.state_now(shard).is_ok_and(|state| state.end > offset) {
                return;
            }
            appended.await;
        }
    }

    async fn seal(&self, _shard: ShardNumber) -> Result<u64, LogError> {
        unreachable!("deliveries seal nothing")
    }

    async fn close(&self) {}

    fn health(&self) -> Result<(), LogError> {
        Ok(())
    }
}
