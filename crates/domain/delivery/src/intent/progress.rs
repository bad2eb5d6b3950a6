//! How far a delivery stream is.

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use super::plan::Intent;

/// How far a delivery stream is. One value, so that a checkpoint moves and an intent goes in one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The checkpoint: by shard, the first offset that is not delivered. A shard that is not in it starts at its
    /// oldest record.
    pub positions: BTreeMap<String, u64>,
    /// When the newest delivered record arrived.
    pub delivered_until: Millis,
    /// The batch that is being delivered.
    pub intent: Option<Intent>,
    /// The sums of all deliveries so far.
    pub totals: Totals,
}

/// The work of a delivery stream in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Records of the source, before they were taken apart.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Batches.
    pub batches: u64,
}

impl Progress {
    /// The progress after `intent` was delivered; shards that `is_listed` denies are forgotten.
    pub fn completed(mut self, is_listed: impl Fn(&str) -> bool) -> Self {
        if let Some(intent) = self.intent.take() {
            self.totals.records += intent.records;
            self.totals.bytes += intent.bytes;
            self.totals.batches += 1;
            self.delivered_until = self.delivered_until.max(intent.newest);
            self.positions.extend(
                intent
                    .ranges
                    .into_iter()
                    .map(|range| (range.shard, range.to)),
            );
        }
        self.positions.retain(|shard, _| is_listed(shard));
        self
    }
}
