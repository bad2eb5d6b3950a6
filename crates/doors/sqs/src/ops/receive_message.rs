//! ReceiveMessage.

use std::{collections::BTreeMap, time::Duration};

use headwater_messages::{
    Attribute, Attributes, Receive, Received, Value, limits, md5_of_attributes, md5_of_text,
};
use headwater_shapes::Blob;
use headwater_shapes_sqs::{
    Message, MessageAttributeValue, ReceiveMessageRequest, ReceiveMessageResult,
    ops::ReceiveMessage,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sqs,
    errors::{check_name, invalid_parameter, invalid_value, unknown_attribute},
    place::arn,
    settling::visibility_of,
};

/// The system attributes that there are, and the word for all of them.
const SYSTEM: &[&str] = &[
    "AWSTraceHeader",
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// The names of attributes that a receiver may want. AWS tells no bound; a receiver that waits holds them.
const NAMES_MAX: usize = 1000;
const NAMES_BYTES_MAX: usize = 16 << 10;

/// The attributes that receivers want.
struct Wanted {
    system: Vec<String>,
    user: Vec<String>,
}

impl Wanted {
    fn new(mut system: Vec<String>, user: Vec<String>) -> Result<Self, ApiError> {
        system.sort_unstable();
        system.dedup();
        system.shrink_to_fit();
        let length: usize = user.iter().map(String::len).sum();
        if user.len() > NAMES_MAX || length > NAMES_BYTES_MAX {
            return Err(invalid_parameter(format!(
                "MessageAttributeNames must be at most {NAMES_MAX} names of {NAMES_BYTES_MAX} bytes together."
            )));
        }
        Ok(Self { system, user })
    }
}

impl Handle<ReceiveMessage> for Sqs {
    async fn handle(
        &self,
        input: ReceiveMessageRequest,
        context: &Context,
    ) -> Result<ReceiveMessageResult, ApiError> {
        let ReceiveMessageRequest {
            queue_url,
            attribute_names,
            message_system_attribute_names,
            message_attribute_names,
            max_number_of_messages,
            visibility_timeout,
            wait_time_seconds,
            receive_request_attempt_id,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        if let Some(attempt) = &receive_request_attempt_id {
            check_name("ReceiveRequestAttemptId", attempt)?;
        }
        let receive = Receive {
            limit: limit_of(max_number_of_messages.unwrap_or(1))?,
            wait: wait_time_seconds.map(wait_of).transpose()?,
            visibility: visibility_timeout.map(visibility_of).transpose()?,
            attempt: receive_request_attempt_id.filter(|_| queue.settings.fifo.is_some()),
        };
        let mut system = attribute_names.unwrap_or_default();
        system.extend(message_system_attribute_names.unwrap_or_default());
        if let Some(unknown) = system.iter().find(|name| !SYSTEM.contains(&name.as_str())) {
            return Err(unknown_attribute(unknown));
        }
        let wanted = Wanted::new(system, message_attribute_names.unwrap_or_default())?;
        // The call may wait now, which takes no memory that its caller chose the size of.
        drop(queue_url);
        let taken = self.queues.take(&queue.name, receive).await;
        let taken = taken.map_err(Self::failed(&queue, context))?;
        if taken.is_empty() {
            return Ok(ReceiveMessageResult { messages: None });
        }
        context.room_for_answer().await;
        let received = self.queues.contents(&queue.name, &taken).await;
        let received = received.map_err(Self::failed(&queue, context))?.into_iter();
        let messages: Vec<_> = received
            .map(|message| shown(message, &wanted, context))
            .collect();
        Ok(ReceiveMessageResult {
            messages: (!messages.is_empty()).then_some(messages),
        })
    }
}

fn limit_of(limit: i32) -> Result<usize, ApiError> {
    let found = usize::try_from(limit).ok();
    let found = found.filter(|found| (1..=limits::RECEIVE_MESSAGES).contains(found));
    found.ok_or_else(|| {
        let why = "Must be between 1 and 10, if provided.";
        invalid_value("MaxNumberOfMessages", limit, why)
    })
}

fn wait_of(wait: i32) -> Result<Duration, ApiError> {
    let found = u64::try_from(wait).ok().map(Duration::from_secs);
    let found = found.filter(|found| *found <= limits::WAIT_MAX);
    found.ok_or_else(|| {
        let why = "Must be >= 0 and <= 20, if provided.";
        invalid_value("WaitTimeSeconds", wait, why)
    })
}

/// A message as AWS's clients get it.
fn shown(message: Received, wanted: &Wanted, context: &Context) -> Message {
    let system = system_attributes(&message, context);
    let system: BTreeMap<String, String> = system
        .into_iter()
        .filter(|(name, _)| {
            wanted
                .system
                .iter()
                .any(|wanted| wanted == "All" || wanted == name)
        })
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let user: Attributes = message
        .attributes
        .into_iter()
        .filter(|(name, _)| wanted.user.iter().any(|wanted| is_meant(wanted, name)))
        .collect();
    Message {
        message_id: Some(message.id),
        receipt_handle: Some(message.receipt.to_text()),
        md5_of_body: Some(md5_of_text(&message.body)),
        body: Some(message.body),
        attributes: (!system.is_empty()).then_some(system),
        md5_of_message_attributes: md5_of_attributes(&user),
        message_attributes: (!user.is_empty()).then(|| {
            user.into_iter()
                .map(|(name, value)| (name, value_of(value)))
                .collect()
        }),
    }
}

/// Whether a pattern names an attribute: itself, all, or all that begin alike.
fn is_meant(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => matches!(wanted, "All" | "*") || wanted == name,
    }
}

fn value_of(attribute: Attribute) -> MessageAttributeValue {
    let (string_value, binary_value) = match attribute.value {
        Value::Text(text) => (Some(text), None),
        Value::Binary(bytes) => (None, Some(Blob(bytes))),
    };
    MessageAttributeValue {
        string_value,
        binary_value,
        string_list_values: None,
        binary_list_values: None,
        data_type: attribute.data_type,
    }
}

fn system_attributes(message: &Received, context: &Context) -> Vec<(&'static str, String)> {
    let mut attributes = vec![
        ("SenderId", message.sender.clone()),
        ("SentTimestamp", message.sent.0.to_string()),
        ("ApproximateReceiveCount", message.receives.to_string()),
        (
            "ApproximateFirstReceiveTimestamp",
            message.first_received.0.to_string(),
        ),
    ];
    let source = message.source.as_ref().map(|source| arn(source, context));
    let further = [
        ("SequenceNumber", &message.sequence),
        ("MessageDeduplicationId", &message.dedup),
        ("MessageGroupId", &message.group),
        ("AWSTraceHeader", &message.trace),
        ("DeadLetterQueueSourceArn", &source),
    ];
    for (name, value) in further {
        if let Some(value) = value {
            attributes.push((name, value.clone()));
        }
    }
    attributes
}
