//! An application whose workers come and go while its stream is split and merged: `reshard poll|fanout STREAM`.
//!
//! The stream is there and empty; endpoint and credentials come from the environment. Puts user records in aggregates,
//! consumes them, prints a line of JSON, and fails at the first thing that is not as it should be. The conformance
//! suite runs it against the server, in `test_consumer_library.py`.

#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use headwater_client::Client;
use headwater_consumer::{
    Checkpoint, Checkpointer, ClientConfig, Consumer, Env, KinesisSource, LeaseStore, MemoryLeases,
    Options, Place, Position, Process, ProcessError, Processors, Reading, Record, Shard, Source,
    async_trait,
};
use headwater_producer::{KinesisStream, Options as ProducerOptions, Producer};
use headwater_shapes_kinesis::{MergeShardsInput, SplitShardInput, ops};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Partition keys, each with records that are numbered in the order of their puts.
const KEYS: usize = 500;
/// The numbers of a phase; there are three.
const PHASE: usize = 34;
/// Records that are put between two changes of the shards.
const BETWEEN: usize = 3000;
/// Bytes of a record, so that an aggregate holds a few hundred.
const BYTES: usize = 100;

/// Longer than any hand-over in order takes.
const LONG_LEASE: Duration = Duration::from_secs(60);
/// The time that the others wait before they take a dead worker's leases.
const SHORT_LEASE: Duration = Duration::from_millis(1500);

type Done<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Done<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let env = Env::real();
    let config = ClientConfig::from_env(|name| std::env::var(name).ok(), &env).await?;
    let source = Arc::new(KinesisSource::new(config.clone(), &words[1], &env));
    let reading = match words[0].as_str() {
        "fanout" => Reading::FanOut {
            consumer_arn: source.register("reshard").await?,
        },
        _ => Reading::Poll {
            pause: Duration::from_millis(20),
        },
    };
    let stream = Arc::new(KinesisStream::new(config.clone(), &words[1], &env));
    let options = ProducerOptions {
        aggregate: true,
        ..ProducerOptions::default()
    };
    let application = Application {
        producer: Producer::open(stream, options, env.clone()).await?,
        client: Client::new(config, env.clone()),
        stream: words[1].clone(),
        source,
        reading,
        leases: Arc::default(),
        seen: Arc::default(),
        env,
    };
    application.run().await
}

/// One application: what puts, what is put to, and what its workers share.
struct Application {
    producer: Producer,
    client: Client,
    stream: String,
    source: Arc<KinesisSource>,
    reading: Reading,
    leases: Arc<MemoryLeases>,
    seen: Arc<Received>,
    env: Env,
}

impl Application {
    async fn run(&self) -> Done<()> {
        let (put, handed_over) = tokio::join!(self.put(0, true), self.hand_over());
        put?;
        handed_over?;
        let repeats_in_order = self.seen.log.lock().repeats;
        self.crash().await?;
        let log = self.seen.log.lock().clone();
        assert_eq!(log.problems, Vec::<String>::new());
        assert_eq!(
            (log.next.len(), log.next.values().all(|n| *n == 3 * PHASE)),
            (KEYS, true),
            "all, to the last"
        );
        let shards = self.source.shards().await?;
        self.check_leases(&shards, &log.last).await?;
        let stats = self.producer.stats();
        assert_eq!((stats.sent, stats.failed), (log.distinct as u64, 0));
        println!(
            "{{\"records\": {}, \"shards\": {}, \"repeats_in_order\": {repeats_in_order}, \
             \"repeats_after_crash\": {}, \"misplaced\": {}}}",
            log.distinct,
            shards.len(),
            log.repeats - repeats_in_order,
            stats.misplaced
        );
        Ok(())
    }

    /// A worker shuts down in the middle of the first phase, and the next goes on.
    async fn hand_over(&self) -> Done<()> {
        let first = self.worker("first", LONG_LEASE, 3);
        self.seen
            .until(|log| log.distinct >= KEYS * PHASE / 2)
            .await;
        first.shutdown().await;
        let second = self.worker("second", LONG_LEASE, 3);
        self.seen.until(|log| log.distinct == KEYS * PHASE).await;
        second.shutdown().await;
        Ok(())
    }

    /// Of two workers one dies with shards that it has read without a checkpoint, which are split and merged before
    /// the other has them.
    async fn crash(&self) -> Done<()> {
        let survivor = self.worker("survivor", SHORT_LEASE, 3);
        let victim = self.worker("victim", SHORT_LEASE, usize::MAX);
        self.seen
            .until(|log| log.opened.contains_key("victim"))
            .await;
        self.put(1, false).await?;
        self.seen
            .until(|log| log.given.contains_key("victim"))
            .await;
        drop(victim);
        self.put(2, true).await?;
        self.seen
            .until(|log| log.distinct == 3 * KEYS * PHASE)
            .await;
        survivor.shutdown().await;
        Ok(())
    }

    /// A worker that checkpoints after so many batches, and at the end.
    fn worker(
        &self,
        name: &'static str,
        lease_duration: Duration,
        checkpoint_after: usize,
    ) -> Consumer {
        let reading = self.reading.clone();
        let options = Options {
            reading,
            lease_duration,
            ..Options::new(name)
        };
        let workers = Arc::new(Workers {
            name,
            checkpoint_after,
            seen: self.seen.clone(),
        });
        Consumer::start(
            self.source.clone(),
            self.leases.clone(),
            workers,
            options,
            self.env.clone(),
        )
    }

    /// Puts a phase's records, and changes the shards while they are on their way.
    async fn put(&self, phase: usize, reshard: bool) -> Done<()> {
        for turn in 0..KEYS * PHASE {
            let (key, number) = (turn % KEYS, phase * PHASE + turn / KEYS);
            let text = format!("{:width$}", number, width = BYTES);
            let partition_key = format!("key-{key}");
            let record = headwater_producer::Record {
                partition_key,
                explicit_hash_key: None,
                data: text.into(),
            };
            drop(self.producer.put(record).await?);
            if reshard && turn % BETWEEN == BETWEEN - 1 {
                self.reshard(turn / BETWEEN).await?;
            }
        }
        self.producer.flush().await;
        Ok(())
    }

    /// Splits a shard in two turns of three, else merges two.
    async fn reshard(&self, turn: usize) -> Done<()> {
        let mut open = self.source.shards().await?;
        open.retain(|shard| shard.open);
        open.sort_by_key(|shard| shard.range.start);
        let at = turn % (open.len() - 1);
        let stream_name = Some(self.stream.clone());
        if turn % 3 == 2 {
            let [shard_to_merge, adjacent_shard_to_merge] =
                [open[at].id.clone(), open[at + 1].id.clone()];
            let merge = MergeShardsInput {
                stream_name,
                shard_to_merge,
                adjacent_shard_to_merge,
                ..Default::default()
            };
            self.client.call::<ops::MergeShards>(merge).await?;
        } else {
            let range = open[at].range;
            let middle = range.start.0 + (range.end.0 - range.start.0) / 2 + 1;
            let (shard_to_split, new_starting_hash_key) = (open[at].id.clone(), middle.to_string());
            let split = SplitShardInput {
                stream_name,
                shard_to_split,
                new_starting_hash_key,
                ..Default::default()
            };
            self.client.call::<ops::SplitShard>(split).await?;
        }
        Ok(())
    }

    /// Nobody holds a lease; what is closed is processed to its end, and what is open to its last record.
    async fn check_leases(&self, shards: &[Shard], last: &HashMap<String, Place>) -> Done<()> {
        let leases = self.leases.list().await?;
        assert!(
            leases.iter().all(|lease| lease.owner.is_none()),
            "{leases:?}"
        );
        let leases: BTreeMap<&str, _> = leases
            .iter()
            .map(|lease| (lease.key.as_str(), lease))
            .collect();
        for shard in shards {
            match (leases.get(shard.id.as_str()), shard.open) {
                (lease, false) => {
                    assert!(lease.is_none_or(|lease| lease.is_finished()), "{lease:?}")
                }
                (None, true) => panic!("{} has no lease", shard.id),
                (Some(lease), true) => {
                    self.check_tip(&lease.checkpoint, shard, last.get(&shard.id))
                        .await?
                }
            }
        }
        Ok(())
    }

    async fn check_tip(
        &self,
        checkpoint: &Checkpoint,
        shard: &Shard,
        last: Option<&Place>,
    ) -> Done<()> {
        let from = checkpoint.position().unwrap();
        let page = self
            .source
            .read(&self.source.iterator(&shard.id, &from).await?)
            .await?;
        let at_checkpoint = usize::from(matches!(from, Position::At(_)));
        assert_eq!(
            (page.records.len(), page.at_tip),
            (at_checkpoint, true),
            "{shard:?} {checkpoint:?}"
        );
        assert!(
            last.is_none_or(|last| checkpoint.covers(last)),
            "{last:?} {checkpoint:?}"
        );
        Ok(())
    }
}

/// The records that all workers together were given.
#[derive(Default)]
struct Received {
    log: Mutex<Log>,
    changes: watch::Sender<()>,
}

#[derive(Default, Clone)]
struct Log {
    /// The number that each key's next new record has.
    next: HashMap<String, usize>,
    distinct: usize,
    repeats: usize,
    /// The last place that was given of each shard.
    last: HashMap<String, Place>,
    /// Shards that each worker began, and batches that it was given.
    opened: HashMap<&'static str, usize>,
    given: HashMap<&'static str, usize>,
    problems: Vec<String>,
}

impl Received {
    fn write(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log.lock());
        self.changes.send_replace(());
    }

    async fn until(&self, condition: impl Fn(&Log) -> bool) {
        let mut changes = self.changes.subscribe();
        changes
            .wait_for(|()| condition(&self.log.lock()))
            .await
            .unwrap();
    }
}

impl Log {
    /// Notes one record. Of a key, a record may come again, but none may come before its predecessor.
    fn give(&mut self, shard: &str, record: &Record) {
        let number: usize = String::from_utf8_lossy(&record.data)
            .trim()
            .parse()
            .unwrap();
        let next = self
            .next
            .entry(record.partition_key.to_string())
            .or_default();
        match number.cmp(next) {
            std::cmp::Ordering::Equal => (*next, self.distinct) = (*next + 1, self.distinct + 1),
            std::cmp::Ordering::Less => self.repeats += 1,
            std::cmp::Ordering::Greater => {
                let key = &record.partition_key;
                self.problems
                    .push(format!("{key}/{number} came in {shard} before {next}"));
            }
        }
        let last = self
            .last
            .entry(shard.to_owned())
            .or_insert_with(|| record.place.clone());
        *last = record.place.clone().max(last.clone());
    }
}

/// One worker's processing.
struct Workers {
    name: &'static str,
    checkpoint_after: usize,
    seen: Arc<Received>,
}

impl Processors for Workers {
    fn open(&self, shard_id: &str, from: &Checkpoint) -> Box<dyn Process> {
        self.seen
            .write(|log| *log.opened.entry(self.name).or_default() += 1);
        let (name, checkpoint_after, seen) = (self.name, self.checkpoint_after, self.seen.clone());
        let (shard, reached) = (shard_id.to_owned(), from.clone());
        Box::new(Work {
            name,
            checkpoint_after,
            seen,
            shard,
            reached,
            batches: 0,
        })
    }
}

/// One shard's processing.
struct Work {
    name: &'static str,
    checkpoint_after: usize,
    seen: Arc<Received>,
    shard: String,
    /// The checkpoint that it began with, then the last record given.
    reached: Checkpoint,
    batches: usize,
}

#[async_trait]
impl Process for Work {
    async fn records(
        &mut self,
        records: Vec<Record>,
        done: &Checkpointer,
    ) -> Result<(), ProcessError> {
        self.seen.write(|log| {
            *log.given.entry(self.name).or_default() += 1;
            for record in &records {
                if self.reached.covers(&record.place) {
                    log.problems
                        .push(format!("{} went back to {:?}", self.shard, record.place));
                }
                self.reached = Checkpoint::At(record.place.clone());
                log.give(&self.shard, record);
            }
        });
        self.batches += 1;
        match self.batches.is_multiple_of(self.checkpoint_after) {
            true => Ok(done.checkpoint_all().await?),
            false => Ok(()),
        }
    }

    async fn stopped(&mut self, done: &Checkpointer) -> Result<(), ProcessError> {
        Ok(done.checkpoint_all().await?)
    }
}
