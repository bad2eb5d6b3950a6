//! The messages of a queue that were looked at and are not gone: which of them can be received, and in which order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use headwater_types::Millis;

use crate::changes::{Change, Flight};

/// How many messages a queue has, by what may be done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Those that can be received, or can when others of their group are gone.
    pub visible: u64,
    /// Those in flight.
    pub in_flight: u64,
    /// Those that are delayed.
    pub delayed: u64,
}

/// A message that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its receives; those of one that was never received say only when it can be.
    pub flight: Flight,
    /// The group within which it is in order.
    pub group: Option<Arc<str>>,
}

/// The messages of a group.
#[derive(Default)]
struct Group {
    members: BTreeSet<u64>,
    /// The first of them, where it can be received.
    ready: Option<(Millis, u64)>,
}

/// The messages.
#[derive(Default)]
pub(crate) struct State {
    /// The first message that nobody looked at.
    pub next: u64,
    entries: BTreeMap<u64, Entry>,
    /// Those that can be received later, by when.
    hidden: BTreeSet<(Millis, u64)>,
    /// Those that could be received by now, by since when.
    ready: BTreeSet<(Millis, u64)>,
    groups: HashMap<Arc<str>, Group>,
    /// The groups' first messages, where they can be received.
    ready_groups: BTreeSet<(Millis, u64)>,
    /// Those of the hidden that were received.
    in_flight: usize,
    /// The messages before this one were purged, and when.
    pub purged: u64,
    /// See [`Self::purged`].
    pub purged_at: Millis,
}

impl State {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many are delayed.
    pub fn delayed(&self) -> usize {
        self.hidden.len() - self.in_flight
    }

    /// How many could be received.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// A message.
    pub fn get(&self, offset: u64) -> Option<&Entry> {
        self.entries.get(&offset)
    }

    /// When the next of the hidden messages can be received.
    pub fn next_visible(&self) -> Option<Millis> {
        self.hidden.first().map(|(visible, _)| *visible)
    }

    /// Whether a message is hidden, by when it is visible.
    fn is_hidden(&self, visible: Millis, offset: u64) -> bool {
        self.hidden.contains(&(visible, offset))
    }

    /// The group of this name, as it is named already.
    pub fn group(&self, name: &str) -> Arc<str> {
        let known = self.groups.get_key_value(name);
        known.map_or_else(|| name.into(), |(name, _)| name.clone())
    }

    /// Adds a message.
    pub fn insert(&mut self, offset: u64, entry: Entry, now: Millis) {
        self.remove(offset);
        let key = (entry.flight.visible, offset);
        if entry.flight.visible > now {
            self.hidden.insert(key);
            self.in_flight += usize::from(entry.flight.receives > 0);
        } else {
            self.ready.insert(key);
        }
        let group = entry.group.clone();
        self.entries.insert(offset, entry);
        if let Some(group) = group {
            let members = &mut self.groups.entry(group.clone()).or_default().members;
            members.insert(offset);
            self.refresh(&group);
        }
    }

    /// Removes a message.
    pub fn remove(&mut self, offset: u64) -> Option<Entry> {
        let entry = self.entries.remove(&offset)?;
        let key = (entry.flight.visible, offset);
        if self.hidden.remove(&key) {
            self.in_flight -= usize::from(entry.flight.receives > 0);
        }
        self.ready.remove(&key);
        if let Some(name) = &entry.group {
            if let Some(group) = self.groups.get_mut(name) {
                group.members.remove(&offset);
            }
            self.refresh(name);
        }
        Some(entry)
    }

    /// Gives a message other receives.
    pub fn set(&mut self, offset: u64, flight: Flight, now: Millis) {
        if let Some(entry) = self.entries.get(&offset) {
            let group = entry.group.clone();
            self.insert(offset, Entry { flight, group }, now);
        }
    }

    /// Makes those ready whose time has come.
    pub fn settle(&mut self, now: Millis) {
        while let Some(&(visible, offset)) = self.hidden.first()
            && visible <= now
        {
            self.hidden.pop_first();
            self.ready.insert((visible, offset));
            let entry = &self.entries[&offset];
            self.in_flight -= usize::from(entry.flight.receives > 0);
            if let Some(group) = entry.group.clone() {
                self.refresh(&group);
            }
        }
    }

    /// Removes the messages before `first`; whether that was anything new.
    pub fn drop_before(&mut self, first: u64) -> bool {
        let had = self.next < first;
        self.next = self.next.max(first);
        let mut dropped = had;
        while let Some((&offset, _)) = self.entries.first_key_value()
            && offset < first
        {
            self.remove(offset);
            dropped = true;
        }
        dropped
    }

    /// At most `limit` messages that can be received now, in the order in which they should: groups one after the other,
    /// each from its first message on as far as there is none that is hidden.
    pub fn candidates(&self, limit: usize) -> Vec<u64> {
        if self.groups.is_empty() {
            let ready = self.ready.iter().take(limit);
            return ready.map(|(_, offset)| *offset).collect();
        }
        let mut found = Vec::new();
        for (_, head) in &self.ready_groups {
            let name = self.entries[head].group.as_ref();
            let group = name.and_then(|name| self.groups.get(name));
            let members = group.into_iter().flat_map(|group| &group.members);
            for offset in members {
                let hidden = self.is_hidden(self.entries[offset].flight.visible, *offset);
                if hidden || found.len() == limit {
                    break;
                }
                found.push(*offset);
            }
            if found.len() == limit {
                break;
            }
        }
        found
    }

    /// The changes that make this state from nothing.
    pub fn snapshot(&self) -> Vec<Change> {
        let begin = Change::Begin(self.next, self.purged, self.purged_at);
        let entries = self.entries.iter();
        let known = entries.map(|(offset, entry)| match entry.flight.receives {
            0 => Change::Known(*offset),
            _ => Change::Flight(*offset, entry.flight),
        });
        std::iter::once(begin).chain(known).collect()
    }

    /// Looks whether the first message of a group can be received.
    fn refresh(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let head = group.members.first();
        let ready = head.and_then(|head| {
            let key = (self.entries[head].flight.visible, *head);
            self.ready.contains(&key).then_some(key)
        });
        let (before, is_empty) = (group.ready, head.is_none());
        if before != ready {
            if let Some(before) = before {
                self.ready_groups.remove(&before);
            }
            self.ready_groups.extend(ready);
        }
        if is_empty {
            self.groups.remove(name);
        } else if let Some(group) = self.groups.get_mut(name) {
            group.ready = ready;
        }
    }
}
