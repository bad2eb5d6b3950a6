//! How far the changes of a partition were sent, as its shard of the log says: `docs/format/tables.md`.

use bytes::Bytes;
use headwater_types::Millis;

use crate::codec::{Reader, Writer};

/// The version of the record's form.
const VERSION: u8 = 1;

/// How far the changes of a partition were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// When the destination was enabled that they are sent to.
    pub since: Millis,
    /// The offset of the first change that was not sent.
    pub offset: u64,
    /// The microseconds that the last one was given.
    pub micros: u64,
}

impl Progress {
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        to.u64(self.since.0);
        to.u64(self.offset);
        to.u64(self.micros);
        to.0
    }

    pub fn decode(value: Bytes) -> Option<Self> {
        let mut from = Reader(value);
        if from.u8()? != VERSION {
            return None;
        }
        let progress = Self {
            since: Millis(from.u64()?),
            offset: from.u64()?,
            micros: from.u64()?,
        };
        from.0.is_empty().then_some(progress)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn progress_comes_back(since: u64, offset: u64, micros: u64) {
            let progress = Progress { since: Millis(since), offset, micros };
            prop_assert_eq!(Progress::decode(progress.encode().into()), Some(progress));
        }

        #[test]
        fn arbitrary_bytes_are_no_progress_or_one(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(progress) = Progress::decode(bytes.clone().into()) {
                prop_assert_eq!(progress.encode(), bytes);
            }
        }
    }
}
