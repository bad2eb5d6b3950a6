//! A queue's knowledge of its records: pure, without waiting, reading or storing.
//!
//! A record before its shard's position that is not pending is acknowledged: so nothing is held of what is done, nor
//! of what is still to come.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use headwater_catalog::{Change, Expect, Version, Versioned};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    ReceiptError,
    record::{Pending, Position, Store},
};

/// Which records of a queue a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Those that wait to be processed.
    #[serde(rename = "r")]
    Records,
    /// Those that were received too often.
    #[serde(rename = "d")]
    DeadLetters,
}

/// One receive of one record; its holder may say what becomes of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The queue's id.
    #[serde(rename = "q")]
    pub queue: String,
    /// The kind of receive.
    #[serde(rename = "k")]
    pub kind: Kind,
    /// The shard.
    #[serde(rename = "s")]
    pub shard: String,
    /// The record's offset there.
    #[serde(rename = "o")]
    pub offset: u64,
    /// Its number: a later receive of the same record has a higher one.
    #[serde(rename = "r")]
    pub number: u64,
}

/// The action on a received record that its receiver wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is not delivered again.
    Acknowledge,
    /// It is in flight for so long from now on.
    Hide(Duration),
    /// A dead letter becomes a record again that was never received.
    Restore,
}

/// A record's place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub shard: Arc<str>,
    pub offset: u64,
}

/// Pending records by the time from which on they may be received again.
type ByTime = BTreeSet<(Millis, Key)>;

#[derive(Default)]
pub(crate) struct State {
    max_receives: Option<u32>,
    positions: BTreeMap<Arc<str>, Stored<Position>>,
    pending: BTreeMap<Key, Stored<Pending>>,
    /// Those that can be received again.
    again: ByTime,
    /// Those that were received as often as they may be, and become dead letters when their time is over.
    last: ByTime,
    dead: ByTime,
    /// The entries that differ from the catalog's, with the version that is there.
    changed_positions: BTreeSet<Arc<str>>,
    changed_pending: BTreeMap<Key, Option<Version>>,
}

/// How many records of each kind are received and not acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Those that may be received again now.
    pub again: usize,
    /// Those that are not back yet.
    pub in_flight: usize,
    /// Dead letters, whether or not somebody has received them.
    pub dead: usize,
}

/// A value, and the version of its row when it has one.
#[derive(Clone, Copy)]
struct Stored<T> {
    value: T,
    version: Option<Version>,
}

impl<T> From<Versioned<T>> for Stored<T> {
    fn from(found: Versioned<T>) -> Self {
        Self {
            value: found.value,
            version: Some(found.version),
        }
    }
}

impl State {
    /// The state as the catalog has it.
    pub fn load(
        max_receives: Option<u32>,
        positions: impl Iterator<Item = (Arc<str>, Versioned<Position>)>,
        pending: impl Iterator<Item = (Key, Versioned<Pending>)>,
    ) -> Self {
        let mut state = Self {
            max_receives,
            ..Self::default()
        };
        state
            .positions
            .extend(positions.map(|(shard, found)| (shard, found.into())));
        state
            .pending
            .extend(pending.map(|(key, found)| (key, found.into())));
        state.sort();
        state
    }

    /// Goes by another number of receives. A record that is a dead letter stays one.
    pub fn set_max_receives(&mut self, max_receives: Option<u32>) {
        if max_receives != self.max_receives {
            self.max_receives = max_receives;
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.again.clear();
        self.last.clear();
        self.dead.clear();
        let all: Vec<_> = self
            .pending
            .iter()
            .map(|(key, stored)| (key.clone(), stored.value))
            .collect();
        for (key, pending) in all {
            self.by_time(&pending).insert((pending.visible, key));
        }
    }

    fn by_time(&mut self, pending: &Pending) -> &mut ByTime {
        let is_last = self.max_receives.is_some_and(|max| pending.receives >= max);
        match (pending.dead, is_last) {
            (true, _) => &mut self.dead,
            (false, true) => &mut self.last,
            (false, false) => &mut self.again,
        }
    }

    /// Makes dead letters of the records that came back after their last receive.
    pub fn bury(&mut self, now: Millis) {
        while let Some((_, key)) = self
            .last
            .first()
            .filter(|(visible, _)| *visible <= now)
            .cloned()
        {
            self.edit(&key, |pending| pending.dead = true);
        }
    }

    /// At most `limit` pending records that may be received again, those that may for longest first.
    pub fn due(&self, kind: Kind, now: Millis, limit: usize) -> Vec<Key> {
        let by_time = match kind {
            Kind::Records => &self.again,
            Kind::DeadLetters => &self.dead,
        };
        let due = by_time.iter().take_while(|(visible, _)| *visible <= now);
        due.take(limit).map(|(_, key)| key.clone()).collect()
    }

    /// When the next record that is in flight comes back.
    pub fn next_visible(&self, now: Millis) -> Option<Millis> {
        let after = (
            Millis(now.0.saturating_add(1)),
            Key {
                shard: "".into(),
                offset: 0,
            },
        );
        let next = |by_time: &ByTime| by_time.range(&after..).next().map(|(visible, _)| *visible);
        [&self.again, &self.last, &self.dead]
            .into_iter()
            .filter_map(next)
            .min()
    }

    /// Takes a record into flight, until `visible`.
    pub fn receive(&mut self, key: &Key, now: Millis, visible: Millis) -> Pending {
        if !self.pending.contains_key(key) {
            let value = Pending {
                receives: 0,
                receipt: 0,
                first: now,
                visible,
                dead: false,
            };
            self.pending.insert(
                key.clone(),
                Stored {
                    value,
                    version: None,
                },
            );
        }
        self.edit(key, |pending| {
            pending.receives = pending.receives.saturating_add(1);
            pending.receipt += 1;
            pending.visible = visible;
        })
        .expect("it was just put there")
    }

    /// Does with a received record what the holder of its receipt wants.
    pub fn settle(
        &mut self,
        kind: Kind,
        receipt: &Receipt,
        action: Action,
        now: Millis,
    ) -> Result<(), ReceiptError> {
        let key = Key {
            shard: receipt.shard.as_str().into(),
            offset: receipt.offset,
        };
        let pending = self.pending.get(&key).ok_or(ReceiptError::Gone)?.value;
        if receipt.number != pending.receipt {
            return Err(ReceiptError::Superseded);
        }
        if pending.dead != (kind == Kind::DeadLetters) {
            return Err(ReceiptError::DeadLetter);
        }
        match action {
            Action::Acknowledge => self.forget(&key),
            Action::Hide(time) => drop(self.edit(&key, |pending| pending.visible = now.plus(time))),
            Action::Restore => drop(self.edit(&key, |pending| {
                let receipt = pending.receipt + 1;
                *pending = Pending {
                    receives: 0,
                    receipt,
                    visible: now,
                    dead: false,
                    ..*pending
                };
            })),
        }
        Ok(())
    }

    /// Drops a record: it is acknowledged, or gone from the stream.
    pub fn forget(&mut self, key: &Key) {
        if let Some(stored) = self.pending.remove(key) {
            self.by_time(&stored.value)
                .remove(&(stored.value.visible, key.clone()));
            self.changed_pending
                .entry(key.clone())
                .or_insert(stored.version);
        }
    }

    /// Drops at most `limit` records that their stream no longer has: `first` gives the oldest offset that a shard has.
    pub fn forget_expired(&mut self, first: impl Fn(&str) -> Option<u64>, limit: usize) {
        let gone = |key: &&Key| first(&key.shard).is_none_or(|first| key.offset < first);
        let expired: Vec<Key> = self
            .pending
            .keys()
            .filter(gone)
            .take(limit)
            .cloned()
            .collect();
        expired.iter().for_each(|key| self.forget(key));
    }

    /// How many records are received and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.pending.len()
    }

    /// How many of them there are of each kind.
    pub fn count(&self, now: Millis) -> Count {
        let is_back = |(visible, _): &&(Millis, Key)| *visible <= now;
        // One that came back after its last receive is about to become a dead letter.
        let last = self.last.iter().take_while(is_back).count();
        let again = self.again.iter().take_while(is_back).count();
        Count {
            again,
            in_flight: self.again.len() - again + self.last.len() - last,
            dead: self.dead.len() + last,
        }
    }

    /// The first of them in each shard, without dead letters and those that are about to become some.
    pub fn first_pending(&self, now: Millis) -> BTreeMap<Arc<str>, u64> {
        let is_last = |receives| self.max_receives.is_some_and(|max| receives >= max);
        let is_dead = |of: &Pending| of.dead || is_last(of.receives) && of.visible <= now;
        let mut first = BTreeMap::new();
        let pending = self.pending.iter();
        for (key, _) in pending.filter(|(_, stored)| !is_dead(&stored.value)) {
            first.entry(key.shard.clone()).or_insert(key.offset);
        }
        first
    }

    /// The next offset of each shard that was never received, where it is not the first.
    pub fn positions(&self) -> impl Iterator<Item = (Arc<str>, u64)> {
        let positions = self.positions.iter();
        positions.map(|(shard, stored)| (shard.clone(), stored.value.next))
    }

    /// Whether a record is one of them.
    pub fn is_pending(&self, key: &Key) -> bool {
        self.pending.contains_key(key)
    }

    /// The next offset of a shard that was never received.
    pub fn position(&self, shard: &str) -> u64 {
        self.positions
            .get(shard)
            .map_or(0, |stored| stored.value.next)
    }

    /// Moves a shard's position on.
    pub fn advance(&mut self, shard: &Arc<str>, next: u64) {
        if next > self.position(shard) {
            let version = self.positions.get(shard).and_then(|stored| stored.version);
            self.positions.insert(
                shard.clone(),
                Stored {
                    value: Position { next },
                    version,
                },
            );
            self.changed_positions.insert(shard.clone());
        }
    }

    fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Pending)) -> Option<Pending> {
        let Stored {
            value: mut pending,
            version,
        } = *self.pending.get(key)?;
        self.by_time(&pending)
            .remove(&(pending.visible, key.clone()));
        change(&mut pending);
        self.by_time(&pending)
            .insert((pending.visible, key.clone()));
        self.pending.insert(
            key.clone(),
            Stored {
                value: pending,
                version,
            },
        );
        self.changed_pending.entry(key.clone()).or_insert(version);
        Some(pending)
    }

    /// The changes that give the catalog the state of queue `id`. [`Self::committed`] follows their commit, or the
    /// state is loaded anew.
    pub fn changes(&self, store: &Store, id: &str) -> Vec<Change> {
        let expect = |version: Option<Version>| version.map_or(Expect::Absent, Expect::At);
        let pending = self.changed().map(|(key, version)| {
            let name = format!("{id}/{}/{:020}", key.shard, key.offset);
            match self.pending.get(key) {
                Some(stored) => store.pending.put(&name, &stored.value, expect(version)),
                None => store.pending.delete(&name, expect(version)),
            }
        });
        let positions = self.changed_positions.iter().map(|shard| {
            let stored = &self.positions[shard];
            store.positions.put(
                &format!("{id}/{shard}"),
                &stored.value,
                expect(stored.version),
            )
        });
        pending.chain(positions).collect()
    }

    /// Takes the version of the commit that made the changes.
    pub fn committed(&mut self, version: Version) {
        for key in std::mem::take(&mut self.changed_pending).into_keys() {
            if let Some(stored) = self.pending.get_mut(&key) {
                stored.version = Some(version);
            }
        }
        for shard in std::mem::take(&mut self.changed_positions) {
            let stored = self.positions.get_mut(&shard);
            stored.expect("a changed position is there").version = Some(version);
        }
    }

    /// The pending records to write or remove, but not those that came and went without a row.
    fn changed(&self) -> impl Iterator<Item = (&Key, Option<Version>)> {
        let changed = self
            .changed_pending
            .iter()
            .map(|(key, version)| (key, *version));
        changed.filter(|(key, version)| version.is_some() || self.pending.contains_key(key))
    }
}
