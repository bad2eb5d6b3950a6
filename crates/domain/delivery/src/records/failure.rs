//! The kinds of errors that a record may meet, and why one was not delivered.

use serde::{Deserialize, Serialize};

/// The kind of error that a record met: `!{firehose:error-output-type}`.
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
    /// Its meaning.
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
