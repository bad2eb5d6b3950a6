//! Lists in pages: the streams there are, and the shards of a stream.

use std::{ops::Bound, sync::Arc, time::Duration};

use headwater_sealing::{TokenError, TokenKind};
use headwater_types::{Millis, ShardIndex, StreamName};
use serde::{Deserialize, Serialize};

use crate::{
    Consumer, ConsumerRecord, Error, Shard, ShardRecord, Stream, Streams, limits::ITERATOR_LIFE,
};

/// Which shards of a stream a reader wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ShardFilter {
    /// All that have records to read or may get some.
    #[default]
    FromTrimHorizon,
    /// Those that were open at the oldest time that may still be read.
    AtTrimHorizon,
    /// Those that are open.
    AtLatest,
    /// Those that were open at this time.
    AtTimestamp(Millis),
    /// Those that were open at this time or later.
    FromTimestamp(Millis),
}

impl ShardFilter {
    /// Whether a shard is wanted, in a stream that may be read from `horizon` on.
    fn wants(self, shard: &ShardRecord, horizon: Millis) -> bool {
        match self {
            Self::FromTrimHorizon => shard.is_open_from(horizon),
            Self::AtTrimHorizon => shard.is_open_at(horizon),
            Self::AtLatest => shard.closed.is_none(),
            // A time before the horizon is the horizon.
            Self::AtTimestamp(time) => shard.is_open_at(time.max(horizon)),
            Self::FromTimestamp(time) => shard.is_open_from(time.max(horizon)),
        }
    }
}

/// A page of shards, and the token for the next.
pub struct ShardPage {
    /// The shards, in order of their index.
    pub shards: Vec<Arc<Shard>>,
    /// For the next page, when there is one.
    pub next: Option<String>,
}

/// A page of streams, and the token for the next.
pub struct StreamPage {
    /// The streams, in order of their names.
    pub streams: Vec<Arc<Stream>>,
    /// For the next page, when there is one.
    pub next: Option<String>,
}

/// A page of a stream's consumers, and the token for the next.
pub struct ConsumerPage {
    /// The consumers, in order of their names.
    pub consumers: Vec<Consumer>,
    /// For the next page, when there is one.
    pub next: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct NextConsumers {
    stream: StreamName,
    number: u32,
    after: String,
}

impl TokenKind for NextConsumers {
    const TAG: u8 = 4;
    const LIFE: Duration = ITERATOR_LIFE;
}

#[derive(Serialize, Deserialize)]
struct NextShards {
    stream: StreamName,
    number: u32,
    after: ShardIndex,
    filter: ShardFilter,
}

impl TokenKind for NextShards {
    const TAG: u8 = 2;
    const LIFE: Duration = ITERATOR_LIFE;
}

#[derive(Serialize, Deserialize)]
struct NextStreams {
    after: StreamName,
}

impl TokenKind for NextStreams {
    const TAG: u8 = 3;
    const LIFE: Duration = ITERATOR_LIFE;
}

impl Streams {
    /// At most `limit` shards of a stream that come after `after` and that `filter` wants.
    pub fn list_shards(
        &self,
        stream: &Stream,
        after: Option<ShardIndex>,
        filter: ShardFilter,
        limit: usize,
    ) -> ShardPage {
        let horizon = stream.record.horizon(self.env.clock.now());
        let first = after.map_or(0, |after| {
            stream.shards().partition_point(|s| s.record.index <= after)
        });
        let mut wanted = stream.shards()[first..]
            .iter()
            .filter(|s| filter.wants(&s.record, horizon))
            .cloned();
        let shards: Vec<Arc<Shard>> = wanted.by_ref().take(limit).collect();
        let next = shards
            .last()
            .filter(|_| wanted.next().is_some())
            .map(|last| {
                let (stream, number) = (stream.record.name.clone(), stream.record.number);
                self.tokens.seal(
                    &self.env,
                    &NextShards {
                        stream,
                        number,
                        after: last.record.index,
                        filter,
                    },
                )
            });
        ShardPage { shards, next }
    }

    /// The page of shards that a token stands for, and whose they are.
    pub fn next_shards(
        &self,
        token: &str,
        limit: usize,
    ) -> Result<(Arc<Stream>, ShardPage), Error> {
        let next: NextShards = self.tokens.open(token, self.env.clock.now())?;
        let stream = self.get(&next.stream)?;
        if stream.record.number != next.number {
            return Err(Error::NoStream(next.stream));
        }
        let page = self.list_shards(&stream, Some(next.after), next.filter, limit);
        Ok((stream, page))
    }

    /// At most `limit` consumers of a stream whose names come after `after`.
    pub fn list_consumers(
        &self,
        stream: &Stream,
        after: Option<&str>,
        limit: usize,
    ) -> ConsumerPage {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut wanted = stream
            .record
            .consumers
            .range::<str, _>((from, Bound::Unbounded));
        let consumer = |(name, record): (&String, &ConsumerRecord)| {
            Consumer::new(&stream.record, name, record)
        };
        let consumers: Vec<Consumer> = wanted.by_ref().take(limit).map(consumer).collect();
        let next = consumers
            .last()
            .filter(|_| wanted.next().is_some())
            .map(|last| {
                let (stream, number) = (stream.record.name.clone(), stream.record.number);
                self.tokens.seal(
                    &self.env,
                    &NextConsumers {
                        stream,
                        number,
                        after: last.name.clone(),
                    },
                )
            });
        ConsumerPage { consumers, next }
    }

    /// The page of consumers of `stream` that a token stands for.
    pub fn next_consumers(
        &self,
        stream: &Stream,
        token: &str,
        limit: usize,
    ) -> Result<ConsumerPage, Error> {
        let next: NextConsumers = self.tokens.open(token, self.env.clock.now())?;
        if (&next.stream, next.number) != (&stream.record.name, stream.record.number) {
            return Err(TokenError::Invalid.into());
        }
        Ok(self.list_consumers(stream, Some(&next.after), limit))
    }

    /// At most `limit` streams whose names come after `after`.
    pub fn list_streams(&self, after: Option<&StreamName>, limit: usize) -> StreamPage {
        let mut streams = self.after(after, limit.saturating_add(1));
        let more = streams.len() > limit;
        streams.truncate(limit);
        let next = streams.last().filter(|_| more).map(|last| {
            self.tokens.seal(
                &self.env,
                &NextStreams {
                    after: last.record.name.clone(),
                },
            )
        });
        StreamPage { streams, next }
    }

    /// The page of streams that a token stands for.
    pub fn next_streams(&self, token: &str, limit: usize) -> Result<StreamPage, Error> {
        let next: NextStreams = self.tokens.open(token, self.env.clock.now())?;
        Ok(self.list_streams(Some(&next.after), limit))
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::HashRange;

    use super::*;

    fn shard(index: u32, created: u64, closed: Option<u64>) -> ShardRecord {
        ShardRecord {
            index: ShardIndex(index),
            range: HashRange::ALL,
            created: Millis(created * 1000),
            parent: None,
            adjacent_parent: None,
            closed: closed.map(|at| Millis(at * 1000)),
        }
    }

    #[test]
    fn filters_choose_by_time() {
        // A stream made at second 100: shard 0 split at 200 into 1 and 2, which were merged at 300 into 3.
        let shards = [
            shard(0, 100, Some(200)),
            shard(1, 201, Some(300)),
            shard(2, 201, Some(300)),
            shard(3, 301, None),
        ];
        let wanted = |filter: ShardFilter, horizon: u64| -> Vec<u32> {
            let wants = shards
                .iter()
                .filter(|s| filter.wants(s, Millis(horizon * 1000)));
            wants.map(|s| s.index.0).collect()
        };
        let at = |time: u64| ShardFilter::AtTimestamp(Millis(time * 1000));
        let from = |time: u64| ShardFilter::FromTimestamp(Millis(time * 1000));
        assert_eq!(wanted(ShardFilter::FromTrimHorizon, 100), [0, 1, 2, 3]);
        assert_eq!(wanted(ShardFilter::FromTrimHorizon, 250), [1, 2, 3]);
        assert_eq!(wanted(ShardFilter::AtTrimHorizon, 100), [0]);
        assert_eq!(wanted(ShardFilter::AtTrimHorizon, 250), [1, 2]);
        assert_eq!(wanted(ShardFilter::AtLatest, 100), [3]);
        assert_eq!(wanted(at(150), 100), [0]);
        assert_eq!(wanted(at(200), 100), [0]);
        assert_eq!(wanted(at(201), 100), [1, 2]);
        assert_eq!(wanted(at(250), 100), [1, 2]);
        assert_eq!(wanted(at(1), 100), [0]);
        assert_eq!(wanted(from(250), 100), [1, 2, 3]);
        assert_eq!(wanted(from(400), 100), [3]);
    }
}
