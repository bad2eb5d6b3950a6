//! The state that changes make, as it is read at the start.

use std::collections::BTreeMap;

use headwater_types::Millis;

use crate::changes::{Change, Flight};

/// What is known of a queue's messages without a look at them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Folded {
    /// The first message that nobody looked at.
    pub next: u64,
    /// The messages before it that are not gone, with what is known of those that were received.
    pub known: BTreeMap<u64, Option<Flight>>,
    /// The messages before this one were purged, and when; 0 where nothing was.
    pub purged: u64,
    /// See [`Self::purged`].
    pub purged_at: Millis,
}

impl Folded {
    /// Applies a change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Flight(offset, flight) => {
                self.look_past(offset);
                self.known.insert(offset, Some(flight));
            }
            Change::Gone(offset) => {
                self.look_past(offset);
                self.known.remove(&offset);
            }
            Change::Expired(before) => self.drop_before(before),
            Change::Purged(before, time) => {
                self.drop_before(before);
                (self.purged, self.purged_at) = (before, time);
            }
            Change::Begin(next, purged, purged_at) => {
                *self = Self {
                    next,
                    known: BTreeMap::new(),
                    purged,
                    purged_at,
                }
            }
            Change::Known(offset) => {
                self.look_past(offset);
                self.known.insert(offset, None);
            }
        }
    }

    /// Forgets the messages before `first`.
    pub fn drop_before(&mut self, first: u64) {
        self.known = self.known.split_off(&first);
        self.next = self.next.max(first);
    }

    fn look_past(&mut self, offset: u64) {
        let skipped = self.next..offset;
        self.known.extend(skipped.map(|offset| (offset, None)));
        self.next = self.next.max(offset.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_between_are_known_and_those_before_are_not() {
        let flight = Flight {
            visible: Millis(9),
            receives: 1,
            first: Millis(1),
        };
        let mut folded = Folded::default();
        folded.apply(Change::Flight(2, flight));
        assert_eq!(folded.known.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        folded.apply(Change::Gone(1));
        folded.apply(Change::Expired(1));
        assert_eq!(folded.known, [(2, Some(flight))].into());
        folded.apply(Change::Purged(5, Millis(3)));
        assert_eq!((folded.next, folded.purged), (5, 5));
        folded.apply(Change::Begin(7, 5, Millis(3)));
        folded.apply(Change::Known(6));
        assert_eq!(folded.known, [(6, None)].into());
        assert_eq!(folded.next, 7);
    }
}
