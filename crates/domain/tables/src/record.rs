//! A table as the catalog has it.

use std::{collections::BTreeMap, sync::Arc};

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::Destination;

/// Tags, by their keys.
pub type Tags = BTreeMap<String, String>;

/// A table: what its owner set, and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRecord {
    /// Its name.
    pub name: String,
    /// Its number, which no other table ever had.
    pub number: u64,
    /// Its id, a UUID.
    pub id: String,
    /// When it was made.
    pub created: Millis,
    /// Where it is in its life.
    pub state: TableState,
    /// In how many partitions it is cut: for good.
    pub partitions: u16,
    /// The kinds of the attributes that keys are made of, by their names.
    pub attributes: BTreeMap<String, KeyKind>,
    /// Its key.
    pub key: KeySchema,
    /// Its local indexes, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub local: BTreeMap<String, LocalIndex>,
    /// Its global indexes, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub global: BTreeMap<String, GlobalIndex>,
    /// The number of the next index.
    pub next_index: u32,
    /// How it is paid for.
    pub billing: Billing,
    /// When it was last changed to be paid by the request, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand_since: Option<Millis>,
    /// What its changes are shown as, newest first; all but the first are disabled, and it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<Stream>,
    /// Which attribute says when an item expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_live: Option<TimeToLive>,
    /// Whether it cannot be deleted.
    #[serde(default)]
    pub protected: bool,
    /// `STANDARD_INFREQUENT_ACCESS` where that was asked for; kept and told.
    #[serde(default)]
    pub infrequent_access: bool,
    /// Days that backups go back, where point-in-time recovery is on; kept and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_days: Option<u32>,
    /// The policy, as its owner wrote it, and its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<(Arc<str>, String)>,
    /// The streams of records that its changes go to or went to, newest first; to one at the most they go now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Where a table is in its life. What takes no time here shows for as long as AWS's clients expect to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableState {
    /// It is being made until this time.
    Creating(Millis),
    /// It can be used.
    Active,
    /// It is being changed until this time, and can be used.
    Updating(Millis),
    /// It is being deleted.
    Deleting,
}

/// The kind of an attribute of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// `S`.
    String,
    /// `N`.
    Number,
    /// `B`.
    Binary,
}

/// The attributes of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySchema {
    /// Says the partition.
    pub partition: String,
    /// Sorts within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// Which attributes an index has beside the keys of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projected {
    /// All.
    All,
    /// None.
    Keys,
    /// These.
    Include(Vec<String>),
}

/// An index under the table's partition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalIndex {
    /// Its number within the table.
    pub number: u32,
    /// The attributes of its key.
    pub key: KeySchema,
    /// What it has.
    pub projected: Projected,
}

/// An index under a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalIndex {
    /// Its number within the table.
    pub number: u32,
    /// The attributes of its key.
    pub key: KeySchema,
    /// What it has.
    pub projected: Projected,
    /// Where it is in its life.
    pub state: IndexState,
    /// How it is paid for, as its table is.
    pub billing: Billing,
}

/// Where an index is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexState {
    /// Items are written to it, and those from before are being added.
    Creating,
    /// It can be read.
    Active,
    /// Its entries are being removed.
    Deleting,
}

/// How a table or an index is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Billing {
    /// So much a second.
    Provisioned(Throughput),
    /// By the request, at most so much a second where that is said.
    OnDemand {
        /// Units of reading.
        read_max: Option<u64>,
        /// Units of writing.
        write_max: Option<u64>,
    },
}

/// Units a second, and when they were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throughput {
    /// Units of reading.
    pub read: u64,
    /// Units of writing.
    pub write: u64,
    /// When either was raised last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Millis>,
    /// When either was lowered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<Millis>,
    /// How often either was lowered on the day of `lowered`.
    #[serde(default)]
    pub lowered_that_day: u32,
}

/// The changes of a table, as they are shown to readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// When it was enabled, which is its label.
    pub label: Millis,
    /// What it shows of an item.
    pub view: ViewType,
    /// When it was disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Millis>,
    /// Of each partition, where its shards begin, oldest first. None at all while it is being enabled.
    pub begins: Vec<Vec<Begin>>,
    /// Of each partition, the offset at which its last shard ends. None at all until it is disabled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<u64>,
}

/// The place where a shard of a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// The offset of its first change in the change log of its partition.
    pub offset: u64,
    /// When it began.
    pub time: Millis,
}

/// What a stream shows of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewType {
    /// Its key.
    Keys,
    /// As it is.
    New,
    /// As it was.
    Old,
    /// Both.
    Both,
}

/// Which attribute says when an item expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeToLive {
    /// Its name.
    pub attribute: String,
    /// Whether items expire.
    pub enabled: bool,
    /// When it was changed last.
    pub changed: Millis,
}

/// What a new table is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// Its name.
    pub name: String,
    /// The kinds of the attributes that keys are made of.
    pub attributes: BTreeMap<String, KeyKind>,
    /// Its key.
    pub key: KeySchema,
    /// Its local indexes: name, key, what they have.
    pub local: Vec<(String, KeySchema, Projected)>,
    /// Its global indexes: name, key, what they have, how they are paid for.
    pub global: Vec<(String, KeySchema, Projected, Billing)>,
    /// How it is paid for.
    pub billing: Billing,
    /// What its changes are shown as.
    pub stream: Option<ViewType>,
    /// Whether it cannot be deleted.
    pub protected: bool,
    /// See [`TableRecord::infrequent_access`].
    pub infrequent_access: bool,
    /// Its policy.
    pub policy: Option<Arc<str>>,
    /// Its tags.
    pub tags: Tags,
}
