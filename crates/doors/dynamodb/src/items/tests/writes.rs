//! Items put, updated and deleted, in both dialects.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{DeleteItem, GetItem, PutItem, UpdateItem};
use serde_json::{Value, json};

use crate::testing::World;

fn key() -> Value {
    json!({"p": {"S": "a"}})
}

async fn get(world: &World) -> Value {
    let got = world
        .ok::<GetItem>(json!({"TableName": "plain", "Key": key(), "ConsistentRead": true}))
        .await;
    got["Item"].clone()
}

async fn put(world: &World, item: Value) {
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": item}))
        .await;
}

#[tokio::test]
async fn an_item_is_put_and_gone_when_deleted() {
    let world = World::with_items().await;
    let item =
        json!({"p": {"S": "a"}, "n": {"N": "1.50"}, "l": {"L": [{"M": {"b": {"BOOL": true}}}]}});
    put(&world, item.clone()).await;
    let mut stored = item;
    stored["n"] = json!({"N": "1.5"});
    assert_eq!(get(&world).await, stored);
    let deleted = world
        .ok::<DeleteItem>(json!({"TableName": "plain", "Key": key(), "ReturnValues": "ALL_OLD"}))
        .await;
    assert_eq!(deleted, json!({"Attributes": stored}));
    assert_eq!(get(&world).await, json!(null));
    let again = world
        .ok::<DeleteItem>(json!({"TableName": "plain", "Key": key(), "ReturnValues": "ALL_OLD"}))
        .await;
    assert_eq!(again, json!({}));
}

#[tokio::test]
async fn a_table_may_be_named_by_its_arn() {
    let world = World::with_items().await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/plain";
    let put = json!({"TableName": arn, "Item": key(), "ReturnConsumedCapacity": "TOTAL"});
    let put = world.ok::<PutItem>(put).await;
    assert_eq!(put["ConsumedCapacity"]["TableName"], arn);
    assert_eq!(get(&world).await, key());
}

#[tokio::test]
async fn a_condition_that_does_not_hold_shows_the_item_where_asked() {
    let world = World::with_items().await;
    put(&world, json!({"p": {"S": "a"}, "x": {"N": "1"}})).await;
    let mut asked = json!({
        "TableName": "plain",
        "Item": key(),
        "ConditionExpression": "#x = :one",
        "ExpressionAttributeNames": {"#x": "x"},
        "ExpressionAttributeValues": {":one": {"N": "2"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let error = world.call::<PutItem>(asked.clone()).await.unwrap_err();
    assert_eq!(error.code(), "ConditionalCheckFailedException");
    assert_eq!(error.message(), "The conditional request failed");
    assert_eq!(
        error.fields()["Item"],
        json!({"p": {"S": "a"}, "x": {"N": "1"}})
    );
    asked["ReturnValuesOnConditionCheckFailure"] = json!("NONE");
    let error = world.call::<PutItem>(asked.clone()).await.unwrap_err();
    assert!(error.fields().is_empty());
    asked["ExpressionAttributeValues"] = json!({":one": {"N": "1.0"}});
    world.ok::<PutItem>(asked).await;
    assert_eq!(get(&world).await, key());
}

#[tokio::test]
async fn the_older_dialect_expects_and_updates() {
    let world = World::with_items().await;
    put(
        &world,
        json!({"p": {"S": "a"}, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}}),
    )
    .await;
    let update = |expected: Value| {
        json!({
            "TableName": "plain",
            "Key": key(),
            "Expected": expected,
            "AttributeUpdates": {
                "n": {"Action": "ADD", "Value": {"N": "2"}},
                "s": {"Action": "DELETE", "Value": {"SS": ["b"]}},
                "t": {"Value": {"S": "t"}},
            },
            "ReturnValues": "UPDATED_NEW",
        })
    };
    let wrong =
        update(json!({"n": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "1"}]}}));
    let (code, _) = world.refused::<UpdateItem>(wrong).await;
    assert_eq!(code, "ConditionalCheckFailedException");
    let right = update(json!({"n": {"Value": {"N": "1"}}, "z": {"Exists": false}}));
    let updated = world.ok::<UpdateItem>(right).await;
    let new = json!({"n": {"N": "3"}, "s": {"SS": ["a"]}, "t": {"S": "t"}});
    assert_eq!(updated, json!({"Attributes": new}));
}

#[tokio::test]
async fn updates_return_what_was_asked_for() {
    let world = World::with_items().await;
    for (returned, attributes) in [
        ("NONE", json!(null)),
        (
            "ALL_OLD",
            json!({"p": {"S": "a"}, "b": {"S": "dog"}, "c": {"S": "c"}}),
        ),
        ("UPDATED_OLD", json!({"b": {"S": "dog"}})),
        (
            "ALL_NEW",
            json!({"p": {"S": "a"}, "b": {"S": "cat"}, "c": {"S": "c"}, "d": {"S": "cat"}}),
        ),
        ("UPDATED_NEW", json!({"b": {"S": "cat"}, "d": {"S": "cat"}})),
    ] {
        put(
            &world,
            json!({"p": {"S": "a"}, "b": {"S": "dog"}, "c": {"S": "c"}}),
        )
        .await;
        let update = json!({
            "TableName": "plain",
            "Key": key(),
            "UpdateExpression": "SET b = :val, d = :val",
            "ExpressionAttributeValues": {":val": {"S": "cat"}},
            "ReturnValues": returned,
        });
        let updated = world.ok::<UpdateItem>(update).await;
        assert_eq!(updated["Attributes"], attributes, "{returned}");
    }
}

#[tokio::test]
async fn an_update_that_writes_to_nothing_old_returns_no_attributes() {
    let world = World::with_items().await;
    for returned in ["UPDATED_OLD", "ALL_OLD"] {
        let update = json!({
            "TableName": "plain",
            "Key": {"p": {"S": returned}},
            "UpdateExpression": "SET b = :val",
            "ExpressionAttributeValues": {":val": {"S": "cat"}},
            "ReturnValues": returned,
        });
        assert_eq!(world.ok::<UpdateItem>(update).await, json!({}));
    }
}

#[tokio::test]
async fn an_update_of_nothing_makes_the_item() {
    let world = World::with_items().await;
    let update = json!({"TableName": "plain", "Key": key(), "ReturnValues": "ALL_NEW"});
    let updated = world.ok::<UpdateItem>(update).await;
    assert_eq!(updated, json!({"Attributes": key()}));
}

#[tokio::test]
async fn collections_are_told_of_tables_with_local_indexes() {
    let world = World::with_items().await;
    let put = |table: &str, item: Value| json!({"TableName": table, "Item": item, "ReturnItemCollectionMetrics": "SIZE"});
    let told = world.ok::<PutItem>(put("plain", key())).await;
    assert_eq!(told, json!({}));
    let item = json!({"p": {"S": "a"}, "c": {"N": "1"}});
    let told = world.ok::<PutItem>(put("sorted", item)).await;
    assert_eq!(
        told["ItemCollectionMetrics"],
        json!({"ItemCollectionKey": {"p": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]})
    );
}

#[tokio::test]
async fn an_update_that_only_takes_away_makes_no_item() {
    let world = World::with_items().await;
    for what in [
        json!({"AttributeUpdates": {"a": {"Action": "DELETE"}}}),
        json!({"UpdateExpression": "REMOVE a, b.c, d[0]"}),
        json!({
            "UpdateExpression": "DELETE a :a",
            "ExpressionAttributeValues": {":a": {"SS": ["a"]}},
        }),
    ] {
        let mut update = what;
        update["TableName"] = json!("plain");
        update["Key"] = key();
        update["ReturnValues"] = json!("ALL_NEW");
        assert_eq!(world.ok::<UpdateItem>(update).await, json!({}));
        assert_eq!(get(&world).await, json!(null));
    }
}
