//! Reading a source up to the point where a batch is closed.
//!
//! Nothing of what is read is kept: a batch is a range of positions a shard, and the log is the buffer that it is
//! read from again when it is delivered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::select_all;
use headwater_env::Env;
use headwater_reading::Lineage;
use headwater_types::Millis;

use crate::{
    config::Buffering,
    intent::Range,
    limits::{READ_BYTES_MAX, READ_PAUSE, READ_PAUSE_MIN, READ_RECORDS_MAX},
    ports::{Source, SourceChunk, SourceError, SourceLimit, SourceShard},
    status::Oldest,
};

/// A closed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its records, parents before their children.
    pub ranges: Vec<Range>,
    /// Its records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest arrived.
    pub oldest: Millis,
    /// When the newest arrived.
    pub newest: Millis,
}

/// Follows all shards of one source.
pub struct Reader {
    env: Env,
    source: Arc<dyn Source>,
    buffering: Buffering,
    lineage: Lineage,
    /// Told how old the open batch is.
    oldest: Arc<Oldest>,
}

/// A batch that is still open: where each shard was when it began, and where it is now.
struct OpenBatch {
    from: BTreeMap<String, u64>,
    next: BTreeMap<String, u64>,
    records: u64,
    bytes: u64,
    oldest: Millis,
    newest: Millis,
    began: Option<Duration>,
}

impl Reader {
    /// A reader of `source` that closes batches by `buffering`.
    pub fn new(
        env: Env,
        source: Arc<dyn Source>,
        buffering: Buffering,
        oldest: Arc<Oldest>,
    ) -> Self {
        Self {
            env,
            source,
            buffering,
            lineage: Lineage::default(),
            oldest,
        }
    }

    /// Whether the source still has `shard`; so while nobody has asked it.
    pub fn is_listed(&self, shard: &str) -> bool {
        self.lineage.is_listed(shard)
    }

    /// Reads from `positions` on until a batch is full, or due with all read that is there.
    pub async fn next_batch(
        &mut self,
        positions: &BTreeMap<String, u64>,
    ) -> Result<Batch, SourceError> {
        let mut open = OpenBatch::at(positions);
        loop {
            let clock = &*self.env.clock;
            self.lineage.refresh(&*self.source, clock).await?;
            let caught_up = self.sweep(&mut open).await?;
            if open.records > 0 {
                self.oldest.is(open.oldest);
            } else if caught_up {
                self.oldest.is_none();
            }
            if open.bytes >= self.buffering.bytes() {
                return Ok(self.close(open));
            }
            if !caught_up {
                continue;
            }
            let due = open.due_in(
                self.buffering.interval(),
                self.env.clock.now(),
                self.env.clock.elapsed(),
            );
            if due == Some(Duration::ZERO) {
                return Ok(self.close(open));
            }
            self.wait(&open, due).await;
        }
    }

    /// Reads once from every readable shard; whether all of them were read to their present end.
    async fn sweep(&mut self, open: &mut OpenBatch) -> Result<bool, SourceError> {
        let mut caught_up = true;
        for shard in self.lineage.readable() {
            let room = self.buffering.bytes().saturating_sub(open.bytes);
            if room == 0 {
                break;
            }
            let from = open.next.get(&shard).copied().unwrap_or(0);
            let bytes = usize::try_from(room)
                .unwrap_or(usize::MAX)
                .min(READ_BYTES_MAX);
            let limit = SourceLimit {
                records: READ_RECORDS_MAX,
                bytes,
            };
            let chunk = match self.source.read(&shard, from, limit).await {
                Ok(chunk) => chunk,
                // It expired since it was listed; what it had is gone, and its children go on.
                Err(SourceError::NotFound(what)) => {
                    tracing::warn!(shard, what, "a shard of the source is gone");
                    SourceChunk {
                        records: Vec::new(),
                        next: from,
                        end: from,
                        ended: true,
                    }
                }
                Err(error) => return Err(error),
            };
            warn_of_trimmed(&shard, from, &chunk);
            let next = open.take(
                &shard,
                from,
                &chunk,
                self.buffering.bytes(),
                self.env.clock.elapsed(),
            );
            if next < chunk.end {
                caught_up = false;
            } else if chunk.ended {
                self.lineage.drained(shard);
                caught_up = false;
            }
        }
        Ok(caught_up)
    }

    /// Waits until there is more to read, the batch is due, or the shards are to be listed again.
    async fn wait(&self, open: &OpenBatch, due: Option<Duration>) {
        let refresh = self.lineage.stale_in(&*self.env.clock);
        let timer = due.map_or(refresh, |due| due.min(refresh));
        let readable = self.lineage.readable();
        let more = async {
            let waits = readable.iter().map(|id| {
                self.source
                    .wait(id, open.next.get(id).copied().unwrap_or(0))
            });
            let waits: Vec<_> = waits.collect();
            if waits.is_empty() {
                return std::future::pending().await;
            }
            select_all(waits).await;
            let hurry = self.buffering.interval().is_zero();
            self.env
                .clock
                .sleep(if hurry { READ_PAUSE_MIN } else { READ_PAUSE })
                .await;
        };
        tokio::select! {
            biased;
            () = self.env.clock.sleep(timer) => {}
            () = more => {}
        }
    }

    fn close(&self, open: OpenBatch) -> Batch {
        let range = |shard: &SourceShard| {
            let to = *open.next.get(&shard.id)?;
            let from = open.from.get(&shard.id).copied().unwrap_or(0);
            (to > from).then(|| Range {
                shard: shard.id.clone(),
                from,
                to,
            })
        };
        Batch {
            ranges: self.lineage.shards().iter().filter_map(range).collect(),
            records: open.records,
            bytes: open.bytes,
            oldest: open.oldest,
            newest: open.newest,
        }
    }
}

impl OpenBatch {
    fn at(positions: &BTreeMap<String, u64>) -> Self {
        Self {
            from: positions.clone(),
            next: positions.clone(),
            records: 0,
            bytes: 0,
            oldest: Millis(u64::MAX),
            newest: Millis::ZERO,
            began: None,
        }
    }

    /// Adds records up to and with the one that fills the batch; where the shard is then.
    fn take(
        &mut self,
        shard: &str,
        from: u64,
        chunk: &SourceChunk,
        full: u64,
        now: Duration,
    ) -> u64 {
        if self.next.get(shard) == self.from.get(shard) {
            // Records that expired before they were read are none of this batch: its ranges begin behind them.
            let first = chunk
                .records
                .first()
                .map_or(chunk.next, |first| first.offset);
            self.from.insert(shard.to_owned(), from.max(first));
        }
        let mut next = from.max(chunk.next);
        for record in &chunk.records {
            self.records += 1;
            self.bytes += record.data.len() as u64;
            self.oldest = self.oldest.min(record.arrival);
            self.newest = self.newest.max(record.arrival);
            self.began.get_or_insert(now);
            if self.bytes >= full {
                next = record.offset + 1;
                break;
            }
        }
        if next > from {
            self.next.insert(shard.to_owned(), next);
        }
        next
    }

    /// How long the batch may stay open; nothing while it is empty. Counted from the oldest arrival, so that a
    /// restart does not put it off, but never longer than the interval, should the machine's clock be set back.
    fn due_in(&self, interval: Duration, now: Millis, elapsed: Duration) -> Option<Duration> {
        let began = self.began?;
        let by_arrival = self.oldest.plus(interval).since(now);
        let by_reading = (began + interval).saturating_sub(elapsed);
        Some(by_arrival.min(by_reading))
    }
}

fn warn_of_trimmed(shard: &str, from: u64, chunk: &SourceChunk) {
    let first = chunk
        .records
        .first()
        .map_or(chunk.next, |record| record.offset);
    if first > from {
        let lost = first - from;
        tracing::warn!(
            shard,
            from,
            lost,
            "records expired in the source before they were delivered"
        );
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::{Clock, ManualClock};
    use headwater_reading::SHARDS_REFRESH;

    use super::*;
    use crate::testing::FakeSource;

    const START: Millis = Millis(1_000_000);

    struct Setup {
        clock: Arc<ManualClock>,
        source: Arc<FakeSource>,
        reader: Reader,
    }

    fn setup(shards: usize, interval_s: u32) -> Setup {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let source = FakeSource::new(shards);
        let reader = Reader::new(
            env,
            source.clone(),
            Buffering {
                size_mib: 1,
                interval_s,
            },
            Arc::default(),
        );
        Setup {
            clock,
            source,
            reader,
        }
    }

    fn range(shard: usize, from: u64, to: u64) -> Range {
        Range {
            shard: shard.to_string(),
            from,
            to,
        }
    }

    fn at(positions: &[(usize, u64)]) -> BTreeMap<String, u64> {
        positions
            .iter()
            .map(|(shard, at)| (shard.to_string(), *at))
            .collect()
    }

    #[tokio::test]
    async fn a_batch_waits_for_its_interval_counted_from_the_oldest_arrival() {
        let Setup {
            clock,
            source,
            mut reader,
        } = setup(2, 60);
        source.put(0, "a", START.minus(Duration::from_secs(10)));
        let positions = BTreeMap::new();
        let mut batch = std::pin::pin!(reader.next_batch(&positions));
        assert!(futures_util::poll!(&mut batch).is_pending());
        clock.advance(Duration::from_secs(49));
        source.put(1, "b", clock.now());
        assert!(futures_util::poll!(&mut batch).is_pending());
        clock.advance(Duration::from_secs(1));
        let batch = batch.await.unwrap();
        assert_eq!(batch.ranges, [range(1, 0, 1), range(0, 0, 1)]);
        assert_eq!((batch.records, batch.bytes), (2, 2));
        assert_eq!(
            (batch.oldest, batch.newest),
            (Millis(990_000), Millis(1_049_000))
        );
    }

    #[tokio::test]
    async fn a_backlog_fills_batches_to_their_size_although_it_is_due() {
        let Setup {
            source, mut reader, ..
        } = setup(1, 0);
        for _ in 0..5 {
            source.put(0, vec![0; 700_000], Millis(1));
        }
        assert_eq!(
            reader.next_batch(&at(&[])).await.unwrap().ranges,
            [range(0, 0, 2)]
        );
        assert_eq!(
            reader.next_batch(&at(&[(0, 2)])).await.unwrap().ranges,
            [range(0, 2, 4)]
        );
        assert_eq!(
            reader.next_batch(&at(&[(0, 4)])).await.unwrap().ranges,
            [range(0, 4, 5)]
        );
    }

    #[tokio::test]
    async fn children_are_read_after_their_parents() {
        let Setup {
            source, mut reader, ..
        } = setup(1, 0);
        source.put(0, "parent", Millis(1));
        assert_eq!(
            reader.next_batch(&at(&[])).await.unwrap().ranges,
            [range(0, 0, 1)]
        );
        source.put(0, "parent", Millis(1));
        source.add_shard(&["0"]);
        source.add_shard(&["1"]);
        source.put(2, "grandchild", Millis(1));
        source.put(1, "child", Millis(1));
        let batch = reader.next_batch(&at(&[(0, 1)])).await.unwrap();
        assert_eq!(
            batch.ranges,
            [range(0, 1, 2), range(1, 0, 1), range(2, 0, 1)]
        );
    }

    #[tokio::test]
    async fn a_child_waits_while_its_parent_fills_the_batch() {
        let Setup {
            source, mut reader, ..
        } = setup(1, 0);
        for _ in 0..3 {
            source.put(0, vec![0; 600_000], Millis(1));
        }
        source.add_shard(&["0"]);
        source.put(1, "child", Millis(1));
        assert_eq!(
            reader.next_batch(&at(&[])).await.unwrap().ranges,
            [range(0, 0, 2)]
        );
        assert_eq!(
            reader.next_batch(&at(&[(0, 2)])).await.unwrap().ranges,
            [range(0, 2, 3), range(1, 0, 1)]
        );
    }

    #[tokio::test]
    async fn new_shards_are_found_in_time_and_trimmed_records_are_passed_over() {
        let Setup {
            clock,
            source,
            mut reader,
        } = setup(1, 0);
        let positions = BTreeMap::new();
        let mut batch = Box::pin(reader.next_batch(&positions));
        assert!(futures_util::poll!(&mut batch).is_pending());
        source.add_shard(&[]);
        for data in ["a", "b", "c"] {
            source.put(1, data, Millis(1));
        }
        source.trim(1, 2);
        clock.advance(SHARDS_REFRESH);
        let batch = batch.await.unwrap();
        assert_eq!((batch.ranges, batch.records), (vec![range(1, 2, 3)], 1));
        assert!(reader.is_listed("1") && !reader.is_listed("7"));
    }
}
