//! The put and the get path from a request's bytes to its answer's, for `bench/instructions` to count.
//!
//! Door, domain and log are the real ones, and requests are counted for the metrics; all on one thread beside the log's
//! own, over a folder of the machine. Sockets, HTTP's own syntax and signatures are left out. callgrind writes down what it
//! counted at each call of [`phase_boundary`]; which phase that was, and of how many calls, stands on standard output in
//! the same order.

#![allow(
    clippy::unwrap_used,
    reason = "this is a measurement: what fails, ends it"
)]

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::stream;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_delivery::{Deliveries, Family};
use headwater_env::{Env, SeededRandom};
use headwater_http::{Body, Peer, Service, body};
use headwater_kinesis::{Channels, Kinesis};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_queues::Queues;
use headwater_shapes::Blob;
use headwater_streams::{StreamSources, Streams};
use headwater_wire::{Options, Pipeline, Place, requests::Requests};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

#[path = "../src/nowhere.rs"]
mod nowhere;

const RECORD_BYTES: usize = 1024;
const RECORDS_A_CALL: usize = 500;
const PAGE: usize = 1000;
/// Of the stream that is put to, and of the one that is read.
const SHARDS: usize = 16;
const SHARDS_READ: usize = 4;
/// A body comes in such pieces, about as a socket gives them.
const PIECE_BYTES: usize = 128 << 10;
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

    warm.phase("put_records", 20, &[("PutRecords", put_records("put", 0))])
        .await;
    warm.phase("put_record", 500, &[("PutRecord", put_record("put"))])
        .await;
    warm.phase("get_records_tail", 20, &from_tail).await;
    cold.phase("get_records_files", 20, &from_files).await;
}

/// callgrind writes down and forgets what it counted, when this is called (`--dump-before`).
#[inline(never)]
fn phase_boundary(phase: &str) {
    black_box(phase);
}

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The caller.
const PEER: Peer = Peer {
    address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
    secure: false,
};

type Call = (&'static str, String);

/// A door and what is behind it.
struct World {
    pipeline: Pipeline,
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
        let options = Options {
            observers: vec![Arc::new(Requests::new([&table]))],
            ..Options::new(Place::new("000000000000", "us-east-1"))
        };
        Self {
            pipeline: Pipeline::new(vec![table], options, env),
            log,
        }
    }

    /// Makes `calls` calls, in turn those given, between two marks.
    async fn phase(&self, name: &str, calls: usize, given: &[Call]) {
        for (operation, body) in given {
            self.call(operation, body.clone()).await;
        }
        let requests: Vec<_> = given.iter().cycle().take(calls).cloned().collect();
        phase_boundary(name);
        for (operation, body) in requests {
            self.call(operation, body).await;
        }
        phase_boundary(name);
        println!("{name} {calls}");
    }

    /// The length of a call's answer, whose bytes nobody keeps.
    async fn call(&self, operation: &str, body: String) -> usize {
        let mut answer = self.answer(operation, body).await;
        let mut length = 0;
        while let Some(frame) = answer.frame().await {
            length += black_box(frame.unwrap()).data_ref().map_or(0, Bytes::len);
        }
        length
    }

    async fn json(&self, operation: &str, input: Value) -> Value {
        let answer = self
            .answer(operation, input.to_string())
            .await
            .collect()
            .await
            .unwrap()
            .to_bytes();
        if answer.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer).unwrap()
        }
    }

    async fn answer(&self, operation: &str, body: String) -> Body {
        let request = Request::post("/")
            .header("host", "127.0.0.1:4566")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
            .header("content-length", body.len())
            .body(in_pieces(body.into()))
            .unwrap();
        let response = self.pipeline.call(request, PEER).await;
        assert_eq!(response.status(), 200, "{operation}");
        response.into_body()
    }

    async fn create(&self, stream: &str, shards: usize) {
        self.json(
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
            self.call("PutRecords", put_records("get", i)).await;
        }
        let mut pages = Vec::new();
        for shard in 0..SHARDS_READ {
            let shard = json!({"StreamName": "get", "ShardId": shard.to_string(), "ShardIteratorType": "TRIM_HORIZON"});
            let iterator = &self.json("GetShardIterator", shard).await["ShardIterator"];
            let page = json!({"ShardIterator": iterator, "Limit": PAGE});
            let records = self.json("GetRecords", page.clone()).await["Records"]
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

fn in_pieces(body: Bytes) -> Body {
    let len = Some(body.len() as u64);
    let pieces = (0..body.len()).step_by(PIECE_BYTES);
    let pieces: Vec<_> = pieces
        .map(|at| Ok(body.slice(at..body.len().min(at + PIECE_BYTES))))
        .collect();
    body::streamed(stream::iter(pieces), len)
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
