//! A reader of the table's stream, which goes on where it was, through restarts and crashes.

use std::collections::BTreeMap;

use headwater_items::Item;
use headwater_log::ReadLimit;
use headwater_tables::{Event, EventKind, ShardId, TableStream, limits::ROLL_EVERY};

use super::sorted;
use crate::support::{TABLE, World};

/// A few at a time, so that reading goes on within shards.
const LIMIT: ReadLimit = ReadLimit {
    records: 3,
    bytes: 1 << 20,
};

/// Where it is in each shard, and what the changes made that it saw.
#[derive(Default)]
pub struct Reader {
    at: BTreeMap<ShardId, u64>,
    items: BTreeMap<String, Item>,
    /// The place of an item's last change: its partition, and the offset there.
    last: BTreeMap<String, (u16, u64)>,
}

impl Reader {
    /// Reads on, of parents before their children; gives the items that all changes until now make.
    pub async fn follow(&mut self, world: &World) -> Vec<Item> {
        let stream = stream(world);
        for shard in stream.shards().unwrap() {
            let mut at = self.at.get(&shard.id).copied().unwrap_or(shard.id.begin);
            loop {
                let page = stream.read(shard.id, at, LIMIT).await.unwrap();
                for event in &page.events {
                    assert_eq!(event.offset, at, "each change of a shard is there, once");
                    self.fold(shard.id.partition, event);
                    at += 1;
                }
                if page.events.is_empty() {
                    break;
                }
            }
            assert!(shard.end.is_none_or(|end| at == end));
            self.at.insert(shard.id, at);
        }
        sorted(self.items.values().cloned().collect())
    }

    /// Makes a change, which must be of what the one before left.
    fn fold(&mut self, partition: u16, event: &Event) {
        let key = format!("{:?}", event.key);
        let last = self.last.insert(key.clone(), (partition, event.offset));
        assert!(
            last.is_none_or(|(of, offset)| of == partition && offset < event.offset),
            "the changes of an item come in their order"
        );
        assert_eq!(event.before, self.items.remove(&key));
        assert_ne!(event.before, event.after, "a change changes something");
        let kind = match (&event.before, &event.after) {
            (_, None) => EventKind::Removed,
            (None, _) => EventKind::Inserted,
            _ => EventKind::Modified,
        };
        assert_eq!(event.kind, kind);
        self.items
            .extend(event.after.clone().map(|item| (key, item)));
    }
}

/// Whether all shards that are old enough and have changes were followed by others.
pub async fn has_rolled(world: &World) -> bool {
    let (stream, now) = (stream(world), world.env.clock.now());
    for shard in stream.shards().unwrap() {
        let is_old = shard.end.is_none() && shard.id.begun.plus(ROLL_EVERY) <= now;
        if is_old && stream.extent(shard.id).await.unwrap().end > shard.id.begin {
            return false;
        }
    }
    true
}

fn stream(world: &World) -> TableStream {
    let label = world.tables.get(TABLE).unwrap().streams[0].label;
    world.tables.stream(TABLE, label).unwrap()
}
