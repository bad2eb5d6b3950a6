//! One batch and where it goes.

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{config::Destination, records::ErrorKind};

/// One batch and where it goes: decided before the first byte is written, executed again until it succeeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The configuration that it was made under.
    pub version: u64,
    /// When it was made.
    pub made: Millis,
    /// The records: parents before their children.
    pub ranges: Vec<Range>,
    /// Their number, as read when the batch was closed.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the newest of them arrived.
    pub newest: Millis,
    /// When the oldest of them arrived; only intents of an earlier release have none.
    #[serde(default)]
    pub oldest: Millis,
    /// Tells it from all others: what the names of partitions are made of, and the ids of chunks.
    #[serde(default)]
    pub id: String,
    /// The version of the table whose columns its files have.
    #[serde(default)]
    pub table_version: Option<u64>,
    /// The bucket.
    pub bucket: String,
    /// The key of the object for what is delivered, where that is one.
    pub data_key: Option<String>,
    /// The key of the object for what fails at its processing.
    pub error_key: String,
    /// The keys of the objects for what else may fail.
    #[serde(default)]
    pub more_error_keys: BTreeMap<ErrorKind, String>,
    /// The key of the object for the records as they came, where they are kept.
    #[serde(default)]
    pub backup_key: Option<String>,
    /// The keys of the objects of partitions that may have been written.
    #[serde(default)]
    pub partitions: Vec<String>,
    /// Where it goes and how, under that configuration; only intents of an earlier release have none.
    #[serde(default)]
    pub destination: Option<Destination>,
}

/// Records of one shard, from `from` up to but without `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The shard's id.
    pub shard: String,
    /// The first offset.
    pub from: u64,
    /// One past the last.
    pub to: u64,
}

impl Range {
    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.to - self.from
    }
}

impl Intent {
    /// The keys of the objects for what fails, by what it fails at.
    pub fn error_keys(&self) -> impl Iterator<Item = (ErrorKind, &str)> {
        let processing = (ErrorKind::Processing, &*self.error_key);
        let more = self
            .more_error_keys
            .iter()
            .map(|(kind, key)| (*kind, &**key));
        std::iter::once(processing).chain(more)
    }
}
