//! A delivery stream as the catalog keeps it: its name, its source, its destination.

use std::collections::BTreeMap;

use headwater_types::{Arn, Millis};
use serde::{Deserialize, Serialize};

use super::{arn_text, destination::Destination};

/// A delivery stream as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// Its name.
    pub name: String,
    /// Its ARN.
    #[serde(with = "arn_text")]
    pub arn: Arn,
    /// An id that no stream made later under the same name has; its progress is kept under it.
    pub id: String,
    /// When it was made.
    pub created: Millis,
    /// Counts its configurations, from 1.
    pub version: u64,
    /// Where its records come from.
    pub origin: Origin,
    /// Where they go.
    pub destination: Destination,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether what is put into it waits encrypted.
    #[serde(default)]
    pub encryption: Option<Encryption>,
    /// When that was changed of late.
    #[serde(default)]
    pub encryption_changes: Vec<Millis>,
}

/// The key that a delivery stream's records are encrypted under, as the caller knows it. It is kept and told, and plays
/// no part in the encryption, which goes by the installation's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The key's ARN; none where it is the service's own.
    pub key: Option<String>,
}

/// Where a delivery stream's records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// They are put into it; they wait in a log shard of its own.
    Direct {
        /// The shard's number in the log.
        shard: u64,
    },
    /// It reads a stream.
    Stream {
        /// The stream.
        #[serde(with = "arn_text")]
        arn: Arn,
        /// The role that it would read with.
        role: String,
        /// The [`identity`](crate::Source::identity) that the stream had.
        identity: String,
    },
}

impl Origin {
    /// The stream that is read, if one is.
    pub fn stream(&self) -> Option<&Arn> {
        match self {
            Self::Direct { .. } => None,
            Self::Stream { arn, .. } => Some(arn),
        }
    }
}

/// The origin of a stream to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum NewOrigin {
    /// Records will be put into it.
    Direct,
    /// It will read a stream from its present end on.
    Stream {
        /// The stream.
        arn: Arn,
        /// The role that it would read with.
        role: String,
    },
}
