//! What requests cost.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{
    BatchGetItem, BatchWriteItem, DeleteItem, GetItem, PutItem, Query, Scan, UpdateItem,
};
use serde_json::{Value, json};

use crate::testing::World;

/// The units of a write: in all, of the table, of the local index, of the global ones.
fn units(told: &Value) -> Value {
    let told = &told["ConsumedCapacity"];
    let of = |indexes: &Value| {
        let indexes = indexes.as_object().into_iter().flatten();
        let units =
            indexes.map(|(name, capacity)| (name.clone(), capacity["CapacityUnits"].clone()));
        Value::Object(units.collect())
    };
    json!([
        told["CapacityUnits"],
        told["Table"]["CapacityUnits"],
        of(&told["LocalSecondaryIndexes"]),
        of(&told["GlobalSecondaryIndexes"]),
    ])
}

fn put(item: Value) -> Value {
    json!({"TableName": "sorted", "Item": item, "ReturnConsumedCapacity": "INDEXES"})
}

fn update(expression: &str, value: Option<&str>) -> Value {
    let mut update = json!({
        "TableName": "sorted",
        "Key": {"p": {"S": "a"}, "c": {"N": "1"}},
        "UpdateExpression": expression,
        "ReturnConsumedCapacity": "INDEXES",
    });
    if let Some(value) = value {
        update["ExpressionAttributeValues"] = json!({":v": {"S": value}});
    }
    update
}

#[tokio::test]
async fn indexes_cost_what_changes_in_them() {
    let world = World::with_items().await;
    let item = json!({"p": {"S": "a"}, "c": {"N": "1"}, "g": {"S": "g"}, "s": {"S": "s"}, "a": {"S": "a"}});
    let told = world.ok::<PutItem>(put(item.clone())).await;
    let all = json!({"all": 1.0, "some": 1.0});
    assert_eq!(units(&told), json!([4.0, 1.0, {"local": 1.0}, all]));
    let told = world.ok::<PutItem>(put(item)).await;
    assert_eq!(units(&told), json!([1.0, 1.0, {}, {}]));
    for (expression, value, expected) in [
        ("SET o = :v", Some("o"), json!([2.0, 1.0, {}, {"all": 1.0}])),
        (
            "SET a = :v",
            Some("b"),
            json!([3.0, 1.0, {}, {"all": 1.0, "some": 1.0}]),
        ),
        (
            "SET s = :v",
            Some("t"),
            json!([6.0, 1.0, {"local": 2.0}, {"all": 1.0, "some": 2.0}]),
        ),
        (
            "REMOVE g",
            None,
            json!([3.0, 1.0, {}, {"all": 1.0, "some": 1.0}]),
        ),
    ] {
        let told = world.ok::<UpdateItem>(update(expression, value)).await;
        assert_eq!(units(&told), expected, "{expression}");
    }
    let delete = json!({
        "TableName": "sorted",
        "Key": {"p": {"S": "a"}, "c": {"N": "1"}},
        "ReturnConsumedCapacity": "INDEXES",
    });
    let told = world.ok::<DeleteItem>(delete).await;
    assert_eq!(units(&told), json!([2.0, 1.0, {"local": 1.0}, {}]));
}

#[tokio::test]
async fn writes_cost_the_larger_item_and_reads_whole_items() {
    let world = World::with_items().await;
    let key = json!({"p": {"S": "a"}});
    let put = |text: String| {
        json!({
            "TableName": "plain",
            "Item": {"p": {"S": "a"}, "f": {"S": text}},
            "ReturnConsumedCapacity": "TOTAL",
        })
    };
    let told =
        |units: f64| json!({"ConsumedCapacity": {"TableName": "plain", "CapacityUnits": units}});
    let long = "x".repeat(5 * 1024 - 3);
    assert_eq!(world.ok::<PutItem>(put(long.clone())).await, told(5.0));
    assert_eq!(world.ok::<PutItem>(put("x".into())).await, told(5.0));
    assert_eq!(world.ok::<PutItem>(put(long)).await, told(5.0));
    for (consistent, units) in [(false, 1.0), (true, 2.0)] {
        let get = json!({
            "TableName": "plain",
            "Key": key,
            "ConsistentRead": consistent,
            "ProjectionExpression": "p",
            "ReturnConsumedCapacity": "TOTAL",
        });
        let got = world.ok::<GetItem>(get).await;
        assert_eq!(got["ConsumedCapacity"]["CapacityUnits"], json!(units));
    }
    let missing = json!({"TableName": "plain", "Key": {"p": {"S": "b"}}, "ReturnConsumedCapacity": "INDEXES"});
    let capacity =
        json!({"TableName": "plain", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}});
    assert_eq!(
        world.ok::<GetItem>(missing).await,
        json!({"ConsumedCapacity": capacity})
    );
    let none = json!({"TableName": "plain", "Key": key, "ReturnConsumedCapacity": "NONE", "AttributesToGet": ["p"]});
    assert_eq!(world.ok::<GetItem>(none).await, json!({"Item": key}));
}

#[tokio::test]
async fn batches_are_told_by_table() {
    let world = World::with_items().await;
    let put = |text: &str| json!({"PutRequest": {"Item": {"p": {"S": text}}}});
    let long = json!({"PutRequest": {"Item": {"p": {"S": "c"}, "f": {"S": "x".repeat(1024)}}}});
    let sorted = json!({"p": {"S": "a"}, "c": {"N": "1"}});
    let written = world
        .ok::<BatchWriteItem>(json!({
            "RequestItems": {
                "plain": [put("a"), put("b"), long],
                "sorted": [{"PutRequest": {"Item": sorted}}],
            },
            "ReturnConsumedCapacity": "TOTAL",
        }))
        .await;
    assert_eq!(
        written["ConsumedCapacity"],
        json!([
            {"TableName": "plain", "CapacityUnits": 4.0},
            {"TableName": "sorted", "CapacityUnits": 1.0},
        ])
    );
    let keys = json!([{"p": {"S": "a"}}, {"p": {"S": "none"}}]);
    let read = world
        .ok::<BatchGetItem>(json!({
            "RequestItems": {"plain": {"Keys": keys, "ConsistentRead": true}, "sorted": {"Keys": [sorted]}},
            "ReturnConsumedCapacity": "TOTAL",
        }))
        .await;
    assert_eq!(
        read["ConsumedCapacity"],
        json!([
            {"TableName": "plain", "CapacityUnits": 2.0},
            {"TableName": "sorted", "CapacityUnits": 0.5},
        ])
    );
}

#[tokio::test]
async fn pages_cost_all_that_was_looked_at() {
    let world = World::with_items().await;
    for number in 0..6 {
        let item = json!({
            "p": {"S": "a"},
            "c": {"N": number.to_string()},
            "g": {"S": "g"},
            "f": {"S": "x".repeat(1500)},
        });
        world.ok::<PutItem>(put(item)).await;
    }
    let query = json!({
        "TableName": "sorted",
        "KeyConditionExpression": "p = :p",
        "FilterExpression": "f = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
        "ReturnConsumedCapacity": "INDEXES",
    });
    let page = world.ok::<Query>(query).await;
    assert_eq!(
        (&page["Count"], &page["ScannedCount"]),
        (&json!(0), &json!(6))
    );
    assert_eq!(units(&page), json!([1.5, 1.5, {}, {}]));
    let scan =
        json!({"TableName": "sorted", "IndexName": "all", "ReturnConsumedCapacity": "INDEXES"});
    let page = world.ok::<Scan>(scan).await;
    assert_eq!(units(&page), json!([1.5, 0.0, {}, {"all": 1.5}]));
    let scan =
        json!({"TableName": "plain", "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL"});
    let page = world.ok::<Scan>(scan).await;
    assert_eq!(page["ConsumedCapacity"]["CapacityUnits"], json!(1.0));
}
