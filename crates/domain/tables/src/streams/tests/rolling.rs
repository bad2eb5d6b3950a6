//! Shards that follow each other, while they are written to and read.

use std::collections::{BTreeSet, HashMap};

use super::*;

#[tokio::test]
async fn shards_roll_and_nothing_is_lost_or_twice() {
    let world = World::with_table(Some(ViewType::Both)).await;
    let stream = world.stream();
    world.roll().await;
    assert_eq!(stream.shards().unwrap().len(), 4);
    for round in 0..3 {
        for key in 0..20 {
            world.put(&format!("k{key}"), &format!("{round}")).await;
        }
        world.delete(&format!("k{round}")).await;
        world.clock.advance(ROLL_EVERY);
        world.roll().await;
    }
    let shards = stream.shards().unwrap();
    assert_eq!(shards.len(), 16);
    assert!(shards.is_sorted_by_key(|shard| shard.id.to_string()));
    for shard in &shards {
        let parent = shards.iter().find(|other| Some(other.id) == shard.parent);
        assert_eq!(parent.is_some(), shard.id.begun > START);
        if let Some(parent) = parent {
            assert_eq!(
                (parent.end, parent.id.partition),
                (Some(shard.id.begin), shard.id.partition)
            );
        }
    }
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    let events = read(&stream).await;
    assert_eq!(events.len(), 63);
    for event in events {
        let known = match event.after.clone() {
            Some(after) => items.insert(key_of(&event), after),
            None => items.remove(&key_of(&event)),
        };
        assert_eq!(event.before, known);
    }
    for key in 0..20 {
        let key = format!("k{key}");
        let found = world.tables.read("t", &item(&key, None)).await.unwrap();
        assert_eq!(found.as_ref(), items.get(&key));
    }
}

/// A reader that goes on where it was in each shard, and remembers all that it has seen.
#[derive(Default)]
struct Reader {
    next: HashMap<ShardId, u64>,
    seen: BTreeSet<(u16, u64)>,
}

impl Reader {
    async fn pass(&mut self, stream: &TableStream) {
        for shard in stream.shards().unwrap() {
            let next = self.next.entry(shard.id).or_insert(shard.id.begin);
            loop {
                let page = stream.read(shard.id, *next, ALL).await.unwrap();
                *next = page.next;
                for event in &page.events {
                    let is_new = self.seen.insert((shard.id.partition, event.offset));
                    assert!(is_new, "a change is in two shards");
                }
                if page.events.is_empty() {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_reader_sees_each_change_once_while_shards_end() {
    let world = World::with_table(Some(ViewType::Keys)).await;
    let (stream, mut reader) = (world.stream(), Reader::default());
    for round in 0..25 {
        let writing = async {
            for key in 0..8 {
                world.put(&format!("k{key}"), &format!("{round}")).await;
            }
        };
        let rolling = async {
            world.clock.advance(ROLL_EVERY / 5);
            world.roll().await;
        };
        let reading = async {
            for _ in 0..3 {
                reader.pass(&stream).await;
            }
        };
        tokio::join!(writing, rolling, reading);
    }
    reader.pass(&stream).await;
    assert_eq!(reader.seen.len(), 25 * 8);
    assert!(stream.shards().unwrap().len() > 4);
}
