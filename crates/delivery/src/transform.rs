//! Sending a group of records through a function, and judging what comes back.
//!
//! Requests, answers and failures have the form of AWS's data transformation contract; codes and texts of failures
//! are those that AWS writes (documented, and recorded on AWS by other projects).

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine, display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_env::Env;
use headwater_types::{Arn, Millis};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    config::Function,
    groups::UserRecord,
    item::Failure,
    limits::{INVOKE_BYTES_MAX, INVOKE_WAIT_MIN, RETRY_WAIT_MAX},
    ports::{Invoke, InvokeError},
};

const INVALID: &str = "Check your function and make sure the output is in required format. In addition to that, make \
                       sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed";

/// What became of a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transformed {
    /// The data to deliver, in order.
    pub data: Vec<Bytes>,
    /// Lines for the error object, each with its newline.
    pub failures: Vec<Bytes>,
    /// One failure of each kind, for the log.
    pub examples: Vec<Failure>,
}

/// What a function said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Ok(Bytes),
    Dropped,
    Failed(Failure),
}

/// Who asks the function, and which.
pub struct Transformer<'a> {
    /// Clock, randomness and threads.
    pub env: &'a Env,
    /// The caller of functions.
    pub invoke: &'a dyn Invoke,
    /// The function.
    pub function: &'a Function,
    /// The delivery stream.
    pub stream: &'a Arn,
    /// The stream that it reads, if it reads one.
    pub source: Option<&'a Arn>,
}

impl Transformer<'_> {
    /// Calls the function with a group, again where it fails; an error means that nobody can say what it would
    /// have done, so that the whole batch has to wait. Where too much runs already, this waits and no retry counts:
    /// being full is a pause to a reader, not a verdict on records (AWS counts it, and gives up).
    pub async fn transform(&self, group: Vec<UserRecord>) -> Result<Transformed, InvokeError> {
        let group: Arc<[UserRecord]> = group.into();
        let (mut attempts, mut pauses) = (0, 0);
        let answer = loop {
            attempts += 1;
            match self.attempt(group.clone()).await {
                Ok(answer) => break Ok(answer),
                Err(InvokeError::Throttled) => {
                    attempts -= 1;
                    pauses += 1;
                    tracing::debug!(function = %self.function.arn, pauses, "a function has no room");
                    self.env.clock.sleep(wait_before(pauses)).await;
                }
                Err(error @ InvokeError::Failed(_)) => return Err(error),
                // The same request would be as large again.
                Err(error @ InvokeError::TooLarge) => break Err(failure_of(error)),
                Err(error) if attempts > self.function.retries => break Err(failure_of(error)),
                Err(error) => {
                    tracing::debug!(function = %self.function.arn, attempts, %error, "a function is called again");
                    self.env.clock.sleep(wait_before(attempts)).await;
                }
            }
        };
        let (ended, function) = (self.env.clock.now(), self.function.arn.to_string());
        Ok(self.env.blocking(move || judge(&group, answer, attempts, ended, &function)).await)
    }

    async fn attempt(&self, group: Arc<[UserRecord]>) -> Result<Bytes, InvokeError> {
        let (source, stream) = (self.source.map(Arn::to_string), self.stream.to_string());
        let (invocation_id, region) = (self.env.random.uuid(), self.stream.region.clone());
        let payload = self.env.blocking(move || {
            let records = group.iter().map(|record| RequestRecord::of(record, source.is_some())).collect();
            let request = Request {
                invocation_id,
                source_kinesis_stream_arn: source.as_deref(),
                delivery_stream_arn: &stream,
                region: &region,
                records,
            };
            serde_json::to_vec(&request).expect("a request of ours is always JSON")
        });
        let payload = payload.await;
        if payload.len() > INVOKE_BYTES_MAX {
            return Err(InvokeError::TooLarge);
        }
        self.invoke.invoke(&self.function.arn, payload.into()).await
    }
}

fn wait_before(attempt: u32) -> Duration {
    INVOKE_WAIT_MIN.saturating_mul(1 << (attempt - 1).min(16)).min(RETRY_WAIT_MAX)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    invocation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_kinesis_stream_arn: Option<&'a str>,
    delivery_stream_arn: &'a str,
    region: &'a str,
    records: Vec<RequestRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestRecord<'a> {
    record_id: String,
    approximate_arrival_timestamp: Millis,
    #[serde(serialize_with = "base64_text")]
    data: &'a Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinesis_record_metadata: Option<Metadata<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    sequence_number: &'a str,
    subsequence_number: usize,
    partition_key: &'a str,
    shard_id: &'a str,
    approximate_arrival_timestamp: Millis,
}

impl<'a> RequestRecord<'a> {
    /// The record as a function sees it; `has_source` tells where it came from.
    fn of(record: &'a UserRecord, has_source: bool) -> Self {
        let metadata = has_source.then(|| Metadata {
            sequence_number: &record.sequence_number,
            subsequence_number: record.sub,
            partition_key: &record.partition_key,
            shard_id: &record.shard,
            approximate_arrival_timestamp: record.arrival,
        });
        Self {
            record_id: record.id(),
            approximate_arrival_timestamp: record.arrival,
            data: &record.data,
            kinesis_record_metadata: metadata,
        }
    }
}

fn base64_text<S: Serializer>(data: &&Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&Base64Display::new(data, &STANDARD))
}

#[derive(Deserialize)]
struct Response {
    records: Option<Vec<ResponseRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseRecord {
    record_id: Option<String>,
    result: Option<String>,
    data: Option<String>,
}

/// A line of the error object; the members' order and spelling are those that AWS writes.
#[derive(Serialize)]
struct FailureLine<'a> {
    #[serde(rename = "rawData", serialize_with = "base64_text")]
    raw_data: &'a Bytes,
    #[serde(rename = "errorCode")]
    error_code: &'a str,
    #[serde(rename = "errorMessage")]
    error_message: &'a str,
    #[serde(rename = "attemptsMade")]
    attempts_made: u32,
    #[serde(rename = "arrivalTimestamp")]
    arrival_timestamp: Millis,
    #[serde(rename = "attemptEndingTimestamp")]
    attempt_ending_timestamp: Millis,
    #[serde(rename = "lambdaARN")]
    lambda_arn: &'a str,
}

/// What records are told to have failed of.
fn failure_of(error: InvokeError) -> Failure {
    match error {
        InvokeError::Function(_) => Failure::new(
            "Lambda.FunctionError",
            "The Lambda function was successfully invoked but it returned an error result.",
        ),
        InvokeError::TooLarge => Failure::new(
            "Lambda.RequestTooLarge",
            format!("The request or the answer exceeds {INVOKE_BYTES_MAX} bytes."),
        ),
        InvokeError::NotFound(name) => {
            Failure::new("Lambda.ResourceNotFound", format!("Function not found: {name}"))
        }
        InvokeError::Throttled | InvokeError::Failed(_) => {
            Failure::new("Lambda.InternalServerError", error.to_string())
        }
    }
}

/// Sorts a group's records by what the function said of each.
fn judge(
    group: &[UserRecord],
    answer: Result<Bytes, Failure>,
    attempts: u32,
    ended: Millis,
    function: &str,
) -> Transformed {
    let verdicts = match answer.and_then(|answer| verdicts(group, &answer)) {
        Ok(verdicts) => verdicts,
        Err(failure) => vec![Verdict::Failed(failure); group.len()],
    };
    let mut out = Transformed::default();
    for (record, verdict) in group.iter().zip(verdicts) {
        match verdict {
            Verdict::Ok(data) => out.data.push(data),
            Verdict::Dropped => {}
            Verdict::Failed(failure) => {
                let line = FailureLine {
                    raw_data: &record.data,
                    error_code: failure.code,
                    error_message: &failure.message,
                    attempts_made: attempts,
                    arrival_timestamp: record.arrival,
                    attempt_ending_timestamp: ended,
                    lambda_arn: function,
                };
                let mut line = serde_json::to_vec(&line).expect("a line of ours is always JSON");
                line.push(b'\n');
                out.failures.push(line.into());
                if !out.examples.contains(&failure) {
                    out.examples.push(failure);
                }
            }
        }
    }
    out
}

/// One verdict a record, in the group's order. An answer that is not in the contract's form fails the whole group;
/// ids that are missing or not unique fail only their records, as on AWS.
fn verdicts(group: &[UserRecord], answer: &[u8]) -> Result<Vec<Verdict>, Failure> {
    let unreadable = || {
        Failure::new(
            "Lambda.JsonProcessingException",
            "There was an error parsing returned records from the Lambda function. Ensure that the returned \
             records follow the status model required by Firehose.",
        )
    };
    let response: Response = serde_json::from_slice(answer).map_err(|_| unreadable())?;
    let mut by_id: HashMap<String, Result<Verdict, Failure>> = HashMap::with_capacity(group.len());
    for record in response.records.unwrap_or_default() {
        let Some(id) = record.record_id.clone() else {
            return Err(Failure::new("Lambda.FunctionError", INVALID));
        };
        let verdict = verdict(record)?;
        by_id.entry(id).and_modify(|known| *known = Err(duplicated())).or_insert(Ok(verdict));
    }
    let of = |record: &UserRecord| match by_id.remove(&record.id()) {
        Some(Ok(verdict)) => verdict,
        Some(Err(failure)) => Verdict::Failed(failure),
        None => Verdict::Failed(missing()),
    };
    Ok(group.iter().map(of).collect())
}

fn verdict(record: ResponseRecord) -> Result<Verdict, Failure> {
    let invalid = || Failure::new("Lambda.FunctionError", INVALID);
    match record.result.as_deref() {
        Some("Ok") => {
            let data = record.data.ok_or_else(invalid)?;
            STANDARD.decode(data).map(|data| Verdict::Ok(data.into())).map_err(|_| invalid())
        }
        Some("Dropped") => Ok(Verdict::Dropped),
        Some("ProcessingFailed") => Ok(Verdict::Failed(Failure::new(
            "Lambda.ProcessingFailedStatus",
            "ProcessingFailed status set for record",
        ))),
        _ => Err(invalid()),
    }
}

fn duplicated() -> Failure {
    Failure::new(
        "Lambda.DuplicatedRecordId",
        "Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique \
         record IDs for each record.",
    )
}

fn missing() -> Failure {
    Failure::new(
        "Lambda.MissingRecordId",
        "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.",
    )
}
