//! What answers show of tables.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes::Tree;
use headwater_tables::{KeySchema, Projected, Stream, Throughput, ViewType};
use serde_json::json;

use super::*;
use crate::testing::{CREATED, context, record};

fn shown(table: &TableRecord, now: Millis) -> serde_json::Value {
    let show = Show {
        context: &context(),
        now,
        sizes: |index: Option<&str>| {
            let items = if index.is_some() { 1 } else { 2 };
            Ok(Size { items, bytes: 30 })
        },
    };
    show.table(table).unwrap().to_value()
}

#[test]
fn all_is_shown_that_clients_read() {
    let expected = json!({
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": 1_700_000_000.123,
        },
        "CreationDateTime": 1_700_000_000.123,
        "DeletionProtectionEnabled": false,
        "ItemCount": 2,
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/taxi",
        "TableId": "0123",
        "TableName": "taxi",
        "TableSizeBytes": 30,
        "TableStatus": "ACTIVE",
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12000,
            "Status": "ACTIVE",
            "WriteUnitsPerSecond": 4000,
        },
    });
    assert_eq!(shown(&record(), CREATED), expected);
}

#[test]
fn a_stream_keeps_its_name_when_it_is_disabled() {
    let mut table = record();
    table.streams.push(Stream {
        label: Millis(1_700_000_000_007),
        view: ViewType::Both,
        disabled: None,
        begins: Vec::new(),
        ends: Vec::new(),
    });
    let enabled = shown(&table, CREATED);
    assert_eq!(
        enabled["StreamSpecification"],
        json!({"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    );
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/taxi/stream/2023-11-14T22:13:20.007";
    assert_eq!(enabled["LatestStreamArn"], arn);
    table.streams[0].disabled = Some(CREATED);
    let disabled = shown(&table, CREATED);
    assert!(disabled["StreamSpecification"].is_null());
    assert_eq!(disabled["LatestStreamArn"], arn);
    assert_eq!(disabled["LatestStreamLabel"], "2023-11-14T22:13:20.007");
}

#[test]
fn an_index_is_shown_with_what_it_has() {
    let mut table = record();
    table.billing = Billing::Provisioned(Throughput {
        read: 5,
        write: 6,
        raised: None,
        lowered: Some(CREATED),
        lowered_that_day: 2,
    });
    table.global.insert(
        "byName".into(),
        GlobalIndex {
            number: 1,
            key: KeySchema {
                partition: "gone".into(),
                sort: Some("a".into()),
            },
            projected: Projected::Include(vec!["x".into()]),
            state: IndexState::Creating,
            billing: table.billing,
        },
    );
    let described = shown(&table, CREATED);
    assert!(described["BillingModeSummary"].is_null());
    assert_eq!(
        described["ProvisionedThroughput"]["NumberOfDecreasesToday"],
        2
    );
    assert_eq!(
        described["AttributeDefinitions"].as_array().unwrap().len(),
        2
    );
    let index = &described["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexStatus"], "CREATING");
    assert_eq!(index["Backfilling"], true);
    assert_eq!(index["ItemCount"], 1);
    assert_eq!(
        index["Projection"],
        json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]})
    );
    let next_day = Millis(CREATED.0 + DAY_MS);
    let later = shown(&table, next_day);
    assert_eq!(later["ProvisionedThroughput"]["NumberOfDecreasesToday"], 0);
    table.state = TableState::Creating(next_day);
    let new = shown(&table, CREATED);
    assert_eq!(new["TableStatus"], "CREATING");
    assert!(new["GlobalSecondaryIndexes"][0]["Backfilling"].is_null());
}

#[test]
fn of_a_deleted_table_little_is_shown() {
    let show = Show {
        context: &context(),
        now: CREATED,
        sizes: |_: Option<&str>| Ok(Size::default()),
    };
    let shown = show.deleted(&record()).unwrap().to_value();
    assert_eq!(shown["TableStatus"], "DELETING");
    assert_eq!(shown["TableId"], "0123");
    assert_eq!(
        shown["BillingModeSummary"]["BillingMode"],
        "PAY_PER_REQUEST"
    );
    for absent in ["CreationDateTime", "KeySchema", "AttributeDefinitions"] {
        assert!(shown[absent].is_null(), "{absent}");
    }
}
