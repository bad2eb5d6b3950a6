//! The seam at which calls of management operations are kept: the trail.
//!
//! What a call said is told in the names that CloudTrail uses, without its blobs and with its secrets hidden, so that nobody
//! behind this seam sees them.

use std::borrow::Cow;

use async_trait::async_trait;
use headwater_shapes::{Member, OperationShape, Service, Shape, Structure};
use serde_json::{Map, Value};

use crate::{ApiError, Context, observe::Seen, table::Line};

/// The text in place of a secret. (Source: CloudTrail user guide, "CloudTrail record contents".)
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// A keeper of calls of management operations. It is told of every one whose caller was let in, also of those that were
/// refused.
#[async_trait]
pub trait KeepCalls: Send + Sync {
    /// Keeps a call that has its answer, which waits for this.
    async fn keep(&self, call: Called<'_>);
}

/// A call of a management operation that has its answer.
pub struct Called<'a> {
    /// The facts about it that observers know.
    pub seen: &'a Seen<'a>,
    /// The request: its caller, where it came from.
    pub context: &'a Context,
    /// The service.
    pub service: &'static Service,
    /// The operation.
    pub operation: &'static OperationShape,
    /// The operation's line.
    pub line: Line,
    /// What it said; nothing where that could not be read.
    pub input: Option<&'a Value>,
    /// What it was told; nothing for what reads, and for errors.
    pub output: Option<&'a Value>,
    /// The error that it was refused with.
    pub error: Option<&'a ApiError>,
    /// The error's text, without the values that it shows where some of them may be secrets. Its own text may have them.
    pub message: Option<Cow<'a, str>>,
}

/// What the trail tells of the text of an error of an operation with this input.
pub(crate) fn told_text<'a>(error: &'a ApiError, input: &'static Structure) -> Cow<'a, str> {
    match has_secret(input, &mut Vec::new()) {
        true => without_values(error.message()),
        false => error.message().into(),
    }
}

/// Whether a structure has a member, at any depth, that is a secret. Structures may hold themselves: `seen` has those
/// that were looked at.
fn has_secret(structure: &'static Structure, seen: &mut Vec<&'static Structure>) -> bool {
    if seen.iter().any(|other| std::ptr::eq(*other, structure)) {
        return false;
    }
    seen.push(structure);
    let mut members = structure.members.iter();
    members.any(|member| {
        member.secret || structure_of(member.shape).is_some_and(|inner| has_secret(inner, seen))
    })
}

/// The structure that a shape is, or holds in lists and maps.
fn structure_of(shape: &'static Shape) -> Option<&'static Structure> {
    match shape {
        Shape::Structure(structure) => Some(structure),
        Shape::List { member: of, .. } | Shape::Map { value: of, .. } => structure_of(of),
        _ => None,
    }
}

/// An error's text without the values in it. A value may have any text inside, so all goes from the beginning of the
/// first one to the end of the last: of several broken constraints, the last that shows a value stays.
fn without_values(text: &str) -> Cow<'_, str> {
    const VALUE: &str = "Value '";
    let from = match text.starts_with('\'') {
        true => Some(0),
        false => text.find(VALUE).map(|at| at + VALUE.len() - 1),
    };
    let Some(from) = from else {
        return text.into();
    };
    let to = match text.rfind("' at '") {
        Some(to) if from > 0 => to + 1,
        _ => text.rfind('\'').map_or(text.len(), |to| to + 1),
    };
    let (before, after) = (text[..from].trim_end(), text[to.max(from)..].trim_start());
    format!("{before} {after}").trim_start().to_owned().into()
}

/// What the trail tells of an input or an output with this structure.
pub(crate) fn told(tree: &Value, structure: &Structure, service: &Service) -> Value {
    match service.speaks_xml() {
        true => members(tree, structure, in_s3),
        false => members(tree, structure, in_camel_case),
    }
}

/// How a member is named in an event.
type Naming = fn(&Member) -> String;

fn in_camel_case(member: &Member) -> String {
    let mut name = member.name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// S3's events have headers and elements as they were sent.
fn in_s3(member: &Member) -> String {
    match member.name {
        "Bucket" => "bucketName".to_owned(),
        _ => member.wire_name.to_owned(),
    }
}

fn members(tree: &Value, structure: &Structure, naming: Naming) -> Value {
    let told = structure.members.iter().filter_map(|member| {
        let value = tree.get(member.wire_name)?;
        let is_hidden = member.secret && !matches!(member.shape, Shape::Blob { .. });
        let value = match is_hidden {
            true => Value::from(HIDDEN),
            false => told_of(value, member.shape, naming)?,
        };
        Some((naming(member), value))
    });
    Value::Object(told.collect::<Map<_, _>>())
}

/// A value as events have it; none of a blob.
fn told_of(value: &Value, shape: &Shape, naming: Naming) -> Option<Value> {
    Some(match (shape, value) {
        (_, Value::Null) | (Shape::Blob { .. }, _) => return None,
        (Shape::Structure(structure), _) => members(value, structure, naming),
        (Shape::List { member, .. }, Value::Array(values)) => {
            let values = values.iter();
            Value::Array(
                values
                    .filter_map(|it| told_of(it, member, naming))
                    .collect(),
            )
        }
        (Shape::Map { value: of, .. }, Value::Object(entries)) => {
            let entries = entries.iter();
            let told =
                entries.filter_map(|(key, it)| Some((key.clone(), told_of(it, of, naming)?)));
            Value::Object(told.collect())
        }
        (Shape::Timestamp { .. }, Value::Number(seconds)) => time(seconds.as_f64()?)?.into(),
        _ => value.clone(),
    })
}

/// A time as events write it: `Dec 1, 2026, 12:44:29 AM`.
fn time(seconds: f64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds as i64).ok()?;
    Some(time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string())
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose as firehose;
    use headwater_shapes_lambda as lambda;
    use headwater_shapes_s3 as s3;
    use headwater_shapes_sns as sns;
    use serde_json::json;

    use super::*;
    use crate::validate::{self, Raw};

    fn input(service: &'static Service, operation: &str, tree: &Value) -> Value {
        told(tree, service.operation(operation).unwrap().input, service)
    }

    #[test]
    fn members_are_named_in_camel_case_and_secrets_and_blobs_stay_out() {
        let tree = json!({
            "FunctionName": "f",
            "MemorySize": 128,
            "Code": {"ZipFile": "UEsDBA==", "S3Bucket": "b"},
            "Environment": {"Variables": {"PASSWORD": "hush"}},
            "Tags": {"Team": "Taxi"},
            "Layers": ["arn:1", "arn:2"],
            "Description": null,
        });
        assert_eq!(
            input(&lambda::SERVICE, "CreateFunction", &tree),
            json!({
                "functionName": "f",
                "memorySize": 128,
                "code": {"s3Bucket": "b"},
                "environment": {"variables": HIDDEN},
                "tags": {"Team": "Taxi"},
                "layers": ["arn:1", "arn:2"],
            })
        );
    }

    #[test]
    fn the_text_of_an_error_stays_but_for_its_values() {
        let told = |text: &str| without_values(text).into_owned();
        let rule = "at 'name' failed to satisfy constraint: Member must not be null";
        let null = format!("Value null {rule}");
        for text in ["", "There is no such role: 'r'", &null] {
            assert_eq!(told(text), text);
        }
        let tricky = "a' at 'b' failed; Value 'c";
        let text = format!("1 validation error detected: Value '{tricky}' {rule}");
        let expected = format!("1 validation error detected: Value {rule}");
        assert_eq!(told(&text), expected);
        let two = format!("2 validation errors detected: Value null {rule}; Value 'x' {rule}");
        let expected = format!("2 validation errors detected: Value null {rule}; Value {rule}");
        assert_eq!(told(&two), expected);
        let text = "'Value 'hush' can not be converted to a Blob: no";
        assert_eq!(told(text), "can not be converted to a Blob: no");
    }

    /// A value in the place of each secret that is below a structure, with what is around it, and nothing beside.
    fn with_secrets(structure: &'static Structure, secret: &Value, depth: usize) -> Vec<Value> {
        let members = structure.members.iter().filter(|_| depth > 0);
        let of_member = |member: &'static Member| {
            let values = match (member.secret, member.shape) {
                (true, Shape::Map { .. }) => vec![json!({secret.as_str().unwrap(): secret})],
                (true, _) => vec![secret.clone()],
                (false, shape) => held(shape, secret, depth - 1),
            };
            let name = member.wire_name;
            values.into_iter().map(move |value| json!({name: value}))
        };
        members.flat_map(of_member).collect()
    }

    fn held(shape: &'static Shape, secret: &Value, depth: usize) -> Vec<Value> {
        match shape {
            Shape::Structure(structure) => with_secrets(structure, secret, depth),
            Shape::List { member, .. } => {
                let values = held(member, secret, depth).into_iter();
                values.map(|value| json!([value])).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn no_error_tells_a_secret() {
        const SECRET: &str = "hush";
        let secrets = [
            "%hush\nhush",
            "hush' at 'hush",
            &format!("1 {}", "hush".repeat(1 << 10)),
        ];
        let mut shown = 0;
        for service in [
            &firehose::SERVICE,
            &lambda::SERVICE,
            &s3::SERVICE,
            &sns::SERVICE,
        ] {
            for operation in service.operations {
                for secret in secrets {
                    for input in with_secrets(operation.input, &secret.into(), 6) {
                        let read = validate::tree(Raw::from(input), operation, service);
                        let Err(error) = read else { continue };
                        shown += usize::from(error.message().contains(SECRET));
                        let told = told_text(&error, operation.input);
                        assert!(!told.contains(SECRET), "{}: {told}", operation.name);
                        assert!(!told.is_empty());
                    }
                }
            }
        }
        assert!(shown > 50, "{shown} errors show a secret to their callers");
    }

    #[test]
    fn times_are_written_out() {
        assert_eq!(time(1_796_085_869.5).unwrap(), "Dec 1, 2026, 12:44:29 AM");
        assert_eq!(time(f64::MAX), None);
    }

    #[test]
    fn s3_names_what_it_is_sent() {
        let tree = json!({"Bucket": "b", "x-amz-acl": "private"});
        assert_eq!(
            input(&s3::SERVICE, "CreateBucket", &tree),
            json!({"bucketName": "b", "x-amz-acl": "private"})
        );
    }
}
