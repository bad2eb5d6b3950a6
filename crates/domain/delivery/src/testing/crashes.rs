//! Exactly once, whatever happens: processes that die at any operation, stores that lie, functions that change their
//! mind.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use proptest::prelude::*;

use super::{FunctionCall, Fuse, PutFault, Side, World, destination, function, new_stream};
use crate::{Backup, Buffering, Compression, Deliveries, Destination, ports::InvokeError};

/// How often each record arrived, delivered or failed; a data object holds one record a line.
fn arrivals(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in went(world) {
        *counts.entry(record).or_default() += 1;
    }
    counts
}

/// Every record that was delivered or failed, as often as it was.
fn went(world: &World) -> Vec<String> {
    let delivered = world.objects.text("data/");
    let failed = world.failed();
    let delivered = delivered.lines();
    // Some failed before the function had them, and some after.
    let all = delivered.chain(failed.iter().map(|record| record.trim_end()));
    all.map(str::to_lowercase).collect()
}

/// Every record that came is in the backup, if there is one, as often as it went out, however often that was tried.
fn assert_backup(world: &World) {
    if world.objects.keys("backup/").is_empty() {
        return;
    }
    let backup = world.objects.text("backup/");
    let (mut came, mut went): (Vec<_>, _) =
        (backup.lines().map(str::to_owned).collect(), went(world));
    came.sort();
    went.sort();
    assert_eq!(came, went, "the backup");
}

fn chance(seed: u64, what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, what).hash(&mut hasher);
    hasher.finish() % 100
}

/// A function that fails some records and partitions the others, each record at every call alike.
fn steady(seed: u64) -> impl Fn(FunctionCall) -> Result<serde_json::Value, InvokeError> {
    move |call| {
        let mut answer = call.answer(|_, data| match chance(seed, data) {
            0..20 => ("ProcessingFailed", data.to_owned()),
            _ => ("Ok", data.to_uppercase()),
        });
        for record in answer["records"].as_array_mut().unwrap() {
            let key = format!("k{}", chance(seed, record["data"].as_str()) % 4);
            record["metadata"] = serde_json::json!({"partitionKeys": {"k": key}});
        }
        Ok(answer)
    }
}

/// A function that throws, forgets, doubles and fails records, otherwise at every call.
fn moody(seed: u64) -> impl Fn(FunctionCall) -> Result<serde_json::Value, InvokeError> {
    move |call| {
        let mood = chance(seed, call.number);
        match mood {
            0..10 => return Err(InvokeError::Function("Unhandled".into())),
            10..15 => return Err(InvokeError::Throttled),
            15..18 => return Err(InvokeError::Failed("busy".into())),
            _ => {}
        }
        let mut answer = call.answer(|id, data| match chance(seed, (call.number, id)) {
            0..20 => ("ProcessingFailed", data.to_owned()),
            _ => ("Ok", data.to_uppercase()),
        });
        let records = answer["records"].as_array_mut().unwrap();
        // Other partitions at every call, and sometimes none.
        for record in records.iter_mut() {
            match chance(seed, (call.number, record["recordId"].as_str(), "key")) {
                0..10 => {}
                n => {
                    record["metadata"] =
                        serde_json::json!({"partitionKeys": {"k": format!("k{}", n % 4)}})
                }
            }
        }
        match mood {
            18..28 => drop(records.pop()),
            28..35 => {
                let twice = records[0].clone();
                records.push(twice);
            }
            35..40 => records.reverse(),
            _ => {}
        }
        Ok(answer)
    }
}

/// The events of one case.
#[derive(Debug, Clone)]
struct Plan {
    seed: u64,
    /// For each process that dies: at which operation, on which side of it, and how many records come before.
    deaths: Vec<(u64, bool, u8)>,
    /// Of every ten puts, how many the store refuses, and how many it does and denies.
    faults: (u8, u8),
    has_function: bool,
    /// Whether the function answers alike each time.
    is_steady: bool,
    splits: bool,
    gzip: bool,
    /// Whether each process gives the stream another destination.
    updates: bool,
    /// Whether records are partitioned by what the function says, which says otherwise at each call.
    partitions: bool,
    /// Whether records are kept as they came, too.
    keeps: bool,
    /// Whether records expire in the source while no process runs, and ended shards go with them.
    expires: bool,
    /// Whether the store never takes one of the partitions, which it may have stored all the same; and others consist
    /// of many objects.
    gives_up: bool,
}

fn plans() -> impl Strategy<Value = Plan> {
    let deaths = prop::collection::vec((0u64..16, any::<bool>(), 0u8..12), 0..6);
    (any::<u64>(), deaths, (0u8..4, 0u8..4), any::<[bool; 9]>()).prop_map(
        |(
            seed,
            deaths,
            faults,
            [
                has_function,
                splits,
                gzip,
                updates,
                partitions,
                keeps,
                gives_up,
                expires,
                is_steady,
            ],
        )| Plan {
            seed,
            deaths,
            faults,
            has_function: has_function || partitions,
            is_steady,
            splits,
            gzip,
            updates,
            partitions,
            keeps,
            gives_up,
            expires,
        },
    )
}

/// Fills the stream: several shards, some records aggregated.
struct Producer<'a> {
    world: &'a World,
    put: usize,
    shards: std::ops::Range<usize>,
}

impl Producer<'_> {
    fn put(&mut self, count: u8) {
        for i in 0..usize::from(count) {
            let shard = self.shards.start + i % self.shards.len();
            if i % 4 == 3 {
                let mut aggregator = headwater_aggregation::Aggregator::new(1000);
                for _ in 0..3 {
                    assert!(aggregator.add("key", None, self.next().as_bytes()));
                }
                self.world.put(shard, aggregator.finish().unwrap().data);
            } else {
                let record = self.next();
                self.world.put(shard, record);
            }
        }
    }

    fn next(&mut self) -> String {
        self.put += 1;
        format!("record {}\n", self.put)
    }

    fn split(&mut self) {
        let parent = self.shards.start.to_string();
        for _ in 0..2 {
            self.world.source.add_shard(&[&parent]);
        }
        self.shards = self.shards.start + 1..self.shards.end + 2;
    }
}

async fn play(plan: Plan) {
    let world = world_of(&plan);
    world
        .open()
        .await
        .create(new_stream("d", destination_of(&plan)))
        .await
        .unwrap();
    let mut stays = BTreeSet::new();
    let mut producer = Producer {
        world: &world,
        put: 0,
        shards: 0..2,
    };
    for (number, &death) in plan.deaths.iter().enumerate() {
        die(&world, &plan, &mut producer, &mut stays, number, death).await;
    }
    if plan.expires {
        stays.extend(expire(&world, &plan));
        return outlives(&world, &mut producer, stays).await;
    }
    producer.put(9);
    let expected = (1..=producer.put)
        .map(|i| (format!("record {i}"), 1))
        .collect();
    let deliveries = world.open().await;
    world.until_delivered().await;
    deliveries.close().await;
    assert_backup(&world);
    assert_eq!(arrivals(&world), expected, "each record once");
}

/// A world whose function behaves and whose store fails as the plan says.
fn world_of(plan: &Plan) -> World {
    let world = World::new(2);
    match plan.is_steady {
        true => world.behave(steady(plan.seed)),
        false => world.behave(moody(plan.seed)),
    }
    let faults = (0..200u64).map(|i| match chance(plan.seed, ("put", i)) as u8 / 10 {
        n if n < plan.faults.0 => PutFault::Refused,
        n if n < plan.faults.0 + plan.faults.1 => PutFault::Denied,
        _ => PutFault::None,
    });
    world.objects.faults.lock().extend(faults);
    if plan.gives_up {
        let fault = match plan.seed.is_multiple_of(2) {
            true => PutFault::Refused,
            false => PutFault::Denied,
        };
        let partition = |version| (format!("data/{version}/k=k1/"), fault);
        let stubborn = (0..10).map(partition);
        world.objects.stubborn.lock().extend(stubborn);
    }
    world
}

/// The destination with the steps, the buffering and the backup of the plan.
fn destination_of(plan: &Plan) -> Destination {
    let compression = match plan.gzip {
        true => Compression::Gzip,
        false => Compression::None,
    };
    let backup = Backup {
        bucket: "bucket".into(),
        prefix: Some("backup/".into()),
        error_prefix: None,
        time_zone: None,
        buffering: Buffering {
            size_mib: 1,
            interval_s: 1,
        },
        compression,
        encryption_key: None,
    };
    let has_small_objects = plan.partitions && plan.gives_up;
    Destination {
        steps: match plan.has_function {
            true => function(40, 1),
            false => Vec::new(),
        },
        compression,
        buffering: Buffering {
            size_mib: if has_small_objects { 0 } else { 1 },
            interval_s: 1,
        },
        partition_retry_s: 2,
        prefix: Some(prefix(plan.partitions, 0)),
        error_prefix: Some("!{firehose:error-output-type}/".into()),
        is_partitioned: plan.partitions,
        backup: plan.keeps.then_some(backup),
        ..destination()
    }
}

/// Runs the process of that number until its death, or until all is delivered where that comes first.
async fn die(
    world: &World,
    plan: &Plan,
    producer: &mut Producer<'_>,
    stays: &mut BTreeSet<String>,
    number: usize,
    (at, after, records): (u64, bool, u8),
) {
    // The first process is the one that made the stream: it goes here, with all it was doing.
    let fuse = Fuse::new(Some((at, if after { Side::After } else { Side::Before })));
    producer.put(records);
    if plan.splits && number % 2 == 1 {
        producer.split();
    }
    if plan.expires {
        stays.extend(expire(world, plan));
    }
    let deliveries = world.open_with(&fuse).await;
    if plan.updates {
        tokio::select! {
            biased;
            () = update(&deliveries) => {}
            () = world.until(async || fuse.is_blown()) => {}
        }
    }
    world
        .until(async || fuse.is_blown() || world.is_delivered().await)
        .await;
    if !fuse.is_blown() {
        deliveries.close().await;
    }
}

/// Lets records of the source expire. The records that are delivered from now on, whatever happens: all that were there,
/// but for a function that may have put one elsewhere the next time, where only those are safe that have expired now,
/// since a batch that is delivered again takes back what it had delivered until it is through.
fn expire(world: &World, plan: &Plan) -> BTreeSet<String> {
    let readable = || -> BTreeSet<String> {
        let readable = world.source.readable().into_iter();
        readable.flat_map(records_of).collect()
    };
    let before = readable();
    world.source.expire();
    let after = readable();
    let has_expired = |record: &String| before.contains(record) && !after.contains(record);
    let is_safe = |record: &String| !plan.has_function || plan.is_steady || has_expired(record);
    arrivals(world).into_keys().filter(is_safe).collect()
}

/// Checks that the records in `stays` are delivered at the end, and so are those that never expired.
async fn outlives(world: &World, producer: &mut Producer<'_>, stays: BTreeSet<String>) {
    producer.put(9);
    let deliveries = world.open().await;
    world.until_delivered().await;
    deliveries.close().await;
    let arrived = arrivals(world);
    let kept = world.source.readable().into_iter().flat_map(records_of);
    for record in stays.into_iter().chain(kept) {
        assert!(arrived.contains_key(&record), "{record} is gone");
    }
}

/// The records of one that may be an aggregate.
fn records_of(data: Bytes) -> Vec<String> {
    let text = |data: Bytes| String::from_utf8(data.to_vec()).unwrap();
    let parts = match headwater_aggregation::split(&data) {
        Some(parts) => parts.into_iter().map(|part| text(part.data)).collect(),
        None => vec![text(data)],
    };
    parts
        .iter()
        .map(|part| part.trim_end().to_owned())
        .collect()
}

/// The prefix of a version.
fn prefix(is_partitioned: bool, version: u64) -> String {
    format!(
        "data/{version}/{}",
        if is_partitioned {
            "k=!{partitionKeyFromLambda:k}/"
        } else {
            ""
        }
    )
}

/// Gives the stream another prefix and the other compression.
async fn update(deliveries: &Arc<Deliveries>) {
    let stream = deliveries.describe("d").await.unwrap();
    let (version, mut destination) = (stream.version, stream.destination);
    destination.prefix = Some(prefix(destination.is_partitioned, version));
    destination.compression = match destination.compression {
        Compression::Gzip => Compression::None,
        _ => Compression::Gzip,
    };
    let description = stream.description;
    let updated = deliveries.update("d", version, destination, description);
    updated.await.unwrap();
}

fn run(plan: Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(play(plan));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_record_arrives_exactly_once(plan in plans()) {
        run(plan);
    }
}

/// A function gave a record another partition when it was asked again, the process died before that was written, and then
/// the record expired: found by the property above.
#[test]
fn a_record_that_expires_while_it_is_in_the_bucket_stays() {
    let deaths = vec![
        (7, false, 10),
        (7, false, 11),
        (5, true, 11),
        (15, true, 1),
        (4, true, 1),
    ];
    for is_steady in [false, true] {
        run(Plan {
            seed: 9_121_055_734_668_856_518,
            deaths: deaths.clone(),
            faults: (2, 3),
            has_function: true,
            is_steady,
            splits: false,
            gzip: true,
            updates: false,
            partitions: true,
            keeps: true,
            gives_up: false,
            expires: true,
        });
    }
}

/// One death at each operation in turn, on both sides of it.
#[test]
fn a_death_at_any_operation_neither_loses_nor_doubles() {
    for (at, partitions) in (0..24).flat_map(|at| [(at, false), (at, true)]) {
        for after in [false, true] {
            let deaths = vec![(at, after, 11), (at / 2, !after, 5)];
            let seed = at * 2 + u64::from(after);
            run(Plan {
                seed,
                deaths,
                faults: (0, 0),
                has_function: true,
                is_steady: false,
                splits: at % 2 == 0,
                gzip: true,
                updates: at % 3 == 0,
                partitions,
                keeps: at % 4 == 1,
                gives_up: at % 2 == 0,
                expires: false,
            });
        }
    }
}

/// A death at each operation in turn, after which half of the records expire, and all of the shards that were split.
#[test]
fn what_was_delivered_stays_though_the_source_drops_it() {
    for (at, partitions) in (0..24).flat_map(|at| [(at, false), (at, true)]) {
        for after in [false, true] {
            let deaths = vec![(at, after, 11), (at / 2, !after, 5), (at / 3, after, 3)];
            let seed = at * 2 + u64::from(after);
            run(Plan {
                seed,
                deaths,
                faults: (0, 0),
                has_function: partitions || at % 2 == 1,
                is_steady: at % 3 != 0,
                splits: true,
                gzip: false,
                updates: false,
                partitions,
                keeps: at % 4 == 1,
                gives_up: false,
                expires: true,
            });
        }
    }
}
