use bytes::Bytes;
use headwater_shapes::{Blob, Timestamp};
use headwater_shapes_kinesis::{
    GetRecordsOutput, ListStreamsInput, PutRecordsInput, PutRecordsRequestEntry, Record,
    StartingPosition, ops,
};
use proptest::prelude::*;

use serde_json::Value;

use super::*;
use crate::aws_json::Codec;

#[test]
fn an_output_is_written_as_aws_writes_it() {
    let record = Record {
        sequence_number: "49".into(),
        approximate_arrival_timestamp: Some(Timestamp(1_500_000_000_123)),
        data: Blob(Bytes::from_static(b"\x00\xffa")),
        partition_key: Some("k".into()),
        ..Record::default()
    };
    let bytes = to_vec(&record).unwrap();
    let mut expected = vec![0xa4, 0x6e];
    expected.extend(b"SequenceNumber\x6249");
    expected.extend([0x78, 27]);
    expected.extend(b"ApproximateArrivalTimestamp");
    expected.extend([0xc1, 0x1b]);
    expected.extend(1_500_000_000_123u64.to_be_bytes());
    expected.extend(b"\x64Data\x43\x00\xffa\x6cPartitionKey\x61k");
    assert_eq!(bytes, expected);
    assert_eq!(from_slice::<Record>(&bytes).unwrap(), record);
}

#[test]
fn lengths_may_be_indefinite_and_tags_and_unknown_members_are_passed_over() {
    let mut bytes = vec![0xbf, 0x67];
    bytes.extend(b"Records");
    bytes.extend([0x9f, 0xbf]);
    bytes.extend(b"\x64Data\x5f\x42ab\x41c\xff\x6cPartitionKey\x7f\x61p\x62kk\xff");
    bytes.extend(b"\x67Unknown\x9f\x01\xa1\x61a\x40\xff\xff\xff");
    bytes.extend([0x6a]);
    bytes.extend(b"StreamName\xd9\xd9\xf7\x64taxi\xff");
    let input = read::<ops::PutRecords>(bytes.into()).unwrap();
    let entry = PutRecordsRequestEntry {
        data: Blob(Bytes::from_static(b"abc")),
        partition_key: Some("pkk".into()),
        explicit_hash_key: None,
    };
    assert_eq!(input.records, [entry]);
    assert_eq!(input.stream_name.as_deref(), Some("taxi"));
}

#[test]
fn times_are_milliseconds_or_seconds_with_a_fraction() {
    let at = |time: &[u8]| {
        let mut bytes = vec![0xa3];
        bytes.extend(b"\x67ShardId\x61s\x71ShardIteratorType\x6cAT_TIMESTAMP\x69Timestamp");
        bytes.extend(time);
        crate::testing::read::<ops::GetShardIterator>(Codec::Cbor, bytes.into())
            .unwrap()
            .timestamp
            .unwrap()
    };
    let tagged = |head: u8, number: &[u8]| [&[0xc1, head], number].concat();
    assert_eq!(
        at(&tagged(0x1b, &1_500_000_000_123u64.to_be_bytes())),
        Timestamp(1_500_000_000_123)
    );
    assert_eq!(
        at(&tagged(0xfb, &1_500_000_000_123f64.to_be_bytes())),
        Timestamp(1_500_000_000_123)
    );
    assert_eq!(
        at(&tagged(0xfb, &1_500_000_000.123f64.to_be_bytes())),
        Timestamp(1_500_000_000_123)
    );
}

#[test]
fn what_is_wrong_is_said_as_for_json() {
    let body = to_vec(&serde_json::json!({"StreamName": 1, "Records": []})).unwrap();
    let error = read::<ops::PutRecords>(body.into()).unwrap_err();
    assert_eq!(error.code(), "SerializationException");
    let record = serde_json::json!(["YQ==", null, "k"]);
    let body = to_vec(&serde_json::json!({"StreamName": "s", "Records": [record]})).unwrap();
    let error = read::<ops::PutRecords>(body.into()).unwrap_err();
    assert_eq!(error.message(), "Start of list found where not expected");
    let body = to_vec(&PutRecordsInput {
        stream_name: Some("a b".into()),
        ..Default::default()
    })
    .unwrap();
    let error = read::<ops::PutRecords>(body.into()).unwrap_err();
    assert_eq!(
        error.message(),
        "2 validation errors detected: Value '[]' at 'records' failed to satisfy constraint: \
         Member must have length greater than or equal to 1; Value 'a b' at 'streamName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    );
    assert!(
        crate::testing::read::<ops::ListStreams>(Codec::Cbor, b"\x01"[..].into()).is_err(),
        "a number is no input"
    );
    assert!(
        crate::testing::read::<ops::ListStreams>(Codec::Cbor, b"\xa0\x00"[..].into()).is_err(),
        "something follows"
    );
    assert_eq!(
        crate::testing::read::<ops::ListStreams>(Codec::Cbor, b"\xa0"[..].into()).unwrap(),
        ListStreamsInput::default()
    );
}

#[test]
fn depth_is_bounded() {
    for deep in [0x81, 0xa1, 0x9f, 0xc6].map(|byte| vec![byte; 100_000]) {
        assert!(from_slice::<Value>(&deep).is_err());
        assert!(crate::testing::read::<ops::ListStreams>(Codec::Cbor, deep.into()).is_err());
    }
}

fn entry() -> impl Strategy<Value = PutRecordsRequestEntry> {
    (
        any::<Vec<u8>>(),
        ".{1,20}",
        proptest::option::of("[1-9][0-9]{0,30}"),
    )
        .prop_map(|(data, key, hash)| PutRecordsRequestEntry {
            data: data.into(),
            partition_key: Some(key),
            explicit_hash_key: hash,
        })
}

proptest! {
    #[test]
    fn inputs_come_back(records in prop::collection::vec(entry(), 1..20), name in "[a-z]{1,20}", millis: i64) {
        let input = PutRecordsInput { records, stream_name: Some(name), ..Default::default() };
        prop_assert_eq!(&read::<ops::PutRecords>(to_vec(&input).unwrap().into()).unwrap(), &input);
        let json = serde_json::to_vec(&input).unwrap();
        prop_assert_eq!(&crate::json::read::<ops::PutRecords>(json.into()).unwrap(), &input);
        let at = StartingPosition { timestamp: Some(Timestamp(millis)), ..Default::default() };
        prop_assert_eq!(from_slice::<StartingPosition>(&to_vec(&at).unwrap()).unwrap(), at);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        drop(from_slice::<GetRecordsOutput>(&bytes));
        drop(from_slice::<PutRecordsInput>(&bytes));
        drop(read_raw(&bytes, Times::Seconds));
    }

    #[test]
    fn a_damaged_text_is_read_or_refused(records in prop::collection::vec(entry(), 1..4), at: usize, byte: u8) {
        let mut bytes = to_vec(&PutRecordsInput { records, ..Default::default() }).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        drop(read::<ops::PutRecords>(bytes.into()));
    }
}
