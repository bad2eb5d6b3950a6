//! Sending a group of records through a function, and judging what comes back.
//!
//! Requests, answers and failures have the form of AWS's data transformation contract; codes and texts of failures
//! are those that AWS writes (documented, and recorded on AWS by other projects).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_env::Env;
use headwater_types::{Arn, Millis};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    config::Function,
    groups::UserRecord,
    item::{ErrorKind, Failure, Item, Rejected, key_text},
    limits::{INVOKE_BYTES_MAX, INVOKE_RECORD_FRAME_BYTES, INVOKE_WAIT_MIN, RETRY_WAIT_MAX},
    ports::{Invoke, InvokeError},
};

const INVALID: &str = "Check your function and make sure the output is in required format. In addition to that, make \
                       sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed";

/// The member of an error line that names the function, as AWS spells it.
pub const FUNCTION_MEMBER: &str = "lambdaARN";

/// What a function said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Ok(Bytes, BTreeMap<String, String>),
    Dropped,
    Failed(Failure),
}

/// Who asks the function, and which.
pub struct Caller<'a> {
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

impl Caller<'_> {
    /// Takes items through the function, in as few calls as its limits allow.
    pub async fn run(&self, items: Vec<Item>) -> Result<Outcome, InvokeError> {
        let mut done = Outcome::default();
        for call in calls(items, self.function.batch_bytes) {
            let next = self.call(call).await?;
            done.items.extend(next.items);
            done.rejected.extend(next.rejected);
        }
        Ok(done)
    }

    /// Calls the function with a group, again where it fails; an error means that nobody can say what it would
    /// have done, so that the whole batch has to wait. Where too much runs already, this waits and no retry counts:
    /// being full is a pause to a reader, not a verdict on records (AWS counts it, and gives up).
    async fn call(&self, group: Vec<Item>) -> Result<Outcome, InvokeError> {
        let group: Arc<[Item]> = group.into();
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

    async fn attempt(&self, group: Arc<[Item]>) -> Result<Bytes, InvokeError> {
        let (source, stream) = (self.source.map(Arn::to_string), self.stream.to_string());
        let (invocation_id, region) = (self.env.random.uuid(), self.stream.region.clone());
        let payload = self.env.blocking(move || {
            let records = group.iter().zip(ids(&group));
            let records = records.map(|(item, id)| RequestRecord::of(item, id, source.is_some())).collect();
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

/// The items of each call: data up to `bytes`, in a request that a function takes.
fn calls(items: Vec<Item>, bytes: usize) -> Vec<Vec<Item>> {
    let mut calls: Vec<Vec<Item>> = Vec::new();
    let (mut data, mut request) = (0, 0);
    for item in items {
        let (more_data, more_request) = (item.data.len(), request_bytes(&item));
        let fits = data + more_data <= bytes
            && request + more_request <= INVOKE_BYTES_MAX - INVOKE_RECORD_FRAME_BYTES;
        match calls.last_mut() {
            Some(call) if fits => call.push(item),
            _ => {
                (data, request) = (0, 0);
                calls.push(vec![item]);
            }
        }
        (data, request) = (data + more_data, request + more_request);
    }
    calls
}

/// What an item takes in a request, at the most: base64, a key of which JSON escapes every byte, and its frame.
fn request_bytes(item: &Item) -> usize {
    item.data.len().div_ceil(3) * 4 + 6 * item.origin.partition_key.len() + INVOKE_RECORD_FRAME_BYTES
}

/// What the function knows items by: sequence number and sub-index, and their place among those that a step made of
/// one record. The same in every execution.
fn ids(group: &[Item]) -> impl Iterator<Item = String> {
    let mut before: Option<&UserRecord> = None;
    let mut part = 0;
    group.iter().map(move |item| {
        let record = &*item.origin;
        let is_next = before.is_some_and(|before| {
            (&before.sequence_number, before.sub) == (&record.sequence_number, record.sub)
        });
        part = if is_next { part + 1 } else { 0 };
        before = Some(record);
        match part {
            0 => record.id(),
            part => format!("{}{part:06}", record.id()),
        }
    })
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
    /// The item as a function sees it; `has_source` tells where it came from.
    fn of(item: &'a Item, record_id: String, has_source: bool) -> Self {
        let record = &item.origin;
        let metadata = has_source.then(|| Metadata {
            sequence_number: &record.sequence_number,
            subsequence_number: record.sub,
            partition_key: &record.partition_key,
            shard_id: &record.shard,
            approximate_arrival_timestamp: record.arrival,
        });
        Self {
            record_id,
            approximate_arrival_timestamp: record.arrival,
            data: &item.data,
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
    metadata: Option<ResponseMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseMetadata {
    partition_keys: Option<BTreeMap<String, Value>>,
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

/// Sorts a group's items by what the function said of each.
fn judge(
    group: &[Item],
    answer: Result<Bytes, Failure>,
    attempts: u32,
    ended: Millis,
    function: &str,
) -> Outcome {
    let verdicts = match answer.and_then(|answer| verdicts(group, &answer)) {
        Ok(verdicts) => verdicts,
        Err(failure) => vec![Verdict::Failed(failure); group.len()],
    };
    let mut out = Outcome::default();
    for (item, verdict) in group.iter().zip(verdicts) {
        let origin = item.origin.clone();
        match verdict {
            Verdict::Ok(data, lambda) => {
                let mut keys = item.keys.clone();
                keys.lambda.extend(lambda);
                out.items.push(Item { origin, data, keys });
            }
            Verdict::Dropped => {}
            Verdict::Failed(failure) => {
                let (kind, more) = (ErrorKind::Processing, vec![(FUNCTION_MEMBER, json!(function))]);
                out.rejected.push(Rejected { origin, kind, failure, attempts, ended, more });
            }
        }
    }
    out
}

/// One verdict a record, in the group's order. An answer that is not in the contract's form fails the whole group;
/// ids that are missing or not unique fail only their records, as on AWS.
fn verdicts(group: &[Item], answer: &[u8]) -> Result<Vec<Verdict>, Failure> {
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
    let of = |id: String| match by_id.remove(&id) {
        Some(Ok(verdict)) => verdict,
        Some(Err(failure)) => Verdict::Failed(failure),
        None => Verdict::Failed(missing()),
    };
    Ok(ids(group).map(of).collect())
}

fn verdict(record: ResponseRecord) -> Result<Verdict, Failure> {
    let invalid = || Failure::new("Lambda.FunctionError", INVALID);
    match record.result.as_deref() {
        Some("Ok") => {
            let data = STANDARD.decode(record.data.ok_or_else(invalid)?).map_err(|_| invalid())?;
            let keys = record.metadata.and_then(|metadata| metadata.partition_keys).unwrap_or_default();
            let keys = keys.into_iter().filter_map(|(name, value)| Some((name, key_text(&value)?)));
            Ok(Verdict::Ok(data.into(), keys.collect()))
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
