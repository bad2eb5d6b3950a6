//! Texts as recorded on AWS by kinesalite's tests, unless a comment says otherwise.

use headwater_shapes::Operation;
use headwater_shapes_kinesis::ops;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ApiError, aws_json::Codec, cbor, json as codec, testing::read};

fn error<Op: Operation>(body: &Value) -> ApiError {
    match read::<Op>(Codec::default(), body.to_string().into()) {
        Ok(_) => panic!("{body} is taken"),
        Err(error) => error,
    }
}

fn assert_serialization<Op: Operation>(body: Value, text: &str) {
    let error = error::<Op>(&body);
    assert_eq!(
        (error.status(), error.code(), error.message()),
        (400, "SerializationException", text),
        "{body}"
    );
}

fn assert_validation<Op: Operation>(body: Value, broken: &[String]) {
    let error = error::<Op>(&body);
    let plural = if broken.len() == 1 { "" } else { "s" };
    let expected = format!(
        "{} validation error{plural} detected: {}",
        broken.len(),
        broken.join("; ")
    );
    assert_eq!(
        (error.status(), error.code(), error.message()),
        (400, "ValidationException", expected.as_str())
    );
}

fn broken(value: &str, place: &str, constraint: &str) -> String {
    let value = if value == "null" {
        value.to_owned()
    } else {
        format!("'{value}'")
    };
    format!("Value {value} at '{place}' failed to satisfy constraint: {constraint}")
}

const NOT_NULL: &str = "Member must not be null";
const NAME: &str = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
const AT_LEAST_1: &str = "Member must have length greater than or equal to 1";

#[test]
fn wrong_types_of_strings_and_numbers() {
    let big = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String";
    for (value, text) in [
        (
            json!(true),
            "class java.lang.Boolean can not be converted to an String",
        ),
        (json!(23), big),
        (json!(-2147483648i64), big),
        (json!(2147483648i64), big),
        (json!(34.56), big),
        (json!([]), "Start of list found where not expected"),
        (
            json!({}),
            "Start of structure or map found where not expected.",
        ),
    ] {
        assert_serialization::<ops::PutRecord>(json!({"StreamName": value}), text);
    }
    for (value, text) in [
        (
            json!("23"),
            "class java.lang.String can not be converted to an Integer",
        ),
        (
            json!(true),
            "class java.lang.Boolean can not be converted to an Integer",
        ),
        (json!([]), "Start of list found where not expected"),
        (
            json!({}),
            "Start of structure or map found where not expected.",
        ),
    ] {
        assert_serialization::<ops::CreateStream>(json!({"ShardCount": value}), text);
    }
    for (value, text) in [
        (
            json!("23"),
            "class java.lang.String can not be converted to milliseconds since epoch",
        ),
        (
            json!(true),
            "class java.lang.Boolean can not be converted to milliseconds since epoch",
        ),
        (json!([]), "Start of list found where not expected"),
    ] {
        assert_serialization::<ops::GetShardIterator>(json!({"Timestamp": value}), text);
    }
    for (value, text) in [
        (json!("23"), "'23' can not be converted to an Boolean"),
        (
            json!(23),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Boolean",
        ),
    ] {
        assert_serialization::<ops::DeleteStream>(json!({"EnforceConsumerDeletion": value}), text);
    }
}

#[test]
fn wrong_types_of_blobs_lists_maps_and_structures() {
    for (value, text) in [
        (
            json!(true),
            "class java.lang.Boolean can not be converted to a Blob",
        ),
        (
            json!(34.56),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to a Blob",
        ),
        (json!([]), "Start of list found where not expected"),
        (
            json!("23456"),
            "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
        ),
        (
            json!("=+/="),
            "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='",
        ),
        (
            json!("+/+="),
            "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected",
        ),
    ] {
        assert_serialization::<ops::PutRecord>(json!({"Data": value.clone()}), text);
        assert_serialization::<ops::PutRecords>(json!({"Records": [{"Data": value}]}), text);
    }
    for value in [json!("23"), json!(true), json!(23), json!(34.56)] {
        assert_serialization::<ops::PutRecords>(json!({"Records": value}), "Expected list or null");
        assert_serialization::<ops::PutRecords>(json!({"Records": [value]}), "Expected null");
        assert_serialization::<ops::AddTagsToStream>(
            json!({"Tags": value}),
            "Expected map or null",
        );
    }
    let (list, map) = (
        "Start of list found where not expected",
        "Start of structure or map found where not expected.",
    );
    assert_serialization::<ops::PutRecords>(json!({"Records": {}}), map);
    for record in [json!([]), json!(["YQ==", null, "k"])] {
        assert_serialization::<ops::PutRecords>(json!({"Records": [record]}), list);
    }
    assert_serialization::<ops::AddTagsToStream>(json!({"Tags": []}), list);
}

#[test]
fn what_is_not_json_gets_no_text() {
    for body in [
        "hello",
        "true",
        "null",
        "1",
        "{",
        r#"{"a":1}x"#,
        "\"\u{1}\"",
        "",
    ] {
        let error = read::<ops::ListStreams>(Codec::default(), body.into()).expect_err(body);
        assert_eq!(
            (error.code(), error.message()),
            ("SerializationException", ""),
            "{body}"
        );
    }
    assert!(
        read::<ops::ListStreams>(Codec::default(), b"{\"NextToken\":\"\xff\"}"[..].into()).is_err()
    );
}

#[test]
fn missing_members_are_listed_in_awss_order() {
    // StreamName and PartitionKey were required when this was recorded; today others may stand for them.
    assert_validation::<ops::PutRecord>(json!({}), &[broken("null", "data", NOT_NULL)]);
    assert_validation::<ops::PutRecords>(json!({}), &[broken("null", "records", NOT_NULL)]);
    assert_validation::<ops::GetShardIterator>(
        json!({}),
        &[
            broken("null", "shardId", NOT_NULL),
            broken("null", "shardIteratorType", NOT_NULL),
        ],
    );
}

#[test]
fn empty_strings_break_patterns_and_lengths() {
    assert_validation::<ops::PutRecord>(
        json!({"StreamName": "", "PartitionKey": "", "Data": "", "ExplicitHashKey": "", "SequenceNumberForOrdering": ""}),
        &[
            broken(
                "",
                "sequenceNumberForOrdering",
                r"Member must satisfy regular expression pattern: 0|([1-9]\d{0,128})",
            ),
            broken("", "partitionKey", AT_LEAST_1),
            broken(
                "",
                "explicitHashKey",
                r"Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})",
            ),
            broken("", "streamName", NAME),
            broken("", "streamName", AT_LEAST_1),
        ],
    );
    assert_validation::<ops::GetShardIterator>(
        json!({"StreamName": "a", "ShardIteratorType": "", "ShardId": "", "StartingSequenceNumber": ""}),
        &[
            broken("", "shardId", NAME),
            broken("", "shardId", AT_LEAST_1),
            broken(
                "",
                "shardIteratorType",
                "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
            ),
            broken(
                "",
                "startingSequenceNumber",
                r"Member must satisfy regular expression pattern: 0|([1-9]\d{0,128})",
            ),
        ],
    );
    assert_validation::<ops::AddTagsToStream>(
        json!({"StreamName": "", "Tags": {}}),
        &[
            broken("{}", "tags", AT_LEAST_1),
            broken("", "streamName", NAME),
            broken("", "streamName", AT_LEAST_1),
        ],
    );
}

#[test]
fn long_values_are_shown_as_java_prints_them() {
    let (name, key) = ("a".repeat(129), "b".repeat(257));
    assert_validation::<ops::PutRecords>(
        json!({"StreamName": name, "Records": [{"PartitionKey": key, "Data": "", "ExplicitHashKey": ""}]}),
        &[
            broken(
                &key,
                "records.1.member.partitionKey",
                "Member must have length less than or equal to 256",
            ),
            broken(
                "",
                "records.1.member.explicitHashKey",
                r"Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})",
            ),
            broken(
                &name,
                "streamName",
                "Member must have length less than or equal to 128",
            ),
        ],
    );
    // 10 MiB since records may be that large.
    let data = "AAAA".repeat((10 << 20) / 3 + 1);
    let len = data.len() / 4 * 3;
    assert_validation::<ops::PutRecord>(
        json!({"StreamName": "a", "PartitionKey": "a", "Data": data}),
        &[broken(
            &format!("java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]"),
            "data",
            "Member must have length less than or equal to 10485760",
        )],
    );
    let tags: Value = [("a".to_owned(), json!("1")), (name.clone(), json!("3"))]
        .into_iter()
        .collect();
    assert_validation::<ops::AddTagsToStream>(
        json!({"StreamName": "a", "Tags": tags}),
        &[broken(
            &format!("{{a=1, {name}=3}}"),
            "tags",
            "Map keys must satisfy constraint: [Member must have length less than or equal to 128, \
             Member must have length greater than or equal to 1]",
        )],
    );
    assert_validation::<ops::RemoveTagsFromStream>(
        json!({"StreamName": "a", "TagKeys": ["a", ""]}),
        &[broken(
            "[a, ]",
            "tagKeys",
            "Member must satisfy constraint: [Member must have length less than or equal to 128, \
             Member must have length greater than or equal to 1]",
        )],
    );
}

#[test]
fn no_more_than_ten_are_listed() {
    let records = vec![json!({"PartitionKey": "", "Data": "AA=="}); 501];
    // How AWS prints the entries is recorded in users' reports of this error.
    let entry = "PutRecordsRequestEntry(data=java.nio.HeapByteBuffer[pos=0 lim=1 cap=1], explicitHashKey=null, partitionKey=)";
    let all = format!("[{}]", vec![entry; 501].join(", "));
    let mut expected = vec![broken(
        &all,
        "records",
        "Member must have length less than or equal to 500",
    )];
    expected.extend(
        (1..10).map(|i| broken("", &format!("records.{i}.member.partitionKey"), AT_LEAST_1)),
    );
    assert_validation::<ops::PutRecords>(json!({"StreamName": "a", "Records": records}), &expected);
}

#[test]
fn lambda_names_null_too() {
    let input = json!({"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}, "Architectures": ["foo"]});
    assert_validation::<headwater_shapes_lambda::ops::CreateFunction>(
        input,
        &[broken(
            "[foo]",
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        )],
    );
}

#[test]
fn numbers_are_read_leniently() {
    for (count, expected) in [
        (json!(100_000_000_000i64), i32::MAX),
        (json!(2.9), 2),
        (json!(1e300), i32::MAX),
    ] {
        let body = json!({"StreamName": "a", "ShardCount": count}).to_string();
        let input = read::<ops::CreateStream>(Codec::default(), body.into()).unwrap();
        assert_eq!(input.shard_count, Some(expected));
    }
    assert_validation::<ops::CreateStream>(
        json!({"StreamName": "a", "ShardCount": 0}),
        &[broken(
            "0",
            "shardCount",
            "Member must have value greater than or equal to 1",
        )],
    );
    let input = read::<ops::CreateStream>(
        Codec::default(),
        br#"{"StreamName":"a","Other":[1],"ShardCount":null}"#[..].into(),
    )
    .unwrap();
    assert_eq!((input.stream_name.as_str(), input.shard_count), ("a", None));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        drop(codec::read::<ops::PutRecords>(bytes.clone().into()));
        drop(cbor::read::<ops::PutRecords>(bytes.clone().into()));
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        let members = ["StreamName", "Records", "Tags", "ShardCount", "Timestamp", "TagKeys", "ShardFilter"];
        let body: Value = members.iter().map(|m| ((*m).to_owned(), value.clone())).collect();
        for body in [&body, &value] {
            let (text, bytes) = (body.to_string(), cbor::to_vec(body).unwrap());
            drop(codec::read::<ops::PutRecords>(text.clone().into()));
            drop(read::<ops::AddTagsToStream>(Codec::default(), text.clone().into()));
            drop(read::<ops::ListShards>(Codec::default(), text.clone().into()));
            drop(read::<ops::CreateStream>(Codec::default(), text.clone().into()));
            drop(cbor::read::<ops::PutRecords>(bytes.clone().into()));
            drop(read::<ops::ListShards>(Codec::Cbor, bytes.into()));
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[A-Za-z0-9+/=]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof![
            Just("Data".to_owned()),
            Just("PartitionKey".to_owned()),
            ".{0,4}"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// As recorded on AWS by dynalite's tests.
#[test]
fn dynamodb_has_words_of_its_own_for_wrong_types() {
    use headwater_shapes_dynamodb::ops::{BatchWriteItem, CreateTable, ListTables, PutItem};

    let map = "Start of structure or map found where not expected";
    for (value, text) in [
        (json!(true), "TRUE_VALUE cannot be converted to String"),
        (json!(false), "FALSE_VALUE cannot be converted to String"),
        (json!(23), "NUMBER_VALUE cannot be converted to String"),
        (json!(34.56), "DECIMAL_VALUE cannot be converted to String"),
        (
            json!([]),
            "Unrecognized collection type class java.lang.String",
        ),
        (json!({}), map),
    ] {
        assert_serialization::<CreateTable>(json!({"TableName": value}), text);
    }
    for (value, text) in [
        (json!("23"), "STRING_VALUE cannot be converted to Integer"),
        (json!(true), "TRUE_VALUE cannot be converted to Integer"),
        (
            json!([]),
            "Unrecognized collection type class java.lang.Integer",
        ),
    ] {
        assert_serialization::<ListTables>(json!({"Limit": value}), text);
    }
    let of = |name: &str| {
        format!("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.{name}")
    };
    let field = "Unexpected field type";
    let cast = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class \
                java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in \
                module java.base of loader 'bootstrap')";
    let writes = "Unrecognized collection type java.util.Map<java.lang.String, \
                  java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>";
    for (value, text) in [
        (json!([]), writes.to_owned()),
        (json!("23"), field.to_owned()),
        (json!({"a": "23"}), cast.to_owned()),
        (json!({"a": {}}), map.to_owned()),
        (
            json!({"a": [1]}),
            "Unexpected value type in payload".to_owned(),
        ),
        (json!({"a": [[]]}), of("WriteRequest")),
        (json!({"a": [{"PutRequest": 1}]}), field.to_owned()),
        (json!({"a": [{"PutRequest": []}]}), of("PutRequest")),
    ] {
        assert_serialization::<BatchWriteItem>(json!({"RequestItems": value}), &text);
    }
    for (value, text) in [
        (
            json!({"BOOL": "23"}),
            "Unexpected token received from parser".to_owned(),
        ),
        (
            json!({"BOOL": 1}),
            "NUMBER_VALUE cannot be converted to Boolean".to_owned(),
        ),
        (
            json!({"B": true}),
            "only base-64-encoded strings are convertible to bytes".to_owned(),
        ),
        (
            json!({"B": "23456"}),
            "Base64 encoded length is expected a multiple of 4 bytes but found: 5".to_owned(),
        ),
        (
            json!({"B": "=+/="}),
            "Invalid last non-pad Base64 character dectected".to_owned(),
        ),
        (json!({"SS": {}}), map.to_owned()),
        (json!({"L": [[]]}), of("AttributeValue")),
    ] {
        assert_serialization::<PutItem>(json!({"Item": {"a": value}}), &text);
    }
}

#[test]
fn what_is_needed_first_is_told_first() {
    use headwater_shapes_dynamodb::ops::DescribeTable;

    static NEEDED: super::Needed = super::Needed {
        member: "TableName",
        text: "There is none",
        empty: Some("It is empty"),
    };
    let tree = |body: Value| {
        let (shape, service) = (DescribeTable::SHAPE, DescribeTable::SERVICE);
        super::tree_with(super::Raw::from(body), shape, service, Some(&NEEDED))
    };
    for (body, text) in [
        (json!({}), "There is none"),
        (json!({"TableName": null}), "There is none"),
        (json!({"TableName": ""}), "It is empty"),
    ] {
        let error = tree(body).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            ("ValidationException", text)
        );
    }
    assert!(tree(json!({"TableName": "a"})).is_ok());
}
