//! The lines that a delivery stream leaves in its log, where it is configured to log: one JSON object an error, in
//! the form of AWS's page on monitoring with CloudWatch Logs.

use headwater_env::Env;
use serde::Serialize;

use crate::{
    config::{Destination, StreamRecord, Target},
    incidents::Incidents,
    ports::LogSink,
    records::{Failure, Rejected},
    steps::function::FUNCTION_MEMBER,
};

/// Writes error lines of one delivery stream.
pub struct ErrorLog<'a> {
    /// The clock.
    pub env: &'a Env,
    /// Where lines go.
    pub sink: &'a dyn LogSink,
    /// The delivery stream.
    pub stream: &'a StreamRecord,
    /// The error that stops it, if one does.
    pub incident: &'a Incidents,
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
    processor: Option<&'a str>,
}

impl ErrorLog<'_> {
    /// Records were given up: one line a cause.
    pub async fn rejected(&self, rejected: &[Rejected]) {
        let mut logged: Vec<&Failure> = Vec::new();
        for rejected in rejected {
            if logged.contains(&&rejected.failure) {
                continue;
            }
            logged.push(&rejected.failure);
            let (code, message) = (rejected.failure.code, &rejected.failure.message);
            tracing::warn!(
                stream = self.stream.name,
                code,
                message,
                "records were not delivered"
            );
            let function = rejected
                .more
                .iter()
                .find(|(name, _)| *name == FUNCTION_MEMBER);
            self.line(code, message, function.and_then(|(_, arn)| arn.as_str()))
                .await;
        }
    }

    /// A batch could not be delivered, and will be tried again.
    pub async fn delivery_failed(&self, code: &'static str, message: &str) {
        self.incident.note(self.env.clock.now(), code, message);
        self.line(code, message, None).await;
    }

    async fn line(&self, error_code: &str, message: &str, processor: Option<&str>) {
        let Some(logging) = &self.stream.destination.logging else {
            return;
        };
        let line = Line {
            delivery_stream_arn: self.stream.arn.to_string(),
            destination: destination(&self.stream.destination),
            delivery_stream_version_id: self.stream.version,
            message,
            error_code,
            processor,
        };
        let line = serde_json::to_string(&line).expect("a line of ours is always JSON");
        self.sink
            .append(&logging.group, &logging.stream, self.env.clock.now(), line)
            .await;
    }
}

/// The name of a destination in a line, as in lines of AWS: the address of a cluster that has one by its ARN there,
/// and of an endpoint no more than the host, for what follows may be a secret.
fn destination(destination: &Destination) -> String {
    match &destination.target {
        Target::Bucket => format!("arn:aws:s3:::{}", destination.bucket),
        Target::Http(endpoint) => format!("{}...", endpoint.url.uri().host().unwrap_or_default()),
        Target::Splunk(splunk) => splunk.url.join("").to_string(),
        Target::OpenSearch(cluster) => cluster.url.join("").to_string(),
        Target::Redshift(redshift) => redshift.database.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;

    /// The first three have the form of lines that AWS wrote.
    #[test]
    fn a_line_names_the_destination_itself() {
        let of = |target: Value| {
            let target = serde_json::from_value(target).unwrap();
            destination(&Destination {
                target,
                ..testing::destination()
            })
        };
        let [http, splunk, search] = ["http.test/v1?k=secret", "splunk.test:8088/", "search.test"]
            .map(|rest| format!("https://{rest}"));
        for (target, named) in [
            (json!("bucket"), "arn:aws:s3:::bucket"),
            (
                json!({"http": {"url": http, "access_key": "", "gzip": false, "attributes": {}, "bytes": 1, "retry_s": 0}}),
                "http.test...",
            ),
            (
                json!({"redshift": {"database": "jdbc:redshift://redshift.test:5439/test", "user": "u",
                    "password": "secret", "table": "t", "columns": "", "options": "", "retry_s": 0}}),
                "jdbc:redshift://redshift.test:5439/test",
            ),
            (
                json!({"splunk": {"url": splunk, "endpoint": "raw", "token": "secret", "ack_s": 180, "retry_s": 0}}),
                "https://splunk.test:8088/",
            ),
            (
                json!({"open_search": {"url": search, "index": "i", "rotation": "none", "type_name": null,
                    "ids": true, "serverless": false, "retry_s": 0}}),
                "https://search.test/",
            ),
        ] {
            assert_eq!(of(target), named);
        }
    }
}
