//! A part of a log that is a log of its own: the shards whose numbers have the part's number in their upper bits.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_types::Millis;

use crate::{
    Append, AppendError, Appended, Chunk, LogError, LogUsage, ReadLimit, Retention, ShardLog,
    ShardNumber, ShardState,
};

/// The bits of a shard's number that say which part it belongs to; 0 is the whole log's own.
const PART_BITS: u32 = 4;
const SHIFT: u32 = u64::BITS - PART_BITS;

/// Parts that a log can have beside its own shards.
pub const PARTS_MAX: u8 = (1 << PART_BITS) - 1;

/// The shards of one part of another log, under their numbers within the part. Closing it leaves the whole log open.
pub struct ScopedLog {
    whole: Arc<dyn ShardLog>,
    part: u64,
}

impl ScopedLog {
    /// The part of `whole` with this number; 0 is what remains for the whole log's own owners.
    ///
    /// # Panics
    /// When the number is over [`PARTS_MAX`].
    pub fn new(whole: Arc<dyn ShardLog>, part: u8) -> Self {
        assert!(part <= PARTS_MAX, "a log has no part {part}");
        Self {
            whole,
            part: u64::from(part),
        }
    }

    fn inside(&self, shard: ShardNumber) -> ShardNumber {
        debug_assert_eq!(
            shard.0 >> SHIFT,
            0,
            "a part's shards have numbers below its own bits"
        );
        ShardNumber(shard.0 | self.part << SHIFT)
    }

    /// A shard's number within the part; none where it belongs to another.
    fn outside(&self, shard: ShardNumber) -> Option<ShardNumber> {
        let own = ShardNumber(shard.0 & (u64::MAX >> PART_BITS));
        (shard.0 >> SHIFT == self.part).then_some(own)
    }

    fn all_inside(&self, shards: &[ShardNumber]) -> Vec<ShardNumber> {
        shards.iter().map(|shard| self.inside(*shard)).collect()
    }

    fn batch_inside<'a>(&self, batch: &[Append<'a>]) -> Vec<Append<'a>> {
        let batch = batch.iter().map(|append| Append {
            shard: self.inside(append.shard),
            ..*append
        });
        batch.collect()
    }

    /// An error with the number within the part.
    fn log_error(&self, error: LogError) -> LogError {
        match error {
            LogError::Unknown(shard) => LogError::Unknown(self.outside(shard).unwrap_or(shard)),
            other => other,
        }
    }

    fn append_error(&self, error: AppendError) -> AppendError {
        match error {
            AppendError::Unknown(shard) => {
                AppendError::Unknown(self.outside(shard).unwrap_or(shard))
            }
            AppendError::Log(error) => AppendError::Log(self.log_error(error)),
            AppendError::Sealed => AppendError::Sealed,
        }
    }
}

#[async_trait]
impl ShardLog for ScopedLog {
    async fn open_shards(
        &self,
        shards: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError> {
        let opened = self
            .whole
            .open_shards(&self.all_inside(shards), retention)
            .await;
        opened.map_err(|error| self.log_error(error))
    }

    async fn remove_shards(&self, shards: &[ShardNumber]) -> Result<(), LogError> {
        let removed = self.whole.remove_shards(&self.all_inside(shards)).await;
        removed.map_err(|error| self.log_error(error))
    }

    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError> {
        let all = self.whole.shards().await?.into_iter();
        Ok(all.filter_map(|shard| self.outside(shard)).collect())
    }

    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>> {
        let results = self.whole.append(&self.batch_inside(batch)).await;
        results
            .into_iter()
            .map(|result| result.map_err(|error| self.append_error(error)))
            .collect()
    }

    async fn append_whole(&self, batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError> {
        let appended = self.whole.append_whole(&self.batch_inside(batch)).await;
        appended.map_err(|error| self.append_error(error))
    }

    async fn settle(&self) -> Result<(), LogError> {
        self.whole.settle().await
    }

    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        let read = self.whole.read(self.inside(shard), from, limit).await;
        read.map_err(|error| self.log_error(error))
    }

    async fn offset_at(&self, shard: ShardNumber, time: Millis) -> Result<u64, LogError> {
        let found = self.whole.offset_at(self.inside(shard), time).await;
        found.map_err(|error| self.log_error(error))
    }

    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        let state = self.whole.state(self.inside(shard)).await;
        state.map_err(|error| self.log_error(error))
    }

    async fn wait(&self, shard: ShardNumber, offset: u64) {
        self.whole.wait(self.inside(shard), offset).await;
    }

    async fn seal(&self, shard: ShardNumber) -> Result<u64, LogError> {
        let sealed = self.whole.seal(self.inside(shard)).await;
        sealed.map_err(|error| self.log_error(error))
    }

    async fn close(&self) {}

    fn health(&self) -> Result<(), LogError> {
        self.whole.health()
    }

    async fn usage(&self) -> Option<LogUsage> {
        self.whole.usage().await
    }
}
