//! The picture: every thing that records flow through, with what it reads, where it passes records on, what it counted
//! and what stops it. Plain values as JSON; what is in records is nowhere among them.
//!
//! A thing's key is its region, its kind and its name, between blanks: `us-east-1 stream clicks`. Where one thing names
//! another of its region, it does so by kind and name.

use std::collections::BTreeMap;

use headwater_types::{Arn, Region};
use serde_json::{Value, json};

/// The things of a server, by their keys.
pub struct Picture {
    region: String,
    /// Whether the words of errors are told, which others may have written: they are only where everybody may read all.
    pub tells_words: bool,
    /// The things that were added.
    pub things: BTreeMap<String, Value>,
}

impl Picture {
    /// Nothing yet; the things that are added are of `region`.
    pub fn of_region(region: &Region, tells_words: bool) -> Self {
        Self {
            region: region.0.clone(),
            tells_words,
            things: BTreeMap::new(),
        }
    }

    /// Those that are added from now on are of another region.
    pub fn set_region(&mut self, region: &Region) {
        self.region.clone_from(&region.0);
    }

    /// Adds a thing, or takes what was told of it before in its place.
    pub fn add(&mut self, kind: &str, name: &str, thing: Value) {
        self.things
            .insert(format!("{} {kind} {name}", self.region), thing);
    }
}

/// The kind and the name of what an ARN names, where records flow through such: `stream clicks`.
pub fn place(arn: &Arn) -> Option<String> {
    let resource = arn.resource.as_str();
    let parts: Vec<&str> = resource.split(['/', ':']).collect();
    Some(match (arn.service.as_str(), parts.as_slice()) {
        ("kinesis", ["stream", stream, "consumer", name, ..]) => {
            format!("consumer {stream}/{name}")
        }
        ("kinesis", ["stream", stream]) => format!("stream {stream}"),
        ("dynamodb", ["table", table, ..]) => format!("table {table}"),
        ("lambda", ["function", name, ..]) => format!("function {name}"),
        ("firehose", ["deliverystream", name]) => format!("delivery {name}"),
        ("sqs", [name]) => format!("queue {name}"),
        ("sns", [name]) => format!("topic {name}"),
        ("s3", [bucket, ..]) => bucket_of(bucket),
        _ => return None,
    })
}

/// A bucket as a place.
pub fn bucket_of(name: &str) -> String {
    format!("bucket {name}")
}

/// A trouble: since when it is there, its words, and more about it.
pub fn trouble(since_ms: u64, text: &str, more: Value) -> Value {
    let mut trouble = json!({ "since": since_ms, "text": text });
    if let (Some(trouble), Value::Object(more)) = (trouble.as_object_mut(), more) {
        trouble.extend(more);
    }
    trouble
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_records_flow_through_is_named_by_kind_and_name() {
        let of = |arn: &str| place(&arn.parse().unwrap()).unwrap_or_default();
        for (arn, named) in [
            ("arn:aws:kinesis:eu-1:1:stream/a", "stream a"),
            (
                "arn:aws:kinesis:eu-1:1:stream/a/consumer/b:17",
                "consumer a/b",
            ),
            (
                "arn:aws:dynamodb:eu-1:1:table/t/stream/2026-01-01T00:00:00.000",
                "table t",
            ),
            ("arn:aws:lambda:eu-1:1:function:f:live", "function f"),
            ("arn:aws:sqs:eu-1:1:q.fifo", "queue q.fifo"),
            ("arn:aws:sns:eu-1:1:t", "topic t"),
            ("arn:aws:s3:::lake", "bucket lake"),
            ("arn:aws:firehose:eu-1:1:deliverystream/d", "delivery d"),
            ("arn:aws:iam::1:role/r", ""),
        ] {
            assert_eq!(of(arn), named);
        }
    }

    #[test]
    fn a_thing_that_is_added_again_is_told_of_once() {
        let mut picture = Picture::of_region(&Region("eu-1".into()), true);
        picture.add("stream", "a", json!(1));
        picture.add("stream", "a", json!(2));
        picture.set_region(&Region("eu-2".into()));
        picture.add("stream", "a", json!(3));
        let told: Vec<_> = picture.things.into_iter().collect();
        let key = |region| format!("{region} stream a");
        assert_eq!(told, [(key("eu-1"), json!(2)), (key("eu-2"), json!(3))]);
    }
}
