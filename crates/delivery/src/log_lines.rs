//! The lines that a delivery stream leaves in its log, where it is configured to log: one JSON object an error, in
//! the form of AWS's page on monitoring with CloudWatch Logs.

use headwater_env::Env;
use headwater_types::Arn;
use serde::Serialize;

use crate::{config::StreamRecord, item::Failure, ports::LogSink};

/// Writes error lines of one delivery stream.
pub struct ErrorLog<'a> {
    /// The clock.
    pub env: &'a Env,
    /// Where lines go.
    pub sink: &'a dyn LogSink,
    /// The delivery stream.
    pub stream: &'a StreamRecord,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(rename = "deliveryStreamARN")]
    delivery_stream_arn: String,
    destination: String,
    delivery_stream_version_id: u64,
    message: &'a str,
    error_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    processor: Option<String>,
}

impl ErrorLog<'_> {
    /// A function failed records.
    pub async fn function_failed(&self, function: &Arn, failure: &Failure) {
        tracing::warn!(stream = self.stream.name, %function, code = failure.code, "records were not transformed");
        self.line(failure.code, &failure.message, Some(function)).await;
    }

    /// Records are not what they have to be.
    pub async fn record_failed(&self, failure: &Failure) {
        tracing::warn!(
            stream = self.stream.name,
            code = failure.code,
            "records were not what they have to be"
        );
        self.line(failure.code, &failure.message, None).await;
    }

    /// A batch could not be delivered, and will be tried again.
    pub async fn delivery_failed(&self, code: &str, message: &str) {
        self.line(code, message, None).await;
    }

    async fn line(&self, error_code: &str, message: &str, processor: Option<&Arn>) {
        let Some(logging) = &self.stream.destination.logging else { return };
        let line = Line {
            delivery_stream_arn: self.stream.arn.to_string(),
            destination: format!("arn:aws:s3:::{}", self.stream.destination.bucket),
            delivery_stream_version_id: self.stream.version,
            message,
            error_code,
            processor: processor.map(Arn::to_string),
        };
        let line = serde_json::to_string(&line).expect("a line of ours is always JSON");
        self.sink.append(&logging.group, &logging.stream, self.env.clock.now(), line).await;
    }
}
