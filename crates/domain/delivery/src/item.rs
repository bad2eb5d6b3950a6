//! What becomes of a record on its way: an [`Item`] while it goes on, a [`Rejected`] once it cannot.
//!
//! Steps take items and give items and rejections; the end of the way writes the one to the destination and the other,
//! as lines of JSON in AWS's form, under the error prefix.

use std::collections::BTreeMap;

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_types::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::groups::SharedRecord;

/// A record that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it was when it was read.
    pub origin: SharedRecord,
    /// What it is now.
    pub data: Bytes,
    /// What it is partitioned by.
    pub keys: Keys,
}

/// Partition keys of one record, by who gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys {
    /// From a query: `!{partitionKeyFromQuery:name}`.
    pub query: BTreeMap<String, String>,
    /// From the function: `!{partitionKeyFromLambda:name}`.
    pub lambda: BTreeMap<String, String>,
}

/// A partition key as text: scalars have one, and what has none, or an empty one, is no key.
pub fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// A record that cannot go on, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// What it was when it was read.
    pub origin: SharedRecord,
    /// What failed.
    pub kind: ErrorKind,
    /// Why.
    pub failure: Failure,
    /// How often it was tried.
    pub attempts: u32,
    /// When the last attempt ended.
    pub ended: Millis,
    /// Further members of its line, as the kind has them (`lambdaARN`, `EsDocumentId` …).
    pub more: Vec<(&'static str, Value)>,
}

/// What a record failed at: `!{firehose:error-output-type}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A processor or the function.
    Processing,
    /// A query for partition keys.
    MetadataExtraction,
    /// More partitions than there may be at once.
    ActivePartitions,
    /// The conversion to a columnar format.
    FormatConversion,
    /// An HTTP endpoint.
    HttpEndpoint,
    /// Splunk.
    Splunk,
    /// OpenSearch or Elasticsearch.
    OpenSearch,
}

impl ErrorKind {
    /// Its name in prefixes (AWS's page on custom prefixes).
    pub fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing-failed",
            // Not in AWS's table, but what its objects are named.
            Self::MetadataExtraction => "metadata-extraction-failed",
            // AWS's page on buffering for dynamic partitioning.
            Self::ActivePartitions => "activePartitionExceeded",
            Self::FormatConversion => "format-conversion-failed",
            Self::HttpEndpoint => "http-endpoint-failed",
            Self::Splunk => "splunk-failed",
            Self::OpenSearch => "AmazonOpenSearchService_failed",
        }
    }
}

/// Why a record was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Lambda.FunctionError` …
    pub code: &'static str,
    /// What it means.
    pub message: String,
}

impl Failure {
    /// A failure with AWS's code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl Rejected {
    /// Its line in the error object, with the newline.
    pub fn line(&self) -> Bytes {
        let (code, message) = match self.kind {
            ErrorKind::FormatConversion => ("lastErrorCode", "lastErrorMessage"),
            _ => ("errorCode", "errorMessage"),
        };
        let mut line = Map::from_iter([
            (
                "rawData".to_owned(),
                Base64Display::new(&self.origin.data, &STANDARD)
                    .to_string()
                    .into(),
            ),
            (code.to_owned(), self.failure.code.into()),
            (message.to_owned(), (&*self.failure.message).into()),
            ("attemptsMade".to_owned(), self.attempts.into()),
            ("arrivalTimestamp".to_owned(), json!(self.origin.arrival)),
            ("attemptEndingTimestamp".to_owned(), json!(self.ended)),
        ]);
        line.extend(
            self.more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let mut line = serde_json::to_vec(&line).expect("a line of ours is always JSON");
        line.push(b'\n');
        line.into()
    }
}
