//! Batches of reads and of writes.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{BatchGetItem, BatchWriteItem, GetItem};
use serde_json::{Value, json};

use crate::testing::World;

fn put(item: Value) -> Value {
    json!({"PutRequest": {"Item": item}})
}

fn delete(key: Value) -> Value {
    json!({"DeleteRequest": {"Key": key}})
}

fn key(text: &str) -> Value {
    json!({"p": {"S": text}})
}

#[tokio::test]
async fn a_batch_writes_to_several_tables_and_is_read_back() {
    let world = World::with_items().await;
    let sorted = json!({"p": {"S": "s"}, "c": {"N": "1"}});
    let written = world
        .ok::<BatchWriteItem>(json!({
            "RequestItems": {
                "plain": [put(key("a")), put(key("b")), delete(key("c"))],
                "sorted": [put(sorted.clone())],
            },
            "ReturnItemCollectionMetrics": "SIZE",
        }))
        .await;
    assert_eq!(written["UnprocessedItems"], json!({}));
    let collections = written["ItemCollectionMetrics"].as_object().unwrap();
    assert_eq!(collections.keys().collect::<Vec<_>>(), ["sorted"]);
    let read = world
        .ok::<BatchGetItem>(json!({
            "RequestItems": {
                "plain": {"Keys": [key("a"), key("c"), key("b")]},
                "sorted": {"Keys": [sorted], "AttributesToGet": ["c"]},
            },
        }))
        .await;
    assert_eq!(
        read,
        json!({
            "Responses": {"plain": [key("a"), key("b")], "sorted": [{"c": {"N": "1"}}]},
            "UnprocessedKeys": {},
        })
    );
}

#[tokio::test]
async fn what_a_batch_has_no_room_for_is_left() {
    let world = World::with_items().await;
    let filler = "x".repeat(390 * 1024);
    let items: Vec<Value> = (0..45)
        .map(|number| json!({"p": {"S": number.to_string()}, "f": {"S": filler}}))
        .collect();
    for items in items.chunks(25) {
        let items: Vec<Value> = items.iter().cloned().map(put).collect();
        let batch = json!({"RequestItems": {"plain": items}});
        world.ok::<BatchWriteItem>(batch).await;
    }
    let keys: Vec<Value> = (0..45).map(|number| key(&number.to_string())).collect();
    let asked = json!({"Keys": keys, "ConsistentRead": true, "ProjectionExpression": "p"});
    let read = world
        .ok::<BatchGetItem>(json!({"RequestItems": {"plain": asked}}))
        .await;
    let given = read["Responses"]["plain"].as_array().unwrap().len();
    let left = &read["UnprocessedKeys"]["plain"];
    assert_eq!(given + left["Keys"].as_array().unwrap().len(), 45);
    assert_eq!(given, 16 * 1024 / 391 + 1);
    assert_eq!(left["ConsistentRead"], json!(true));
    assert_eq!(left["ProjectionExpression"], json!("p"));
}

#[tokio::test]
async fn batches_of_writes_are_refused_whole() {
    let world = World::with_items().await;
    let mismatch = "The provided key element does not match the schema";
    let twice = "Provided list of item keys contains duplicates";
    for (table, writes, text) in [
        ("plain", json!([put(key("a")), delete(key("a"))]), twice),
        (
            "plain",
            json!([put(key("b")), put(json!({"p": {"N": "5"}}))]),
            mismatch,
        ),
        ("plain", json!([put(json!({"q": {"S": "5"}}))]), mismatch),
        ("plain", json!([delete(json!({"q": {"S": "5"}}))]), mismatch),
        (
            "plain",
            json!([put(key(""))]),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: p",
        ),
        (
            "sorted",
            json!([put(
                json!({"p": {"S": "a"}, "c": {"N": "1"}, "s": {"N": "1"}})
            )]),
            "One or more parameter values were invalid: Type mismatch for Index Key s Expected: S Actual: N IndexName: \
             local",
        ),
        (
            "plain",
            json!([{}]),
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        ),
    ] {
        let batch = json!({"RequestItems": {table: writes}});
        assert_eq!(world.invalid::<BatchWriteItem>(batch).await, text);
    }
    for text in ["a", "b"] {
        let get = json!({"TableName": "plain", "Key": key(text)});
        assert_eq!(world.ok::<GetItem>(get).await, json!({}));
    }
    let many: Vec<Value> = (0..13)
        .map(|number| put(key(&number.to_string())))
        .collect();
    let batch = json!({"RequestItems": {"plain": many, "sorted": many}});
    assert_eq!(
        world.invalid::<BatchWriteItem>(batch).await,
        "Too many items requested for the BatchWriteItem call"
    );
    let batch = json!({"RequestItems": {"nothere": [put(key("a"))]}});
    let (code, text) = world.refused::<BatchWriteItem>(batch).await;
    assert_eq!(
        (&*code, &*text),
        ("ResourceNotFoundException", "Requested resource not found")
    );
}

#[tokio::test]
async fn batches_of_reads_are_refused() {
    let world = World::with_items().await;
    for (asked, text) in [
        (
            json!({"plain": {"Keys": [key("a"), key("a")]}}),
            "Provided list of item keys contains duplicates",
        ),
        (
            json!({
                "plain": {"Keys": [key("a")], "ProjectionExpression": "p"},
                "sorted": {"Keys": [key("a")], "AttributesToGet": ["p"]},
            }),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {AttributesToGet} Expression parameters: {ProjectionExpression}",
        ),
        (
            json!({"plain": {"Keys": [key("a")], "ExpressionAttributeNames": {"#a": "a"}}}),
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            json!({"sorted": {"Keys": [key("a")]}}),
            "The provided key element does not match the schema",
        ),
    ] {
        let batch = json!({"RequestItems": asked});
        assert_eq!(world.invalid::<BatchGetItem>(batch).await, text);
    }
}
