//! The payload of a run's records: a stamp that no other record has, then bytes that all have.
//!
//! The stamp takes 24 bytes, a multiple of three: so in base64 it is 32 characters of its own, which are replaced in
//! place from call to call, and the rest is compared without decoding it.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// Bytes of a stamp, and so of the smallest record.
pub const STAMP_BYTES: usize = 24;
/// Characters of a stamp in base64.
pub const STAMP_CHARS: usize = 32;

/// The stamp that tells one record from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The run that put it.
    pub run: u64,
    /// Its number in the run.
    pub serial: u64,
    /// When it was sent, by the run's clock, in nanoseconds.
    pub sent: u64,
}

impl Stamp {
    /// Its bytes.
    pub fn bytes(self) -> [u8; STAMP_BYTES] {
        let mut bytes = [0; STAMP_BYTES];
        bytes[..8].copy_from_slice(&self.run.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.serial.to_be_bytes());
        bytes[16..].copy_from_slice(&self.sent.to_be_bytes());
        bytes
    }

    /// Its characters in base64.
    pub fn text(self) -> [u8; STAMP_CHARS] {
        let mut text = [0; STAMP_CHARS];
        STANDARD
            .encode_slice(self.bytes(), &mut text)
            .expect("24 bytes are 32 characters");
        text
    }

    fn of(bytes: [u8; STAMP_BYTES]) -> Self {
        let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
        Self {
            run: number(0),
            serial: number(8),
            sent: number(16),
        }
    }
}

/// Spreads a number over all of its bits (the finalizer of SplitMix64, in the public domain).
pub fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// How many records, and which: two tallies are equal when they are of the same records, whatever their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of records.
    pub records: u64,
    sum: u64,
}

impl Tally {
    /// Takes in the record of that number.
    pub fn add(&mut self, serial: u64) {
        self.records += 1;
        self.sum = self.sum.wrapping_add(mix(serial));
    }

    /// Takes in all that `other` holds.
    pub fn merge(&mut self, other: Tally) {
        self.records += other.records;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// A record's payload as an answer holds it.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// Base64, in JSON.
    Text(&'a str),
    /// Bytes, in CBOR.
    Bytes(&'a [u8]),
}

impl Data<'_> {
    /// How many bytes it is, decoded.
    pub fn len(self) -> usize {
        match self {
            Data::Text(text) => {
                let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
                (text.len() / 4 * 3).saturating_sub(padding)
            }
            Data::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The verdict on a record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordCheck {
    /// One of this run, as it was put.
    Ours(Stamp),
    /// One of this run, but not as it was put.
    Damaged,
    /// Someone else's.
    Foreign,
}

/// The payloads of a run.
#[derive(Debug, Clone)]
pub struct Payload {
    run: u64,
    rest: Bytes,
    rest_text: String,
}

impl Payload {
    /// Payloads of `bytes` bytes, at least those of a stamp.
    pub fn new(run: u64, bytes: usize) -> Self {
        let len = bytes.saturating_sub(STAMP_BYTES);
        let rest: Vec<u8> = (0..len.div_ceil(8) as u64)
            .flat_map(|i| mix(i).to_le_bytes())
            .take(len)
            .collect();
        Self {
            run,
            rest_text: STANDARD.encode(&rest),
            rest: rest.into(),
        }
    }

    /// The run's number.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// Bytes of a record.
    pub fn record_bytes(&self) -> u64 {
        (STAMP_BYTES + self.rest.len()) as u64
    }

    /// The stamp that stands in templates until a real one takes its place.
    pub fn placeholder(&self) -> Stamp {
        Stamp {
            run: self.run,
            serial: u64::MAX,
            sent: mix(self.run),
        }
    }

    /// The bytes of a record.
    pub fn record(&self, stamp: Stamp) -> Bytes {
        [&stamp.bytes()[..], &self.rest].concat().into()
    }

    /// The stamp that a record of this run begins with, of its characters in base64.
    pub fn stamp(&self, text: &str) -> Option<Stamp> {
        let mut bytes = [0; STAMP_BYTES];
        let decoded = STANDARD.decode_slice(text, &mut bytes).ok()?;
        let stamp = (decoded == STAMP_BYTES).then(|| Stamp::of(bytes))?;
        (stamp.run == self.run).then_some(stamp)
    }

    /// Compares what was read with what was put.
    pub fn check(&self, data: Data<'_>) -> RecordCheck {
        let (stamp, same) = match data {
            Data::Text(text) => {
                let Some((stamp, rest)) = text.as_bytes().split_at_checked(STAMP_CHARS) else {
                    return RecordCheck::Foreign;
                };
                let mut bytes = [0; STAMP_BYTES];
                match STANDARD.decode_slice(stamp, &mut bytes) {
                    Ok(STAMP_BYTES) => (Stamp::of(bytes), rest == self.rest_text.as_bytes()),
                    _ => return RecordCheck::Foreign,
                }
            }
            Data::Bytes(bytes) => match bytes.split_first_chunk::<STAMP_BYTES>() {
                Some((stamp, rest)) => (Stamp::of(*stamp), rest == self.rest),
                None => return RecordCheck::Foreign,
            },
        };
        match (stamp.run == self.run, same) {
            (true, true) => RecordCheck::Ours(stamp),
            (true, false) => RecordCheck::Damaged,
            (false, _) => RecordCheck::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_is_known_again_in_both_codecs(run: u64, serial: u64, sent: u64, bytes in 24..200usize) {
            let payload = Payload::new(run, bytes);
            let stamp = Stamp { run, serial, sent };
            let record = payload.record(stamp);
            let text = STANDARD.encode(&record);
            prop_assert_eq!(record.len(), bytes);
            prop_assert_eq!(&text.as_bytes()[..STAMP_CHARS], &stamp.text()[..]);
            for data in [Data::Bytes(&record), Data::Text(&text)] {
                prop_assert_eq!(payload.check(data), RecordCheck::Ours(stamp));
                prop_assert_eq!(data.len(), bytes);
                prop_assert_eq!(Payload::new(!run, bytes).check(data), RecordCheck::Foreign);
            }
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let payload = Payload::new(7, 30);
            prop_assert!(!matches!(payload.check(Data::Text(&text)), RecordCheck::Ours(_)));
            prop_assert!(!matches!(payload.check(Data::Bytes(&bytes)), RecordCheck::Ours(_)));
            let _ = Data::Text(&text).len();
        }
    }

    #[test]
    fn a_changed_byte_is_damage() {
        let payload = Payload::new(7, 30);
        let mut record = payload
            .record(Stamp {
                run: 7,
                serial: 1,
                sent: 2,
            })
            .to_vec();
        record[29] ^= 1;
        assert_eq!(payload.check(Data::Bytes(&record)), RecordCheck::Damaged);
        assert_eq!(
            payload.check(Data::Text(&STANDARD.encode(&record))),
            RecordCheck::Damaged
        );
    }

    #[test]
    fn tallies_tell_a_lost_record_from_one_that_came_twice() {
        let tally = |serials: &[u64]| {
            let mut tally = Tally::default();
            serials.iter().for_each(|serial| tally.add(*serial));
            tally
        };
        let mut merged = tally(&[3]);
        merged.merge(tally(&[2, 1]));
        assert_eq!(tally(&[1, 2, 3]), merged);
        assert_ne!(tally(&[1, 2, 2]), tally(&[1, 2, 3]));
    }
}
