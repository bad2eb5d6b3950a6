//! Changes in AWS's words, as dynalite, Alternator and users recorded them.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes::Tree;
use headwater_tables::{Billing, IndexState, KeyKind, TableState};
use serde_json::{Value, json};

use super::*;
use crate::testing::{CREATED, record};

const PREFIX: &str = "One or more parameter values were invalid: ";

/// A change, or the text of what speaks against it.
fn read(mut input: Value) -> Result<Change, String> {
    input["TableName"] = "taxi".into();
    let input = UpdateTableInput::from_value(input).unwrap();
    let read = Change::read(input);
    read.map(|(_, change)| change)
        .map_err(|error| error.message().to_owned())
}

/// What a table is changed to, or the text of what speaks against it.
fn changed(table: &TableRecord, input: Value) -> Result<TableRecord, String> {
    let (change, mut table) = (read(input)?, table.clone());
    let applied = change.apply(&mut table, CREATED);
    applied
        .map(|()| table)
        .map_err(|error| error.message().to_owned())
}

fn units(read: u64, write: u64) -> Value {
    json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write})
}

fn create(name: &str, attribute: &str) -> Value {
    json!([{"Create": {
        "IndexName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }}])
}

fn define(attribute: &str, kind: &str) -> Value {
    json!([{"AttributeName": attribute, "AttributeType": kind}])
}

fn by_second() -> TableRecord {
    let to_units = json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)});
    changed(&record(), to_units).unwrap()
}

#[test]
fn a_request_changes_one_thing() {
    let stream = json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
    for (input, text) in [
        (
            json!({"TableClass": "STANDARD", "DeletionProtectionEnabled": true}),
            "TableClass modification must be the only operation in the request",
        ),
        (
            json!({"DeletionProtectionEnabled": true, "BillingMode": "PAY_PER_REQUEST"}),
            "DeletionProtection modification must be the only operation in the request",
        ),
        (
            json!({"ProvisionedThroughput": units(1, 1), "StreamSpecification": stream.clone()}),
            "You cannot modify stream status while updating table IOPS",
        ),
        (
            json!({"OnDemandThroughput": {"MaxReadRequestUnits": 1}, "StreamSpecification": stream.clone()}),
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ),
        (
            json!({"GlobalSecondaryIndexUpdates": create("abc", "b"), "StreamSpecification": stream.clone()}),
            "You cannot create or delete index while changing stream status",
        ),
        (
            json!({"BillingMode": "PROVISIONED"}),
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        ),
        (
            json!({"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": units(1, 1)}),
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        (
            json!({"SSESpecification": {"Enabled": false}}),
            "Table is already encrypted by default",
        ),
        (
            json!({"GlobalSecondaryIndexUpdates": [{}]}),
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
             GlobalSecondaryIndexUpdate.Delete must not be null",
        ),
        (
            json!({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}, {"Delete": {"IndexName": "abc"}}]}),
            "Only one global secondary index update per index is allowed simultaneously. Index: abc",
        ),
    ] {
        assert_eq!(
            read(input.clone()).unwrap_err(),
            format!("{PREFIX}{text}"),
            "{input}"
        );
    }
    for nothing in [json!({}), json!({"GlobalSecondaryIndexUpdates": []})] {
        let text = read(nothing).unwrap_err();
        assert!(
            text.starts_with("At least one of ProvisionedThroughput, BillingMode,"),
            "{text}"
        );
    }
    let both = json!({"BillingMode": "PAY_PER_REQUEST", "StreamSpecification": stream});
    assert!(read(both).is_ok());
    let replicas = read(json!({"ReplicaUpdates": []})).unwrap_err();
    assert_eq!(replicas, "Headwater does not support ReplicaUpdates yet.");
}

#[test]
fn units_are_raised_and_lowered() {
    let table = by_second();
    assert_eq!(table.on_demand_since, None);
    let more = changed(&table, json!({"ProvisionedThroughput": units(6, 5)})).unwrap();
    let Billing::Provisioned(raised) = more.billing else {
        panic!("it is paid for by the second")
    };
    assert_eq!((raised.raised, raised.lowered), (Some(CREATED), None));
    let less = changed(&more, json!({"ProvisionedThroughput": units(6, 4)})).unwrap();
    let Billing::Provisioned(lowered) = less.billing else {
        panic!("it is paid for by the second")
    };
    assert_eq!(
        (lowered.lowered, lowered.lowered_that_day),
        (Some(CREATED), 1)
    );
    assert_eq!(
        changed(&table, json!({"ProvisionedThroughput": units(5, 5)})).unwrap_err(),
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current \
         ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits \
         provisioned for the table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for \
         current limits and how to request higher limits."
    );
    let back = changed(&table, json!({"BillingMode": "PAY_PER_REQUEST"})).unwrap();
    assert_eq!(back.on_demand_since, Some(CREATED));
    let with_units = changed(&back, json!({"ProvisionedThroughput": units(1, 1)}));
    let text = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
    assert_eq!(with_units.unwrap_err(), format!("{PREFIX}{text}"));
    let most = json!({"OnDemandThroughput": {"MaxReadRequestUnits": 10}});
    let most = changed(&back, most).unwrap();
    let expected = Billing::OnDemand {
        read_max: Some(10),
        write_max: None,
    };
    assert_eq!(most.billing, expected);
}

#[test]
fn an_index_is_made_and_deleted() {
    let make = |attribute: &str, kind: &str| {
        json!({
            "AttributeDefinitions": define(attribute, kind),
            "GlobalSecondaryIndexUpdates": create("byB", attribute),
        })
    };
    // The kind of an attribute that is of no key any more does not bind.
    let table = changed(&record(), make("gone", "S")).unwrap();
    assert_eq!(table.attributes["gone"], KeyKind::String);
    let index = &table.global["byB"];
    assert_eq!(
        (index.state, index.number, table.next_index),
        (IndexState::Creating, 1, 2)
    );
    let second = changed(&table, make("gone", "S")).unwrap_err();
    assert_eq!(
        second,
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
    );
    let mut made = table;
    made.global.get_mut("byB").unwrap().state = IndexState::Active;
    let twice = changed(&made, make("gone", "S")).unwrap_err();
    assert_eq!(twice, "Attempting to create an index which already exists");
    let delete =
        |name: &str| json!({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]});
    let deleted = changed(&made, delete("byB")).unwrap();
    assert_eq!(deleted.global["byB"].state, IndexState::Deleting);
    assert_eq!(
        changed(&made, delete("ghost")).unwrap_err(),
        "Requested resource not found: Index ghost for table taxi"
    );
    let other = json!({
        "AttributeDefinitions": define("gone", "N"),
        "GlobalSecondaryIndexUpdates": create("other", "gone"),
    });
    assert_eq!(
        changed(&made, other).unwrap_err(),
        format!(
            "{PREFIX}Attributes cannot be redefined. Please check that your attribute has the same type as previously \
             defined. Existing schema: Schema:[SchemaElement: key{{gone:S:HASH}}] New schema: Schema:[SchemaElement: \
             key{{gone:N:HASH}}]"
        )
    );
    let undefined = json!({"GlobalSecondaryIndexUpdates": create("other", "a")});
    assert_eq!(
        read(undefined).unwrap_err(),
        format!("{PREFIX}AttributeDefinitions is not specified for index: other")
    );
}

#[test]
fn indexes_are_paid_for_as_their_table() {
    let make = json!({
        "AttributeDefinitions": define("b", "S"),
        "GlobalSecondaryIndexUpdates": create("byB", "b"),
    });
    let without = changed(&by_second(), make.clone()).unwrap_err();
    let text = "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: byB";
    assert_eq!(without, format!("{PREFIX}{text}"));
    let mut table = changed(&record(), make).unwrap();
    table.global.get_mut("byB").unwrap().state = IndexState::Active;
    let to_units = json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)});
    assert_eq!(
        changed(&table, to_units.clone()).unwrap_err(),
        format!("{PREFIX}ProvisionedThroughput must be specified for index: byB")
    );
    let update =
        |read| json!([{"Update": {"IndexName": "byB", "ProvisionedThroughput": units(read, 2)}}]);
    let mut all = to_units;
    all["GlobalSecondaryIndexUpdates"] = update(2);
    let table = changed(&table, all).unwrap();
    let again = changed(&table, json!({"GlobalSecondaryIndexUpdates": update(2)})).unwrap_err();
    assert!(
        again.starts_with("The provisioned throughput for the index byB will not change."),
        "{again}"
    );
    let high = json!({"GlobalSecondaryIndexUpdates": update(1_000_000_000_001)});
    assert!(
        changed(&table, high)
            .unwrap_err()
            .ends_with("Action Blocked: IndexUpdate")
    );
}

#[test]
fn a_stream_is_enabled_once_and_has_a_new_name_each_time() {
    let enable =
        || json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}});
    let disable = || json!({"StreamSpecification": {"StreamEnabled": false}});
    let enabled = changed(&record(), enable()).unwrap();
    let again = changed(&enabled, enable()).unwrap_err();
    assert_eq!(
        again,
        "Table already has an enabled stream: TableName: taxi"
    );
    let disabled = changed(&enabled, disable()).unwrap();
    let none = changed(&disabled, disable()).unwrap_err();
    assert_eq!(none, "Table has no stream to disable: TableName: taxi");
    let anew = changed(&disabled, enable()).unwrap();
    assert!(anew.streams[0].label > anew.streams[1].label);
}

#[test]
fn a_table_that_is_being_made_is_not_changed() {
    let mut table = record();
    table.state = TableState::Creating(Millis(CREATED.0 + 1));
    assert_eq!(
        changed(&table, json!({"TableClass": "STANDARD"})).unwrap_err(),
        "Attempt to change a resource which is still in use: Table is being created: taxi"
    );
    let protected = changed(&table, json!({"DeletionProtectionEnabled": true})).unwrap();
    assert!(protected.protected);
}
