//! A change as AWS puts it into a Kinesis stream. (Source: records that users got on AWS.)

use std::collections::BTreeMap;

use headwater_attributes::AttributeValue;
use headwater_items::Item;
use headwater_tables::{OutgoingChange, Precision};
use serde::Serialize;

use super::precision_name;
use crate::streams::event::{kind_name, shown, size};

/// The record of a change, in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    aws_region: &'a str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    user_identity: Option<Identity>,
    record_format: &'static str,
    table_name: &'a str,
    dynamodb: Change,
    event_source: &'static str,
}

/// Whoever removes expired items.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    r#type: &'static str,
    principal_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    approximate_creation_date_time: u64,
    keys: BTreeMap<String, AttributeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<BTreeMap<String, AttributeValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<BTreeMap<String, AttributeValue>>,
    size_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_creation_date_time_precision: Option<&'static str>,
}

/// A change of a table in a region as a record of a stream: its partition key, and its JSON.
pub fn destination_record(
    change: &OutgoingChange,
    table: &str,
    precision: Option<Precision>,
    region: &str,
) -> (String, Vec<u8>) {
    let event = &change.event;
    let identity = event.expired.then_some(Identity {
        r#type: "Service",
        principal_id: "dynamodb.amazonaws.com",
    });
    // Only microseconds are told to be such.
    let precision = precision.filter(|precision| *precision == Precision::Microseconds);
    let image = |item: &Option<Item>| item.clone().map(shown);
    let record = Record {
        aws_region: region,
        event_id: uuid(event.id),
        event_name: kind_name(event.kind),
        user_identity: identity,
        record_format: "application/json",
        table_name: table,
        dynamodb: Change {
            approximate_creation_date_time: precision.map_or(event.time.0, |_| change.micros),
            keys: shown(event.key.clone()),
            new_image: image(&event.after),
            old_image: image(&event.before),
            size_bytes: size(event),
            approximate_creation_date_time_precision: precision.map(precision_name),
        },
        event_source: "aws:dynamodb",
    };
    let json = serde_json::to_vec(&record).expect("texts, numbers and attributes are JSON");
    // AWS's partition keys are 32 such digits, too.
    (format!("{:032X}", change.item), json)
}

/// A number in the form of a UUID.
fn uuid(id: u128) -> String {
    let text = format!("{id:032x}");
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use headwater_items::Value;
    use headwater_tables::{Event, EventKind, ViewType};
    use headwater_types::Millis;

    use super::*;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let attributes = attributes.iter();
        attributes
            .map(|(name, text)| ((*name).to_owned(), Value::String((*text).into())))
            .collect()
    }

    fn change() -> OutgoingChange {
        let key = [("entity", "question"), ("id", "question#1")];
        let image = [key[0], key[1], ("content", "Napoleon?")];
        let event = Event {
            id: 0x7df3_67f7_826b_438c_9fd6_712c_32f4_5a5e,
            offset: 3,
            time: Millis(1_660_598_951_097),
            kind: EventKind::Inserted,
            expired: false,
            view: ViewType::Both,
            key: item(&key),
            before: None,
            after: Some(item(&image)),
        };
        OutgoingChange {
            item: 0x0ab1,
            micros: 1_660_598_951_097_001,
            event,
        }
    }

    /// As a user recorded it on AWS.
    #[test]
    fn a_record_looks_as_on_aws() {
        let (key, json) = destination_record(&change(), "Table", None, "eu-west-1");
        assert_eq!(key, "00000000000000000000000000000AB1");
        assert_eq!(
            String::from_utf8(json).unwrap(),
            r##"{"awsRegion":"eu-west-1","eventID":"7df367f7-826b-438c-9fd6-712c32f45a5e","eventName":"INSERT","userIdentity":null,"recordFormat":"application/json","tableName":"Table","dynamodb":{"ApproximateCreationDateTime":1660598951097,"Keys":{"entity":{"S":"question"},"id":{"S":"question#1"}},"NewImage":{"content":{"S":"Napoleon?"},"entity":{"S":"question"},"id":{"S":"question#1"}},"SizeBytes":68},"eventSource":"aws:dynamodb"}"##
        );
    }

    #[test]
    fn microseconds_are_told_to_be_such() {
        let mut removed = change();
        (removed.event.before, removed.event.after) = (removed.event.after, None);
        (removed.event.kind, removed.event.expired) = (EventKind::Removed, true);
        let read = |precision| {
            let (_, json) = destination_record(&removed, "t", Some(precision), "r");
            serde_json::from_slice::<serde_json::Value>(&json).unwrap()
        };
        let micros = read(Precision::Microseconds);
        let change = &micros["dynamodb"];
        assert_eq!(
            change["ApproximateCreationDateTime"],
            1_660_598_951_097_001_u64
        );
        assert_eq!(
            change["ApproximateCreationDateTimePrecision"],
            "MICROSECOND"
        );
        assert_eq!(change["OldImage"]["content"]["S"], "Napoleon?");
        assert_eq!(
            micros["userIdentity"]["principalId"],
            "dynamodb.amazonaws.com"
        );
        let millis = read(Precision::Milliseconds);
        assert_eq!(
            millis["dynamodb"]["ApproximateCreationDateTime"],
            1_660_598_951_097_u64
        );
        assert!(
            millis["dynamodb"]
                .get("ApproximateCreationDateTimePrecision")
                .is_none()
        );
    }
}
