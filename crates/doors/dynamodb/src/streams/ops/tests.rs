//! A stream read through its operations.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_items::{Item, Value as Attribute};
use headwater_shapes_dynamodb::ops::{CreateTable, UpdateTable};
use headwater_shapes_dynamodbstreams::ops;
use headwater_tables::{
    Write, WriteAction,
    limits::{ITERATOR_LIFE, ROLL_EVERY, STREAM_KEPT},
};
use serde_json::{Value, json};

use crate::testing::World;

impl World {
    /// One with a table `taxi` that has a stream of keys.
    async fn with_stream() -> Self {
        let world = Self::new().await;
        let mut table = Self::table("taxi");
        table["StreamSpecification"] =
            json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
        world.ok::<CreateTable>(table).await;
        world
    }

    async fn put(&self, value: &str) {
        let text = |text: &str| Attribute::String(text.into());
        let key = Item::from([("a".to_owned(), text("x"))]);
        let mut item = key.clone();
        item.insert("v".into(), text(value));
        let write = Write {
            key,
            condition: None,
            action: WriteAction::Put(item.into()),
        };
        self.tables().write("taxi", write).await.unwrap();
    }

    async fn arn(&self) -> Value {
        let listed = self
            .ok::<ops::ListStreams>(json!({"TableName": "taxi"}))
            .await;
        listed["Streams"][0]["StreamArn"].clone()
    }

    /// What is described, with a page of its shards.
    async fn describe(&self, mut input: Value) -> Value {
        input["StreamArn"] = self.arn().await;
        let mut described = self.ok::<ops::DescribeStream>(input).await;
        described["StreamDescription"].take()
    }

    async fn iterator(&self, shard: &Value, kind: &str) -> Value {
        let input =
            json!({"StreamArn": self.arn().await, "ShardId": shard, "ShardIteratorType": kind});
        let mut answer = self.ok::<ops::GetShardIterator>(input).await;
        answer["ShardIterator"].take()
    }

    async fn read(&self, iterator: &Value) -> Value {
        self.ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await
    }
}

#[tokio::test]
async fn a_stream_is_listed_and_described_in_pages() {
    let world = World::with_stream().await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/taxi/stream/2023-11-14T22:13:20.123";
    assert_eq!(world.arn().await, arn);
    let two = world.describe(json!({"Limit": 2})).await;
    assert_eq!(two["StreamStatus"], "ENABLED");
    assert_eq!(two["StreamViewType"], "KEYS_ONLY");
    assert_eq!(
        two["KeySchema"],
        json!([{"AttributeName": "a", "KeyType": "HASH"}])
    );
    assert_eq!(two["Shards"].as_array().unwrap().len(), 2);
    assert_eq!(two["Shards"][1]["ShardId"], two["LastEvaluatedShardId"]);
    let after = json!({"ExclusiveStartShardId": two["LastEvaluatedShardId"]});
    let rest = world.describe(after).await;
    assert_eq!(rest["Shards"].as_array().unwrap().len(), 2);
    assert!(rest.get("LastEvaluatedShardId").is_none());
    let range = json!({"StartingSequenceNumber": "100000000000000000000"});
    assert_eq!(rest["Shards"][0]["SequenceNumberRange"], range);
    let none = world
        .describe(json!({"ExclusiveStartShardId": "zzzz"}))
        .await;
    assert_eq!(none["Shards"], json!([]));
}

#[tokio::test]
async fn changes_are_read_through_iterators() {
    let world = World::with_stream().await;
    let described = world.describe(json!({})).await;
    let mut shard = json!(null);
    world.put("1").await;
    for one in described["Shards"].as_array().unwrap() {
        let id = &one["ShardId"];
        let answer = world.read(&world.iterator(id, "TRIM_HORIZON").await).await;
        if answer["Records"] != json!([]) {
            shard = id.clone();
        }
    }
    let latest = world.iterator(&shard, "LATEST").await;
    let empty = world.read(&latest).await;
    assert_eq!(empty["Records"], json!([]));
    world.put("2").await;
    let answer = world.read(&empty["NextShardIterator"]).await;
    let record = &answer["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["awsRegion"]),
        (&json!("MODIFY"), &json!("us-east-1"))
    );
    assert_eq!(record["dynamodb"]["Keys"], json!({"a": {"S": "x"}}));
    assert_eq!(
        record["dynamodb"]["SequenceNumber"],
        "100000000000000000003"
    );
    world.pass(1);
    let disable = json!({"TableName": "taxi", "StreamSpecification": {"StreamEnabled": false}});
    world.ok::<UpdateTable>(disable).await;
    let described = world.describe(json!({})).await;
    assert_eq!(described["StreamStatus"], "DISABLED");
    let last = world.read(&answer["NextShardIterator"]).await;
    assert_eq!(last["Records"], json!([]));
    assert!(last.get("NextShardIterator").is_none());
}

#[tokio::test]
async fn a_shards_children_are_asked_for() {
    let world = World::with_stream().await;
    let shard = world.describe(json!({})).await["Shards"][0]["ShardId"].take();
    let filter = |id: &Value| json!({"ShardFilter": {"Type": "CHILD_SHARDS", "ShardId": id}});
    assert_eq!(world.describe(filter(&shard)).await["Shards"], json!([]));
    let incomplete = json!({"StreamArn": world.arn().await, "ShardFilter": {"ShardId": shard}});
    let (code, text) = world.refused::<ops::DescribeStream>(incomplete).await;
    assert_eq!(code, "ValidationException");
    assert!(text.contains("'shardFilter.type'"), "{text}");
}

#[tokio::test]
async fn iterators_expire_and_cannot_be_made_up() {
    let world = World::with_stream().await;
    let shard = world.describe(json!({})).await["Shards"][0]["ShardId"].take();
    let iterator = world.iterator(&shard, "TRIM_HORIZON").await;
    let refused = async |iterator: &str, limit: i32| {
        let input = json!({"ShardIterator": iterator, "Limit": limit});
        world.refused::<ops::GetRecords>(input).await
    };
    let text = iterator.as_str().unwrap();
    assert!(text.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/taxi/stream/"));
    let invalid = (
        "ValidationException".to_owned(),
        "Invalid ShardIterator".to_owned(),
    );
    assert_eq!(refused(&text.replace("|1|", "|1|A"), 1).await, invalid);
    assert_eq!(
        refused("sdfsdfsgagaddafgagasgasgasdfasdf", 1).await,
        invalid
    );
    let (code, text_of_limit) = refused(text, 1001).await;
    assert_eq!(code, "ValidationException");
    assert_eq!(
        text_of_limit,
        "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have value less \
         than or equal to 1000"
    );
    world.pass(ITERATOR_LIFE.as_secs() + 1);
    assert_eq!(refused(text, 1).await.0, "ExpiredIteratorException");
}

#[tokio::test]
async fn what_expired_cannot_be_read() {
    let world = World::with_stream().await;
    world.put("1").await;
    world.put("another").await;
    world.pass((STREAM_KEPT - ROLL_EVERY).as_secs());
    world.put("2").await;
    // Less than an iterator's life before the first change expires.
    world.pass(ROLL_EVERY.as_secs() - 60);
    let described = world.describe(json!({})).await;
    let (mut horizon, mut behind, mut later) = (Value::Null, Value::Null, Vec::new());
    for one in described["Shards"].as_array().unwrap() {
        let iterator = world.iterator(&one["ShardId"], "TRIM_HORIZON").await;
        let read = world.read(&iterator).await;
        let records = read["Records"].as_array().unwrap();
        if records.len() < 2 {
            continue;
        }
        // The shard may end before the last change or behind it: who ends it runs beside the writes.
        later = records[2..].to_vec();
        let input = json!({
            "StreamArn": world.arn().await,
            "ShardId": one["ShardId"],
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "SequenceNumber": read["Records"][0]["dynamodb"]["SequenceNumber"],
        });
        let mut answer = world.ok::<ops::GetShardIterator>(input).await;
        (horizon, behind) = (iterator, answer["ShardIterator"].take());
    }
    world.pass(120);
    let (code, _) = world
        .refused::<ops::GetRecords>(json!({"ShardIterator": behind}))
        .await;
    assert_eq!(code, "TrimmedDataAccessException");
    // The oldest that there is moves on meanwhile, and can be read nevertheless.
    assert_eq!(world.read(&horizon).await["Records"], json!(later));
}

#[tokio::test]
async fn a_position_may_be_a_time() {
    let world = World::with_stream().await;
    world.put("1").await;
    world.pass(10);
    world.put("2").await;
    let described = world.describe(json!({})).await;
    let arn = world.arn().await;
    // The table was made 123 ms after this second.
    let second = 1_700_000_000.0;
    for (time, expected) in [
        (second, 2),
        (second + 0.1, 1),
        (second + 10.0, 1),
        (second + 10.1, 0),
    ] {
        let mut found = 0;
        for shard in described["Shards"].as_array().unwrap() {
            let input = json!({
                "StreamArn": arn,
                "ShardId": shard["ShardId"],
                "ShardIteratorType": "AT_TIMESTAMP",
                "Timestamp": time,
            });
            let answer = world.ok::<ops::GetShardIterator>(input).await;
            let records = &world.read(&answer["ShardIterator"]).await["Records"];
            found += records.as_array().unwrap().len();
        }
        assert_eq!(found, expected, "{time}");
    }
    let future = json!({
        "StreamArn": arn,
        "ShardId": described["Shards"][0]["ShardId"],
        "ShardIteratorType": "AT_TIMESTAMP",
        "Timestamp": second + 20.0,
    });
    let (code, _) = world.refused::<ops::GetShardIterator>(future).await;
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let world = World::with_stream().await;
    let shard = world.describe(json!({})).await["Shards"][0]["ShardId"].take();
    let arn = world.arn().await;
    let refused = async |arn: &Value, shard: &Value| {
        let input = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST"});
        world.refused::<ops::GetShardIterator>(input).await
    };
    let other = arn.as_str().unwrap().replace("taxi", "bus");
    let text = format!("Requested resource not found: Stream: {other} not found");
    let none = |text: &str| ("ResourceNotFoundException".to_owned(), text.to_owned());
    assert_eq!(refused(&json!(other), &shard).await, none(&text));
    let text = "Requested resource not found: Shard does not exist";
    assert_eq!(
        refused(&arn, &json!("adfasdasdasdasdasdasdasdasdasasdasd")).await,
        none(text)
    );
}
