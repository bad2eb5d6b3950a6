//! The put and the get path from a request's bytes to its answer's, for `bench/instructions` to count.
//!
//! Door, domain and log are the real ones, and requests are counted for the metrics; all on one thread beside the log's
//! own, over a folder of the machine. How phases are counted: `bench/phases.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "this is a measurement: what fails, ends it"
)]

use std::{path::Path, sync::Arc};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_delivery::{Deliveries, Family};
use headwater_env::{Env, SeededRandom};
use headwater_kinesis::{Channels, Kinesis};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_queues::Queues;
use headwater_shapes::Blob;
use headwater_streams::{StreamSources, Streams};
use serde_json::json;

#[path = "../src/nowhere.rs"]
mod nowhere;
#[path = "../../../../bench/phases.rs"]
mod phases;

use phases::{Call, Door};

/// How Kinesis's operations are named, and its content type.
const DIALECT: (&str, &str) = ("Kinesis_20131202", "application/x-amz-json-1.1");

const RECORD_BYTES: usize = 1024;
const RECORDS_A_CALL: usize = 500;
const PAGE: usize = 1000;
/// Of the stream that is put to, and of the one that is read.
const SHARDS: usize = 16;
const SHARDS_READ: usize = 4;
/// Of a log that is read from its files: several of them are full and have their footers.
const SMALL_SEGMENT_BYTES: u64 = 1 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let warm = World::open(&folder.path().join("warm"), headwater_log::Options::new("")).await;
    let options = headwater_log::Options {
        segment_bytes: SMALL_SEGMENT_BYTES,
        ..headwater_log::Options::new("")
    };
    let cold = World::open(
        &folder.path().join("cold"),
        headwater_log::Options {
            tail_cache_bytes: 0,
            ..options
        },
    )
    .await;
    warm.create("put", SHARDS).await;
    let (from_tail, from_files) = (warm.pages().await, cold.pages().await);
    cold.log.maintain().await.unwrap();

    let records = [("PutRecords", put_records("put", 0))];
    warm.door.phase("put_records", 20, &records).await;
    let record = [("PutRecord", put_record("put"))];
    warm.door.phase("put_record", 500, &record).await;
    warm.door.phase("get_records_tail", 20, &from_tail).await;
    cold.door.phase("get_records_files", 20, &from_files).await;
}

/// A door and what is behind it.
struct World {
    door: Door,
    log: Arc<EmbeddedLog>,
}

impl World {
    async fn open(dir: &Path, options: headwater_log::Options) -> Self {
        let env = Env {
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let options = headwater_log::Options {
            dir: dir.to_owned(),
            maintain_every: None,
            ..options
        };
        let log = Arc::new(EmbeddedLog::open(env.clone(), options).await.unwrap());
        let kinesis = kinesis(env.clone(), log.clone()).await;
        let table = headwater_kinesis::table(Arc::new(kinesis));
        Self {
            door: Door::new(table, env, DIALECT),
            log,
        }
    }

    async fn create(&self, stream: &str, shards: usize) {
        self.door
            .json(
                "CreateStream",
                json!({"StreamName": stream, "ShardCount": shards}),
            )
            .await;
    }

    /// Puts a page of records into each shard of a stream, and gives the calls that read them.
    async fn pages(&self) -> Vec<Call> {
        self.create("get", SHARDS_READ).await;
        // A tenth more, for keys do not fall evenly.
        for i in 0..(SHARDS_READ * PAGE * 11 / 10).div_ceil(RECORDS_A_CALL) {
            self.door.call("PutRecords", put_records("get", i)).await;
        }
        let mut pages = Vec::new();
        for shard in 0..SHARDS_READ {
            let shard = json!({"StreamName": "get", "ShardId": shard.to_string(), "ShardIteratorType": "TRIM_HORIZON"});
            let iterator = &self.door.json("GetShardIterator", shard).await["ShardIterator"];
            let page = json!({"ShardIterator": iterator, "Limit": PAGE});
            let records = self.door.json("GetRecords", page.clone()).await["Records"]
                .as_array()
                .map(Vec::len);
            assert_eq!(records, Some(PAGE));
            pages.push(("GetRecords", page.to_string()));
        }
        pages
    }
}

async fn kinesis(env: Env, log: Arc<dyn ShardLog>) -> Kinesis {
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let options = headwater_streams::Options {
        limits: false,
        ..Default::default()
    };
    let streams = Streams::open(env.clone(), log.clone(), catalog.clone(), options)
        .await
        .unwrap();
    let sources = Arc::new(StreamSources(streams.clone()));
    let queues = Queues::open(env.clone(), catalog.clone(), sources.clone())
        .await
        .unwrap();
    let options = headwater_delivery::Options {
        family: Family::Channels,
        ..Default::default()
    };
    let deliveries = Deliveries::open(env, catalog, log, nowhere::ports(sources), options)
        .await
        .unwrap();
    Kinesis {
        streams,
        channels: Channels {
            deliveries,
            limits: false,
        },
        queues,
        subscribers: Default::default(),
    }
}

/// The `call`th request to put so many records, over all shards.
fn put_records(stream: &str, call: usize) -> String {
    let record = |i| json!({"PartitionKey": format!("key-{:08}", call * RECORDS_A_CALL + i), "Data": data(i)});
    let records: Vec<_> = (0..RECORDS_A_CALL).map(record).collect();
    json!({"StreamName": stream, "Records": records}).to_string()
}

fn put_record(stream: &str) -> String {
    json!({"StreamName": stream, "PartitionKey": "key-00000000", "Data": data(0)}).to_string()
}

fn data(seed: usize) -> Blob {
    Blob(
        (0..RECORD_BYTES)
            .map(|i| (i * 31 + seed * 17) as u8)
            .collect::<Vec<u8>>()
            .into(),
    )
}
