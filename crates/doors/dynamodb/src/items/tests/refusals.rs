//! Writes that are refused, in AWS's words and order.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{DeleteItem, PutItem, UpdateItem};
use serde_json::{Value, json};

use crate::testing::World;

/// `base` with the members of `more`.
fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

#[tokio::test]
async fn puts_are_refused() {
    let world = World::with_items().await;
    let item = |item: Value| json!({"Item": item});
    for (more, text) in [
        (
            json!({"Expected": {"a": {"Exists": false}}, "ConditionExpression": "a = :a"}),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            json!({"ExpressionAttributeValues": {":a": {"S": "a"}}}),
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            json!({"ReturnValues": "ALL_NEW"}),
            "ReturnValues can only be ALL_OLD or NONE",
        ),
        (
            json!({"ConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": ""}, ":b": {"S": ""}}}),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
        ),
        (
            json!({"ConditionExpression": "a = :a"}),
            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute \
             value: :a",
        ),
        (
            json!({"ConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "a".repeat(2 << 20)}}}),
            "ExpressionAttributeValues exceeds max size",
        ),
        (
            json!({
                "ConditionExpression": "a IN (:a, :a, :a)",
                "ExpressionAttributeValues": {":a": {"S": "a".repeat(350 * 1024)}},
            }),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;",
        ),
        (
            json!({"Expected": {"a": {}}}),
            "One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: a",
        ),
        (
            json!({"Expected": {}, "ConditionalOperator": "OR"}),
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            item(json!({"p": {"S": "a"}, "b": {"S": "b".repeat(400 * 1024)}})),
            "Item size has exceeded the maximum allowed size",
        ),
        (
            item(json!({"p": {"S": "a"}, "": {"S": "b"}})),
            "Empty attribute name",
        ),
        (
            item(json!({"p": {"S": "a"}, "x".repeat(65_536): {"S": "b"}})),
            "Attribute name is too large, must be less than 65536 bytes",
        ),
        (
            item(json!({"c": {"N": "1"}})),
            "One or more parameter values were invalid: Missing the key p in the item",
        ),
        (
            item(json!({"p": {"S": "a"}, "c": {"S": "1"}})),
            "One or more parameter values were invalid: Type mismatch for key c expected: N actual: S",
        ),
        (
            item(json!({"p": {"S": "a"}, "c": {"N": "1"}, "g": {"NULL": true}})),
            "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: NULL \
             IndexName: all",
        ),
        (
            item(json!({"p": {"S": "a"}, "c": {"N": "1"}, "s": {"S": ""}})),
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. \
             The AttributeValue for a key attribute cannot contain an empty string value. IndexName: local, IndexKey: s",
        ),
        (
            item(json!({"p": {"S": "a"}, "c": {"N": "1"}, "s": {"S": "s".repeat(1025)}})),
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of \
             1024 bytes",
        ),
    ] {
        let base = json!({"TableName": "sorted", "Item": {"p": {"S": "a"}, "c": {"N": "1"}}});
        assert_eq!(world.invalid::<PutItem>(with(base, &more)).await, text);
    }
}

#[tokio::test]
async fn updates_are_refused() {
    let world = World::with_items().await;
    let set = |expression: &str, value: Value| json!({"UpdateExpression": expression, "ExpressionAttributeValues": {":v": value}});
    for (more, text) in [
        (
            json!({
                "UpdateExpression": "",
                "AttributeUpdates": {},
                "Expected": {},
                "ConditionExpression": "",
            }),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {AttributeUpdates, Expected} Expression parameters: {UpdateExpression, ConditionExpression}",
        ),
        (
            json!({"UpdateExpression": ""}),
            "Invalid UpdateExpression: The expression can not be empty;",
        ),
        (
            json!({"AttributeUpdates": {"a": {"Action": "PUT"}}}),
            "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is \
             specified",
        ),
        (
            json!({"AttributeUpdates": {"a": {"Action": "ADD", "Value": {"S": "a"}}}}),
            "One or more parameter values were invalid: ADD action is not supported for the type S",
        ),
        (
            set("SET a = :v, b = :v", json!({"S": "v".repeat(201 * 1024)})),
            "Item size to update has exceeded the maximum allowed size",
        ),
        (
            set("SET p = :v", json!({"S": "b"})),
            "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key",
        ),
        (
            json!({"UpdateExpression": "REMOVE c.d"}),
            "One or more parameter values were invalid: Cannot update attribute c. This attribute is part of the key",
        ),
        (
            set("SET g = :v", json!({"N": "1"})),
            "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: \
             all",
        ),
        (
            set("SET g = :v", json!({"S": ""})),
            "One or more parameter values are not valid. The update expression attempted to update a secondary index key \
             to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string \
             value.",
        ),
        (
            set("SET g.a = :v", json!({"S": "a"})),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g",
        ),
        (
            set("SET g = if_not_exists(x, :v)", json!({"N": "1"})),
            "The update expression attempted to update the secondary index key to unsupported type",
        ),
        (
            set("SET a = a + :v", json!({"N": "1"})),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            set("SET a.b = :v", json!({"N": "1"})),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            set("SET a = :v", json!({"S": "b".repeat(400 * 1024)})),
            "Item size to update has exceeded the maximum allowed size",
        ),
        (
            json!({"Key": {"p": {"S": "a"}}}),
            "The provided key element does not match the schema",
        ),
    ] {
        let base = json!({"TableName": "sorted", "Key": {"p": {"S": "a"}, "c": {"N": "1"}}});
        assert_eq!(world.invalid::<UpdateItem>(with(base, &more)).await, text);
    }
}

#[tokio::test]
async fn deletions_are_refused() {
    let world = World::with_items().await;
    for (more, text) in [
        (
            json!({"ReturnValues": "UPDATED_NEW"}),
            "ReturnValues can only be ALL_OLD or NONE",
        ),
        (
            json!({"Key": {}}),
            "The provided key element does not match the schema",
        ),
        (
            json!({"Expected": {"a": {"ComparisonOperator": "IN", "AttributeValueList": []}}}),
            "One or more parameter values were invalid: Invalid number of argument(s) for the IN ComparisonOperator",
        ),
    ] {
        let base = json!({"TableName": "plain", "Key": {"p": {"S": "a"}}});
        assert_eq!(world.invalid::<DeleteItem>(with(base, &more)).await, text);
    }
}
