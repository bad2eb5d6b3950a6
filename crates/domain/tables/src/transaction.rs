//! A transaction as it stands in its log: `docs/format/tables.md`.

use std::borrow::Cow;

use headwater_log::Record;

use crate::{
    Error,
    codec::{Reader, Writer},
    partition::Partition,
};

/// The version of the record's form.
const VERSION: u8 = 1;

/// A transaction that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transacted<'a> {
    /// The caller's token, and the digest of the request.
    pub token: Option<(String, [u8; 32])>,
    /// The partitions that it changed.
    pub participants: Vec<Participant<'a>>,
}

/// What a transaction changed in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Participant<'a> {
    pub table: u64,
    pub partition: u16,
    /// Where the changes stand in the partition's log. Nobody else writes there meanwhile: if the log ends before, they are
    /// missing.
    pub at: u64,
    /// The keys and values of the changes' records.
    pub records: Cow<'a, [(Vec<u8>, Vec<u8>)]>,
}

impl Participant<'_> {
    /// Whether a partition, as far as it is known, does not have the changes.
    pub fn is_missing(&self, partition: &Partition) -> bool {
        partition.meta.position <= self.at
    }
}

impl Transacted<'_> {
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        to.u8(u8::from(self.token.is_some()));
        if let Some((token, digest)) = &self.token {
            to.bytes(token.as_bytes());
            to.bytes(digest);
        }
        to.u32(self.participants.len());
        for participant in &self.participants {
            to.u64(participant.table);
            to.u16(participant.partition);
            to.u64(participant.at);
            to.u32(participant.records.len());
            for (key, value) in &*participant.records {
                to.bytes(key);
                to.bytes(value);
            }
        }
        to.0
    }

    /// The transaction of a record.
    pub fn of_record(record: &Record) -> Result<Self, Error> {
        let damaged = || Error::damaged("", "a transaction is not one");
        Self::decode(&mut Reader(record.value.clone())).ok_or_else(damaged)
    }

    fn decode(from: &mut Reader) -> Option<Self> {
        if from.u8()? != VERSION {
            return None;
        }
        let token = match from.u8()? {
            0 => None,
            _ => {
                let token = String::from_utf8(from.bytes()?.into()).ok()?;
                Some((token, from.bytes()?.as_ref().try_into().ok()?))
            }
        };
        let mut participants = Vec::new();
        for _ in 0..from.u32()? {
            participants.push(Participant::decode(from)?);
        }
        from.0.is_empty().then_some(Self {
            token,
            participants,
        })
    }
}

impl Participant<'_> {
    fn decode(from: &mut Reader) -> Option<Self> {
        let (table, partition, at) = (from.u64()?, from.u16()?, from.u64()?);
        let mut records = Vec::new();
        for _ in 0..from.u32()? {
            records.push((from.bytes()?.to_vec(), from.bytes()?.to_vec()));
        }
        Some(Self {
            table,
            partition,
            at,
            records: records.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_transaction_comes_back() {
        let transacted = Transacted {
            token: Some(("t".into(), [7; 32])),
            participants: vec![Participant {
                table: 1,
                partition: 3,
                at: 9,
                records: vec![(b"k".to_vec(), b"v".to_vec())].into(),
            }],
        };
        let bytes = transacted.encode();
        assert_eq!(
            Transacted::decode(&mut Reader(bytes.into())),
            Some(transacted)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_transaction_or_one(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            Transacted::decode(&mut Reader(bytes.into()));
        }
    }
}
