//! The seam at which calls of management operations are kept: the trail.
//!
//! What a call said is told in the names that CloudTrail uses, without its blobs and with its secrets hidden, so that nobody
//! behind this seam sees them.

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
    use headwater_shapes_lambda as lambda;
    use headwater_shapes_s3 as s3;
    use serde_json::json;

    use super::*;

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
