//! The generated crates, held against what the vocabulary can express.

use std::collections::BTreeSet;

use headwater_shapes::{Pattern, Shape};

/// All patterns below a shape. Recursive shapes are followed a few steps.
fn patterns(shape: &'static Shape, depth: u8, found: &mut BTreeSet<&'static str>) {
    match shape {
        _ if depth == 0 => {}
        Shape::String {
            pattern: Some(pattern),
            ..
        } => drop(found.insert(pattern.text())),
        Shape::List { member, .. } => patterns(member, depth - 1, found),
        Shape::Map { key, value, .. } => {
            patterns(key, depth - 1, found);
            patterns(value, depth - 1, found);
        }
        Shape::Structure(inner) => inner
            .members
            .iter()
            .for_each(|m| patterns(m.shape, depth - 1, found)),
        _ => {}
    }
}

#[test]
fn all_generated_patterns_are_checked_but_those_with_lookaround_inside() {
    let mut found = BTreeSet::new();
    for service in [
        &headwater_shapes_kinesis::SERVICE,
        &headwater_shapes_firehose::SERVICE,
        &headwater_shapes_lambda::SERVICE,
        &headwater_shapes_s3::SERVICE,
        &headwater_shapes_logs::SERVICE,
        &headwater_shapes_sns::SERVICE,
        &headwater_shapes_sqs::SERVICE,
        &headwater_shapes_sts::SERVICE,
        &headwater_shapes_cloudwatch::SERVICE,
        &headwater_shapes_cloudtrail::SERVICE,
        &headwater_shapes_dynamodb::SERVICE,
        &headwater_shapes_dynamodbstreams::SERVICE,
    ] {
        for operation in service.operations {
            operation
                .input
                .members
                .iter()
                .for_each(|m| patterns(m.shape, 8, &mut found));
        }
    }
    assert!(found.len() > 50);
    let unchecked: Vec<&str> = found
        .into_iter()
        .filter(|text| !Pattern::new(text).is_expressible())
        .collect();
    // The function's name and the qualifier of an address are checked by `lambda::urls::settings`; the other two are of
    // operations or members that are refused.
    let expected = [
        "((?!^\\d+$)^[0-9a-zA-Z-_]+$)",
        "(^(?!(system\\x2e)))",
        "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!",
        "jdbc:(redshift|postgresql)://((?!-)[A-Za-z0-9-]{1,63}(?<!-)\\.)+(redshift(-serverless)?)",
    ];
    assert_eq!(unchecked.len(), expected.len(), "{unchecked:?}");
    for (text, start) in unchecked.iter().zip(expected) {
        assert!(text.starts_with(start), "{text}");
    }
}

/// Whether a shape holds itself, looked for a few steps deep.
fn holds_itself(shape: &'static Shape, outer: &str, depth: u8) -> bool {
    match shape {
        _ if depth == 0 => false,
        Shape::Structure(inner) if inner.name == outer => true,
        Shape::List { member, .. } => holds_itself(member, outer, depth - 1),
        Shape::Map { value, .. } => holds_itself(value, outer, depth - 1),
        Shape::Structure(inner) => {
            let mut members = inner.members.iter();
            members.any(|member| holds_itself(member.shape, outer, depth - 1))
        }
        _ => false,
    }
}

#[test]
fn a_structure_that_holds_itself_has_a_table_that_does_and_a_type_by_hand() {
    use headwater_shapes::{Operation, Tree, Valid};
    use headwater_shapes_dynamodb::{PutItemInput, ops::PutItem};
    let item = PutItem::SHAPE
        .input
        .members
        .iter()
        .find(|member| member.name == "Item");
    let Some(Shape::Map {
        value: Shape::Structure(value),
        ..
    }) = item.map(|item| item.shape)
    else {
        panic!("an item is a map of structures");
    };
    let recursive = ["L", "M"];
    for member in value.members {
        let expected = recursive.contains(&member.name);
        assert_eq!(
            holds_itself(member.shape, value.name, 8),
            expected,
            "{}",
            member.name
        );
    }
    let sent = serde_json::json!({
        "TableName": "t",
        "Item": {"a": {"L": [{"M": {"b": {"BOOL": true}}}]}},
    });
    let input = PutItemInput::from_value(sent.clone()).expect("it is one");
    assert!(input.valid());
    assert_eq!(input.to_value(), sent);
    assert_eq!(serde_json::to_value(&input).expect("it is written"), sent);
}
