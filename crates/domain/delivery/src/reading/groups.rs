//! Reading the records of an intent again, one by one, in groups of the size and the age that a function takes.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use headwater_types::Millis;

use crate::{
    config::GroupLimit,
    intent::{ExecuteError, Range},
    limits::{READ_BYTES_MAX, READ_RECORDS_MAX},
    ports::{Source, SourceError, SourceLimit, SourceRecord},
    records::UserRecord,
};

/// The records of some ranges, in groups.
pub struct Groups {
    source: Arc<dyn Source>,
    ranges: VecDeque<Range>,
    split: bool,
    limit: GroupLimit,
    expired: Expired,
    ready: VecDeque<Vec<UserRecord>>,
    group: Vec<UserRecord>,
    group_bytes: usize,
    /// The first and the last arrival in the group.
    group_arrivals: Option<(Millis, Millis)>,
}

/// How records are taken that the source has dropped since their batch was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// As if the batch had never had them.
    Skipped,
    /// As an error: an earlier run may have had them.
    Failed,
}

impl Groups {
    /// The records of `ranges`, in groups within `limit`; `split` takes aggregates apart.
    pub fn new(
        source: Arc<dyn Source>,
        ranges: &[Range],
        split: bool,
        limit: GroupLimit,
        expired: Expired,
    ) -> Self {
        Self {
            expired,
            source,
            ranges: ranges.iter().cloned().collect(),
            split,
            limit,
            ready: VecDeque::new(),
            group: Vec::new(),
            group_bytes: 0,
            group_arrivals: None,
        }
    }

    /// The next group; at least one record.
    pub async fn next(&mut self) -> Result<Option<Vec<UserRecord>>, ExecuteError> {
        loop {
            if let Some(group) = self.ready.pop_front() {
                return Ok(Some(group));
            }
            let Some(range) = self.ranges.front().cloned() else {
                self.cut();
                return Ok(self.ready.pop_front());
            };
            self.read(range).await?;
        }
    }

    async fn read(&mut self, range: Range) -> Result<(), ExecuteError> {
        let limit = SourceLimit {
            records: READ_RECORDS_MAX,
            bytes: READ_BYTES_MAX,
        };
        let chunk = match self.source.read(&range.shard, range.from, limit).await {
            Ok(chunk) => chunk,
            Err(SourceError::NotFound(_)) => {
                self.ranges.pop_front();
                return self.skip(&range, range.to);
            }
            Err(error) => return Err(error.into()),
        };
        if chunk.next <= range.from {
            // The range was read once, so it is there: reading again will find it.
            let text = format!(
                "{} has no record {} although it had",
                range.shard, range.from
            );
            return Err(SourceError::Failed(text).into());
        }
        let first = chunk
            .records
            .first()
            .map_or(chunk.next, |first| first.offset);
        if first > range.from {
            self.skip(&range, first.min(range.to))?;
        }
        let shard: Arc<str> = range.shard.as_str().into();
        for record in chunk
            .records
            .into_iter()
            .take_while(|record| record.offset < range.to)
        {
            self.add(&shard, record);
        }
        match chunk.next < range.to {
            true => self.ranges[0].from = chunk.next,
            false => drop(self.ranges.pop_front()),
        }
        Ok(())
    }

    /// Goes on without the records of `range` before `first`, where that may be.
    fn skip(&self, range: &Range, first: u64) -> Result<(), ExecuteError> {
        let (shard, from) = (range.shard.clone(), range.from);
        if self.expired == Expired::Failed {
            return Err(ExecuteError::Expired { shard, from });
        }
        let count = first - from;
        tracing::warn!(
            shard,
            from,
            count,
            "records expired before they were delivered"
        );
        Ok(())
    }

    fn add(&mut self, shard: &Arc<str>, record: SourceRecord) {
        let user = |sub, partition_key, data| UserRecord {
            shard: shard.clone(),
            sequence_number: record.sequence_number,
            sub,
            partition_key,
            data,
            arrival: record.arrival,
        };
        match self
            .split
            .then(|| headwater_aggregation::split(&record.data))
            .flatten()
        {
            Some(parts) => {
                let parts = parts.into_iter().enumerate();
                parts.for_each(|(sub, part)| {
                    let key = Bytes::copy_from_slice(part.partition_key.as_bytes());
                    self.push(user(sub, key, part.data));
                });
            }
            None => self.push(user(0, record.partition_key, record.data)),
        }
    }

    fn push(&mut self, record: UserRecord) {
        let bytes = record.data.len();
        if self.group_bytes + bytes > self.limit.bytes || self.arrivals_with(&record).is_none() {
            self.cut();
        }
        self.group_arrivals = self.arrivals_with(&record);
        self.group_bytes += bytes;
        self.group.push(record);
    }

    /// The group's first and last arrival once it has `record` too; nothing where they lie too far apart.
    fn arrivals_with(&self, record: &UserRecord) -> Option<(Millis, Millis)> {
        let (first, last) = self
            .group_arrivals
            .unwrap_or((record.arrival, record.arrival));
        let (first, last) = (first.min(record.arrival), last.max(record.arrival));
        (last.since(first) <= self.limit.span).then_some((first, last))
    }

    fn cut(&mut self) {
        if !self.group.is_empty() {
            self.ready.push_back(std::mem::take(&mut self.group));
        }
        (self.group_bytes, self.group_arrivals) = (0, None);
    }
}
