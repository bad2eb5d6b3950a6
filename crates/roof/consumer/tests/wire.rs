//! A consumer over real connections: a split shard and its children, in pages, from a server in this process.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_client::{ClientConfig, Credentials};
use headwater_consumer::{
    Checkpoint, Checkpointer, Consumer, KinesisSource, LeaseStore, MemoryLeases, Options, Process,
    ProcessError, Reading, Record,
};
use headwater_env::Env;
use headwater_http::{Serving, serve};
use headwater_shapes::{Blob, Timestamp};
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::ops;
use headwater_types::{HashKey, HashRange};
use headwater_wire::{ApiError, Context, Handle, Pipeline, Place, READS, Routes};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
};

/// Three shards, the first split into the others; each has these records, given two a page.
struct Stub;

const RECORDS: usize = 5;

fn shard(index: usize) -> kinesis::Shard {
    let halves = HashRange::split_evenly(2);
    let range = [HashRange::ALL, halves[0], halves[1]][index];
    let text = |key: HashKey| key.to_string();
    kinesis::Shard {
        shard_id: format!("shardId-{index:012}"),
        parent_shard_id: (index > 0).then(|| "shardId-000000000000".to_owned()),
        hash_key_range: kinesis::HashKeyRange {
            starting_hash_key: text(range.start),
            ending_hash_key: text(range.end),
        },
        sequence_number_range: kinesis::SequenceNumberRange {
            starting_sequence_number: "0".into(),
            ending_sequence_number: (index == 0).then(|| "99".to_owned()),
        },
        ..Default::default()
    }
}

impl Handle<ops::ListShards> for Stub {
    async fn handle(
        &self,
        input: kinesis::ListShardsInput,
        _: &Context,
    ) -> Result<kinesis::ListShardsOutput, ApiError> {
        // One a page; with a token no name may be given, as on AWS.
        assert_eq!(input.stream_name.is_some(), input.next_token.is_none());
        let index = input
            .next_token
            .map_or(0, |token| token.parse::<usize>().unwrap());
        let next_token = (index < 2).then(|| (index + 1).to_string());
        Ok(kinesis::ListShardsOutput {
            shards: Some(vec![shard(index)]),
            next_token,
        })
    }
}

impl Handle<ops::GetShardIterator> for Stub {
    async fn handle(
        &self,
        input: kinesis::GetShardIteratorInput,
        _: &Context,
    ) -> Result<kinesis::GetShardIteratorOutput, ApiError> {
        let skipped = match input.shard_iterator_type.as_str() {
            "TRIM_HORIZON" => 0,
            "AT_SEQUENCE_NUMBER" => {
                input
                    .starting_sequence_number
                    .unwrap()
                    .parse::<usize>()
                    .unwrap()
                    - 1
            }
            other => panic!("{other}"),
        };
        let shard_iterator = Some(format!("{}@{skipped}", input.shard_id));
        Ok(kinesis::GetShardIteratorOutput { shard_iterator })
    }
}

impl Handle<ops::GetRecords> for Stub {
    async fn handle(
        &self,
        input: kinesis::GetRecordsInput,
        _: &Context,
    ) -> Result<kinesis::GetRecordsOutput, ApiError> {
        let (shard, skipped) = input.shard_iterator.split_once('@').unwrap();
        let skipped: usize = skipped.parse().unwrap();
        let numbers = skipped..RECORDS.min(skipped + 2);
        let next = numbers.end;
        let record = |i: usize| kinesis::Record {
            sequence_number: (i + 1).to_string(),
            approximate_arrival_timestamp: Some(Timestamp(1_700_000_000_123)),
            data: Blob(Bytes::from(format!("{shard}/{i}"))),
            partition_key: Some("k".into()),
            ..Default::default()
        };
        let ended = next == RECORDS && shard.ends_with('0');
        Ok(kinesis::GetRecordsOutput {
            records: numbers.map(record).collect(),
            next_shard_iterator: (!ended).then(|| format!("{shard}@{next}")),
            millis_behind_latest: Some(if next == RECORDS { 0 } else { 1000 }),
            ..Default::default()
        })
    }
}

/// Serves the stub until the sender is dropped; its address.
async fn stub(env: &Env) -> (String, oneshot::Sender<()>) {
    let table = Routes::new(&kinesis::SERVICE, Arc::new(Stub))
        .route::<ops::ListShards>(READS)
        .route::<ops::GetShardIterator>(READS)
        .direct::<ops::GetRecords>(READS.data().gives_records())
        .build();
    let options = headwater_wire::Options::new(Place::new("000000000000", "us-east-1"));
    let pipeline = Pipeline::new(vec![table], options, env.clone());
    let serving = Serving::new(Arc::new(pipeline));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serve_env = env.clone();
    env.spawn(async move {
        serve([listener.into()], serving, serve_env, async {
            drop(stopped.await)
        })
        .await
    });
    (address, stop)
}

/// The records that processors were given, each with its shard, in the order of all.
#[derive(Default)]
struct Received {
    records: Mutex<Vec<(String, Record)>>,
    more: Notify,
}

struct Keep {
    shard: String,
    given: Arc<Received>,
}

#[async_trait]
impl Process for Keep {
    async fn records(
        &mut self,
        records: Vec<Record>,
        checkpointer: &Checkpointer,
    ) -> Result<(), ProcessError> {
        let own = records
            .into_iter()
            .map(|record| (self.shard.clone(), record));
        self.given.records.lock().unwrap().extend(own);
        checkpointer.checkpoint_all().await?;
        self.given.more.notify_one();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_stream_is_read_whole_and_parents_first() {
    let env = Env::real();
    let (address, _server) = stub(&env).await;
    let credentials = Credentials {
        access_key_id: "a".into(),
        secret_access_key: "b".into(),
        session_token: None,
    };
    let config = ClientConfig::new(credentials).with_endpoint_url(Some(address));
    let source = Arc::new(KinesisSource::new(config, "s", &env));
    let (store, given) = (
        Arc::new(MemoryLeases::default()),
        Arc::new(Received::default()),
    );
    let keep = given.clone();
    let processors = move |shard: &str, _: &Checkpoint| -> Box<dyn Process> {
        Box::new(Keep {
            shard: shard.into(),
            given: keep.clone(),
        })
    };
    let options = Options {
        lease_duration: Duration::from_secs(3),
        reading: Reading::Poll {
            pause: Duration::from_millis(20),
        },
        ..Options::new("a")
    };
    let consumer = Consumer::start(source, store.clone(), Arc::new(processors), options, env);
    while given.records.lock().unwrap().len() < 3 * RECORDS {
        given.more.notified().await;
    }
    consumer.shutdown().await;

    let mut by_shard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (shard, record) in given.records.lock().unwrap().iter() {
        by_shard
            .entry(shard.clone())
            .or_default()
            .push(String::from_utf8(record.data.to_vec()).unwrap());
        assert_eq!(record.arrival.map(|time| time.0), Some(1_700_000_000_123));
    }
    let texts = |shard: &String| {
        (0..RECORDS)
            .map(|i| format!("{shard}/{i}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(by_shard.len(), 3);
    assert!(
        by_shard.iter().all(|(shard, seen)| *seen == texts(shard)),
        "{by_shard:?}"
    );
    let first = given.records.lock().unwrap()[..RECORDS].to_vec();
    assert!(
        first
            .iter()
            .all(|(shard, _)| shard == "shardId-000000000000"),
        "parents first"
    );
    let leases = store.list().await.unwrap();
    assert!(
        leases.iter().all(|lease| lease.owner.is_none()),
        "{leases:?}"
    );
}
