//! A change as a stream shows it.

use bytes::Bytes;
use headwater_items::{Item, decode, encode};
use headwater_types::Millis;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::{
    Change, ViewType,
    codec::{Reader, Writer},
    keys::BaseKey,
};

/// The version of an event's bytes.
const VERSION: u8 = 1;
const EXPIRED: u8 = 1;
const HAS_BEFORE: u8 = 2;
const HAS_AFTER: u8 = 4;

/// A change of an item, with as much of it as the stream shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// A number that no other change of any table has.
    pub id: u128,
    /// Its place in the change log of its partition, and so in its shard.
    pub offset: u64,
    /// When it was made.
    pub time: Millis,
    /// What it did.
    pub kind: EventKind,
    /// Whether the item was removed because it had expired.
    pub expired: bool,
    /// What the stream shows.
    pub view: ViewType,
    /// The item's key.
    pub key: Item,
    /// The item before, where the stream shows it and there was one.
    pub before: Option<Item>,
    /// The item after, where the stream shows it and there is one.
    pub after: Option<Item>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// There was no such item.
    Inserted,
    /// There was one, and it is another now.
    Modified,
    /// There is none any more.
    Removed,
}

impl Event {
    /// The change of a partition as a stream with this view shows it.
    pub(crate) fn new(table: u64, partition: u16, change: Change, view: ViewType) -> Self {
        let kind = match (change.existed, &change.after) {
            (_, None) => EventKind::Removed,
            (false, Some(_)) => EventKind::Inserted,
            (true, Some(_)) => EventKind::Modified,
        };
        let (shows_before, shows_after) = match view {
            ViewType::Keys => (false, false),
            ViewType::New => (false, true),
            ViewType::Old => (true, false),
            ViewType::Both => (true, true),
        };
        Self {
            id: id(table, partition, change.offset),
            offset: change.offset,
            time: change.time,
            kind,
            expired: change.expired,
            view,
            key: change.key,
            before: change.before.filter(|_| shows_before),
            after: change.after.filter(|_| shows_after),
        }
    }

    /// The event as bytes, for those that read streams as [`headwater_log::Source`]s: [`Self::decode`] reads them. They are
    /// kept nowhere.
    pub fn encode(&self) -> Bytes {
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let mut to = Writer::default();
        to.u8(VERSION);
        to.u8(self.kind as u8);
        to.u8(number_of(self.view));
        to.u8(flag(EXPIRED, self.expired)
            | flag(HAS_BEFORE, self.before.is_some())
            | flag(HAS_AFTER, self.after.is_some()));
        to.0.extend_from_slice(&self.id.to_le_bytes());
        for item in std::iter::once(&self.key)
            .chain(&self.before)
            .chain(&self.after)
        {
            let mut bytes = Vec::new();
            encode(item, &mut bytes);
            to.bytes(&bytes);
        }
        to.0.into()
    }

    /// The event that was encoded so, at this place and time; none where the bytes are no event.
    pub fn decode(offset: u64, time: Millis, data: Bytes) -> Option<Self> {
        let mut from = Reader(data);
        if from.u8()? != VERSION {
            return None;
        }
        let kind = match from.u8()? {
            0 => EventKind::Inserted,
            1 => EventKind::Modified,
            2 => EventKind::Removed,
            _ => return None,
        };
        let (view, flags) = (view_of(from.u8()?)?, from.u8()?);
        let (low, high) = (from.u64()?, from.u64()?);
        let mut item = || decode(&from.bytes()?).ok();
        let key = item()?;
        let mut image = |flag: u8| match flags & flag {
            0 => Some(None),
            _ => item().map(Some),
        };
        let (before, after) = (image(HAS_BEFORE)?, image(HAS_AFTER)?);
        from.0.is_empty().then_some(Self {
            id: u128::from(high) << u64::BITS | u128::from(low),
            offset,
            time,
            kind,
            expired: flags & EXPIRED != 0,
            view,
            key,
            before,
            after,
        })
    }
}

/// A number for each change, which looks like one of chance, as AWS's do.
fn id(table: u64, partition: u16, offset: u64) -> u128 {
    let mut place = table.to_le_bytes().to_vec();
    place.extend_from_slice(&partition.to_le_bytes());
    place.extend_from_slice(&offset.to_le_bytes());
    xxh3_128(&place)
}

/// A short text that changes of one item have in common, and hardly those of others, given the key of its records.
pub(crate) fn item_text(key: &BaseKey) -> String {
    format!("{:016x}", xxh3_64(&key.bytes))
}

fn number_of(view: ViewType) -> u8 {
    match view {
        ViewType::Keys => 0,
        ViewType::New => 1,
        ViewType::Old => 2,
        ViewType::Both => 3,
    }
}

fn view_of(number: u8) -> Option<ViewType> {
    let views = [ViewType::Keys, ViewType::New, ViewType::Old, ViewType::Both];
    views.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use headwater_items::Value;
    use proptest::prelude::*;

    use super::*;

    fn item(text: &str) -> Item {
        Item::from([("a".to_owned(), Value::String(text.into()))])
    }

    fn change(before: Option<Item>, after: Option<Item>) -> Change {
        Change {
            offset: 7,
            time: Millis(9),
            key: item("k"),
            existed: before.is_some(),
            before,
            after,
            expired: false,
        }
    }

    #[test]
    fn a_view_shows_its_part_of_a_change() {
        let (old, new) = (Some(item("old")), Some(item("new")));
        for (view, before, after) in [
            (ViewType::Keys, None, None),
            (ViewType::New, None, new.clone()),
            (ViewType::Old, old.clone(), None),
            (ViewType::Both, old.clone(), new.clone()),
        ] {
            let event = Event::new(1, 2, change(old.clone(), new.clone()), view);
            assert_eq!((&event.before, &event.after), (&before, &after));
            assert_eq!(event.kind, EventKind::Modified);
            let decoded = Event::decode(event.offset, event.time, event.encode());
            assert_eq!(decoded, Some(event));
        }
    }

    #[test]
    fn a_change_inserts_modifies_or_removes() {
        let kind = |before: Option<Item>, after: Option<Item>| {
            Event::new(1, 2, change(before, after), ViewType::Keys).kind
        };
        assert_eq!(kind(None, Some(item("a"))), EventKind::Inserted);
        assert_eq!(kind(Some(item("a")), Some(item("b"))), EventKind::Modified);
        assert_eq!(kind(Some(item("a")), None), EventKind::Removed);
        assert_ne!(id(1, 2, 3), id(1, 3, 2));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_event_or_one(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            Event::decode(0, Millis::ZERO, bytes.into());
        }
    }
}
