//! Kinesis through the Rust SDK: sdk-rust streams|fanout name
//! The endpoint comes from AWS_ENDPOINT_URL, the authority that it is trusted by from AWS_CA_BUNDLE. Prints a summary, or panics at the first mismatch.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::env;
use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_sdk_kinesis::client::Waiters;
use aws_sdk_kinesis::config::{Credentials, Region, SharedHttpClient};
use aws_sdk_kinesis::error::SdkError;
use aws_sdk_kinesis::operation::create_stream::CreateStreamError;
use aws_sdk_kinesis::operation::describe_stream_summary::DescribeStreamSummaryError;
use aws_sdk_kinesis::operation::put_record::PutRecordError;
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardError;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ChildShard, ConsumerStatus, PutRecordsRequestEntry, Shard, ShardIteratorType, StartingPosition,
    StreamDescriptionSummary, SubscribeToShardEventStream,
};
use aws_sdk_kinesis::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

const WAIT: Duration = Duration::from_secs(20);

type Done<T> = Result<T, Box<dyn Error>>;

/// What was put, or found, in its order for each partition key.
type Records = BTreeMap<String, Vec<Vec<u8>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut scenario = Scenario { kinesis: client()?, name: arguments[1].clone(), put: Records::new() };
    let counts = match arguments[0].as_str() {
        "streams" => scenario.streams().await?,
        "fanout" => scenario.fanout().await?,
        other => return Err(format!("no scenario {other}").into()),
    };
    println!("{{\"client\": \"rust\", \"scenario\": \"{}\", {counts}}}", arguments[0]);
    Ok(())
}

/// As the SDK makes it, only that it needs no `aws-config`, which would read the variables.
fn client() -> Done<Client> {
    let credentials =
        Credentials::new(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?, None, None, "");
    let config = Config::builder()
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http_client()?)
        .build();
    Ok(Client::from_conf(config))
}

fn http_client() -> Done<SharedHttpClient> {
    let Ok(authority) = env::var("AWS_CA_BUNDLE") else { return Ok(Builder::new().build_http()) };
    let trusted = TrustStore::empty().with_pem_certificate(std::fs::read(authority)?);
    let context = TlsContext::builder().with_trust_store(trusted).build()?;
    let rustls = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(rustls.tls_context(context).build_https())
}

struct Scenario {
    kinesis: Client,
    name: String,
    put: Records,
}

impl Scenario {
    async fn streams(&mut self) -> Done<String> {
        self.create(2).await?;
        self.refusals().await?;
        self.settings().await?;
        let all: Vec<u8> = (0..=255).collect();
        let put = self.kinesis.put_record().stream_name(&self.name).partition_key("single");
        put.data(Blob::new(all.clone())).send().await?;
        add(&mut self.put, "single", all);
        self.put_hundred(0).await?;
        self.split(1 << 62).await?;
        self.put_hundred(1).await?;
        let merge = self.kinesis.merge_shards().stream_name(&self.name);
        merge.shard_to_merge(shard(3)).adjacent_shard_to_merge(shard(1)).send().await?;
        self.active().await?;
        self.put_hundred(2).await?;
        let listed = self.kinesis.list_shards().stream_name(&self.name).send().await?;
        let lineage: Vec<_> = listed.shards().iter().map(parents).collect();
        assert_eq!(lineage, [vec![], vec![], vec![shard(0)], vec![shard(0)], vec![shard(1), shard(3)]]);
        let found = self.read_all().await?;
        assert_eq!(found, self.put);
        self.remove().await?;
        Ok(format!("\"records\": {}, \"shards\": {}", count(&found), lineage.len()))
    }

    async fn fanout(&mut self) -> Done<String> {
        self.create(1).await?;
        let stream = self.summary().await?.stream_arn;
        let register = self.kinesis.register_stream_consumer().stream_arn(&stream).consumer_name("reader");
        let consumer = register.send().await?.consumer.expect("a consumer").consumer_arn;
        for tries in 0.. {
            assert!(tries < 100, "the consumer is never active");
            let described = self.kinesis.describe_stream_consumer().consumer_arn(&consumer).send().await?;
            let description = described.consumer_description.expect("a description");
            if description.consumer_status == ConsumerStatus::Active {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.put_hundred(0).await?;
        let position = StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build()?;
        let subscribe = self.kinesis.subscribe_to_shard().consumer_arn(&consumer).shard_id(shard(0));
        let subscribe = subscribe.starting_position(position);
        let mut pushed = subscribe.clone().send().await?;
        let again = subscribe.send().await.expect_err("it is subscribed");
        assert!(matches!(again.into_service_error(), SubscribeToShardError::ResourceInUseException(_)));
        let (mut found, mut children) = (Records::new(), vec![]);
        while let Some(event) = pushed.event_stream.recv().await? {
            let SubscribeToShardEventStream::SubscribeToShardEvent(event) = event else {
                return Err(format!("{event:?}").into());
            };
            let any = !event.records.is_empty();
            for record in event.records {
                add(
                    &mut found,
                    record.partition_key.as_deref().unwrap_or_default(),
                    record.data.into_inner(),
                );
            }
            children = event.child_shards.unwrap_or_default();
            match count(&found) {
                100 if any => self.put_hundred(1).await?,
                200 if any => self.split(1 << 127).await?,
                _ => {}
            }
        }
        assert_eq!(found, self.put);
        let ids: Vec<_> =
            children.iter().map(|child| (child.shard_id.clone(), child.parent_shards.clone())).collect();
        assert_eq!(ids, [(shard(1), vec![shard(0)]), (shard(2), vec![shard(0)])]);
        self.kinesis.deregister_stream_consumer().consumer_arn(&consumer).send().await?;
        for tries in 0.. {
            assert!(tries < 100, "the consumer never goes");
            if self.kinesis.list_stream_consumers().stream_arn(&stream).send().await?.consumers().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.remove().await?;
        Ok(format!("\"pushed\": {}", count(&found)))
    }

    async fn create(&self, shards: i32) -> Done<()> {
        self.kinesis.create_stream().stream_name(&self.name).shard_count(shards).send().await?;
        self.active().await
    }

    async fn active(&self) -> Done<()> {
        self.kinesis.wait_until_stream_exists().stream_name(&self.name).wait(WAIT).await?;
        Ok(())
    }

    async fn remove(&self) -> Done<()> {
        self.kinesis.delete_stream().stream_name(&self.name).send().await?;
        self.kinesis.wait_until_stream_not_exists().stream_name(&self.name).wait(WAIT).await?;
        Ok(())
    }

    async fn summary(&self) -> Done<StreamDescriptionSummary> {
        let answer = self.kinesis.describe_stream_summary().stream_name(&self.name).send().await?;
        Ok(answer.stream_description_summary.expect("a summary"))
    }

    async fn split(&self, at: u128) -> Done<()> {
        let split = self.kinesis.split_shard().stream_name(&self.name).shard_to_split(shard(0));
        split.new_starting_hash_key(at.to_string()).send().await?;
        self.active().await
    }

    async fn refusals(&self) -> Done<()> {
        let unknown = format!("{}-unknown", self.name);
        let answer = self.kinesis.describe_stream_summary().stream_name(&unknown).send().await;
        let error = answer.map_err(SdkError::into_service_error).expect_err("there is none");
        assert!(matches!(&error, DescribeStreamSummaryError::ResourceNotFoundException(found)
            if found.message().is_some_and(|message| message.contains(&unknown))));
        let answer = self.kinesis.create_stream().stream_name(&self.name).shard_count(1).send().await;
        let error = answer.map_err(SdkError::into_service_error).expect_err("it is there");
        assert!(matches!(error, CreateStreamError::ResourceInUseException(_)));
        let put = self.kinesis.put_record().stream_name(&self.name).partition_key("k").data(Blob::new("x"));
        let answer = put.explicit_hash_key("340282366920938463463374607431768211456").send().await;
        let error = answer.map_err(SdkError::into_service_error).expect_err("it is past the last key");
        assert!(matches!(error, PutRecordError::InvalidArgumentException(_)));
        Ok(())
    }

    async fn settings(&self) -> Done<()> {
        let (mut names, mut pages) = (vec![], self.kinesis.list_streams().limit(1).into_paginator().send());
        while let Some(page) = pages.next().await {
            names.extend(page?.stream_names);
        }
        assert!(names.contains(&self.name));
        let increase = self.kinesis.increase_stream_retention_period().stream_name(&self.name);
        increase.retention_period_hours(48).send().await?;
        let summary = self.summary().await?;
        assert_eq!((summary.retention_period_hours, summary.open_shard_count), (48, 2));
        let age =
            SystemTime::now().duration_since(SystemTime::try_from(summary.stream_creation_timestamp)?)?;
        assert!(age < Duration::from_secs(60));
        let tag = self.kinesis.add_tags_to_stream().stream_name(&self.name);
        tag.tags("one", "1").tags("two", "zwei ä").send().await?;
        self.kinesis.remove_tags_from_stream().stream_name(&self.name).tag_keys("one").send().await?;
        let tags = self.kinesis.list_tags_for_stream().stream_name(&self.name).send().await?.tags;
        assert_eq!(tags.len(), 1);
        assert_eq!((tags[0].key(), tags[0].value()), ("two", Some("zwei ä")));
        Ok(())
    }

    /// A hundred records of ten keys, of 2 to 992 bytes that no text encoding has.
    async fn put_hundred(&mut self, round: u8) -> Done<()> {
        let data =
            |i: usize| [round, i as u8].into_iter().chain((0..i * 10).map(move |j| (i * j) as u8)).collect();
        let records: Vec<(String, Vec<u8>)> =
            (0..100).map(|i| (format!("key-{}", i % 10), data(i))).collect();
        let entries = records.iter().map(|(key, data)| {
            PutRecordsRequestEntry::builder().partition_key(key).data(Blob::new(data.clone())).build()
        });
        let put = self.kinesis.put_records().stream_name(&self.name);
        let answer = put.set_records(Some(entries.collect::<Result<_, _>>()?)).send().await?;
        assert_eq!(answer.failed_record_count, Some(0));
        for (key, data) in records {
            add(&mut self.put, &key, data);
        }
        Ok(())
    }

    async fn read_all(&self) -> Done<Records> {
        let mut found = Records::new();
        let (mut read, mut ready) = (HashSet::new(), VecDeque::from([shard(0), shard(1)]));
        while let Some(shard) = ready.pop_front() {
            let children = self.read_shard(&shard, &mut found).await?;
            read.insert(shard);
            let whole = |child: &ChildShard| child.parent_shards.iter().all(|parent| read.contains(parent));
            ready.extend(children.into_iter().filter(whole).map(|child| child.shard_id));
        }
        Ok(found)
    }

    async fn read_shard(&self, shard: &str, found: &mut Records) -> Done<Vec<ChildShard>> {
        let start = self.kinesis.get_shard_iterator().stream_name(&self.name).shard_id(shard);
        let start = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
        let mut iterator = start.shard_iterator;
        loop {
            let answer = self.kinesis.get_records().set_shard_iterator(iterator).limit(60).send().await?;
            let none = answer.records.is_empty();
            for record in answer.records {
                add(found, record.partition_key.as_deref().unwrap_or_default(), record.data.into_inner());
            }
            iterator = answer.next_shard_iterator;
            if iterator.is_none() {
                return Ok(answer.child_shards.expect("an ended shard's children"));
            }
            if none && answer.millis_behind_latest == Some(0) {
                return Ok(vec![]);
            }
        }
    }
}

fn add(records: &mut Records, key: &str, data: Vec<u8>) {
    records.entry(key.to_owned()).or_default().push(data);
}

fn count(records: &Records) -> usize {
    records.values().map(Vec::len).sum()
}

fn parents(shard: &Shard) -> Vec<String> {
    let mut ids: Vec<_> =
        [&shard.parent_shard_id, &shard.adjacent_parent_shard_id].into_iter().flatten().cloned().collect();
    ids.sort();
    ids
}

fn shard(n: usize) -> String {
    format!("shardId-{n:012}")
}
