//! Streams over parts in memory.

mod rolling;

use std::{collections::BTreeMap, time::Duration};

use headwater_items::{Item, Value};
use headwater_log::{ReadLimit, Source, SourceLimit};

use super::*;
use crate::{
    ViewType, Write, WriteAction,
    limits::{ITERATOR_LIFE, ROLL_EVERY, STREAM_KEPT},
    testing::{START, World, item},
};

const ALL: ReadLimit = ReadLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

impl World {
    async fn put(&self, key: &str, value: &str) {
        self.write(key, WriteAction::Put(item(key, Some(value)).into()))
            .await;
    }

    async fn delete(&self, key: &str) {
        self.write(key, WriteAction::Delete).await;
    }

    async fn write(&self, key: &str, action: WriteAction) {
        let write = Write {
            key: item(key, None),
            condition: None,
            action,
        };
        self.tables.write("t", write).await.unwrap();
    }

    /// The newest stream.
    fn stream(&self) -> TableStream {
        let label = self.tables.get("t").unwrap().streams[0].label;
        self.tables.stream("t", label).unwrap()
    }

    async fn roll(&self) {
        self.tables.inner.keep_streams().await.unwrap();
    }
}

/// All events of a stream, each shard after its parent.
async fn read(stream: &TableStream) -> Vec<Event> {
    let mut events = Vec::new();
    for shard in stream.shards().unwrap() {
        let mut next = shard.id.begin;
        loop {
            let limit = ReadLimit { records: 3, ..ALL };
            let page = stream.read(shard.id, next, limit).await.unwrap();
            next = page.next;
            events.extend(page.events);
            if next >= page.extent.end {
                assert_eq!(page.extent.ended, shard.end.is_some());
                break;
            }
        }
    }
    events
}

/// The key of an event's item.
fn key_of(event: &Event) -> String {
    match &event.key["k"] {
        Value::String(text) => text.clone(),
        other => panic!("{other:?} is not of kind S"),
    }
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn what_changes_nothing_is_no_event() {
    let world = World::with_table(Some(ViewType::Both)).await;
    world.put("a", "1").await;
    world.put("a", "1").await;
    world.put("a", "2").await;
    world.delete("a").await;
    world.delete("a").await;
    let events = read(&world.stream()).await;
    let expected = [EventKind::Inserted, EventKind::Modified, EventKind::Removed];
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[0].before, None);
    assert_eq!(events[1].before, Some(item("a", Some("1"))));
    assert_eq!(events[1].after, Some(item("a", Some("2"))));
    assert_eq!(
        (&events[2].before, &events[2].after),
        (&Some(item("a", Some("2"))), &None)
    );
    assert!(
        events
            .iter()
            .all(|event| event.key == item("a", None) && !event.expired)
    );
}

#[tokio::test]
async fn a_stream_begins_under_writes_with_the_items_before() {
    let world = World::with_table(None).await;
    let keys: Vec<String> = (0..20).map(|key| format!("k{key}")).collect();
    let writing = async {
        for round in 0..10 {
            for key in &keys {
                world.put(key, &format!("{round}")).await;
            }
        }
    };
    let (enabled, ()) = tokio::join!(world.tables.enable_stream("t", ViewType::Both), writing);
    assert_eq!(enabled.unwrap().streams[0].begins.len(), 4);
    for key in &keys {
        world.put(key, "last").await;
    }
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for event in read(&world.stream()).await {
        let after = event.after.clone().unwrap();
        let known = items.insert(key_of(&event), after);
        assert_eq!(event.kind == EventKind::Modified, event.before.is_some());
        if known.is_some() {
            assert_eq!(event.before, known);
        }
    }
    let last = keys
        .iter()
        .map(|key| (key.clone(), item(key, Some("last"))));
    assert_eq!(items, last.collect());
}

#[tokio::test]
async fn a_table_has_one_stream_at_a_time() {
    let world = World::with_table(None).await;
    let name = || "t".to_owned();
    let disabled = world.tables.disable_stream("t").await;
    assert_eq!(disabled, Err(Error::StreamDisabled(name())));
    world
        .tables
        .enable_stream("t", ViewType::Keys)
        .await
        .unwrap();
    let again = world.tables.enable_stream("t", ViewType::New).await;
    assert_eq!(again, Err(Error::StreamEnabled(name())));
    let first = world.stream();
    world.put("a", "1").await;
    world.tables.disable_stream("t").await.unwrap();
    world.put("a", "2").await;
    world
        .tables
        .enable_stream("t", ViewType::New)
        .await
        .unwrap();
    world.put("a", "3").await;
    let second = world.stream();
    assert_eq!(kinds(&read(&first).await), [EventKind::Inserted]);
    let events = read(&second).await;
    assert_eq!(kinds(&events), [EventKind::Modified]);
    assert_eq!(
        (&events[0].before, &events[0].after),
        (&None, &Some(item("a", Some("3"))))
    );
    let listed = |after, limit| world.tables.streams(Some("t"), after, limit);
    let (one, two) = (
        (name(), START),
        (name(), START.plus(Duration::from_millis(1))),
    );
    assert_eq!(listed(None, 1), (vec![one.clone()], true));
    assert_eq!(listed(Some(("t", START)), 2), (vec![two.clone()], false));
    assert_eq!(world.tables.streams(None, None, 2), (vec![one, two], false));
    world.clock.advance(STREAM_KEPT);
    world.roll().await;
    assert_eq!(world.tables.get("t").unwrap().streams.len(), 1);
    assert_eq!(first.described(), Err(Error::NoStream(name())));
}

#[tokio::test]
async fn a_disabled_stream_can_be_read_for_a_day() {
    let world = World::with_table(Some(ViewType::New)).await;
    let stream = world.stream();
    for key in 0..20 {
        world.put(&format!("k{key}"), "1").await;
    }
    world.tables.disable_stream("t").await.unwrap();
    world.put("k0", "2").await;
    assert_eq!(read(&stream).await.len(), 20);
    assert!(
        stream
            .shards()
            .unwrap()
            .iter()
            .all(|shard| shard.end.is_some())
    );
    world.clock.advance(STREAM_KEPT - Duration::from_millis(1));
    world.roll().await;
    assert_eq!(read(&stream).await.len(), 20);
    world.clock.advance(Duration::from_millis(1));
    assert!(matches!(stream.shards(), Err(Error::NoStream(_))));
}

#[tokio::test]
async fn changes_expire_before_their_shard() {
    let world = World::with_table(Some(ViewType::Keys)).await;
    let stream = world.stream();
    world.put("a", "1").await;
    world.clock.advance(Duration::from_secs(3600));
    world.put("a", "2").await;
    let shards = stream.shards().unwrap();
    let mut with_changes = Vec::new();
    for shard in shards {
        let extent = stream.extent(shard.id).await.unwrap();
        with_changes.extend((extent.end > 0).then_some(shard.id));
    }
    let id = with_changes[0];
    world.clock.advance(STREAM_KEPT - Duration::from_secs(3599));
    let page = stream.read(id, 0, ALL).await.unwrap();
    let extent = Extent {
        first: 1,
        end: 2,
        ended: false,
    };
    assert_eq!((page.events.len(), page.next, page.extent), (1, 2, extent));
    world.clock.advance(Duration::from_secs(3600));
    let page = stream.read(id, 0, ALL).await.unwrap();
    assert_eq!((page.events.len(), page.next, page.extent.first), (0, 2, 2));
}

#[tokio::test]
async fn a_token_leads_to_its_position_for_a_quarter_of_an_hour() {
    let world = World::with_table(Some(ViewType::Keys)).await;
    let stream = world.stream();
    let id = stream.shards().unwrap()[1].id;
    let token = stream.iterator(id, 7);
    world.clock.advance(ITERATOR_LIFE);
    let opened = world.tables.open_iterator(&token).unwrap();
    assert_eq!((opened.shard(), opened.offset), (id, 7));
    assert_eq!((opened.table, opened.label), (stream.table(), START));
    world.clock.advance(Duration::from_millis(1));
    assert!(matches!(
        world.tables.open_iterator(&token),
        Err(Error::Position(_))
    ));
}

#[tokio::test]
async fn readers_wait_for_changes_and_ends() {
    let world = World::with_table(Some(ViewType::Keys)).await;
    let stream = world.stream();
    let id = stream.shards().unwrap()[0].id;
    let disabling = async {
        tokio::task::yield_now().await;
        world.tables.disable_stream("t").await.unwrap();
    };
    tokio::join!(stream.wait(id, 0), disabling);
    stream.wait(id, 0).await;
}

#[tokio::test]
async fn other_domains_read_it_as_a_source() {
    let world = World::with_table(Some(ViewType::Both)).await;
    let stream = world.stream();
    world.put("a", "1").await;
    world.put("a", "2").await;
    world.clock.advance(ROLL_EVERY);
    world.roll().await;
    let source: &dyn Source = &stream;
    let shards = source.shards().await.unwrap();
    let parent = shards.iter().find(|shard| shard.ended).unwrap();
    let child = shards
        .iter()
        .find(|shard| !shard.parents.is_empty())
        .unwrap();
    assert_eq!(child.parents, std::slice::from_ref(&parent.id));
    assert_eq!((parent.first, parent.end, child.first), (0, 2, 2));
    let limit = SourceLimit {
        records: 10,
        bytes: 1 << 20,
    };
    let chunk = source.read(&parent.id, 0, limit).await.unwrap();
    assert_eq!((chunk.next, chunk.ended, chunk.records.len()), (2, true, 2));
    assert_eq!(
        chunk.records[0].partition_key,
        chunk.records[1].partition_key
    );
    let decode = |record: &headwater_log::SourceRecord| {
        Event::decode(record.offset, record.arrival, record.data.clone()).unwrap()
    };
    let events: Vec<_> = chunk.records.iter().map(decode).collect();
    assert_eq!(events, read(&stream).await);
    assert_eq!(source.offset_at(&parent.id, START).await, Ok(0));
    assert_eq!(
        source.offset_at(&parent.id, START.plus(ROLL_EVERY)).await,
        Ok(2)
    );
}
