//! A stream as the catalog keeps it, with its shards and consumers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use headwater_log::{Retention, ShardNumber};
use headwater_types::{HashKey, HashRange, Millis, ShardIndex, StreamName, kept::ShardSpace};
use serde::{Deserialize, Serialize};

use crate::{Error, Mode};

/// A stream's tags.
pub type Tags = BTreeMap<String, String>;

/// A stream as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// Its name, unique among the streams there are.
    pub name: StreamName,
    /// Its number, unique among all streams there ever were; below 2^24.
    pub number: u32,
    /// When it was made.
    pub created: Millis,
    /// Its shards in order of their index, closed ones included.
    pub shards: Vec<ShardRecord>,
    /// How long its records may be read.
    pub retention_hours: u32,
    /// Records before this time are gone, however long the retention becomes.
    pub trimmed: Millis,
    /// Bytes of data and partition key in one record.
    pub max_record_bytes: u32,
    /// Its tags.
    pub tags: Tags,
    /// The intent of a resharding that is under way: its steps, not taken yet. Stands here from before the first
    /// parent is sealed in the log until the children are here, so that a crash between the two is made good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resharding: Vec<Step>,
    /// The consumers that read it with throughput of their own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consumers: BTreeMap<String, ConsumerRecord>,
    /// The shard-level metrics that are published.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub metrics: BTreeSet<ShardMetric>,
    /// How its capacity is decided.
    #[serde(default)]
    pub mode: Mode,
    /// When that was changed, of late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mode_changes: Vec<Millis>,
    /// When its shard count was changed as a whole, of late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scalings: Vec<Millis>,
    /// How its records find their shards.
    #[serde(default)]
    pub distribution: Distribution,
    /// The name of the key that new records are encrypted under, as its user gave it; none when they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    /// When encryption was started, of late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encryption_starts: Vec<Millis>,
    /// When it was stopped, of late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encryption_stops: Vec<Millis>,
    /// The policy of its use, as its owner wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
}

/// A consumer of a stream as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerRecord {
    /// When it was registered, in whole seconds: a part of its ARN.
    pub created: Millis,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// The policy of its use, as its owner wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
}

/// A shard of a stream as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// Its place in the stream, never used again.
    pub index: ShardIndex,
    /// The hash keys that it takes, or took while it was open.
    pub range: HashRange,
    /// When it was made.
    pub created: Millis,
    /// The shard that it was split from, or the first of the two it was merged from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ShardIndex>,
    /// The second of the two that it was merged from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjacent_parent: Option<ShardIndex>,
    /// When it was closed; an open shard takes records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Millis>,
}

/// How the records of a stream find their shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Distribution {
    /// By their partition keys.
    #[default]
    PartitionKey,
    /// To each open shard in its turn, whatever their keys. Only where the stream's shards follow its load.
    Auto,
}

/// A shard-level metric that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "CloudWatch's names; `ShardMetrics` says what each counts"
)]
pub enum ShardMetric {
    IncomingBytes,
    IncomingRecords,
    OutgoingBytes,
    OutgoingRecords,
    WriteProvisionedThroughputExceeded,
    ReadProvisionedThroughputExceeded,
    IteratorAgeMilliseconds,
}

impl ShardMetric {
    /// All there are, in AWS's order.
    pub const ALL: [Self; 7] = [
        Self::IncomingBytes,
        Self::IncomingRecords,
        Self::OutgoingBytes,
        Self::OutgoingRecords,
        Self::WriteProvisionedThroughputExceeded,
        Self::ReadProvisionedThroughputExceeded,
        Self::IteratorAgeMilliseconds,
    ];
}

/// One step of a resharding: it closes one or two shards and opens their children, numbered on from the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// One shard becomes two.
    Split {
        /// The shard.
        shard: ShardIndex,
        /// The first key of the second child.
        at: HashKey,
    },
    /// Two shards become one.
    Merge {
        /// The shard with the lower keys.
        shard: ShardIndex,
        /// The one whose keys follow.
        adjacent: ShardIndex,
    },
}

impl Step {
    /// The shards that it closes: one, or two that follow each other.
    pub(crate) fn parents(&self) -> (ShardIndex, Option<ShardIndex>) {
        match *self {
            Self::Split { shard, .. } => (shard, None),
            Self::Merge { shard, adjacent } => (shard, Some(adjacent)),
        }
    }
}

/// How long after a shard's closing its children begin, as recorded on AWS. Their sequence numbers begin with that
/// time, so those of a key grow across a resharding.
pub(crate) const HANDOVER: Duration = Duration::from_secs(1);

impl ShardRecord {
    /// Whether it is open at some time from `time` on. A closed shard counts until its children begin.
    pub fn is_open_from(&self, time: Millis) -> bool {
        self.closed
            .is_none_or(|closed| closed.plus(HANDOVER) > time)
    }

    /// Whether it is open at `time`.
    pub fn is_open_at(&self, time: Millis) -> bool {
        self.created <= time && self.is_open_from(time)
    }
}

impl StreamRecord {
    /// The log's number of one of its shards: the stream's number (24 bits), the shard's index (32).
    pub fn shard_number(&self, index: ShardIndex) -> ShardNumber {
        let number = u64::from(self.number) << 32 | u64::from(index.0);
        ShardNumber::new(ShardSpace::Streams, number)
    }

    /// How long its records may be read.
    pub fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_hours) * 3600)
    }

    /// The same in the log's words.
    pub fn log_retention(&self) -> Retention {
        Retention {
            period: self.retention(),
            floor: self.trimmed,
        }
    }

    /// Whether its distribution goes with its mode.
    pub(crate) fn check_distribution(&self) -> Result<(), Error> {
        if self.distribution == Distribution::Auto && !self.mode.is_on_demand() {
            return Err(Error::AutoNeedsOnDemand(self.name.clone()));
        }
        Ok(())
    }

    /// The oldest time that may still be read.
    pub fn horizon(&self, now: Millis) -> Millis {
        now.minus(self.retention())
            .max(self.trimmed)
            .max(self.created)
    }
}

/// The number of the stream that a shard of the log belongs to, when it belongs to a stream.
pub(crate) fn stream_of(shard: ShardNumber) -> Option<u32> {
    shard
        .within(ShardSpace::Streams)
        .map(|number| (number >> 32) as u32)
}

/// The record that all streams of one installation share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Installation {
    /// The next stream's number.
    pub next_number: u32,
    /// The secret that tokens are authenticated with: 32 bytes.
    pub token_key: [u8; 32],
}
