//! Changes sent into a stream of records: each exactly once and in order, whatever happens on the way.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::{Random, SeededRandom};
use headwater_log::{
    Append, EmbeddedLog, NewRecord, ReadLimit, ShardLog, ShardNumber, testing::FOREVER,
    testing::read_all,
};
use headwater_tables::{
    DestinationFault, DestinationState, Error, Event, NewTable, NotPut, Outgoing, Precision,
    Receivers, Transaction, Unfit, WriteAction,
};
use headwater_types::kept::ShardSpace;
use parking_lot::Mutex;
use support::{TABLE, World, begin, in_time, item, key_of, new_table, number, set, write};

/// The name of the stream; nobody here reads it.
const STREAM: &str = "stream";
/// Open shards of the stream.
const OPEN: u128 = 2;

/// A stream whose shards are in the log of the tables, as one process has it.
#[derive(Clone)]
struct Target {
    log: Arc<EmbeddedLog>,
    /// All shards that there ever were: the last [`OPEN`] take records, and follow those before them.
    shards: Arc<Mutex<Vec<ShardNumber>>>,
    /// How many records it takes at one time.
    takes: Arc<AtomicUsize>,
    is_there: Arc<AtomicBool>,
    /// Whether it says of every other put that it failed, though it was done.
    forgets: Arc<AtomicBool>,
    puts: Arc<AtomicUsize>,
}

impl Target {
    fn new(log: &Arc<EmbeddedLog>) -> Self {
        Self {
            log: log.clone(),
            shards: Arc::default(),
            takes: Arc::new(usize::MAX.into()),
            is_there: Arc::new(true.into()),
            forgets: Arc::default(),
            puts: Arc::default(),
        }
    }

    /// Has other shards follow those that take records, as a resharding does.
    async fn reshard(&self) {
        let before = self.shards.lock().clone();
        for shard in before.iter().rev().take(OPEN as usize) {
            self.log.seal(*shard).await.unwrap();
        }
        let from = before.len() as u64;
        let new = (from..from + OPEN as u64).map(|n| ShardNumber::new(ShardSpace::Messages, n));
        let new: Vec<_> = new.collect();
        self.log.open_shards(&new, FOREVER).await.unwrap();
        self.shards.lock().extend(new);
    }

    /// The stream as the process has it whose log this is, which has its changes sent there.
    async fn of(&self, world: &World) -> Self {
        let shards = self.shards.lock().clone();
        world.log.open_shards(&shards, FOREVER).await.unwrap();
        let target = Self {
            log: world.log.clone(),
            ..self.clone()
        };
        world.tables.send_to(Arc::new(target.clone()));
        target
    }

    /// The shard that takes the records of an item.
    fn shard_of(&self, item: u128) -> ShardNumber {
        let shards = self.shards.lock();
        shards[shards.len() - 1 - (item % OPEN) as usize]
    }

    /// The events and the times that were put, of each item in order.
    async fn received(&self) -> BTreeMap<Bytes, Vec<(u128, u64)>> {
        let shards = self.shards.lock().clone();
        let mut received = BTreeMap::<_, Vec<_>>::new();
        for shard in shards {
            for record in read_all(&*self.log, shard, 0).await.unwrap() {
                let (id, micros) = record.value.split_at(16);
                let id = u128::from_le_bytes(id.try_into().unwrap());
                let micros = u64::from_le_bytes(micros.try_into().unwrap());
                received.entry(record.key).or_default().push((id, micros));
            }
        }
        received
    }

    async fn count(&self) -> usize {
        self.received().await.values().map(Vec::len).sum()
    }
}

#[async_trait]
impl Receivers for Target {
    fn check(&self, stream: &str) -> Result<(), Unfit> {
        match stream == STREAM && self.is_there.load(SeqCst) {
            true => Ok(()),
            false => Err(Unfit::Missing),
        }
    }

    async fn put(&self, outgoing: Outgoing<'_>) -> Result<usize, NotPut> {
        self.check(outgoing.stream).map_err(|_| NotPut::Missing)?;
        let taken = outgoing.changes.iter().take(self.takes.load(SeqCst));
        let record = |change: &headwater_tables::OutgoingChange| {
            let mut value = change.event.id.to_le_bytes().to_vec();
            value.extend_from_slice(&change.micros.to_le_bytes());
            (self.shard_of(change.item), change.item.to_le_bytes(), value)
        };
        let records: Vec<_> = taken.map(record).collect();
        if records.is_empty() {
            return Ok(0);
        }
        let new = records
            .iter()
            .map(|(_, key, value)| [NewRecord { key, value }]);
        let new: Vec<_> = new.collect();
        let appends = records
            .iter()
            .zip(&new)
            .map(|((shard, ..), records)| Append {
                shard: *shard,
                records,
            });
        let value = (outgoing.progress)(records.len());
        let progress = [NewRecord {
            key: &[],
            value: &value,
        }];
        let progress = Append {
            shard: outgoing.progress_shard,
            records: &progress,
        };
        let batch: Vec<_> = appends.chain([progress]).collect();
        let done = self.log.append_whole(&batch).await;
        done.map_err(|error| NotPut::Failed(error.to_string()))?;
        let is_odd = self.puts.fetch_add(1, SeqCst) % 2 == 1;
        match self.forgets.load(SeqCst) && is_odd {
            true => Err(NotPut::Failed("the answer was lost".into())),
            false => Ok(records.len()),
        }
    }
}

/// A world with a table and a stream that its changes do not go to yet.
async fn world(new: NewTable, seed: u64) -> (World, Target) {
    let world = World::of_seed(seed).await;
    world.tables.create(new).await.unwrap();
    let target = Target::new(&world.log);
    target.reshard().await;
    let target = target.of(&world).await;
    (world, target)
}

async fn enable(world: &World) -> DestinationState {
    let enabled = world.tables.enable_destination(TABLE, STREAM, None).await;
    enabled.unwrap().destinations[0].state
}

fn state(world: &World) -> DestinationState {
    world.tables.get(TABLE).unwrap().destinations[0].state
}

/// All changes of the table as its own stream shows them.
async fn events(world: &World) -> Vec<Event> {
    let label = world.tables.get(TABLE).unwrap().streams[0].label;
    let stream = world.tables.stream(TABLE, label).unwrap();
    let limit = ReadLimit {
        records: 100,
        bytes: 1 << 20,
    };
    let mut events = Vec::new();
    for shard in stream.shards().unwrap() {
        let mut from = 0;
        loop {
            let page = stream.read(shard.id, from, limit).await.unwrap();
            if page.events.is_empty() {
                break;
            }
            events.extend(page.events);
            from = page.next;
        }
    }
    events
}

/// The ids of the changes of each item, in order.
fn by_item(events: &[Event]) -> Vec<Vec<u128>> {
    let mut items = BTreeMap::<String, Vec<u128>>::new();
    for event in events {
        let key = format!("{:?}", event.key);
        items.entry(key).or_default().push(event.id);
    }
    let mut lists: Vec<_> = items.into_values().collect();
    lists.sort_unstable();
    lists
}

/// Compares what was received with all changes of the table, once as much is there.
async fn agrees(world: &World, target: &Target) {
    let expected = events(world).await;
    world
        .until(async |_| target.count().await >= expected.len())
        .await;
    let received = target.received().await;
    let mut ids = Vec::new();
    for records in received.values() {
        assert!(records.is_sorted_by(|one, next| one.1 < next.1));
        ids.push(records.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    }
    ids.sort_unstable();
    assert_eq!(ids, by_item(&expected));
}

/// Something that writes to the table.
async fn act(world: &World, random: &SeededRandom, round: i64) {
    let pick = |of: u64| i64::try_from(random.next_u64() % of).unwrap();
    let key = |n: i64| item(&format!("p{}", n % 5), n, &[]);
    let puts = |n: i64| {
        let item = item(&format!("p{}", n % 5), n, &[("x", number(round))]);
        (
            TABLE.to_owned(),
            write(key_of(&item), WriteAction::Put(item)),
        )
    };
    // Those that a crash cuts off may be done or not.
    match pick(4) {
        0 => drop(world.write(key(pick(8)), WriteAction::Delete).await),
        1 => drop(world.write(key(pick(8)), set("y", number(round))).await),
        2 => {
            let writes = [0, 1, 2, 3].map(|at| puts(at * 2 + pick(2)));
            let transaction = Transaction {
                writes: writes.into(),
                token: None,
            };
            drop(world.tables.transact(transaction).await);
        }
        _ => {
            let writes = (0..6).map(puts).collect();
            drop(world.tables.write_many(writes).await);
        }
    }
}

#[tokio::test]
async fn each_change_is_sent_once_through_crashes_resharding_and_throttling() {
    for seed in 0..12 {
        let (mut world, mut target) = world(new_table(), seed).await;
        assert_eq!(enable(&world).await, DestinationState::Active);
        let random = SeededRandom::new(seed);
        for round in 0..40 {
            act(&world, &random, round).await;
            target
                .takes
                .store([usize::MAX, 1, 3, 0][round as usize % 4], SeqCst);
            target.forgets.store(round % 3 == 0, SeqCst);
            match random.next_u64() % 8 {
                0 => {
                    // In the midst of something.
                    let steps = random.next_u64() as usize % 8;
                    begin(act(&world, &random, round), steps).await;
                    world.crash().await;
                    target = target.of(&world).await;
                }
                1 => target.reshard().await,
                2 => {
                    world.reopen().await;
                    target = target.of(&world).await;
                }
                3 => world.pass(1),
                _ => tokio::task::yield_now().await,
            }
        }
        target.takes.store(usize::MAX, SeqCst);
        target.forgets.store(false, SeqCst);
        agrees(&world, &target).await;
        assert!(target.count().await > 30, "seed {seed}");
    }
}

#[tokio::test]
async fn changes_are_sent_from_when_it_is_enabled_to_when_it_is_disabled() {
    let (world, target) = world(new_table(), 7).await;
    let write = async |n: i64| drop(world.put(item("p", n, &[("x", number(n))])).await);
    write(1).await;
    assert_eq!(enable(&world).await, DestinationState::Active);
    write(2).await;
    target.takes.store(0, SeqCst);
    write(3).await;
    let again = world.tables.enable_destination(TABLE, "other", None).await;
    let live = Error::Destination(TABLE.into(), DestinationFault::Live);
    assert_eq!(again, Err(live));
    world
        .tables
        .disable_destination(TABLE, STREAM)
        .await
        .unwrap();
    assert_eq!(state(&world), DestinationState::Disabling);
    target.takes.store(usize::MAX, SeqCst);
    let is_disabled = async |world: &World| state(world) == DestinationState::Disabled;
    world.until(is_disabled).await;
    write(4).await;
    assert_eq!(target.count().await, 2, "those between");
    let again = world.tables.disable_destination(TABLE, STREAM).await;
    let inactive = Error::Destination(TABLE.into(), DestinationFault::Inactive);
    assert_eq!(again, Err(inactive));
    assert_eq!(enable(&world).await, DestinationState::Active);
    assert_eq!(world.tables.get(TABLE).unwrap().destinations.len(), 1);
    write(5).await;
    world.until(async |_| target.count().await > 2).await;
    let received: Vec<_> = target.received().await.into_values().flatten().collect();
    let ids: Vec<_> = events(&world).await.iter().map(|event| event.id).collect();
    let mut got: Vec<_> = received.iter().map(|(id, _)| *id).collect();
    let mut expected = vec![ids[1], ids[2], ids[4]];
    got.sort_unstable();
    expected.sort_unstable();
    assert_eq!(got, expected);
}

#[tokio::test]
async fn a_stream_that_is_not_there_fails_and_one_that_goes_is_waited_for() {
    let (world, target) = world(new_table(), 7).await;
    target.is_there.store(false, SeqCst);
    assert_eq!(
        enable(&world).await,
        DestinationState::Failed(Unfit::Missing)
    );
    target.is_there.store(true, SeqCst);
    assert_eq!(enable(&world).await, DestinationState::Active);
    target.is_there.store(false, SeqCst);
    world.put(item("p", 1, &[])).await;
    let trouble = |world: &World| {
        let record = world.tables.get(TABLE).unwrap();
        let since = record.destinations[0].since;
        world.tables.destination_trouble(&record, since)
    };
    world
        .until(async |world| trouble(world) == Some("there is no such stream".into()))
        .await;
    assert_eq!(state(&world), DestinationState::Active);
    target.is_there.store(true, SeqCst);
    world.until(async |_| target.count().await == 1).await;
    world.until(async |world| trouble(world).is_none()).await;
    // What is disabled while its stream is gone has nothing to wait for.
    target.is_there.store(false, SeqCst);
    world.put(item("p", 2, &[])).await;
    world
        .tables
        .disable_destination(TABLE, STREAM)
        .await
        .unwrap();
    let is_disabled = async |world: &World| state(world) == DestinationState::Disabled;
    world.until(is_disabled).await;
}

#[tokio::test]
async fn what_was_not_sent_is_kept_for_a_day() {
    const HOUR: u64 = 3600;
    let quiet = NewTable {
        stream: None,
        ..new_table()
    };
    let (world, target) = world(quiet, 7).await;
    assert_eq!(enable(&world).await, DestinationState::Active);
    target.takes.store(0, SeqCst);
    let record = world.tables.get(TABLE).unwrap();
    let first = async |world: &World| {
        let limit = ReadLimit {
            records: 1,
            bytes: 1,
        };
        let mut first = 0;
        for partition in 0..record.partitions {
            let read = world.tables.changes(record.number, partition, 0, limit);
            first += read.await.unwrap().first;
        }
        first
    };
    let put = async |n: i64| drop(world.put(item("p", 1, &[("x", number(n))])).await);
    put(1).await;
    world.pass(20 * HOUR);
    put(2).await;
    world.pass(5 * HOUR);
    put(3).await;
    // The first is a day old, and the others are not.
    world.until(async |world| first(world).await == 1).await;
    target.takes.store(usize::MAX, SeqCst);
    world.until(async |_| target.count().await == 2).await;
    // What was sent is not kept.
    put(4).await;
    world.pass(HOUR);
    put(5).await;
    world.until(async |world| first(world).await >= 3).await;
    world.until(async |_| target.count().await == 4).await;
}

#[tokio::test]
async fn a_table_that_is_deleted_sends_no_more() {
    let (world, target) = world(new_table(), 7).await;
    let shards = world.log.shards().await.unwrap();
    assert_eq!(enable(&world).await, DestinationState::Active);
    assert!(world.log.shards().await.unwrap().len() > shards.len());
    world.put(item("p", 1, &[])).await;
    world.until(async |_| target.count().await == 1).await;
    in_time(world.tables.delete(TABLE)).await.unwrap();
    // Only the shards of the stream and of transactions are left.
    let left = world.log.shards().await.unwrap().len();
    assert_eq!(left, OPEN as usize + 1);
}

#[tokio::test]
async fn how_exact_times_are_can_be_changed() {
    let (world, _target) = world(new_table(), 7).await;
    enable(&world).await;
    let set = async |stream: &str, precision| {
        let set = world.tables.set_precision(TABLE, stream, precision).await;
        set.map(|record| record.destinations[0].precision)
    };
    let fault = |fault| Err(Error::Destination(TABLE.into(), fault));
    let (millis, micros) = (Precision::Milliseconds, Precision::Microseconds);
    assert_eq!(set(STREAM, millis).await, fault(DestinationFault::Same));
    assert_eq!(set(STREAM, micros).await, Ok(Some(micros)));
    assert_eq!(set("other", micros).await, fault(DestinationFault::Unknown));
}
