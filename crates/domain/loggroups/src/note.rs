//! How far the events of a group were counted, as the log keeps it: the last record of a shard of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The version of the encoding: one byte of it, and JSON.
const VERSION: u8 = 1;

/// How far the events of a group were counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The first offset that was not counted.
    pub next: u64,
    /// The minute since the epoch in which the last counted event arrived, while filters may yet be told that none of its
    /// events matched.
    pub minute: Option<u64>,
    /// The filters that matched an event of that minute.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub matched: BTreeSet<String>,
}

impl Progress {
    /// The value of its record.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut value = vec![VERSION];
        serde_json::to_writer(&mut value, self)?;
        Ok(value)
    }

    /// What such a value says; none of one of a later version.
    pub fn decode(value: &[u8]) -> Option<Self> {
        let (version, json) = value.split_first()?;
        serde_json::from_slice(json)
            .ok()
            .filter(|_| *version == VERSION)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn progress_reads_back(next: u64, minute: Option<u64>, matched in prop::collection::btree_set(".{0,9}", 0..4)) {
            let progress = Progress { next, minute, matched };
            prop_assert_eq!(Progress::decode(&progress.encode().unwrap()), Some(progress));
        }

        #[test]
        fn any_bytes_are_progress_or_none(bytes: Vec<u8>) {
            drop(Progress::decode(&bytes));
        }
    }
}
