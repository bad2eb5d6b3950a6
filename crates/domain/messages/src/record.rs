//! A queue as the catalog has it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headwater_log::{Retention, ShardNumber};
use headwater_types::{Millis, kept::ShardSpace};
use serde::{Deserialize, Serialize};

/// Tags, by their keys.
pub type Tags = BTreeMap<String, String>;

/// A queue: what its owner set, and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRecord {
    /// Its name.
    pub name: String,
    /// Its number, which no other queue ever had.
    pub number: u64,
    /// A random number, by which its receipts are told from those of other installations.
    pub tag: u64,
    /// When it was made.
    pub created: Millis,
    /// When its settings were changed last.
    pub modified: Millis,
    /// How it delivers.
    pub settings: Settings,
    /// Who may use it beside its owner, as the owner wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// How a queue delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds that a received message is in flight.
    pub visibility_s: u32,
    /// Seconds that a message is kept.
    pub retention_s: u32,
    /// Seconds after which a sent message can be received.
    pub delay_s: u32,
    /// Seconds that a receive waits for a message.
    pub wait_s: u32,
    /// Bytes of a message.
    pub max_bytes: u32,
    /// The settings of a queue with order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fifo: Option<Fifo>,
    /// Where messages go that are received too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<Redrive>,
    /// Which queues may have this one for their dead letters; none said means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive_allow: Option<RedriveAllow>,
    /// Whether messages are encrypted on the disk, under the installation's key.
    pub encrypted: bool,
    /// The key that the owner named for it, and seconds that a key of data is used; the installation's key is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// See [`Self::key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_reuse_s: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility_s: 30,
            retention_s: 345_600,
            delay_s: 0,
            wait_s: 0,
            max_bytes: crate::limits::MESSAGE_BYTES,
            fifo: None,
            redrive: None,
            redrive_allow: None,
            encrypted: true,
            key: None,
            key_reuse_s: None,
        }
    }
}

/// The settings of a queue with order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fifo {
    /// Whether a message without an id has that of its text.
    pub by_content: bool,
    /// Whether ids are told apart by groups.
    pub dedup_by_group: bool,
    /// Whether the owner wants the throughput of groups, which is never limited here.
    pub limit_by_group: bool,
}

/// Where messages go that are received too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// The queue, by its name.
    pub target: String,
    /// How often a message is received in this queue before it goes there.
    pub max_receives: u32,
}

/// Which queues may have a queue for their dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RedriveAllow {
    /// All; it was said.
    All,
    /// None.
    None,
    /// Those of these names.
    Only(Vec<String>),
}

impl QueueRecord {
    /// The shard of its messages.
    pub(crate) fn messages(&self) -> ShardNumber {
        ShardNumber::new(ShardSpace::Messages, 2 * self.number)
    }

    /// The shard of the changes of their state.
    pub(crate) fn changes(&self) -> ShardNumber {
        ShardNumber::new(ShardSpace::Messages, 2 * self.number + 1)
    }

    /// Whether another queue may have this one for its dead letters.
    pub fn takes_letters_of(&self, source: &str) -> bool {
        match &self.settings.redrive_allow {
            None | Some(RedriveAllow::All) => true,
            Some(RedriveAllow::None) => false,
            Some(RedriveAllow::Only(names)) => names.iter().any(|name| name == source),
        }
    }
}

impl Settings {
    /// How long the log keeps messages.
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            period: Duration::from_secs(self.retention_s.into()),
            floor: Millis::ZERO,
        }
    }

    pub(crate) fn visibility(&self) -> Duration {
        Duration::from_secs(self.visibility_s.into())
    }
}

/// How long the log keeps changes: from `floor` on, for ever.
pub(crate) fn kept_from(floor: Millis) -> Retention {
    const THOUSAND_YEARS: u64 = 365_000 * 24 * 3600;
    Retention {
        period: Duration::from_secs(THOUSAND_YEARS),
        floor,
    }
}
