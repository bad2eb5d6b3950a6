//! Two nodes over one catalog and one log, and changes that race.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use headwater_catalog::{Catalog, CatalogError, Checked, Expect, Table, Versioned};
use headwater_log::ShardLog;
use headwater_streams::{Error, NewStream, OtherReaders, Streams, Tags};
use headwater_types::{HashKey, ShardIndex, StreamName, kept::Prefix};
use support::{NO_LIMITS, World, alone, entry, entry_at, name};

/// Another node over the same catalog and log.
async fn other_node(world: &World) -> Arc<Streams> {
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    Streams::open(world.env.clone(), world.log.clone(), catalog, NO_LIMITS)
        .await
        .unwrap()
}

fn tags(of: &str) -> Tags {
    [(of.to_owned(), String::new())].into()
}

#[tokio::test]
async fn a_change_of_another_node_is_taken_over_and_not_overwritten() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let other = other_node(&world).await;
    other.tag(name("a"), tags("there")).await.unwrap();
    world.streams.tag(name("a"), tags("here")).await.unwrap();
    let known: Vec<_> = world.stream("a").record.tags.keys().cloned().collect();
    assert_eq!(known, ["here", "there"]);
    let untagged = other.untag(name("a"), vec!["here".into()]).await;
    assert_eq!(untagged, Ok(()));
    assert_eq!(other.get(&name("a")).unwrap().record.tags, tags("there"));
    world.streams.tag(name("a"), tags("more")).await.unwrap();
    let known: Vec<_> = world.stream("a").record.tags.keys().cloned().collect();
    assert_eq!(known, ["more", "there"]);
}

/// The fault that a revision of the whole catalog mends: both streams were at version 1.
#[tokio::test]
async fn a_successor_of_a_deleted_stream_is_not_overwritten() {
    let world = World::new(NO_LIMITS).await;
    let former = world.create("a", 1).await;
    let other = other_node(&world).await;
    other.delete(name("a"), false, alone()).await.unwrap();
    let new = NewStream::new(name("a"), 2);
    let successor = other.create(new).await.unwrap();
    assert_ne!(successor.record.number, former.record.number);
    world.streams.tag(name("a"), tags("here")).await.unwrap();
    let known = world.stream("a");
    assert_eq!(known.record.number, successor.record.number);
    assert_eq!(known.open_shards(), 2);
    let placed = world.put(&known, entry("k", "x")).await;
    let shard = other.get(&name("a")).unwrap();
    let read = other
        .read(&shard, shard.shard(placed.shard).unwrap(), 0, 10)
        .await
        .unwrap();
    assert_eq!(read.records.len(), 1);
    let numbers: Vec<_> = known.shards().iter().map(|shard| shard.number).collect();
    let mut in_log = world.log.shards().await.unwrap();
    in_log.sort_unstable();
    assert_eq!(in_log, numbers);
}

#[tokio::test]
async fn a_stream_that_another_node_made_is_changed_and_one_that_it_removed_is_gone() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let other = other_node(&world).await;
    other.delete(name("a"), false, alone()).await.unwrap();
    other.create(NewStream::new(name("b"), 1)).await.unwrap();
    let gone = Err(Error::NoStream(name("a")));
    assert_eq!(world.streams.tag(name("a"), tags("here")).await, gone);
    assert!(world.streams.get(&name("a")).is_err());
    assert_eq!(world.streams.delete(name("a"), false, alone()).await, gone);
    let tagged = world.streams.tag(name("b"), tags("here")).await;
    assert_eq!(tagged, Ok(()));
}

/// A put that meets a shard which another node closed goes to the shard's children.
#[tokio::test]
async fn a_put_finds_the_shards_that_another_node_made() {
    let world = World::new(NO_LIMITS).await;
    let stale = world.create("a", 1).await;
    let other = other_node(&world).await;
    let half = HashKey(1 << 127);
    other.split(name("a"), ShardIndex(0), half).await.unwrap();
    let placed = world.put(&stale, entry_at(half, "x")).await;
    assert_eq!(placed.shard, ShardIndex(2));
}

#[tokio::test]
async fn a_name_that_another_node_gave_away_is_known_then() {
    let world = World::new(NO_LIMITS).await;
    let other = other_node(&world).await;
    other.create(NewStream::new(name("a"), 3)).await.unwrap();
    let again = world.streams.create(NewStream::new(name("a"), 1)).await;
    assert_eq!(again.err(), Some(Error::StreamExists(name("a"))));
    assert_eq!(world.stream("a").open_shards(), 3);
}

#[tokio::test]
async fn a_resharding_goes_by_the_shards_that_another_node_made() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let other = other_node(&world).await;
    let at = HashKey(1 << 127);
    other.split(name("a"), ShardIndex(0), at).await.unwrap();
    let closed = world.streams.split(name("a"), ShardIndex(0), at).await;
    assert!(
        matches!(closed, Err(Error::ShardClosed { .. })),
        "{closed:?}"
    );
    assert_eq!(world.streams.scale(name("a"), 4).await, Ok(2));
    assert_eq!(world.stream("a").open_shards(), 4);
}

/// Readers that are one more by the time of the commit, as often as `more` says.
struct Growing {
    rows: Table<usize>,
    more: AtomicUsize,
}

#[async_trait]
impl OtherReaders for Growing {
    async fn count(&self, stream: &StreamName) -> Result<Checked<usize>, CatalogError> {
        let name = stream.as_str();
        let found = self.rows.get(name).await?;
        let (count, expect) = found.map_or((0, Expect::Absent), |Versioned { value, version }| {
            (value, Expect::At(version))
        });
        let counted = Checked::new(count, vec![self.rows.check(name, expect)]);
        let fewer = |left: usize| left.checked_sub(1);
        if self.more.fetch_update(SeqCst, SeqCst, fewer).is_ok() {
            self.rows.write(name, &(count + 1), expect).await?;
        }
        Ok(counted)
    }
}

fn growing(world: &World, more: usize) -> Arc<Growing> {
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    Arc::new(Growing {
        rows: Table::new(catalog, Prefix::StreamQueues),
        more: more.into(),
    })
}

#[tokio::test]
async fn a_bound_holds_for_readers_that_come_meanwhile() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let register = async |consumer: &str, most, others| {
        let consumer = consumer.to_owned();
        let registered = world
            .streams
            .register(name("a"), consumer, Tags::new(), most, others);
        registered.await.map(|consumer| consumer.name)
    };
    let others = growing(&world, 3);
    let full = Err(Error::TooManyConsumers(name("a")));
    assert_eq!(register("c", 3, others.clone()).await, full);
    assert_eq!(register("c", 4, others.clone()).await, Ok("c".to_owned()));
    assert_eq!(register("d", 4, others).await, full);
}

#[tokio::test]
async fn a_stream_with_other_readers_is_not_removed_and_stays_on_demand() {
    let world = World::new(NO_LIMITS).await;
    let new = NewStream::on_demand(name("a"), None);
    world.streams.create(new).await.unwrap();
    let has_readers = Err(Error::HasOtherReaders(name("a")));
    let others = growing(&world, 1);
    let to_provisioned = world
        .streams
        .change_mode(name("a"), false, None, others.clone());
    assert_eq!(to_provisioned.await, has_readers);
    assert!(world.stream("a").record.mode.is_on_demand());
    let deleted = world.streams.delete(name("a"), true, others);
    assert_eq!(deleted.await, has_readers);
}
