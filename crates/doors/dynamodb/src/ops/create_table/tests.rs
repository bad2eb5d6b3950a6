//! The checks of a new table, as dynalite's tests recorded them on AWS.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes::Tree;
use headwater_tables::{Billing, KeyKind, ViewType};
use serde_json::{Value, json};

use super::*;

const PREFIX: &str = "One or more parameter values were invalid: ";

fn definitions(names: &[&str]) -> Value {
    let of = |name: &&str| json!({"AttributeName": name, "AttributeType": "S"});
    names.iter().map(of).collect()
}

fn key(elements: &[(&str, &str)]) -> Value {
    let of = |(name, kind): &(&str, &str)| json!({"AttributeName": name, "KeyType": kind});
    elements.iter().map(of).collect()
}

/// A table `abc` with the key `a`, `b` and what `with` says.
fn input(with: Value) -> Value {
    let mut input = json!({
        "TableName": "abc",
        "AttributeDefinitions": definitions(&["a", "b"]),
        "KeySchema": key(&[("a", "HASH"), ("b", "RANGE")]),
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    });
    for (name, value) in with.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn created(with: Value) -> Result<NewTable, String> {
    let input = CreateTableInput::from_value(input(with)).unwrap();
    read(input).map_err(|error| error.message().to_owned())
}

fn index(name: &str, elements: &[(&str, &str)], projection: Value) -> Value {
    json!({"IndexName": name, "KeySchema": key(elements), "Projection": projection})
}

#[test]
fn a_table_has_what_was_asked_for() {
    let made = created(json!({
        "AttributeDefinitions": definitions(&["a", "b", "c"]),
        "BillingMode": "PAY_PER_REQUEST",
        "ProvisionedThroughput": null,
        "LocalSecondaryIndexes": [index("local", &[("a", "HASH"), ("c", "RANGE")], json!({"ProjectionType": "KEYS_ONLY"}))],
        "GlobalSecondaryIndexes": [index("global", &[("c", "HASH")], json!({"ProjectionType": "ALL"}))],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "DeletionProtectionEnabled": true,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "Tags": [{"Key": "team", "Value": ""}],
        "SSESpecification": {"Enabled": false},
    }))
    .unwrap();
    assert_eq!(made.attributes["c"], KeyKind::String);
    assert_eq!(made.key.sort.as_deref(), Some("b"));
    assert_eq!(
        (made.local[0].0.as_str(), made.global[0].0.as_str()),
        ("local", "global")
    );
    assert!(matches!(made.billing, Billing::OnDemand { .. }));
    assert_eq!(made.stream, Some(ViewType::Both));
    assert!(made.protected && made.infrequent_access);
    assert_eq!(made.tags["team"], "");
}

#[test]
fn keys_are_checked_before_indexes() {
    for (with, text) in [
        (
            json!({"AttributeDefinitions": []}),
            "Invalid KeySchema: Some index key attribute have no definition".to_owned(),
        ),
        (
            json!({"AttributeDefinitions": definitions(&["b"]), "KeySchema": key(&[("a", "HASH")])}),
            format!(
                "{PREFIX}Some index key attributes are not defined in AttributeDefinitions. Keys: [a], \
                 AttributeDefinitions: [b]"
            ),
        ),
        (
            json!({"KeySchema": key(&[("a", "HASH"), ("a", "HASH")])}),
            "Both the Hash Key and the Range Key element in the KeySchema have the same name".to_owned(),
        ),
        (
            json!({"KeySchema": key(&[("a", "RANGE"), ("b", "HASH")])}),
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type".to_owned(),
        ),
        (
            json!({"AttributeDefinitions": definitions(&["a", "c", "b"])}),
            format!(
                "{PREFIX}Number of attributes in KeySchema does not exactly match number of attributes defined in \
                 AttributeDefinitions"
            ),
        ),
        (
            json!({"TableName": "abc;"}),
            "1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9_.-]+"
                .to_owned(),
        ),
    ] {
        assert_eq!(created(with.clone()).unwrap_err(), text, "{with}");
    }
}

#[test]
fn local_indexes_are_of_the_tables_partitions() {
    let all = || json!({"ProjectionType": "ALL"});
    let both = &[("a", "HASH"), ("b", "RANGE")][..];
    let six: Vec<Value> = (0..6)
        .map(|at| index(&format!("ab{at}"), both, all()))
        .collect();
    for (indexes, text) in [
        (json!([]), "List of LocalSecondaryIndexes is empty"),
        (
            json!([index("abc", &[("c", "RANGE"), ("d", "RANGE")], json!({}))]),
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [c, d], AttributeDefinitions: [a, b]",
        ),
        (
            json!([index("abc", &[("b", "HASH")], json!({}))]),
            "Index KeySchema does not have a range key for index: abc",
        ),
        (
            json!([index("abc", &[("b", "HASH"), ("a", "RANGE")], json!({}))]),
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. index hash key: \
             b, table hash key: a",
        ),
        (
            json!([index("abc", both, json!({"NonKeyAttributes": ["a"]}))]),
            "Unknown ProjectionType: null",
        ),
        (
            json!([index("abc", both, all()), index("abc", both, all())]),
            "Duplicate index name: abc",
        ),
        (
            json!(six),
            "Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        ),
    ] {
        let error = created(json!({"LocalSecondaryIndexes": indexes})).unwrap_err();
        assert_eq!(error, format!("{PREFIX}{text}"));
    }
    let without = json!({
        "AttributeDefinitions": definitions(&["a"]),
        "KeySchema": key(&[("a", "HASH")]),
        "LocalSecondaryIndexes": [index("abc", both, all())],
    });
    assert_eq!(
        created(without).unwrap_err(),
        format!(
            "{PREFIX}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    );
}

#[test]
fn global_indexes_have_keys_of_their_own() {
    let all = || json!({"ProjectionType": "ALL"});
    let units = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    let paid = |mut index: Value| {
        index["ProvisionedThroughput"] = units.clone();
        index
    };
    let own = &[("b", "HASH")][..];
    let many: Vec<Value> = (0..21)
        .map(|at| paid(index(&format!("ab{at}"), own, all())))
        .collect();
    for (indexes, text) in [
        (json!([]), "List of GlobalSecondaryIndexes is empty"),
        (
            json!([paid(index("abc", own, json!({})))]),
            "Unknown ProjectionType: null",
        ),
        (
            json!([index("abc", own, all())]),
            "ProvisionedThroughput is not specified for index: abc",
        ),
        (
            json!([
                paid(index("abc", own, all())),
                paid(index("abc", own, all()))
            ]),
            "Duplicate index name: abc",
        ),
        (
            json!([paid(index(
                "abc",
                &[("a", "HASH"), ("b", "RANGE"), ("a", "HASH")],
                all()
            ))]),
            "All HASH key attributes must precede RANGE key attributes in the KeySchema",
        ),
        (
            json!(many),
            "GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
    ] {
        let error = created(json!({"GlobalSecondaryIndexes": indexes})).unwrap_err();
        assert_eq!(error, format!("{PREFIX}{text}"));
    }
    let unused = json!({
        "AttributeDefinitions": definitions(&["a", "b", "c"]),
        "GlobalSecondaryIndexes": [paid(index("abc", own, all()))],
    });
    assert_eq!(
        created(unused).unwrap_err(),
        format!(
            "{PREFIX}Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]"
        )
    );
    let several = json!([paid(index(
        "abc",
        &[("a", "HASH"), ("b", "HASH"), ("b", "RANGE")],
        all()
    ))]);
    assert!(created(json!({"GlobalSecondaryIndexes": several})).is_err());
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    for (setting, value) in [
        ("WarmThroughput", json!({"ReadUnitsPerSecond": 1})),
        ("GlobalTableSourceArn", json!("arn")),
        ("VectorIndexes", json!([])),
    ] {
        let text = created(json!({setting: value})).unwrap_err();
        assert_eq!(text, format!("Headwater does not support {setting} yet."));
    }
    let encrypted = created(json!({"SSESpecification": {"Enabled": true}})).unwrap_err();
    assert!(encrypted.contains("SSESpecification"), "{encrypted}");
}
