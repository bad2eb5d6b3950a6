//! The producer against a stream that loses answers, throttles, fails and is resharded, on a seed.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use headwater_aggregation::split;
use headwater_env::{Random, SeededRandom};
use headwater_types::{HashKey, HashRange};
use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;

/// The faults that happen to calls: chances in 100 each.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    lost_before: u64,
    lost_after: u64,
    lost_between: u64,
    failed_entry: u64,
    busy: u64,
    read_failed: u64,
    resharded: u64,
}

struct Fake {
    faults: Faults,
    chance: SeededRandom,
    /// Parents before children.
    shards: Mutex<Vec<Shard>>,
    stored: Mutex<HashMap<String, Vec<Stored>>>,
    in_flight: Mutex<HashMap<String, usize>>,
    in_flight_most: AtomicUsize,
    listings: AtomicUsize,
    refuse: Option<&'static [u8]>,
}

impl Fake {
    fn new(shards: u32, faults: Faults, seed: u64) -> Self {
        let fake = Self {
            faults,
            chance: SeededRandom::new(seed),
            shards: Mutex::default(),
            stored: Mutex::default(),
            in_flight: Mutex::default(),
            in_flight_most: AtomicUsize::new(0),
            listings: AtomicUsize::new(0),
            refuse: None,
        };
        HashRange::split_evenly(shards)
            .into_iter()
            .for_each(|range| fake.open(range));
        fake
    }

    fn open(&self, range: HashRange) {
        let mut shards = self.shards.lock();
        let id = format!("shardId-{:012}", shards.len());
        shards.push(Shard {
            id,
            range,
            open: true,
        });
    }

    /// Splits a shard, or merges two, as chance has it.
    fn reshard(&self) {
        let mut open: Vec<Shard> = self
            .shards
            .lock()
            .iter()
            .filter(|shard| shard.open)
            .cloned()
            .collect();
        open.sort_by_key(|shard| shard.range.start);
        let at = self.chance.next_u64() as usize % open.len();
        let HashRange { start, end } = open[at].range;
        let close = |id: &str| {
            self.shards
                .lock()
                .iter_mut()
                .find(|s| s.id == id)
                .unwrap()
                .open = false
        };
        close(&open[at].id);
        if let Some(next) = open.get(at + 1).filter(|_| self.happens(50)) {
            close(&next.id);
            self.open(HashRange {
                start,
                end: next.range.end,
            });
        } else {
            let middle = start.0 + (end.0 - start.0) / 2;
            self.open(HashRange {
                start,
                end: HashKey(middle),
            });
            self.open(HashRange {
                start: HashKey(middle + 1),
                end,
            });
        }
    }

    fn happens(&self, percent: u64) -> bool {
        self.chance.next_u64() % 100 < percent
    }

    /// The open shard of a hash key.
    fn shard_of(&self, hash: HashKey) -> String {
        let owns = |shard: &&Shard| shard.open && shard.range.contains(hash);
        self.shards.lock().iter().find(owns).unwrap().id.clone()
    }

    fn store(&self, entry: &Entry) -> Placed {
        let shard_id = self.shard_of(entry.hash_key());
        let mut stored = self.stored.lock();
        let stored = stored.entry(shard_id.clone()).or_default();
        let sequence_number = (stored.len() + 1).to_string();
        let (partition_key, data) = (entry.partition_key.clone(), entry.data.clone());
        stored.push(Stored {
            sequence_number: sequence_number.clone(),
            arrival: None,
            partition_key,
            data,
        });
        Placed {
            shard_id,
            sequence_number,
        }
    }

    /// Every user record that readers take, by shard and in order, parents before children.
    fn contents(&self) -> Vec<Vec<String>> {
        let stored = self.stored.lock();
        let of = |shard: &Shard| {
            let stored = stored.get(&shard.id).map(Vec::as_slice).unwrap_or_default();
            stored
                .iter()
                .flat_map(|stored| taken(stored, shard.range))
                .collect()
        };
        self.shards.lock().iter().map(of).collect()
    }
}

fn taken(stored: &Stored, range: HashRange) -> Vec<String> {
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    match split(&stored.data) {
        Some(records) => {
            let own = records
                .iter()
                .filter(|record| range.contains(HashKey::of(record.partition_key.as_bytes())));
            own.map(|record| text(&record.data)).collect()
        }
        None => vec![text(&stored.data)],
    }
}

fn error(code: &str, retryable: bool, unclear: bool) -> CallError {
    CallError {
        code: code.into(),
        status: None,
        message: "a fault".into(),
        retryable,
        unclear,
    }
}

fn lost() -> CallError {
    error(CallError::TRANSPORT, true, true)
}

#[async_trait]
impl Stream for Fake {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError> {
        assert!(entries.len() <= limits::CALL_RECORDS_MAX);
        assert!(entries.iter().map(Entry::bytes).sum::<usize>() <= limits::CALL_BYTES_MAX);
        let touched: HashSet<String> = entries
            .iter()
            .map(|e| self.shard_of(e.hash_key()))
            .collect();
        for shard in &touched {
            let mut in_flight = self.in_flight.lock();
            let now = in_flight.entry(shard.clone()).or_default();
            *now += 1;
            self.in_flight_most.fetch_max(*now, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
        touched
            .iter()
            .for_each(|shard| *self.in_flight.lock().get_mut(shard).unwrap() -= 1);
        if self.happens(self.faults.resharded) {
            self.reshard();
        }
        if entries
            .iter()
            .any(|e| self.refuse.is_some_and(|data| e.data == data))
        {
            return Err(error("InvalidArgumentException", false, false));
        }
        if self.happens(self.faults.busy) {
            return Err(error("ThrottlingException", true, false));
        }
        if self.happens(self.faults.lost_before) {
            return Err(lost());
        }
        if self.happens(self.faults.lost_between) {
            // The server died with some shards' records synced and not those of others.
            let touched: BTreeSet<String> = entries
                .iter()
                .map(|e| self.shard_of(e.hash_key()))
                .collect();
            let kept: HashSet<String> = touched.into_iter().filter(|_| self.happens(50)).collect();
            entries
                .iter()
                .filter(|e| kept.contains(&self.shard_of(e.hash_key())))
                .for_each(|e| {
                    self.store(e);
                });
            return Err(lost());
        }
        let refused = || Refused {
            code: "ProvisionedThroughputExceededException".into(),
            message: "".into(),
        };
        let outcomes = entries
            .iter()
            .map(|entry| match self.happens(self.faults.failed_entry) {
                true => Err(refused()),
                false => Ok(self.store(entry)),
            });
        let outcomes = outcomes.collect();
        if self.happens(self.faults.lost_after) {
            Err(lost())
        } else {
            Ok(outcomes)
        }
    }

    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        self.listings.fetch_add(1, Ordering::SeqCst);
        Ok(self.shards.lock().clone())
    }

    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError> {
        let after = match from {
            Position::After(number) => number.as_str(),
            Position::Start | Position::At(_) => "0",
        };
        Ok(format!("{shard_id}/{after}"))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        if self.happens(self.faults.read_failed) {
            return Err(lost());
        }
        let (shard, after) = iterator.split_once('/').unwrap();
        let stored = self.stored.lock();
        let stored = stored.get(shard).map(Vec::as_slice).unwrap_or_default();
        let after: usize = after.parse().unwrap();
        let records: Vec<_> = stored[after..].iter().take(3).cloned().collect();
        let next = after + records.len();
        Ok(Page {
            records,
            at_tip: next == stored.len(),
            next: Some(format!("{shard}/{next}")),
        })
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

fn env(seed: u64) -> Env {
    Env {
        random: Arc::new(SeededRandom::new(seed)),
        ..Env::real()
    }
}

fn record(key: &str, text: impl Into<String>) -> Record {
    Record {
        partition_key: key.into(),
        explicit_hash_key: None,
        data: Bytes::from(text.into()),
    }
}

/// Puts `count` records under a few keys and returns what each shard holds then.
async fn put_all(fake: Arc<Fake>, options: Options, count: usize) -> (Vec<Vec<String>>, Stats) {
    let producer = Producer::open(fake.clone(), options, env(1)).await.unwrap();
    for i in 0..count {
        let key = format!("key-{}", i % 7);
        drop(
            producer
                .put(record(&key, format!("{key}/{i}")))
                .await
                .unwrap(),
        );
    }
    producer.flush().await;
    (fake.contents(), producer.stats())
}

fn faults() -> impl Strategy<Value = Faults> {
    (0..40u64, 0..40u64, 0..40u64, 0..40u64, 0..30u64, 0..40u64).prop_map(
        |(lost_before, lost_after, lost_between, failed_entry, busy, read_failed)| Faults {
            lost_before,
            lost_after,
            lost_between,
            failed_entry,
            busy,
            read_failed,
            resharded: 0,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_lost_each_record_is_stored_once(
        faults in faults(), seed: u64, shards in 1..5u32, aggregate: bool, count in 1..400usize,
    ) {
        let fake = Arc::new(Fake::new(shards, faults, seed));
        let options = Options { read_back: true, aggregate, ..Options::default() };
        let (contents, stats) = run(put_all(fake.clone(), options, count));
        let all: Vec<&String> = contents.iter().flatten().collect();
        prop_assert_eq!(all.len(), count);
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), count);
        prop_assert_eq!((stats.sent, stats.failed), (count as u64, 0));
        prop_assert_eq!(fake.in_flight_most.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn without_partial_failures_a_key_keeps_its_order(
        mut faults in faults(), seed: u64, shards in 1..5u32, count in 1..400usize,
    ) {
        faults.failed_entry = 0;
        let fake = Arc::new(Fake::new(shards, faults, seed));
        let (contents, _) = run(put_all(fake, Options { read_back: true, ..Options::default() }, count));
        prop_assert_eq!(out_of_order(&contents), None);
    }

    #[test]
    fn aggregates_survive_resharding_once_and_in_order(
        faults in faults(), seed: u64, shards in 1..4u32, count in 1..400usize, resharded in 1..60u64,
    ) {
        let fake = Arc::new(Fake::new(shards, Faults { resharded, ..faults }, seed));
        // Few at a time, so that the shards change between calls.
        let options = Options { aggregate: true, read_back: true, buffer_bytes: 8000, ..Options::default() };
        let (contents, stats) = run(put_all(fake, options, count));
        let all: Vec<&String> = contents.iter().flatten().collect();
        prop_assert_eq!((all.len(), all.iter().collect::<HashSet<_>>().len()), (count, count));
        prop_assert_eq!((stats.sent, stats.failed), (count as u64, 0));
        prop_assert_eq!(out_of_order(&contents), None);
    }
}

/// A text that comes behind a later one of its key.
fn out_of_order(contents: &[Vec<String>]) -> Option<String> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    let late = contents.iter().flatten().find(|text| {
        let (key, number) = text.split_once('/').unwrap();
        let number: usize = number.parse().unwrap();
        last.insert(key, number)
            .is_some_and(|before| before >= number)
    });
    late.cloned()
}

#[test]
fn what_a_split_misplaced_is_put_again_and_the_shards_are_listed_at_once() {
    let fake = Arc::new(Fake::new(1, Faults::default(), 1));
    run(async {
        let options = Options {
            aggregate: true,
            ..Options::default()
        };
        let producer = Producer::open(fake.clone(), options, env(1)).await.unwrap();
        fake.reshard();
        let keys = [0, u128::MAX, 1, u128::MAX - 1];
        for (i, key) in keys.into_iter().enumerate() {
            let explicit_hash_key = Some(HashKey(key));
            let data = i.to_string().into();
            drop(
                producer
                    .put(Record {
                        partition_key: "k".into(),
                        explicit_hash_key,
                        data,
                    })
                    .await
                    .unwrap(),
            );
        }
        producer.flush().await;
        let stats = producer.stats();
        assert_eq!((stats.sent, stats.misplaced, stats.calls), (4, 2, 2));
        let of = |shard: &str| {
            fake.stored.lock()[shard]
                .iter()
                .map(|s| split(&s.data).unwrap().len())
                .collect()
        };
        let counts: [Vec<usize>; 2] = [of("shardId-000000000001"), of("shardId-000000000002")];
        assert_eq!(counts, [vec![4], vec![2]]);
        assert_eq!(
            fake.listings.load(Ordering::SeqCst),
            2,
            "at the start, and for the new shard"
        );
        let open = producer.open_shards().await.unwrap();
        assert_eq!(open.len(), 2);
    });
}

#[test]
fn a_plain_record_in_a_new_shard_has_the_shards_listed_once() {
    let fake = Arc::new(Fake::new(1, Faults::default(), 1));
    run(async {
        let producer = Producer::open(fake.clone(), Options::default(), env(1))
            .await
            .unwrap();
        fake.reshard();
        for i in 0..100 {
            drop(producer.put(record(&format!("k{i}"), "x")).await.unwrap());
        }
        producer.flush().await;
        assert_eq!(
            (producer.stats().sent, producer.stats().misplaced),
            (100, 0)
        );
        assert_eq!(fake.listings.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn without_reading_back_a_lost_answer_makes_duplicates() {
    let faults = Faults {
        lost_after: 50,
        ..Faults::default()
    };
    let fake = Arc::new(Fake::new(2, faults, 3));
    let (contents, stats) = run(put_all(fake, Options::default(), 2000));
    assert!(
        contents.iter().map(Vec::len).sum::<usize>() > 2000,
        "at least once, and this time more"
    );
    assert_eq!((stats.sent, stats.found), (2000, 0));
}

#[test]
fn one_record_that_is_refused_fails_alone() {
    let fake = Fake {
        refuse: Some(b"bad"),
        ..Fake::new(2, Faults::default(), 1)
    };
    let fake = Arc::new(fake);
    run(async {
        let producer = Producer::open(fake.clone(), Options::default(), env(1))
            .await
            .unwrap();
        let mut outcomes = Vec::new();
        for i in 0..100 {
            let text = if i == 37 {
                "bad".to_owned()
            } else {
                i.to_string()
            };
            outcomes.push(producer.put(record("k", text)).await.unwrap());
        }
        for (i, outcome) in outcomes.into_iter().enumerate() {
            assert_eq!(outcome.await.is_err(), i == 37, "{i}");
        }
        assert_eq!((producer.stats().sent, producer.stats().failed), (99, 1));
    });
}

#[test]
fn a_record_is_given_up_after_the_time_for_tries() {
    let fake = Arc::new(Fake::new(
        1,
        Faults {
            busy: 100,
            ..Faults::default()
        },
        1,
    ));
    run(async {
        let options = Options {
            retry_for: Duration::ZERO,
            ..Options::default()
        };
        let producer = Producer::open(fake, options, env(1)).await.unwrap();
        let outcome = producer.put(record("k", "x")).await.unwrap().await;
        assert!(
            matches!(outcome, Err(PutError::Failed { code, .. }) if code == "ThrottlingException")
        );
        assert_eq!(producer.stats().failed, 1);
    });
}

#[test]
fn a_put_waits_while_there_is_no_room() {
    let fake = Arc::new(Fake::new(1, Faults::default(), 1));
    run(async {
        let options = Options {
            buffer_bytes: 400,
            ..Options::default()
        };
        let producer = Producer::open(fake, options, env(1)).await.unwrap();
        let first = producer.put(record("k", "x".repeat(200))).await.unwrap();
        let mut second = std::pin::pin!(producer.put(record("k", "y".repeat(200))));
        let polled =
            std::future::poll_fn(|c| Poll::Ready(second.as_mut().poll(c).is_pending())).await;
        assert!(
            polled,
            "400 bytes do not take two records of 200 and what each costs besides"
        );
        first.await.unwrap();
        second.await.unwrap().await.unwrap();
    });
}

#[test]
fn what_no_stream_takes_is_refused_at_once() {
    let fake = Arc::new(Fake::new(1, Faults::default(), 1));
    run(async {
        let producer = Producer::open(fake, Options::default(), env(1))
            .await
            .unwrap();
        let long = "k".repeat(257);
        for key in ["", long.as_str()] {
            assert!(matches!(
                producer.put(record(key, "x")).await,
                Err(PutError::Invalid(_))
            ));
        }
        let large = record("k", "x".repeat(limits::RECORD_BYTES_MAX));
        assert!(matches!(
            producer.put(large).await,
            Err(PutError::Invalid(_))
        ));
    });
}
