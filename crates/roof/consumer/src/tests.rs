//! Consumers against a stream in memory, polled and pushed, on a clock that tests move.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use headwater_aggregation::Aggregator;
use headwater_client::CallError;
use headwater_env::{ManualClock, SeededRandom};
use headwater_types::{HashRange, Millis};

use super::*;
use crate::table::fake::FakeTable;

mod led;

const PAGE: usize = 3;

/// Events of a subscription, which ends then; every third one with an error.
const EVENTS: usize = 2;

/// A shard and its records.
type StoredShard = (Shard, Vec<Bytes>);

/// A stream: shards with their records, whose sequence numbers are their places from 1.
#[derive(Default, Clone)]
struct Fake {
    shards: Arc<Mutex<BTreeMap<String, StoredShard>>>,
    subscriptions: Arc<AtomicUsize>,
    /// Events with records that were taken.
    pushed: Arc<AtomicUsize>,
}

impl Fake {
    fn new(shards: u32) -> Arc<Self> {
        let fake = Self::default();
        for (i, range) in HashRange::split_evenly(shards).into_iter().enumerate() {
            fake.open(&format!("s{i}"), &[], range);
        }
        Arc::new(fake)
    }

    fn open(&self, id: &str, parents: &[&str], range: HashRange) {
        let mut shards = self.shards.lock();
        for parent in parents {
            shards.get_mut(*parent).unwrap().0.open = false;
        }
        let parents = parents.iter().map(ToString::to_string).collect();
        shards.insert(
            id.into(),
            (
                Shard {
                    id: id.into(),
                    parents,
                    range,
                    open: true,
                },
                Vec::new(),
            ),
        );
    }

    fn put(&self, shard: &str, data: impl Into<Bytes>) {
        self.shards
            .lock()
            .get_mut(shard)
            .unwrap()
            .1
            .push(data.into());
    }

    /// Puts texts that say where they are.
    fn fill(&self, shard: &str, numbers: std::ops::Range<usize>) {
        numbers.for_each(|n| self.put(shard, format!("{shard}/{n}")));
    }

    /// How many records stand before a position.
    fn skipped(&self, shard_id: &str, from: &Position) -> Result<usize, CallError> {
        let shards = self.shards.lock();
        let (_, records) = shards
            .get(shard_id)
            .ok_or_else(|| gone("ResourceNotFoundException"))?;
        Ok(match from {
            Position::At(number) => number.parse::<usize>().unwrap() - 1,
            Position::After(number) => number.parse().unwrap(),
            Position::Latest => records.len(),
            Position::TrimHorizon | Position::AtTime(_) => 0,
        })
    }

    /// A page from there, and where it ends.
    fn page(&self, id: &str, skipped: usize) -> Result<(Page, usize), CallError> {
        let shards = self.shards.lock();
        let (shard, records) = shards
            .get(id)
            .ok_or_else(|| gone("ResourceNotFoundException"))?;
        let stored = |(i, data): (usize, &Bytes)| Stored {
            sequence_number: (i + 1).to_string(),
            arrival: Some(Millis(1)),
            partition_key: "k".into(),
            data: data.clone(),
        };
        let page: Vec<Stored> = records
            .iter()
            .enumerate()
            .skip(skipped)
            .take(PAGE)
            .map(stored)
            .collect();
        let next = skipped + page.len();
        let at_tip = next == records.len();
        let ended = at_tip && !shard.open;
        let follow =
            |child: &&StoredShard| ended && child.0.parents.iter().any(|parent| parent == id);
        let children = shards
            .values()
            .filter(follow)
            .map(|(child, _)| child.clone())
            .collect();
        let next_iterator = (!ended).then(|| format!("{id}@{next}"));
        Ok((
            Page {
                records: page,
                next: next_iterator,
                children,
                at_tip,
            },
            next,
        ))
    }

    /// The next event of a subscription that comes when there is something to tell.
    async fn event(&self, id: &str, at: &mut usize) -> Result<Pushed, CallError> {
        loop {
            let (page, next) = self.page(id, *at)?;
            if next > *at || page.next.is_none() {
                *at = next;
                self.pushed.fetch_add(1, Ordering::SeqCst);
                let continuation = page.next.map(|_| next.to_string());
                return Ok(Pushed {
                    records: page.records,
                    continuation,
                    children: page.children,
                });
            }
            tokio::task::yield_now().await;
        }
    }
}

fn gone(code: &str) -> CallError {
    CallError {
        code: code.into(),
        status: Some(400),
        message: "gone".into(),
        retryable: false,
        unclear: false,
    }
}

#[async_trait]
impl Source for Fake {
    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        Ok(self
            .shards
            .lock()
            .values()
            .map(|(shard, _)| shard.clone())
            .collect())
    }

    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError> {
        Ok(format!("{shard_id}@{}", self.skipped(shard_id, from)?))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        tokio::task::yield_now().await;
        let (id, skipped) = iterator.split_once('@').unwrap();
        self.page(id, skipped.parse().unwrap())
            .map(|(page, _)| page)
    }

    async fn subscribe(
        &self,
        arn: &str,
        id: &str,
        from: &Position,
    ) -> Result<Subscription, CallError> {
        assert_eq!(arn, "arn");
        let turn = self.subscriptions.fetch_add(1, Ordering::SeqCst);
        let start = (self.clone(), id.to_owned(), self.skipped(id, from)?, 0);
        let events = stream::unfold(start, async |(fake, id, mut at, count)| {
            let event = fake.event(&id, &mut at).await;
            Some((event, (fake, id, at, count + 1)))
        });
        let end = (turn % 3 == 2).then(|| Err(gone("InternalFailureException")));
        Ok(events.take(EVENTS).chain(stream::iter(end)).boxed())
    }
}

/// The calls of all processors together, one text each.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().push(text.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    fn count(&self, text: &str) -> usize {
        self.all().iter().filter(|seen| *seen == text).count()
    }

    fn has_all(&self, shard: &str, numbers: std::ops::Range<usize>) -> bool {
        let seen: BTreeSet<String> = self.all().into_iter().collect();
        numbers
            .into_iter()
            .all(|n| seen.contains(&format!("{shard}/{n}")))
    }
}

/// Writes down what it is given, and checkpoints.
struct Writer {
    shard: String,
    log: Arc<Log>,
    /// How many more times it fails before it works.
    failures: Arc<Mutex<usize>>,
}

#[async_trait]
impl Process for Writer {
    async fn records(
        &mut self,
        records: Vec<Record>,
        checkpointer: &Checkpointer,
    ) -> Result<(), ProcessError> {
        {
            let mut failures = self.failures.lock();
            if *failures > 0 {
                *failures -= 1;
                return Err("not now".into());
            }
        }
        for record in records {
            self.log.add(String::from_utf8_lossy(&record.data));
        }
        checkpointer.checkpoint_all().await.map_err(Into::into)
    }

    async fn ended(&mut self, _: &Checkpointer) -> Result<(), ProcessError> {
        self.log.add(format!("{} ended", self.shard));
        Ok(())
    }

    async fn stopped(&mut self, _: &Checkpointer) -> Result<(), ProcessError> {
        self.log.add(format!("{} stopped", self.shard));
        Ok(())
    }

    async fn lost(&mut self) {
        self.log.add(format!("{} lost", self.shard));
    }
}

/// One application: its stream, its leases, its clock, and what its consumers were given.
struct World {
    fake: Arc<Fake>,
    reading: Reading,
    store: Arc<dyn LeaseStore>,
    clock: Arc<ManualClock>,
    log: Arc<Log>,
    failures: Arc<Mutex<usize>>,
}

impl World {
    /// A world in which shards are polled and leases are in memory, and one in which shards are pushed and leases are in
    /// a table.
    fn both(shards: u32) -> [Self; 2] {
        let polled = Reading::Poll {
            pause: Duration::from_secs(1),
        };
        let pushed = Reading::FanOut {
            consumer_arn: "arn".into(),
        };
        [
            Self::new(shards, polled),
            Self::new(shards, pushed).over(&Arc::default()),
        ]
    }

    fn new(shards: u32, reading: Reading) -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
        Self {
            fake: Fake::new(shards),
            reading,
            store: Arc::<MemoryLeases>::default(),
            clock,
            log: Arc::default(),
            failures: Arc::default(),
        }
    }

    /// The same with its leases in a table.
    fn over(self, table: &Arc<FakeTable>) -> Self {
        let store = table.leases(&self.env());
        Self { store, ..self }
    }

    fn env(&self) -> Env {
        Env {
            clock: self.clock.clone(),
            ..Env::real()
        }
    }

    fn consumer(&self, name: &str) -> Consumer {
        self.consumer_with(self.store.clone(), self.options(name))
    }

    fn options(&self, name: &str) -> Options {
        Options {
            reading: self.reading.clone(),
            ..Options::new(name)
        }
    }

    fn consumer_with(&self, store: Arc<dyn LeaseStore>, options: Options) -> Consumer {
        let (log, failures) = (self.log.clone(), self.failures.clone());
        let processors = move |shard: &str, _: &Checkpoint| -> Box<dyn Process> {
            Box::new(Writer {
                shard: shard.into(),
                log: log.clone(),
                failures: failures.clone(),
            })
        };
        let random = Arc::new(SeededRandom::new(options.name.len() as u64));
        let env = Env {
            random,
            ..self.env()
        };
        Consumer::start(self.fake.clone(), store, Arc::new(processors), options, env)
    }

    /// Lets time pass until `condition` holds.
    async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        for _ in 0..2000 {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            if condition() {
                return;
            }
            self.clock.advance(Duration::from_millis(100));
        }
        panic!("{what} did not come; seen: {:?}", self.log.all());
    }

    async fn lease(&self, key: &str) -> Lease {
        self.store
            .list()
            .await
            .unwrap()
            .into_iter()
            .find(|lease| lease.key == key)
            .unwrap()
    }
}

#[tokio::test]
async fn all_records_of_all_shards_are_given_in_order_and_checkpointed() {
    for world in World::both(2) {
        world.fake.fill("s0", 0..10);
        world.fake.fill("s1", 0..5);
        let consumer = world.consumer("a");
        world
            .until("all", || {
                world.log.has_all("s0", 0..10) && world.log.has_all("s1", 0..5)
            })
            .await;
        let of = |shard: &str| {
            world
                .log
                .all()
                .into_iter()
                .filter(|t| t.starts_with(shard))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of("s0"),
            (0..10).map(|n| format!("s0/{n}")).collect::<Vec<_>>()
        );
        consumer.shutdown().await;
        assert_eq!(
            (world.log.count("s0 stopped"), world.log.count("s1 stopped")),
            (1, 1)
        );
        let lease = world.lease("s0").await;
        let place = Place {
            sequence_number: "10".into(),
            sub_sequence_number: 0,
        };
        assert_eq!(
            (lease.owner, lease.checkpoint),
            (None, Checkpoint::At(place))
        );

        world.fake.fill("s0", 10..12);
        let _next = world.consumer("b");
        world
            .until("the rest", || world.log.has_all("s0", 10..12))
            .await;
        assert!(
            (0..12).all(|n| world.log.count(&format!("s0/{n}")) == 1),
            "after an orderly end nothing comes twice"
        );
    }
}

#[tokio::test]
async fn children_begin_when_their_parents_are_processed_to_the_end() {
    for world in World::both(1) {
        world.fake.fill("s0", 0..20);
        let halves = HashRange::split_evenly(2);
        world.fake.open("s1", &["s0"], halves[0]);
        world.fake.open("s2", &["s0"], halves[1]);
        world.fake.fill("s1", 0..4);
        world.fake.fill("s2", 0..4);
        world.fake.open("s3", &["s1", "s2"], HashRange::ALL);
        world.fake.fill("s3", 0..2);
        let _a = world.consumer("a");
        let _b = world.consumer("b");
        world
            .until("the youngest", || world.log.has_all("s3", 0..2))
            .await;
        let all = world.log.all();
        let place = |text: &str| all.iter().position(|seen| seen == text).unwrap();
        for (parent, child) in [("s0", "s1"), ("s0", "s2"), ("s1", "s3"), ("s2", "s3")] {
            assert!(
                place(&format!("{parent} ended")) < place(&format!("{child}/0")),
                "{all:?}"
            );
        }
        assert!(
            world.log.has_all("s0", 0..20)
                && world.log.has_all("s1", 0..4)
                && world.log.has_all("s2", 0..4)
        );
        world
            .until("the old leases to go", || {
                let leases = futures_util::FutureExt::now_or_never(world.store.list())
                    .unwrap()
                    .unwrap();
                leases
                    .iter()
                    .map(|lease| lease.key.clone())
                    .collect::<Vec<_>>()
                    == ["s3"]
            })
            .await;
    }
}

#[tokio::test]
async fn a_split_in_mid_flow_is_followed() {
    for world in World::both(1) {
        world.fake.fill("s0", 0..3);
        let _a = world.consumer("a");
        world
            .until("the first", || world.log.has_all("s0", 0..3))
            .await;
        let halves = HashRange::split_evenly(2);
        world.fake.open("s1", &["s0"], halves[0]);
        world.fake.open("s2", &["s0"], halves[1]);
        world.fake.fill("s1", 0..1);
        world.fake.fill("s2", 0..1);
        world
            .until("the children", || {
                world.log.has_all("s1", 0..1) && world.log.has_all("s2", 0..1)
            })
            .await;
        assert_eq!(world.log.count("s0 ended"), 1);
    }
}

#[tokio::test]
async fn two_share_and_what_a_dead_one_held_goes_to_the_other() {
    for world in World::both(6) {
        (0..6).for_each(|s| world.fake.fill(&format!("s{s}"), 0..4));
        let a = world.consumer("a");
        world.until("a to hold all", || a.shards().len() == 6).await;
        let b = world.consumer("b");
        world
            .until("even shares", || {
                a.shards().len() == 3 && b.shards().len() == 3
            })
            .await;
        let dead = b.shards();
        drop(b);
        (0..6).for_each(|s| world.fake.fill(&format!("s{s}"), 4..8));
        world
            .until("all by one", || {
                (0..6).all(|s| world.log.has_all(&format!("s{s}"), 0..8))
            })
            .await;
        world
            .until("all leases with one", || a.shards().len() == 6)
            .await;
        assert_eq!(dead.len(), 3);
        assert_eq!(
            world
                .log
                .all()
                .iter()
                .filter(|t| t.ends_with("stopped"))
                .count(),
            0,
            "a death is not an end"
        );
    }
}

/// A store that one consumer is cut off from.
struct CutOff {
    store: Arc<dyn LeaseStore>,
    cut: AtomicBool,
}

impl CutOff {
    fn check(&self) -> Result<(), StoreError> {
        match self.cut.load(Ordering::SeqCst) {
            true => Err(StoreError("cut off".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl LeaseStore for CutOff {
    async fn list(&self) -> Result<Vec<Lease>, StoreError> {
        self.check()?;
        self.store.list().await
    }

    async fn create(&self, lease: Lease) -> Result<bool, StoreError> {
        self.check()?;
        self.store.create(lease).await
    }

    async fn change(&self, seen: &Lease, change: Change) -> Result<Changed, StoreError> {
        self.check()?;
        self.store.change(seen, change).await
    }

    async fn remove(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.check()?;
        self.store.remove(seen).await
    }
}

#[tokio::test]
async fn one_that_is_cut_off_gives_nothing_more_once_others_may_take_over() {
    for world in World::both(1) {
        let store = Arc::new(CutOff {
            store: world.store.clone(),
            cut: AtomicBool::new(false),
        });
        let a = world.consumer_with(store.clone(), world.options("a"));
        world.until("a to hold it", || a.shards().len() == 1).await;
        store.cut.store(true, Ordering::SeqCst);
        let b = world.consumer("b");
        world.until("b to hold it", || b.shards().len() == 1).await;
        world.fake.fill("s0", 0..5);
        world.until("all", || world.log.has_all("s0", 0..5)).await;
        assert!(
            (0..5).all(|n| world.log.count(&format!("s0/{n}")) == 1),
            "{:?}",
            world.log.all()
        );
        store.cut.store(false, Ordering::SeqCst);
        world
            .until("a to learn of it", || a.shards().is_empty())
            .await;
        assert_eq!(world.lease("s0").await.owner.as_deref(), Some("b"));
    }
}

#[tokio::test]
async fn what_was_not_processed_comes_again() {
    for world in World::both(1) {
        *world.failures.lock() = 3;
        world.fake.fill("s0", 0..7);
        let _a = world.consumer("a");
        world.until("all", || world.log.has_all("s0", 0..7)).await;
        assert!((0..7).all(|n| world.log.count(&format!("s0/{n}")) == 1));
    }
}

#[tokio::test]
async fn a_lease_goes_on_within_an_aggregated_record() {
    for world in World::both(1) {
        let mut aggregator = Aggregator::new(10_000);
        (0..4).for_each(|n| assert!(aggregator.add("k", None, format!("s0/{n}").as_bytes())));
        world.fake.put("s0", aggregator.finish().unwrap().data);
        world.fake.put("s0", "s0/4");
        let shard = world.fake.shards().await.unwrap().remove(0);
        let place = Place {
            sequence_number: "1".into(),
            sub_sequence_number: 1,
        };
        world
            .store
            .create(Lease::of(&shard, Checkpoint::At(place)))
            .await
            .unwrap();
        let _a = world.consumer("a");
        world
            .until("the rest", || world.log.has_all("s0", 2..5))
            .await;
        assert_eq!(world.log.all(), ["s0/2", "s0/3", "s0/4"]);
    }
}

#[tokio::test]
async fn the_newest_start_gives_only_what_is_put_then() {
    for world in World::both(1) {
        world.fake.fill("s0", 0..5);
        let options = Options {
            start: Start::Latest,
            ..world.options("a")
        };
        let a = world.consumer_with(world.store.clone(), options);
        world.until("it to run", || a.shards().len() == 1).await;
        world.fake.fill("s0", 5..7);
        world
            .until("the new", || world.log.has_all("s0", 5..7))
            .await;
        assert_eq!(world.log.all(), ["s0/5", "s0/6"]);
    }
}

#[tokio::test]
async fn a_shard_that_expired_unread_counts_as_processed() {
    for world in World::both(2) {
        let shard = world.fake.shards().await.unwrap().remove(0);
        world
            .store
            .create(Lease::of(&shard, Checkpoint::TrimHorizon))
            .await
            .unwrap();
        world.fake.shards.lock().remove("s0");
        world.fake.fill("s1", 0..1);
        let _a = world.consumer("a");
        world
            .until("its end", || {
                world.log.count("s0 ended") == 1 && world.log.has_all("s1", 0..1)
            })
            .await;
    }
}

#[tokio::test]
async fn a_checkpoint_is_of_what_was_given() {
    let shard = Shard {
        id: "s".into(),
        parents: vec![],
        range: HashRange::ALL,
        open: true,
    };
    let (store, lease) = (
        Arc::new(MemoryLeases::default()),
        Lease::of(&shard, Checkpoint::TrimHorizon),
    );
    store.create(lease.clone()).await.unwrap();
    let clock = Arc::new(ManualClock::at(Millis(0)));
    let env = Env {
        clock,
        ..Env::real()
    };
    let held = Arc::new(held_lease::HeldLease::new(
        lease,
        store.clone(),
        env,
        Duration::from_secs(1),
        Duration::ZERO,
    ));
    let checkpointer = Checkpointer::new(held);
    let place = |n: u64| Place {
        sequence_number: n.to_string(),
        sub_sequence_number: 0,
    };
    assert_eq!(checkpointer.checkpoint_all().await, Ok(()));
    assert_eq!(
        checkpointer.checkpoint(&place(1)).await,
        Err(CheckpointError::OutOfRange)
    );
    checkpointer.give(place(5));
    assert_eq!(
        checkpointer.checkpoint(&place(6)).await,
        Err(CheckpointError::OutOfRange)
    );
    assert_eq!(checkpointer.checkpoint(&place(4)).await, Ok(()));
    assert_eq!(checkpointer.checkpoint(&place(4)).await, Ok(()));
    assert_eq!(
        checkpointer.checkpoint(&place(3)).await,
        Err(CheckpointError::OutOfRange)
    );
    let seen = store.list().await.unwrap().remove(0);
    store
        .change(&seen, Change::Take("thief".into()))
        .await
        .unwrap();
    assert_eq!(
        checkpointer.checkpoint_all().await,
        Err(CheckpointError::Lost)
    );
}

/// Says that it has records, and keeps them until it is let go on.
struct Stuck {
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Process for Stuck {
    async fn records(&mut self, _: Vec<Record>, _: &Checkpointer) -> Result<(), ProcessError> {
        self.gate.acquire().await?.forget();
        Ok(())
    }
}

#[tokio::test]
async fn nothing_more_is_taken_while_processing_has_no_room() {
    let fan_out = Reading::FanOut {
        consumer_arn: "arn".into(),
    };
    let world = World::new(3, fan_out);
    (0..3).for_each(|s| world.fake.fill(&format!("s{s}"), 0..60));
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let processors = move |_: &str, _: &Checkpoint| -> Box<dyn Process> {
        Box::new(Stuck { gate: held.clone() })
    };
    let env = world.env();
    let options = Options {
        pages_max: 1,
        ..world.options("a")
    };
    let a = Consumer::start(
        world.fake.clone(),
        world.store.clone(),
        Arc::new(processors),
        options,
        env,
    );
    let pushed = || world.fake.pushed.load(Ordering::SeqCst);
    world
        .until("it to hold all", || a.shards().len() == 3 && pushed() == 3)
        .await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pushed(), 3, "one event a shard: one is processed, two wait");
    gate.add_permits(1);
    world.until("one more", || pushed() == 4).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pushed(), 4);
}
