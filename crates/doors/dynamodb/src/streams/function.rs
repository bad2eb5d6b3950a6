//! A change as functions get it: what readers get, with times as fractions, the members of identities in small letters,
//! and the stream that it is of.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_attributes::AttributeValue;
use headwater_shapes::Timestamp;
use headwater_shapes_dynamodbstreams::{Identity, Record, StreamRecord};
use headwater_tables::Event;
use headwater_types::Arn;
use serde::Serialize;

use super::event::record;

/// A record of an event. (Source: events that users got on AWS.)
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(rename = "eventID")]
    event_id: Option<&'a str>,
    event_name: Option<&'a str>,
    event_version: Option<&'a str>,
    event_source: Option<&'a str>,
    aws_region: Option<&'a str>,
    dynamodb: Option<Change<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<Deleter<'a>>,
    #[serde(rename = "eventSourceARN")]
    stream: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    approximate_creation_date_time: Option<f64>,
    keys: Option<&'a Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<&'a Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<&'a Attributes>,
    sequence_number: Option<&'a str>,
    size_bytes: Option<i64>,
    stream_view_type: Option<&'a str>,
}

/// Who removed an item that had expired.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleter<'a> {
    principal_id: Option<&'a str>,
    r#type: Option<&'a str>,
}

type Attributes = BTreeMap<String, AttributeValue>;

/// A change of a stream as a record of a function's event: JSON.
///
/// # Panics
/// Never: all that is written has a form as JSON.
pub fn function_record(event: Event, stream: &Arn) -> Bytes {
    let Record {
        event_id,
        event_name,
        event_version,
        event_source,
        aws_region,
        dynamodb,
        user_identity,
    } = record(event, &stream.region);
    let told = Told {
        event_id: event_id.as_deref(),
        event_name: event_name.as_deref(),
        event_version: event_version.as_deref(),
        event_source: event_source.as_deref(),
        aws_region: aws_region.as_deref(),
        dynamodb: dynamodb.as_ref().map(change),
        user_identity: user_identity.as_ref().map(deleter),
        stream: stream.to_string(),
    };
    let json = serde_json::to_vec(&told).expect("it has a form as JSON");
    // Without the room that was left over while it was written.
    json.into_boxed_slice().into()
}

fn change(record: &StreamRecord) -> Change<'_> {
    let StreamRecord {
        approximate_creation_date_time,
        keys,
        new_image,
        old_image,
        sequence_number,
        size_bytes,
        stream_view_type,
    } = record;
    Change {
        approximate_creation_date_time: approximate_creation_date_time
            .map(|Timestamp(ms)| ms as f64 / 1000.0),
        keys: keys.as_ref(),
        new_image: new_image.as_ref(),
        old_image: old_image.as_ref(),
        sequence_number: sequence_number.as_deref(),
        size_bytes: *size_bytes,
        stream_view_type: stream_view_type.as_deref(),
    }
}

fn deleter(identity: &Identity) -> Deleter<'_> {
    let Identity {
        principal_id,
        r#type,
    } = identity;
    Deleter {
        principal_id: principal_id.as_deref(),
        r#type: r#type.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use headwater_items::{Item, Value};
    use headwater_tables::{EventKind, ViewType};
    use headwater_types::Millis;

    use super::*;

    const STREAM: &str =
        "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2020-07-16T21:50:38.999";

    fn event() -> Event {
        let key = Item::from([("pk".to_owned(), Value::String("a".into()))]);
        let mut after = key.clone();
        after.insert("b".to_owned(), Value::Binary(b"foobar".to_vec().into()));
        Event {
            id: 1,
            offset: 3,
            time: Millis(1_594_936_238_999),
            kind: EventKind::Inserted,
            expired: false,
            view: ViewType::New,
            key,
            before: None,
            after: Some(after),
        }
    }

    #[test]
    fn a_record_looks_as_on_aws() {
        let told = function_record(event(), &STREAM.parse().unwrap());
        assert_eq!(
            String::from_utf8_lossy(&told),
            format!(
                r#"{{"eventID":"00000000000000000000000000000001","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1","dynamodb":{{"ApproximateCreationDateTime":1594936238.0,"Keys":{{"pk":{{"S":"a"}}}},"NewImage":{{"b":{{"B":"Zm9vYmFy"}},"pk":{{"S":"a"}}}},"SequenceNumber":"100000000000000000007","SizeBytes":13,"StreamViewType":"NEW_IMAGE"}},"eventSourceARN":"{STREAM}"}}"#
            )
        );
    }

    #[test]
    fn the_identity_of_who_removes_expired_items_is_spelled_in_small_letters() {
        let removed = Event {
            kind: EventKind::Removed,
            expired: true,
            after: None,
            ..event()
        };
        let told = function_record(removed, &STREAM.parse().unwrap());
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(
            told["userIdentity"],
            serde_json::json!({"principalId": "dynamodb.amazonaws.com", "type": "Service"})
        );
        assert_eq!(told["dynamodb"].get("NewImage"), None);
    }
}
