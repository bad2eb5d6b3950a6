//! The way out: from a position to records, and the tokens in which readers hold their position.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_log::{Chunk, LogError, ReadLimit, Record, ShardState};
use headwater_sealing::{Opened, TokenKind};
use headwater_types::{Millis, SequenceNumber, ShardIndex, StreamName};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Shard, Stream, Streams,
    limits::{ITERATOR_LIFE, MAX_READ},
};

/// Where a reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record there is.
    TrimHorizon,
    /// After the newest record there is.
    Latest,
    /// At the first record that arrived at this time or later.
    Time(Millis),
    /// At this offset.
    Offset(u64),
}

/// A reader's position in a shard, held by the reader as a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardIterator {
    /// The stream's name.
    #[serde(rename = "n")]
    pub stream: StreamName,
    /// The stream's number: another stream of the same name is not meant.
    #[serde(rename = "i")]
    pub number: u32,
    /// The shard.
    #[serde(rename = "s")]
    pub shard: ShardIndex,
    /// The next offset to read.
    #[serde(rename = "o")]
    pub offset: u64,
}

impl TokenKind for ShardIterator {
    const TAG: u8 = 1;
    const LIFE: Duration = ITERATOR_LIFE;
}

/// A record as a reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its offset in the shard.
    pub offset: u64,
    /// The same as AWS numbers it.
    pub sequence: SequenceNumber,
    /// When it arrived.
    pub time: Millis,
    /// Its partition key, UTF-8; empty where it has none.
    pub partition_key: Bytes,
    /// Its data.
    pub data: Bytes,
    /// Whether it is encrypted at rest.
    pub encrypted: bool,
}

impl ReadRecord {
    /// Bytes of data and partition key: limits count these.
    pub fn bytes(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// The records of a read, and the shard as it was then.
#[derive(Debug, Clone)]
pub struct ReadChunk {
    /// The records, in order.
    pub records: Vec<ReadRecord>,
    /// Where the next read goes on.
    pub next: u64,
    /// The shard.
    pub state: ShardState,
}

/// The outcome of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadResult {
    /// The records, in order.
    pub records: Vec<ReadRecord>,
    /// Where the next read goes on.
    pub next: u64,
    /// Whether no record can ever follow.
    pub ended: bool,
    /// How long ago the last record arrived when there are more behind it; 0 when there are none.
    pub millis_behind: u64,
}

impl Streams {
    /// The token of a reader that starts at `start`.
    pub async fn iterator(
        &self,
        stream: &Stream,
        shard: &Shard,
        start: Start,
    ) -> Result<String, Error> {
        let offset = self.resolve(stream, shard, start).await?;
        Ok(self.iterator_at(stream, shard, offset))
    }

    /// The token of a reader that goes on at `offset`.
    pub fn iterator_at(&self, stream: &Stream, shard: &Shard, offset: u64) -> String {
        let iterator = ShardIterator {
            stream: stream.record.name.clone(),
            number: stream.record.number,
            shard: shard.record.index,
            offset,
        };
        self.tokens.seal(&self.env, &iterator)
    }

    /// The position in a reader's token, when it is one of ours and not too old.
    pub fn open_iterator(&self, token: &str) -> Result<ShardIterator, Error> {
        Ok(self.tokens.open(token, self.env.clock.now())?)
    }

    /// The token of `content`, given now: for a door whose clients hold a token of another domain's.
    pub fn token_of<T: TokenKind>(&self, content: &T) -> String {
        self.tokens.seal(&self.env, content)
    }

    /// The content of a token that [`Self::token_of`] gave and that is not too old.
    pub fn open_token<T: TokenKind>(&self, token: &str) -> Result<T, Error> {
        Ok(self.tokens.open(token, self.env.clock.now())?)
    }

    /// The stream and shard that an iterator was made for, when they are there still.
    pub fn stream_of(&self, iterator: &ShardIterator) -> Result<Arc<Stream>, Error> {
        let gone = || Error::NoShard {
            stream: iterator.stream.clone(),
            shard: iterator.shard,
        };
        self.get(&iterator.stream)
            .ok()
            .filter(|stream| stream.record.number == iterator.number)
            .ok_or_else(gone)
    }

    /// The offset that a start is at now.
    pub async fn resolve(
        &self,
        stream: &Stream,
        shard: &Shard,
        start: Start,
    ) -> Result<u64, Error> {
        let resolved = match start {
            Start::Offset(offset) => Ok(offset),
            Start::TrimHorizon => self.log.state(shard.number).await.map(|state| state.first),
            Start::Latest => self.log.state(shard.number).await.map(|state| state.end),
            Start::Time(time) => self.log.offset_at(shard.number, time).await,
        };
        resolved.map_err(|error| gone(stream, shard, error))
    }

    /// Reads at most `limit` records from `from` on, within the shard's limits. Records that were trimmed are passed over.
    pub async fn read(
        &self,
        stream: &Stream,
        shard: &Shard,
        from: u64,
        limit: usize,
    ) -> Result<ReadResult, Error> {
        let began = self.env.clock.elapsed();
        if self.options.limits && !shard.live.throttle.admit_read(began) {
            shard.live.counters.refused_read();
            stream.calls.read.ended(false, Duration::ZERO);
            let (stream, shard) = (stream.record.name.clone(), shard.record.index);
            return Err(Error::Throttled { stream, shard });
        }
        let limit = ReadLimit {
            records: limit.min(MAX_READ.records),
            bytes: MAX_READ.bytes,
        };
        let read = self.read_unlimited(stream, shard, from, limit).await;
        let took = self.env.clock.elapsed().saturating_sub(began);
        stream.calls.read.ended(read.is_ok(), took);
        let chunk = read?;
        let bytes = chunk.records.iter().map(ReadRecord::bytes).sum();
        if self.options.limits {
            shard.live.throttle.charge_read(bytes);
        }
        self.count_read(shard, &chunk, bytes);
        Ok(self.result(shard, chunk))
    }

    /// Counts what a read returned.
    fn count_read(&self, shard: &Shard, chunk: &ReadChunk, bytes: usize) {
        let counters = &shard.live.counters;
        let age = |last: &ReadRecord| self.env.clock.now().since(last.time).as_millis() as u64;
        let age = chunk.records.last().map(age);
        counters.read(chunk.records.len(), bytes, age.unwrap_or(0));
        // A closed shard that was read to its end is never read again: an age would stay as long as the shard.
        let is_last = chunk.records.is_empty() || shard.record.closed.is_some();
        if is_last && chunk.next >= chunk.state.end {
            counters.is_at(0);
        } else if let Some(age) = age {
            counters.is_at(age);
        }
    }

    /// Reads for another domain: outside of the shard's limits, as a reader with its own throughput.
    pub async fn read_unlimited(
        &self,
        stream: &Stream,
        shard: &Shard,
        from: u64,
        limit: ReadLimit,
    ) -> Result<ReadChunk, Error> {
        let read = self.log.read(shard.number, from, limit).await;
        let Chunk {
            records,
            next,
            state,
        } = read.map_err(|error| gone(stream, shard, error))?;
        let open = |record| self.open_record(stream, shard, record);
        Ok(ReadChunk {
            records: records
                .into_iter()
                .map(open)
                .collect::<Result<_, Error>>()?,
            next,
            state,
        })
    }

    /// A record as it was put, decrypted where it is encrypted. Every reader's records come this way.
    fn open_record(
        &self,
        stream: &Stream,
        shard: &Shard,
        record: Record,
    ) -> Result<ReadRecord, Error> {
        let Opened {
            partition_key,
            data,
            encrypted,
        } = self
            .sealer
            .unseal(shard.number, &record)
            .map_err(|_| Error::Undecryptable {
                stream: stream.record.name.clone(),
                shard: shard.record.index,
                offset: record.offset,
            })?;
        let sequence = shard.sequence(record.offset, record.time);
        Ok(ReadRecord {
            offset: record.offset,
            sequence,
            time: record.time,
            partition_key,
            data,
            encrypted,
        })
    }

    /// The shard as readers see it now.
    pub async fn state(&self, stream: &Stream, shard: &Shard) -> Result<ShardState, Error> {
        self.log
            .state(shard.number)
            .await
            .map_err(|error| gone(stream, shard, error))
    }

    /// Returns once there is a record at `offset` or after it, or never can be one.
    pub async fn wait(&self, shard: &Shard, offset: u64) {
        self.log.wait(shard.number, offset).await;
    }

    pub(crate) fn result(&self, shard: &Shard, chunk: ReadChunk) -> ReadResult {
        let ReadChunk {
            records,
            next,
            state,
        } = chunk;
        let caught_up = next >= state.end;
        let last = records.last().map_or(state.newest, |record| record.time);
        let behind = self.env.clock.now().since(last).as_millis() as u64;
        ReadResult {
            records,
            next,
            // Not when it is sealed: its children are known a little later, and only then do readers move on to them.
            ended: caught_up && shard.record.closed.is_some(),
            millis_behind: if caught_up { 0 } else { behind },
        }
    }
}

fn gone(stream: &Stream, shard: &Shard, error: LogError) -> Error {
    match error {
        LogError::Unknown(_) => Error::NoShard {
            stream: stream.record.name.clone(),
            shard: shard.record.index,
        },
        other => other.into(),
    }
}
