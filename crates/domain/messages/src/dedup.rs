//! The ids of messages that were sent in the last five minutes, so that another with the same id is not sent again.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write,
};

use headwater_types::Millis;
use sha2::{Digest, Sha256};

use crate::{limits, record::Fifo};

/// An id within its scope, shortened.
pub(crate) type Key = [u8; 16];

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// When.
    pub time: Millis,
    /// Its id, which is a UUID.
    pub id: u128,
    /// Its place; in this turn's messages where it has none yet.
    pub place: Place,
}

/// The place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the log.
    At(u64),
    /// Among the messages that are about to be written.
    Among(usize),
}

/// The ids.
#[derive(Default)]
pub(crate) struct Dedup {
    known: HashMap<Key, Known>,
    by_time: VecDeque<(Millis, Key)>,
}

impl Dedup {
    /// Forgets the ids that are too old.
    pub fn settle(&mut self, now: Millis) {
        let oldest = now.minus(limits::DEDUPLICATION);
        while let Some((time, key)) = self.by_time.front().copied()
            && time <= oldest
        {
            self.by_time.pop_front();
            if self.known.get(&key).is_some_and(|known| known.time == time) {
                self.known.remove(&key);
            }
        }
    }

    /// The message that has this id.
    pub fn get(&self, key: &Key) -> Option<Known> {
        self.known.get(key).copied()
    }

    /// Whether there is no room for one more.
    pub fn is_full(&self) -> bool {
        self.by_time.len() >= limits::DEDUPLICATION_IDS
    }

    /// Adds a message.
    pub fn insert(&mut self, key: Key, known: Known) {
        self.by_time.push_back((known.time, key));
        self.known.insert(key, known);
    }

    /// Says where a message is now.
    pub fn place(&mut self, key: &Key, offset: u64) {
        if let Some(known) = self.known.get_mut(key) {
            known.place = Place::At(offset);
        }
    }

    /// Forgets all: the queue was purged.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The key of an id: of the group's, where ids are told apart by groups.
pub(crate) fn key(fifo: Fifo, group: Option<&str>, dedup: &str) -> Key {
    let mut digest = Sha256::new();
    if fifo.dedup_by_group {
        digest.update(group.unwrap_or_default());
    }
    digest.update([0]);
    digest.update(dedup);
    let mut key = Key::default();
    key.copy_from_slice(&digest.finalize()[..16]);
    key
}

/// The id that a text has by its content.
pub(crate) fn of_content(body: &str) -> String {
    let digest = Sha256::digest(body);
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

/// A UUID as a number.
pub(crate) fn pack(uuid: &str) -> u128 {
    let digits = uuid.chars().filter_map(|c| c.to_digit(16));
    digits.fold(0, |number, digit| number << 4 | u128::from(digit))
}

/// The UUID of a number.
pub(crate) fn unpack(number: u128) -> String {
    let text = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| text[part].to_owned()).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_forgotten_after_their_time() {
        let mut dedup = Dedup::default();
        let key = key(Fifo::default(), Some("g"), "a");
        let known = |time| Known {
            time: Millis(time),
            id: 1,
            place: Place::At(0),
        };
        dedup.insert(key, known(1000));
        dedup.settle(Millis(300_999));
        assert!(dedup.get(&key).is_some());
        dedup.settle(Millis(301_000));
        assert!(dedup.get(&key).is_none());
    }

    #[test]
    fn groups_tell_ids_apart_only_where_they_shall() {
        let by_group = Fifo {
            dedup_by_group: true,
            ..Fifo::default()
        };
        let of = |fifo, group| key(fifo, Some(group), "a");
        assert_eq!(of(Fifo::default(), "g"), of(Fifo::default(), "h"));
        assert_ne!(of(by_group, "g"), of(by_group, "h"));
    }

    #[test]
    fn a_uuid_fits_a_number() {
        let uuid = "0123f567-e89b-42d3-a456-426614174000";
        assert_eq!(unpack(pack(uuid)), uuid);
    }
}
