//! Requests that are over the capacity of a table or an index.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{
    BatchGetItem, BatchWriteItem, GetItem, PutItem, Query, Scan, TransactGetItems,
    TransactWriteItems,
};
use headwater_tables::{Billing, NewTable, Throughput};
use headwater_wire::ApiError;
use serde_json::{Value, json};

use crate::{
    items::testing::{plain, sorted},
    testing::{World, arn_of},
};

const PROVISIONED: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                           provisioning level with the UpdateTable API.";
const INDEX: &str = "The level of configured provisioned throughput for one or more global secondary indexes of the table was \
                     exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes \
                     with the UpdateTable API.";

fn by_second(read: u64, write: u64) -> Billing {
    Billing::Provisioned(Throughput {
        read,
        write,
        raised: None,
        lowered: None,
        lowered_that_day: 0,
    })
}

/// A world whose limits hold, with the table `small`, which takes one unit a second, `most`, whose owner wants no more of
/// it, and `indexed`, whose global indexes take one.
async fn world() -> World {
    let world = World::with_items().await;
    world.dynamo.tables.limit(true);
    let most = Billing::OnDemand {
        read_max: Some(1),
        write_max: Some(1),
    };
    let mut indexed = NewTable {
        billing: by_second(900, 900),
        ..sorted("indexed")
    };
    for index in &mut indexed.global {
        index.3 = by_second(1, 1);
    }
    let small = NewTable {
        billing: by_second(1, 1),
        ..plain("small")
    };
    let most = NewTable {
        billing: most,
        ..plain("most")
    };
    for table in [small, most, indexed] {
        world.dynamo.tables.create(table).await.unwrap();
    }
    world.pass(60);
    world
}

fn item(key: &str, kilobytes: usize) -> Value {
    json!({"p": {"S": key}, "x": {"S": "x".repeat(kilobytes * 1024)}})
}

fn put(table: &str, item: Value) -> Value {
    json!({"TableName": table, "Item": item})
}

fn get(table: &str, key: &str) -> Value {
    json!({"TableName": table, "Key": {"p": {"S": key}}, "ConsistentRead": true})
}

/// Leaves `small` with so many units of writing.
async fn leave(world: &World, units: u64) {
    world.ok::<PutItem>(put("small", item("large", 300))).await;
    world.pass(1 + units);
}

fn reasons(error: &ApiError, member: &str) -> Value {
    error.fields().get(member).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_write_over_what_is_provisioned_says_so() {
    let world = world().await;
    leave(&world, 1).await;
    world.ok::<PutItem>(put("small", item("a", 0))).await;
    let error = world.call::<PutItem>(put("small", item("a", 0))).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "ProvisionedThroughputExceededException");
    assert_eq!((error.status(), error.message()), (400, PROVISIONED));
    let expected = json!([
        {"reason": "TableWriteProvisionedThroughputExceeded", "resource": arn_of("small")},
    ]);
    assert_eq!(reasons(&error, "ThrottlingReasons"), expected);
    // Reads have a capacity of their own.
    world.ok::<GetItem>(get("small", "large")).await;
}

#[tokio::test]
async fn a_write_over_what_an_index_takes_says_which() {
    let world = world().await;
    let indexed = |number: &str, kilobytes: usize| {
        let mut item = item("a", kilobytes);
        item["c"] = json!({ "N": number });
        item["g"] = json!({"S": "g"});
        put("indexed", item)
    };
    world.ok::<PutItem>(indexed("1", 310)).await;
    let error = world.call::<PutItem>(indexed("2", 0)).await.unwrap_err();
    assert_eq!(error.message(), INDEX);
    let index = format!("{}/index/all", arn_of("indexed"));
    let expected = json!([
        {"reason": "IndexWriteProvisionedThroughputExceeded", "resource": index},
    ]);
    assert_eq!(reasons(&error, "ThrottlingReasons"), expected);
}

#[tokio::test]
async fn on_demand_tables_keep_to_their_maxima() {
    let world = world().await;
    // All that is kept of one unit a second.
    world.ok::<PutItem>(put("most", item("a", 310))).await;
    let error = world.call::<PutItem>(put("most", item("a", 0))).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "ThrottlingException");
    let expected = json!([
        {"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": arn_of("most")},
    ]);
    assert_eq!(reasons(&error, "throttlingReasons"), expected);
    world.pass(60);
    world.ok::<PutItem>(put("most", item("a", 0))).await;
}

#[tokio::test]
async fn reads_are_charged_as_they_were_asked_for() {
    let world = world().await;
    world.ok::<PutItem>(put("small", item("large", 300))).await;
    // 300 units were kept, and one comes.
    for _ in 0..4 {
        world.ok::<GetItem>(get("small", "large")).await;
    }
    let error = world.call::<GetItem>(get("small", "large")).await;
    let error = error.unwrap_err();
    let reason = reasons(&error, "ThrottlingReasons")[0]["reason"].clone();
    assert_eq!(reason, "TableReadProvisionedThroughputExceeded");
    let scan = json!({"TableName": "small"});
    let query = json!({
        "TableName": "small",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "large"}},
    });
    let get = json!({"TransactItems": [{"Get": {"TableName": "small", "Key": {"p": {"S": "b"}}}}]});
    for _ in 0..2 {
        let code = "ProvisionedThroughputExceededException";
        assert_eq!(world.refused::<Scan>(scan.clone()).await.0, code);
        assert_eq!(world.refused::<Query>(query.clone()).await.0, code);
        let (code, text) = world.refused::<TransactGetItems>(get.clone()).await;
        assert_eq!(code, "TransactionCanceledException");
        assert!(text.ends_with("[ProvisionedThroughputExceeded]"), "{text}");
        world.pass(3);
    }
    world.pass(10);
    world.ok::<Scan>(scan).await;
}

#[tokio::test]
async fn batches_leave_what_is_throttled_and_fail_with_all_of_it() {
    let world = world().await;
    leave(&world, 2).await;
    let put = |key: &str| json!({"PutRequest": {"Item": item(key, 0)}});
    let delete = json!({"DeleteRequest": {"Key": {"p": {"S": "d"}}}});
    let small = [put("a"), put("b"), put("c"), delete.clone()];
    let both = json!({"RequestItems": {"small": small, "plain": [put("a")]}});
    let written = world.ok::<BatchWriteItem>(both.clone()).await;
    assert_eq!(
        written["UnprocessedItems"],
        json!({"small": [put("c"), delete]})
    );
    let again = json!({ "RequestItems": written["UnprocessedItems"] });
    let (code, _) = world.refused::<BatchWriteItem>(again).await;
    assert_eq!(code, "ProvisionedThroughputExceededException");

    let key = |key: &str| json!({"p": {"S": key}});
    let reads =
        |keys: Value| json!({"RequestItems": {"small": {"Keys": keys, "ConsistentRead": true}}});
    for _ in 0..4 {
        world.ok::<GetItem>(get("small", "large")).await;
    }
    let (code, _) = world
        .refused::<BatchGetItem>(reads(json!([key("a")])))
        .await;
    assert_eq!(code, "ProvisionedThroughputExceededException");
    world.pass(6);
    let read = world
        .ok::<BatchGetItem>(reads(json!([key("a"), key("b"), key("c")])))
        .await;
    let left = &read["UnprocessedKeys"]["small"]["Keys"];
    let found = read["Responses"]["small"].as_array().unwrap().len();
    assert_eq!((found, left), (2, &json!([key("c")])));
}

#[tokio::test]
async fn a_transaction_is_cancelled_for_it() {
    let world = world().await;
    leave(&world, 0).await;
    let put = |table: &str| json!({"Put": {"TableName": table, "Item": item("a", 0)}});
    let writes = json!({"TransactItems": [put("small"), put("plain")]});
    let error = world.call::<TransactWriteItems>(writes).await.unwrap_err();
    let expected = json!([
        {"Code": "ProvisionedThroughputExceeded", "Message": PROVISIONED},
        {"Code": "None"},
    ]);
    assert_eq!(reasons(&error, "CancellationReasons"), expected);
    let found = world.ok::<GetItem>(get("plain", "a")).await;
    assert_eq!(found["Item"], Value::Null);
}
