//! Statements on tables.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::{
    BatchExecuteStatement, ExecuteStatement, ExecuteTransaction, PutResourcePolicy,
};
use serde_json::{Value, json};

use crate::testing::{World, arn_of};

async fn run(world: &World, statement: &str) -> Value {
    let answer = world.ok::<ExecuteStatement>(json!({"Statement": statement}));
    answer.await["Items"].clone()
}

async fn fill(world: &World) {
    for (p, c) in [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)] {
        let insert = format!(
            "INSERT INTO sorted VALUE {{'p': '{p}', 'c': {c}, 'g': 'g', 's': 's{c}', 'x': '{p}{c}'}}"
        );
        assert_eq!(run(world, &insert).await, json!([]));
    }
}

/// The numbers by which the items of a statement are sorted.
async fn numbers(world: &World, rest: &str) -> Vec<String> {
    let items = run(world, &format!("SELECT c FROM sorted WHERE {rest}")).await;
    let items = items.as_array().unwrap();
    let number = |item: &Value| item["c"]["N"].as_str().unwrap().to_owned();
    items.iter().map(number).collect()
}

#[tokio::test]
async fn a_statement_looks_where_items_are_and_asks_everything_of_them() {
    let world = World::with_items().await;
    fill(&world).await;
    for (rest, found) in [
        ("p = 'a'", &["1", "2", "3"][..]),
        ("p = 'a' AND c > 1 AND x <> 'a2'", &["3"]),
        ("p = 'a' AND p = 'b'", &[]),
        ("p IN ['b', 'a'] AND c IN [2]", &["2", "2"]),
        ("p = 'a' AND c > 1 ORDER BY c DESC", &["3", "2"]),
        ("x = 'b2'", &["2"]),
    ] {
        assert_eq!(numbers(&world, rest).await, found, "{rest}");
    }
}

#[tokio::test]
async fn pages_go_on_where_they_ended() {
    let world = World::with_items().await;
    fill(&world).await;
    let mut request =
        json!({"Statement": "SELECT x FROM sorted WHERE p IN ['b', 'a']", "Limit": 2});
    let mut pages = Vec::new();
    loop {
        let page = world.ok::<ExecuteStatement>(request.clone()).await;
        let items = page["Items"].as_array().unwrap().iter();
        pages.push(items.map(|item| item["x"]["S"].clone()).collect::<Vec<_>>());
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => break,
        }
    }
    let (whole, sizes): (Vec<_>, Vec<_>) = (pages.concat(), pages.iter().map(Vec::len).collect());
    assert_eq!(whole, ["b1", "b2", "a1", "a2", "a3"]);
    assert!(sizes.iter().all(|size| *size <= 2));
}

#[tokio::test]
async fn each_statement_of_a_batch_has_an_answer_of_its_own() {
    let world = World::with_items().await;
    fill(&world).await;
    let batch = json!({"Statements": [
        {"Statement": "UPDATE sorted SET x = 'y' WHERE p = 'a' AND c = 1 RETURNING MODIFIED OLD *"},
        {"Statement": "INSERT INTO sorted VALUE {'p': 'a', 'c': 2}"},
        {"Statement": "DELETE FROM sorted"},
    ]});
    let answer = world.ok::<BatchExecuteStatement>(batch).await;
    let no_key = "Where clause does not contain a mandatory equality on all key attributes";
    assert_eq!(
        answer["Responses"],
        json!([
            {"TableName": "sorted", "Item": {"x": {"S": "a1"}}},
            {"TableName": "sorted", "Error": {
                "Code": "DuplicateItem",
                "Message": "Duplicate primary key exists in table",
            }},
            {"Error": {"Code": "ValidationError", "Message": no_key}},
        ])
    );
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all() {
    let world = World::with_items().await;
    fill(&world).await;
    let update = |p: &str| format!("UPDATE sorted SET x = 'y' WHERE p = '{p}' AND c = 1");
    let transact = |statements: [String; 2]| {
        let statements = statements.map(|statement| json!({"Statement": statement}));
        json!({"TransactStatements": statements})
    };
    let (code, text) = world
        .refused::<ExecuteTransaction>(transact([update("a"), update("no")]))
        .await;
    assert_eq!(code, "TransactionCanceledException");
    assert!(text.ends_with("[None, ConditionalCheckFailed]"), "{text}");
    assert_eq!(numbers(&world, "p = 'a' AND x = 'a1'").await, ["1"]);
    world
        .ok::<ExecuteTransaction>(transact([update("a"), update("b")]))
        .await;
    assert_eq!(numbers(&world, "x = 'y'").await, ["1", "1"]);
}

#[tokio::test]
async fn a_policy_allows_each_kind_of_statement_to_others() {
    let world = World::with_items().await;
    let (other, arn) = ("111111111111", arn_of("plain"));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": other},
        "Action": "dynamodb:PartiQLSelect",
        "Resource": arn,
    }]});
    world
        .ok::<PutResourcePolicy>(json!({"ResourceArn": arn, "Policy": policy.to_string()}))
        .await;
    let select = json!({"Statement": format!("SELECT * FROM \"{arn}\" WHERE p = 'x'")});
    let insert = json!({"Statement": format!("INSERT INTO \"{arn}\" VALUE {{'p': 'x'}}")});
    let allowed = world.call_as::<ExecuteStatement>(other, select).await;
    assert_eq!(allowed.unwrap()["Items"], json!([]));
    let refused = world.call_as::<ExecuteStatement>(other, insert).await;
    assert_eq!(refused.unwrap_err().0, "AccessDeniedException");
}
