//! Items read by their keys.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{GetItem, PutItem};
use serde_json::json;

use crate::testing::World;

#[tokio::test]
async fn parts_of_an_item_are_read_in_both_dialects() {
    let world = World::with_items().await;
    let item =
        json!({"p": {"S": "a"}, "a": {"M": {"b": {"S": "b"}, "c": {"S": "c"}}}, "d": {"S": "d"}});
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": item}))
        .await;
    let key = json!({"p": {"S": "a"}});
    let got = world
        .ok::<GetItem>(json!({"TableName": "plain", "Key": key, "AttributesToGet": ["d", "x"]}))
        .await;
    assert_eq!(got, json!({"Item": {"d": {"S": "d"}}}));
    let got = world
        .ok::<GetItem>(json!({
            "TableName": "plain",
            "Key": key,
            "ProjectionExpression": "#a.b",
            "ExpressionAttributeNames": {"#a": "a"},
        }))
        .await;
    assert_eq!(got, json!({"Item": {"a": {"M": {"b": {"S": "b"}}}}}));
    let got = world
        .ok::<GetItem>(json!({"TableName": "plain", "Key": key, "ProjectionExpression": "x"}))
        .await;
    assert_eq!(got, json!({"Item": {}}));
    let got = world
        .ok::<GetItem>(json!({"TableName": "plain", "Key": {"p": {"S": "b"}}}))
        .await;
    assert_eq!(got, json!({}));
}

#[tokio::test]
async fn reads_are_refused_in_awss_words() {
    let world = World::with_items().await;
    let key = json!({"p": {"S": "a"}});
    for (more, text) in [
        (
            json!({"AttributesToGet": ["a"], "ProjectionExpression": "a"}),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {AttributesToGet} Expression parameters: {ProjectionExpression}",
        ),
        (
            json!({"AttributesToGet": ["a", "b", "a"]}),
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
        (json!({"AttributesToGet": [""]}), "Empty attribute name"),
        (
            json!({"ExpressionAttributeNames": {"#a": "a"}}),
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            json!({"ProjectionExpression": ""}),
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            json!({"ProjectionExpression": "p[0]"}),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p",
        ),
        (
            json!({"Key": {"p": {"N": "1"}}}),
            "The provided key element does not match the schema",
        ),
        (
            json!({"Key": {"p": {"S": "a"}, "c": {"N": "1"}}}),
            "The provided key element does not match the schema",
        ),
        (
            json!({"Key": {"p": {"S": ""}}}),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: p",
        ),
        (
            json!({"Key": {"p": {"S": "a".repeat(2049)}}}),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            json!({"Key": {"p": {}}}),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ] {
        let mut get = json!({"TableName": "plain", "Key": key});
        for (name, value) in more.as_object().unwrap() {
            get[name] = value.clone();
        }
        assert_eq!(world.invalid::<GetItem>(get).await, text);
    }
}

#[tokio::test]
async fn validation_comes_before_the_table() {
    let world = World::with_items().await;
    let get = |key: serde_json::Value| json!({"TableName": "nothere", "Key": key});
    let text = world
        .invalid::<GetItem>(get(json!({"p": {"N": "x"}})))
        .await;
    assert_eq!(
        text,
        "The parameter cannot be converted to a numeric value: x"
    );
    let refused = world
        .refused::<GetItem>(get(json!({"p": {"S": "x"}})))
        .await;
    let not_found = "ResourceNotFoundException".to_owned();
    assert_eq!(
        refused,
        (not_found, "Requested resource not found".to_owned())
    );
    let short = json!({"TableName": "ab", "Key": {}});
    assert_eq!(
        world.invalid::<GetItem>(short).await,
        "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length \
         greater than or equal to 3"
    );
}
