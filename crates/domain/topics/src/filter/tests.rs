//! Filters against what is recorded on AWS.

use serde_json::json;

use super::*;
use crate::Attribute;

fn attribute(data_type: &str, value: &str) -> Attribute {
    Attribute {
        data_type: data_type.to_owned(),
        value: match data_type {
            "Binary" => Value::of_bytes(value.as_bytes()),
            _ => Value::Text(value.to_owned()),
        },
    }
}

fn wants(policy: &Json, scope: Scope, attributes: &[(&str, &str, &str)], body: &str) -> bool {
    let attributes = attributes.iter();
    let message = Message {
        attributes: attributes
            .map(|(name, data_type, value)| ((*name).to_owned(), attribute(data_type, value)))
            .collect(),
        ..Message::default()
    };
    let filter = Filter::parse(&policy.to_string(), scope).unwrap();
    filter.wants(&message, body)
}

#[test]
fn a_filter_of_attributes_looks_at_their_types() {
    let wants = |policy: Json, attributes: &[(&str, &str, &str)]| {
        wants(&policy, Scope::Attributes, attributes, "")
    };
    let range = json!({"a": [{"numeric": [">", 0, "<=", 100]}]});
    assert!(wants(range.clone(), &[("a", "Number", "99.12")]));
    assert!(wants(range.clone(), &[("a", "Number.int", "100")]));
    assert!(!wants(range.clone(), &[("a", "Number", "101")]));
    assert!(!wants(range.clone(), &[("a", "String", "99")]));
    assert!(!wants(range, &[("a", "Binary", "99")]));
    let sports = json!({"a": ["rugby", "tennis"]});
    assert!(wants(sports.clone(), &[("a", "String", "rugby")]));
    assert!(wants(
        sports.clone(),
        &[("a", "String.Array", r#"["x", "tennis"]"#)]
    ));
    assert!(!wants(sports.clone(), &[("a", "String.Array", r#"["x"]"#)]));
    assert!(!wants(sports, &[]));
    let absent = json!({"a": [{"exists": false}]});
    assert!(wants(absent.clone(), &[("b", "String", "x")]));
    assert!(!wants(absent, &[("a", "String", "x")]));
    let or = json!({"$or": [{"a": ["x"]}, {"b": [{"anything-but": {"prefix": "y"}}]}]});
    assert!(wants(or.clone(), &[("b", "String", "z")]));
    assert!(!wants(or, &[("b", "String", "yz")]));
}

#[test]
fn a_filter_of_bodies_looks_into_objects() {
    let wants = |policy: &Json, body: &str| wants(policy, Scope::Body, &[], body);
    let policy = json!({"Records": {
        "s3": {"object": {"key": [{"prefix": "auto-"}]}},
        "eventName": [{"prefix": "ObjectCreated:"}],
    }});
    let record = |name: &str, object: Json| json!({"eventName": name, "s3": {"object": object}});
    let one = json!({"Records": [record("ObjectCreated:Put", json!({"key": "auto-1"}))]});
    assert!(wants(&policy, &one.to_string()));
    let nested = json!({"Records": [
        record("ObjectCreated:Put", json!([[{"key": "auto-1"}]])),
        record("ObjectRemoved:Delete", json!({"key": "home-1"})),
    ]});
    assert!(wants(&policy, &nested.to_string()));
    let removed = json!({"Records": [record("ObjectRemoved:Delete", json!({"key": "auto-1"}))]});
    assert!(!wants(&policy, &removed.to_string()));
    let dotted = json!({"object.nested": ["x"]});
    assert!(wants(&dotted, r#"{"object": {"nested": "x"}}"#));
    assert!(wants(
        &json!({"object": {"nested": ["x"]}}),
        r#"{"object.nested": "x"}"#
    ));
    for body in ["", "text", "[]", r#""x""#, "1"] {
        assert!(!wants(&json!({"a": [{"exists": false}]}), body), "{body}");
    }
}

fn refusal(policy: &str, scope: Scope) -> String {
    match compact(policy) {
        Err(fault) => fault,
        Ok(text) => Filter::parse(&text, scope).unwrap_err().to_string(),
    }
}

/// The answers of AWS to policies that are none (localstack's `test_validate_policy…`), quoted without blanks.
#[test]
fn what_is_no_filter_is_refused_in_the_words_of_aws() {
    for (policy, reason, place) in [
        (
            r#"{"key": [["value"]]}"#,
            "Match value must be String, number, true, false, or null",
            "10",
        ),
        (
            r#"{"key": [{"wrong-operator": true}]}"#,
            "Unrecognized match type wrong-operator",
            "31",
        ),
        (
            r#"{"key": [{"suffix": "value", "prefix": "value2"}]}"#,
            "Only one key allowed in match expression",
            "37",
        ),
        (r#"{"key": []}"#, "Empty arrays are not allowed", "10"),
        (
            r#"{"key": [{"suffix": 100}]}"#,
            "suffix match pattern must be a string",
            "22",
        ),
        (
            r#"{"key": {"suffix": "value"}}"#,
            "\"suffix\" must be an object or an array",
            "19",
        ),
        (
            r#"{"key": [{"numeric": []}]}"#,
            "Invalid member in numeric match: ]",
            "22",
        ),
        (
            r#"{"key": [{"numeric": ["<", 100, ">", 10]}]}"#,
            "Too many elements in numeric expression",
            "30",
        ),
        (
            r#"{"key": [{"exists": "no"}]}"#,
            "exists match pattern must be either true or false.",
            "20",
        ),
        (
            r#"{"key": [{"anything-but": {"wrong-operator": null}}]}"#,
            "Unsupported anything-but pattern: wrong-operator",
            "47",
        ),
        (
            r#"{"key": [{"anything-but": {"suffix": "test"}}]}"#,
            "Unsupported anything-but pattern: suffix",
            "36",
        ),
        (
            r#"{"key": [{"anything-but": {"exists": false}}]}"#,
            "Unsupported anything-but pattern: exists",
            "40",
        ),
        (
            r#"{"key": [{"anything-but": {"prefix": false}}]}"#,
            "prefix match pattern must be a string",
            "40",
        ),
        (
            r#"{"key_a": "value_one"}"#,
            "\"key_a\" must be an object or an array",
            "11",
        ),
    ] {
        let quoted = compact(policy).unwrap();
        let told = format!(
            "FilterPolicy: {reason}\n at [Source: (String)\"{quoted}\"; line: 1, column: {place}]"
        );
        assert_eq!(refusal(policy, Scope::Attributes), told);
    }
}

#[test]
fn what_is_no_json_is_told_without_being_quoted() {
    let place = |line: u32| {
        format!(
            "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {line}]"
        )
    };
    assert_eq!(
        compact("{invalidjson}"),
        Err("failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field \
             name"
            .to_owned()
            + &place(2))
    );
    assert_eq!(
        compact("invalid"),
        Err("failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or \
             token 'null', 'true' or 'false')"
            .to_owned()
            + &place(8))
    );
}

#[test]
fn a_filter_has_five_keys_and_150_combinations_at_most() {
    let values = |from: usize, to: usize| (from..to).collect::<Vec<_>>();
    let complex = "FilterPolicy: Filter policy is too complex";
    for (policy, scope) in [
        (json!({"key": values(0, 151)}), Scope::Attributes),
        (
            json!({"a": values(0, 100), "b": values(0, 51)}),
            Scope::Attributes,
        ),
        (
            json!({
                "source": values(0, 4),
                "$or": [
                    {"metricName": values(0, 6)},
                    {
                        "metricType": values(0, 4),
                        "$or": [{"metricId": values(0, 4)}, {"spaceId": values(0, 4)}],
                    },
                ],
            }),
            Scope::Attributes,
        ),
        (
            json!({
                "$or": [{"metricName": values(0, 3)}, {"namespace": values(0, 2)}],
                "detail": {
                    "scope": values(0, 2),
                    "$or": [{"source": values(0, 1)}, {"type": values(0, 3)}],
                },
            }),
            Scope::Body,
        ),
    ] {
        assert_eq!(refusal(&policy.to_string(), scope), complex, "{policy}");
    }
    let not: Vec<String> = values(0, 151).iter().map(usize::to_string).collect();
    let text = json!({"a": [{"anything-but": not}]}).to_string();
    assert_eq!(refusal(&text, Scope::Attributes), complex);
    let text = json!({"a": ["x".repeat(256 * 1024)]}).to_string();
    assert_eq!(refusal(&text, Scope::Attributes), complex);
    let allowed = json!({
        "source": values(0, 3),
        "$or": [
            {"metricName": values(0, 6)},
            {
                "metricType": values(0, 4),
                "$or": [{"metricId": values(0, 4)}, {"spaceId": values(0, 7)}],
            },
        ],
    });
    assert!(Filter::parse(&allowed.to_string(), Scope::Attributes).is_ok());
    let many = json!({"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]});
    assert_eq!(
        refusal(&many.to_string(), Scope::Body),
        "FilterPolicy: Filter policy can not have more than 5 keys"
    );
    let nested = json!({"a": {"b": ["x"]}});
    assert_eq!(
        Filter::parse(&nested.to_string(), Scope::Attributes),
        Err(FilterFault::Nested)
    );
    assert!(Filter::parse(&nested.to_string(), Scope::Body).is_ok());
}

proptest::proptest! {
    #[test]
    fn arbitrary_texts_are_filters_or_not(text in ".{0,80}") {
        if let Ok(compact) = compact(&text) {
            let _ = Filter::parse(&compact, Scope::Body);
        }
    }
}
