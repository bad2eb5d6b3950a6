//! Sending a group of records through a function, and judging what comes back.
//!
//! Requests, answers and failures have the form of AWS's data transformation contract; codes and texts of failures
//! are those that AWS writes (documented, and recorded on AWS by other projects).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use headwater_types::{Arn, Millis};
use serde_json::json;

use super::contract::{Frame, Request, Verdict, record_bytes, verdicts};
use crate::{
    config::Function,
    limits::{INVOKE_BYTES_MAX, INVOKE_RECORD_FRAME_BYTES, INVOKE_WAIT_MIN, RETRY_WAIT_MAX},
    ports::{Invoke, InvokeError},
    records::{ErrorKind, Failure, Item, Outcome, Rejected},
};

/// The member of an error line that names the function, as AWS spells it.
pub const FUNCTION_MEMBER: &str = "lambdaARN";

/// The caller of one function.
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
        Ok(self
            .env
            .blocking(move || judge(&group, answer, attempts, ended, &function))
            .await)
    }

    /// Asks once: what was asked, and the answer.
    async fn attempt(&self, group: Arc<[Item]>) -> Result<(Request, Bytes), InvokeError> {
        let frame = Frame {
            invocation_id: self.env.random.uuid(),
            source_kinesis_stream_arn: self.source.map(Arn::to_string),
            delivery_stream_arn: self.stream.to_string(),
            region: self.stream.region.to_string(),
        };
        let request = self.env.blocking(move || Request::of(&frame, &group)).await;
        if request.body.len() > INVOKE_BYTES_MAX {
            return Err(InvokeError::TooLarge);
        }
        let answer = self
            .invoke
            .invoke(&self.function.arn, request.body.clone())
            .await?;
        Ok((request, answer))
    }
}

/// The items of each call: data up to `bytes`, in a request that a function takes.
fn calls(items: Vec<Item>, bytes: usize) -> Vec<Vec<Item>> {
    let mut calls: Vec<Vec<Item>> = Vec::new();
    let (mut data, mut request) = (0, 0);
    for item in items {
        let (more_data, more_request) = (item.data.len(), record_bytes(&item));
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

fn wait_before(attempt: u32) -> Duration {
    INVOKE_WAIT_MIN
        .saturating_mul(1 << (attempt - 1).min(16))
        .min(RETRY_WAIT_MAX)
}

/// The failure of records whose function did not answer.
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
        InvokeError::NotFound(name) => Failure::new(
            "Lambda.ResourceNotFound",
            format!("Function not found: {name}"),
        ),
        InvokeError::Throttled | InvokeError::Failed(_) => {
            Failure::new("Lambda.InternalServerError", error.to_string())
        }
    }
}

/// Sorts a group's items by what the function said of each.
fn judge(
    group: &[Item],
    answer: Result<(Request, Bytes), Failure>,
    attempts: u32,
    ended: Millis,
    function: &str,
) -> Outcome {
    let verdicts = match answer.and_then(|(request, answer)| verdicts(&request, &answer)) {
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
                let (kind, more) = (
                    ErrorKind::Processing,
                    vec![(FUNCTION_MEMBER, json!(function))],
                );
                out.rejected.push(Rejected {
                    origin,
                    kind,
                    failure,
                    attempts,
                    ended,
                    more,
                });
            }
        }
    }
    out
}
