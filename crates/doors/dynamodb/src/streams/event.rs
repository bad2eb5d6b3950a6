//! Changes of items as AWS's events.

use std::collections::BTreeMap;

use headwater_attributes::AttributeValue;
use headwater_items::{Item, item_size};
use headwater_shapes::Timestamp;
use headwater_shapes_dynamodbstreams::{Identity, Record, StreamRecord};
use headwater_tables::{Event, EventKind};

use super::number::sequence_number;
use crate::stream::view_name;

/// Milliseconds of a second.
pub(crate) const SECOND_MS: u64 = 1000;

/// A change as an event of a region.
pub fn record(event: Event, region: &str) -> Record {
    let name = kind_name(event.kind);
    // Those are AWS's words for whoever removes expired items.
    let identity = event.expired.then(|| Identity {
        principal_id: Some("dynamodb.amazonaws.com".to_owned()),
        r#type: Some("Service".to_owned()),
    });
    Record {
        event_id: Some(format!("{:032x}", event.id)),
        event_name: Some(name.to_owned()),
        event_version: Some("1.1".to_owned()),
        event_source: Some("aws:dynamodb".to_owned()),
        aws_region: Some(region.to_owned()),
        dynamodb: Some(change(event)),
        user_identity: identity,
    }
}

/// The name of what a change did.
pub(crate) fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Inserted => "INSERT",
        EventKind::Modified => "MODIFY",
        EventKind::Removed => "REMOVE",
    }
}

/// Bytes of the key of a change and of the items that are shown of it.
pub(crate) fn size(event: &Event) -> usize {
    let images = event.before.iter().chain(&event.after);
    let shown = std::iter::once(&event.key).chain(images);
    shown.map(item_size).sum()
}

/// The change itself. Its time is a whole second, the one that it was made in. (Source: records that users got on AWS.)
fn change(event: Event) -> StreamRecord {
    let bytes = size(&event);
    let time = event.time.0 / SECOND_MS * SECOND_MS;
    StreamRecord {
        approximate_creation_date_time: Some(Timestamp(i64::try_from(time).unwrap_or(i64::MAX))),
        keys: Some(shown(event.key)),
        new_image: event.after.map(shown),
        old_image: event.before.map(shown),
        sequence_number: Some(sequence_number(event.offset)),
        size_bytes: Some(i64::try_from(bytes).unwrap_or(i64::MAX)),
        stream_view_type: Some(view_name(event.view).to_owned()),
    }
}

/// An item as answers have it.
pub(crate) fn shown(item: Item) -> BTreeMap<String, AttributeValue> {
    let attributes = item.into_iter();
    attributes
        .map(|(name, value)| (name, AttributeValue::from(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use headwater_items::Value;
    use headwater_tables::ViewType;
    use headwater_types::Millis;
    use serde_json::json;

    use super::*;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let attributes = attributes.iter();
        attributes
            .map(|(name, text)| ((*name).to_owned(), Value::String((*text).into())))
            .collect()
    }

    fn event(before: Option<&str>, after: Option<&str>) -> Event {
        let image = |data: &str| item(&[("pk", "a"), ("sk", "b"), ("data", data)]);
        Event {
            id: 0x00ad_f063,
            offset: 3,
            time: Millis(1_594_936_238_999),
            kind: EventKind::Modified,
            expired: false,
            view: ViewType::Both,
            key: item(&[("pk", "a"), ("sk", "b")]),
            before: before.map(image),
            after: after.map(image),
        }
    }

    #[test]
    fn sizes_are_awss() {
        // As recorded on AWS: events of these items.
        for (before, after, bytes) in [
            (None, None, 6),
            (None, Some("test"), 20),
            (Some("test"), Some("hello"), 35),
            (Some("hello"), None, 21),
        ] {
            assert_eq!(change(event(before, after)).size_bytes, Some(bytes));
        }
    }

    #[test]
    fn an_event_looks_as_on_aws() {
        let mut removed = event(None, None);
        (removed.kind, removed.expired) = (EventKind::Removed, true);
        assert_eq!(
            serde_json::to_value(record(removed, "us-east-1")).unwrap(),
            json!({
                "eventID": "00000000000000000000000000adf063",
                "eventName": "REMOVE",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_594_936_238,
                    "Keys": {"pk": {"S": "a"}, "sk": {"S": "b"}},
                    "SequenceNumber": "100000000000000000007",
                    "SizeBytes": 6,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "userIdentity": {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"},
            })
        );
        let shown = serde_json::to_value(record(event(Some("x"), Some("y")), "r")).unwrap();
        assert_eq!(shown["dynamodb"]["OldImage"]["data"], json!({"S": "x"}));
        assert_eq!(shown["dynamodb"]["NewImage"]["data"], json!({"S": "y"}));
        assert!(shown.get("userIdentity").is_none());
    }
}
