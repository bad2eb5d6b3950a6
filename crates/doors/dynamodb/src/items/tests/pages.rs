//! Queries and scans.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{PutItem, Query, Scan};
use serde_json::{Value, json};

use crate::testing::World;

/// A world whose table `sorted` has ten items under `a`: those with even numbers under `g` too, all sorted by `s` from
/// behind.
async fn filled() -> World {
    let world = World::with_items().await;
    for number in 0..10 {
        let mut item = json!({
            "p": {"S": "a"},
            "c": {"N": number.to_string()},
            "s": {"S": format!("s{}", 9 - number)},
            "a": {"S": "a"},
            "b": {"S": "b"},
        });
        if number % 2 == 0 {
            item["g"] = json!({"S": "g"});
        }
        world
            .ok::<PutItem>(json!({"TableName": "sorted", "Item": item}))
            .await;
    }
    world
}

fn query(more: &Value) -> Value {
    let mut query = json!({
        "TableName": "sorted",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(query.as_object_mut().unwrap().remove(name)),
            value => query[name] = value.clone(),
        }
    }
    query
}

fn numbers(page: &Value) -> Vec<String> {
    let items = page["Items"].as_array().unwrap().iter();
    items
        .map(|item| item["c"]["N"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_query_goes_on_behind_its_last_key() {
    let world = filled().await;
    let mut pages = Vec::new();
    let mut start = Value::Null;
    loop {
        let asked =
            query(&json!({"Limit": 4, "ExclusiveStartKey": start, "ScanIndexForward": false}));
        let page = world.ok::<Query>(asked).await;
        pages.push(numbers(&page));
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            break;
        }
        assert_eq!(start["p"], json!({"S": "a"}));
    }
    assert_eq!(
        pages,
        [
            vec!["9", "8", "7", "6"],
            vec!["5", "4", "3", "2"],
            vec!["1", "0"]
        ]
    );
}

#[tokio::test]
async fn queries_find_what_their_keys_say_in_both_dialects() {
    let world = filled().await;
    let between = query(&json!({
        "KeyConditionExpression": "p = :p AND c BETWEEN :low AND :high",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":low": {"N": "3"}, ":high": {"N": "5"}},
    }));
    assert_eq!(numbers(&world.ok::<Query>(between).await), ["3", "4", "5"]);
    let older = json!({
        "TableName": "sorted",
        "KeyConditions": {
            "p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
            "c": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "8"}]},
        },
        "QueryFilter": {"b": {"ComparisonOperator": "NE", "AttributeValueList": [{"S": "x"}]}},
    });
    let page = world.ok::<Query>(older).await;
    assert_eq!(numbers(&page), ["8", "9"]);
    assert_eq!(
        (&page["Count"], &page["ScannedCount"]),
        (&json!(2), &json!(2))
    );
    let counted = query(&json!({
        "Select": "COUNT",
        "FilterExpression": "attribute_exists(g)",
    }));
    let page = world.ok::<Query>(counted).await;
    assert_eq!(page, json!({"Count": 5, "ScannedCount": 10}));
}

#[tokio::test]
async fn indexes_give_what_they_have() {
    let world = filled().await;
    let by_g = |index: &str, more: &Value| {
        let mut asked = query(&json!({
            "IndexName": index,
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": {"S": "g"}},
            "Limit": 1,
        }));
        for (name, value) in more.as_object().unwrap() {
            asked[name] = value.clone();
        }
        asked
    };
    let all = world
        .ok::<Query>(by_g("all", &json!({"Select": "ALL_ATTRIBUTES"})))
        .await;
    assert_eq!(all["Items"][0]["b"], json!({"S": "b"}));
    let last = all["LastEvaluatedKey"].as_object().unwrap();
    assert_eq!(last.keys().collect::<Vec<_>>(), ["c", "g", "p"]);
    let some = world.ok::<Query>(by_g("some", &json!({}))).await;
    assert_eq!(
        some["Items"],
        json!([{"p": {"S": "a"}, "c": {"N": "8"}, "g": {"S": "g"}, "s": {"S": "s1"}, "a": {"S": "a"}}])
    );
    assert_eq!(
        world
            .invalid::<Query>(by_g("some", &json!({"Select": "ALL_ATTRIBUTES"})))
            .await,
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary \
         index some because its projection type is not ALL"
    );
    assert_eq!(
        world
            .invalid::<Query>(by_g("some", &json!({"ProjectionExpression": "b, a, x"})))
            .await,
        "One or more parameter values were invalid: Global secondary index some does not project [b, x]"
    );
    let local = |more: &Value| {
        let mut asked = query(&json!({"IndexName": "local", "Limit": 1}));
        for (name, value) in more.as_object().unwrap() {
            asked[name] = value.clone();
        }
        asked
    };
    let keys = json!({"p": {"S": "a"}, "c": {"N": "9"}, "s": {"S": "s0"}});
    assert_eq!(
        world.ok::<Query>(local(&json!({}))).await["Items"],
        json!([keys])
    );
    let whole = world
        .ok::<Query>(local(&json!({"Select": "ALL_ATTRIBUTES"})))
        .await;
    assert_eq!(whole["Items"][0]["b"], json!({"S": "b"}));
    let fetched = world
        .ok::<Query>(local(&json!({"ProjectionExpression": "b"})))
        .await;
    assert_eq!(fetched["Items"], json!([{"b": {"S": "b"}}]));
}

#[tokio::test]
async fn queries_are_refused() {
    let world = filled().await;
    let values = |values: Value| json!({"ExpressionAttributeValues": values});
    let merged = |one: Value, other: Value| {
        let mut all = one;
        for (name, value) in other.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let of_sort = |condition: &str, value: Value| {
        merged(
            json!({"KeyConditionExpression": condition}),
            values(json!({":p": {"S": "a"}, ":c": value})),
        )
    };
    for (more, text) in [
        (
            json!({"KeyConditionExpression": null, "ExpressionAttributeValues": null}),
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ),
        (
            json!({"KeyConditions": {}}),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {KeyConditions} Expression parameters: {KeyConditionExpression}",
        ),
        (
            json!({"IndexName": "nothere"}),
            "The table does not have the specified index: nothere",
        ),
        (
            json!({"IndexName": "all", "ConsistentRead": true}),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            values(json!({":p": {"N": "1"}})),
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            values(json!({":p": {"S": ""}})),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: p",
        ),
        (
            json!({"KeyConditionExpression": "c = :p"}),
            "Query condition missed key schema element: p",
        ),
        (
            json!({"FilterExpression": "c > p"}),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: p",
        ),
        (
            json!({"Select": "SPECIFIC_ATTRIBUTES"}),
            "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get \
             SPECIFIC_ATTRIBUTES",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}}}),
            "The provided starting key is invalid",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}, "c": {"N": "1"}, "x": {"N": "1"}}}),
            "The provided starting key is invalid",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}, "c": {"S": "1"}}}),
            "The provided key element does not match the schema",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}, "c": {}}}),
            "The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one of the \
             supported datatypes",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}, "c": {"N": "x"}}}),
            "The parameter cannot be converted to a numeric value: x",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "b"}, "c": {"N": "1"}}}),
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            merged(
                of_sort("p = :p AND c > :c", json!({"N": "3"})),
                json!({"ExclusiveStartKey": {"p": {"S": "a"}, "c": {"N": "1"}}}),
            ),
            "The provided starting key does not match the range key predicate",
        ),
        (
            merged(
                of_sort("p = :p AND c > :c", json!({"N": "3"})),
                json!({"ExclusiveStartKey": {"p": {"S": "b"}, "c": {"N": "4"}}}),
            ),
            "The query can return at most one row and cannot be restarted",
        ),
    ] {
        assert_eq!(world.invalid::<Query>(query(&more)).await, text);
    }
}

#[tokio::test]
async fn a_query_of_one_item_does_not_go_on() {
    let world = World::with_items().await;
    world
        .ok::<PutItem>(json!({"TableName": "plain", "Item": {"p": {"S": "a"}}}))
        .await;
    let one = query(&json!({"TableName": "plain", "Limit": 1}));
    let page = world.ok::<Query>(one).await;
    assert_eq!(
        page,
        json!({"Items": [{"p": {"S": "a"}}], "Count": 1, "ScannedCount": 1})
    );
    let behind = query(&json!({"TableName": "plain", "ExclusiveStartKey": {"p": {"S": "a"}}}));
    assert_eq!(
        world.invalid::<Query>(behind).await,
        "The provided exclusive start key is invalid: ExclusiveStartKey: {p=AttributeValue: {S:a}}"
    );
}

#[tokio::test]
async fn segments_have_all_items_between_them() {
    let world = World::with_items().await;
    for number in 0..40 {
        let item = json!({"p": {"S": number.to_string()}});
        world
            .ok::<PutItem>(json!({"TableName": "plain", "Item": item}))
            .await;
    }
    let mut found = Vec::new();
    for segment in 0..3 {
        let mut start = Value::Null;
        loop {
            let mut asked = json!({
                "TableName": "plain",
                "Segment": segment,
                "TotalSegments": 3,
                "Limit": 7,
            });
            if !start.is_null() {
                asked["ExclusiveStartKey"] = start;
            }
            let page = world.ok::<Scan>(asked).await;
            let items = page["Items"].as_array().unwrap().iter();
            found.extend(items.map(|item| item["p"]["S"].as_str().unwrap().to_owned()));
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 40);
}

#[tokio::test]
async fn scans_are_refused() {
    let world = World::with_items().await;
    for (more, text) in [
        (
            json!({"Segment": 0}),
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        ),
        (
            json!({"TotalSegments": 4}),
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
        ),
        (
            json!({"Segment": 5, "TotalSegments": 5}),
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less \
             than TotalSegments: 5",
        ),
        (
            json!({"Select": "ALL_PROJECTED_ATTRIBUTES"}),
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            json!({"ExclusiveStartKey": {"p": {"S": "a"}}}),
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
        (
            json!({
                "Segment": 0,
                "TotalSegments": 1_000_000,
                "ExclusiveStartKey": {"p": {"S": "a"}, "c": {"N": "1"}},
            }),
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
             Segment. TotalSegments: 1000000 Segment: 0",
        ),
        (
            json!({"FilterExpression": "p.q = p"}),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p",
        ),
        (
            json!({"ConditionalOperator": "AND", "FilterExpression": "a = b"}),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {ConditionalOperator} Expression parameters: {FilterExpression}",
        ),
    ] {
        let mut scan = json!({"TableName": "sorted"});
        for (name, value) in more.as_object().unwrap() {
            scan[name] = value.clone();
        }
        assert_eq!(world.invalid::<Scan>(scan).await, text);
    }
}
