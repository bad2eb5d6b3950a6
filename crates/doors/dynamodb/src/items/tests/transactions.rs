//! Transactions.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{GetItem, PutItem, TransactGetItems, TransactWriteItems};
use serde_json::{Value, json};

use crate::testing::World;

fn key(text: &str) -> Value {
    json!({"p": {"S": text}})
}

fn put(item: Value) -> Value {
    json!({"Put": {"TableName": "plain", "Item": item}})
}

fn check(text: &str) -> Value {
    json!({"ConditionCheck": {
        "TableName": "plain",
        "Key": key(text),
        "ConditionExpression": "attribute_exists(p)",
    }})
}

fn writes(actions: Value) -> Value {
    json!({"TransactItems": actions})
}

async fn get(world: &World, text: &str) -> Value {
    let get = json!({"TableName": "plain", "Key": key(text)});
    world.ok::<GetItem>(get).await["Item"].clone()
}

#[tokio::test]
async fn all_actions_are_done_or_none() {
    let world = World::with_items().await;
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": {"p": {"S": "n"}, "n": {"N": "1"}}}))
        .await;
    let add = json!({"Update": {
        "TableName": "plain",
        "Key": key("n"),
        "UpdateExpression": "SET #n = #n + :one",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }});
    let delete = json!({"Delete": {"TableName": "plain", "Key": key("d")}});
    let all = [put(key("a")), add.clone(), delete, check("c")];
    let error = world
        .call::<TransactWriteItems>(writes(json!(all)))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "TransactionCanceledException");
    assert_eq!(
        error.message(),
        "Transaction cancelled, please refer cancellation reasons for specific reasons \
         [None, None, None, ConditionalCheckFailed]"
    );
    assert_eq!(
        error.fields()["CancellationReasons"],
        json!([
            {"Code": "None"},
            {"Code": "None"},
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        ])
    );
    assert_eq!(get(&world, "a").await, json!(null));
    let all = [put(key("a")), add, check("n2")];
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": key("n2")}))
        .await;
    world.ok::<TransactWriteItems>(writes(json!(all))).await;
    assert_eq!(get(&world, "a").await, key("a"));
    assert_eq!(get(&world, "n").await["n"], json!({"N": "2"}));
}

#[tokio::test]
async fn a_failed_condition_shows_the_item_where_asked() {
    let world = World::with_items().await;
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": key("a")}))
        .await;
    let mut put = put(json!({"p": {"S": "a"}, "x": {"S": "x"}}));
    put["Put"]["ConditionExpression"] = json!("attribute_not_exists(p)");
    put["Put"]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let error = world
        .call::<TransactWriteItems>(writes(json!([put])))
        .await
        .unwrap_err();
    assert_eq!(error.fields()["CancellationReasons"][0]["Item"], key("a"));
}

#[tokio::test]
async fn actions_that_tables_do_not_take_cancel_and_requests_that_cannot_be_are_refused() {
    let world = World::with_items().await;
    let wrong = json!({"p": {"N": "7"}});
    for (actions, message) in [
        (
            json!([put(wrong), put(json!({"p": {"N": "8"}}))]),
            "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
        ),
        (
            json!([{"Delete": {"TableName": "plain", "Key": {"p": {"N": "5"}}}}, check("a")]),
            "The provided key element does not match the schema",
        ),
    ] {
        let error = world
            .call::<TransactWriteItems>(writes(actions))
            .await
            .unwrap_err();
        assert_eq!(
            error.fields()["CancellationReasons"],
            json!([{"Code": "ValidationError", "Message": message}, {"Code": "None"}])
        );
    }
    let unused = json!({"Put": {
        "TableName": "plain",
        "Item": key("a"),
        "ConditionExpression": "attribute_exists(p)",
        "ExpressionAttributeNames": {"#x": "x"},
    }});
    let large = json!({"p": {"S": "a"}, "x": {"S": "x".repeat(400 * 1024)}});
    for (actions, text) in [
        (
            json!([put(json!({"p": {"N": "1"}})), put(key(""))]),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: p",
        ),
        (
            json!([put(key("a")), check("a")]),
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            json!([{"Put": {"TableName": "plain", "Item": key("a")}, "Delete": {"TableName": "plain", "Key": key("a")}}]),
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            json!([unused]),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
        (
            json!([put(large)]),
            "Item size has exceeded the maximum allowed size",
        ),
    ] {
        assert_eq!(
            world.invalid::<TransactWriteItems>(writes(actions)).await,
            text
        );
    }
    let filler = "x".repeat(390 * 1024);
    let many =
        (0..11).map(|number| put(json!({"p": {"S": number.to_string()}, "f": {"S": filler}})));
    let text = world
        .invalid::<TransactWriteItems>(writes(many.collect()))
        .await;
    assert!(
        text.starts_with("Transaction payload size cannot exceed 4MB. Payload Size: 43"),
        "{text}"
    );
}

#[tokio::test]
async fn a_token_does_it_once() {
    let world = World::with_items().await;
    let add = |by: &str| {
        json!({
            "ClientRequestToken": "token",
            "ReturnConsumedCapacity": "TOTAL",
            "TransactItems": [{"Update": {
                "TableName": "plain",
                "Key": key("n"),
                "UpdateExpression": "ADD n :by",
                "ExpressionAttributeValues": {":by": {"N": by}},
            }}],
        })
    };
    let told = world.ok::<TransactWriteItems>(add("1")).await;
    let units = json!({"TableName": "plain", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0});
    assert_eq!(told, json!({"ConsumedCapacity": [units]}));
    let told = world.ok::<TransactWriteItems>(add("1")).await;
    let units = json!({"TableName": "plain", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0});
    assert_eq!(told, json!({"ConsumedCapacity": [units]}));
    assert_eq!(get(&world, "n").await["n"], json!({"N": "1"}));
    let (code, _) = world.refused::<TransactWriteItems>(add("2")).await;
    assert_eq!(code, "IdempotentParameterMismatchException");
}

#[tokio::test]
async fn items_are_read_together() {
    let world = World::with_items().await;
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": {"p": {"S": "a"}, "x": {"S": "x"}}}))
        .await;
    let gets = |gets: Value| json!({"TransactItems": gets, "ReturnConsumedCapacity": "TOTAL"});
    let read = world
        .ok::<TransactGetItems>(gets(json!([
            {"Get": {"TableName": "plain", "Key": key("a"), "ProjectionExpression": "x"}},
            {"Get": {"TableName": "plain", "Key": key("b")}},
        ])))
        .await;
    let units = json!({"TableName": "plain", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0});
    assert_eq!(
        read,
        json!({"Responses": [{"Item": {"x": {"S": "x"}}}, {}], "ConsumedCapacity": [units]})
    );
    let wrong = gets(json!([{"Get": {"TableName": "plain", "Key": {}}}]));
    let error = world.call::<TransactGetItems>(wrong).await.unwrap_err();
    assert_eq!(
        error.message(),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]"
    );
}

#[tokio::test]
async fn what_a_transaction_writes_or_reads_is_bounded() {
    let world = World::with_items().await;
    let filler = "x".repeat(390 * 1024);
    let names: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    for name in &names {
        let item = json!({"p": {"S": name}, "f": {"S": filler}});
        let put = json!({"TableName": "plain", "Item": item});
        world.ok::<PutItem>(put).await;
    }
    let all = |action: fn(&str) -> Value| -> Value {
        let actions = names.iter().map(|name| action(name));
        json!({"TransactItems": actions.collect::<Value>(), "ReturnConsumedCapacity": "TOTAL"})
    };
    let update = |name: &str| {
        json!({"Update": {
            "TableName": "plain",
            "Key": key(name),
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}},
        }})
    };
    let too_large = "Transaction payload size cannot exceed 4MB. Payload Size: 43";
    let text = world.invalid::<TransactWriteItems>(all(update)).await;
    assert!(text.starts_with(too_large), "{text}");
    let get = |name: &str| json!({"Get": {"TableName": "plain", "Key": key(name)}});
    let text = world.invalid::<TransactGetItems>(all(get)).await;
    assert!(text.starts_with(too_large), "{text}");
    // AWS lets a small request delete as much as it names.
    let delete = |name: &str| json!({"Delete": {"TableName": "plain", "Key": key(name)}});
    let told = world.ok::<TransactWriteItems>(all(delete)).await;
    let units = &told["ConsumedCapacity"][0]["WriteCapacityUnits"];
    assert_eq!(*units, json!(11.0 * 2.0 * 391.0));
}
