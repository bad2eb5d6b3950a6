//! The load of a stream in on-demand mode, and the shards that it asks for. Pure.
//!
//! As AWS publishes it: such a stream begins with four shards, and holds capacity for double the highest load of the
//! last 30 days. The load is measured over a minute; what counts of each day is its highest. Shard counts are four
//! times a power of two, so that scaling only halves or joins shards.

use std::{collections::HashMap, time::Duration};

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::limits::{ON_DEMAND_SHARDS, PEAK_DAYS, WRITE_BYTES, WRITE_RECORDS};

/// How a stream's capacity is decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mode {
    /// By its owner, shard by shard.
    #[default]
    Provisioned,
    /// By its load.
    OnDemand {
        /// The highest load of each of the last days, oldest first.
        peaks: Vec<Peak>,
        /// MiB a second that it is to take whatever its load was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warm_mib: Option<u32>,
    },
}

impl Mode {
    /// Whether capacity follows load.
    pub fn is_on_demand(&self) -> bool {
        matches!(self, Self::OnDemand { .. })
    }
}

/// The highest load of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// The day, counted from the epoch, UTC.
    pub day: u64,
    /// Its load.
    pub load: Load,
}

/// Load: bytes and records that are put a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Load {
    /// Bytes of data and partition keys.
    pub bytes: u64,
    /// Records.
    pub records: u64,
}

impl Load {
    /// The most that `shards` take.
    pub fn of_shards(shards: u32) -> Self {
        let shards = f64::from(shards);
        Self {
            bytes: (shards * WRITE_BYTES) as u64,
            records: (shards * WRITE_RECORDS) as u64,
        }
    }

    /// The higher in each.
    pub fn max(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            records: self.records.max(other.records),
        }
    }

    /// How many shards take double of it.
    fn shards(self) -> u32 {
        let shards = (self.bytes as f64 / WRITE_BYTES).max(self.records as f64 / WRITE_RECORDS);
        (2.0 * shards).ceil() as u32
    }

    /// Whether it is so little over `known` that it is not worth writing down.
    fn is_about(self, known: Self) -> bool {
        let within = |new: u64, old: u64| new <= old + old / 20;
        within(self.bytes, known.bytes) && within(self.records, known.records)
    }
}

/// The totals of the on-demand streams when they were looked at last, by their numbers.
#[derive(Default)]
pub(crate) struct LastLook {
    pub at: Duration,
    pub taken: HashMap<u32, Load>,
}

/// Adds what was measured now, and forgets the days that are over.
pub(crate) fn note(peaks: &mut Vec<Peak>, load: Load, now: Millis) {
    let day = now.seconds() / 86_400;
    peaks.retain(|peak| peak.day + PEAK_DAYS > day);
    match peaks.last_mut() {
        Some(today) if today.day == day => {
            if !load.is_about(today.load) {
                today.load = today.load.max(load);
            }
        }
        _ if load == Load::default() => {}
        _ => peaks.push(Peak { day, load }),
    }
}

/// How many shards a stream needs, of which there may be `most`.
pub(crate) fn shards_for(peaks: &[Peak], warm_mib: Option<u32>, most: u32) -> u32 {
    let peak = peaks
        .iter()
        .fold(Load::default(), |peak, day| peak.max(day.load));
    let needed = peak.shards().max(warm_mib.unwrap_or(0)).min(most);
    let mut shards = ON_DEMAND_SHARDS;
    while shards < needed && shards <= most / 2 {
        shards *= 2;
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    const MIB: u64 = 1 << 20;

    fn mib(mib: u64) -> Load {
        Load {
            bytes: mib * MIB,
            records: 10,
        }
    }

    #[test]
    fn capacity_is_double_the_peak_of_thirty_days() {
        let mut peaks = Vec::new();
        let needed = |peaks: &[Peak]| shards_for(peaks, None, 10_000);
        assert_eq!(needed(&peaks), 4);
        note(&mut peaks, mib(2), Millis(0));
        assert_eq!(needed(&peaks), 4);
        note(&mut peaks, mib(3), Millis(1));
        note(&mut peaks, mib(1), Millis(2));
        assert_eq!((needed(&peaks), peaks.len()), (8, 1));
        note(&mut peaks, mib(9), Millis(DAY));
        assert_eq!(needed(&peaks), 32);
        note(&mut peaks, mib(1), Millis(30 * DAY));
        assert_eq!((needed(&peaks), peaks.len()), (32, 2));
        note(&mut peaks, Load::default(), Millis(31 * DAY));
        assert_eq!((needed(&peaks), peaks.len()), (4, 1));
        note(
            &mut peaks,
            Load {
                bytes: 1,
                records: 5000,
            },
            Millis(32 * DAY),
        );
        assert_eq!(needed(&peaks), 16);
    }

    #[test]
    fn warm_throughput_and_quota_bound_it() {
        let peaks = [Peak {
            day: 0,
            load: mib(50),
        }];
        assert_eq!(shards_for(&[], Some(5), 10_000), 8);
        assert_eq!(shards_for(&peaks, Some(5), 10_000), 128);
        assert_eq!(shards_for(&peaks, None, 100), 64);
        assert_eq!(shards_for(&peaks, None, 0), 4);
    }
}
