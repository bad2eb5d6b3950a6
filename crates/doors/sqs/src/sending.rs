//! Messages as senders write them.

use std::{collections::BTreeMap, time::Duration};

use headwater_messages::{Attribute, Attributes, NewMessage, Value, md5_of_attributes};
use headwater_shapes::Blob;
use headwater_shapes_sqs::{MessageAttributeValue, MessageSystemAttributeValue};
use headwater_wire::{ApiError, Context};

use crate::errors::{invalid_parameter, invalid_value};

/// The one system attribute that a sender can set.
pub(crate) const TRACE: &str = "AWSTraceHeader";

/// The parts of a message that a request has.
pub(crate) struct Parts {
    pub body: String,
    pub delay: Option<i32>,
    pub attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub system: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    pub dedup: Option<String>,
    pub group: Option<String>,
}

/// A message to send, with the MD5 of its system attributes.
pub(crate) struct Prepared {
    pub message: NewMessage,
    pub md5_of_system: Option<String>,
}

impl Parts {
    /// The message.
    pub fn prepare(self, context: &Context) -> Result<Prepared, ApiError> {
        let delay = self.delay.map(|delay| {
            let seconds = u64::try_from(delay).ok().filter(|seconds| *seconds <= 900);
            seconds.map(Duration::from_secs).ok_or_else(|| {
                invalid_value(
                    "DelaySeconds",
                    delay,
                    "DelaySeconds must be >= 0 and <= 900.",
                )
            })
        });
        let attributes = self.attributes.unwrap_or_default().into_iter();
        let attributes: Result<Attributes, ApiError> = attributes
            .map(|(name, attribute)| Ok((name.clone(), user_attribute(&name, attribute)?)))
            .collect();
        let system = self.system.unwrap_or_default().into_iter();
        let system: Result<Attributes, ApiError> = system
            .map(|(name, attribute)| Ok((name.clone(), system_attribute(&name, attribute)?)))
            .collect();
        let (attributes, system) = (attributes?, system?);
        let trace = system.get(TRACE).and_then(|trace| match &trace.value {
            Value::Text(text) => Some(text.clone()),
            Value::Binary(_) => None,
        });
        Ok(Prepared {
            md5_of_system: md5_of_attributes(&system),
            message: NewMessage {
                body: self.body,
                attributes,
                trace: trace.or_else(|| traced(context)),
                delay: delay.transpose()?,
                group: self.group,
                dedup: self.dedup,
                sender: sender(context),
            },
        })
    }
}

/// The trace that the request is a part of. (Source: X-Ray developer guide, "Amazon SQS and AWS X-Ray".)
fn traced(context: &Context) -> Option<String> {
    let trace = context.origin.trace.as_ref()?.to_str().ok()?;
    is_trace(trace).then(|| trace.to_owned())
}

/// Whether a text may be a trace's header. It does not count to a message's size, so it has a bound of its own.
fn is_trace(text: &str) -> bool {
    const BYTES_MAX: usize = 1024;
    (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The id of the caller: there are no ids of users here, so a user's is their name; that of an account is its number.
fn sender(context: &Context) -> String {
    let caller = &context.caller;
    caller.user().unwrap_or(&caller.account.0).to_owned()
}

fn user_attribute(name: &str, value: MessageAttributeValue) -> Result<Attribute, ApiError> {
    let MessageAttributeValue {
        string_value,
        binary_value,
        string_list_values,
        binary_list_values,
        data_type,
    } = value;
    lists(name, string_list_values, binary_list_values)?;
    Ok(attribute(string_value, binary_value, data_type))
}

fn system_attribute(name: &str, value: MessageSystemAttributeValue) -> Result<Attribute, ApiError> {
    let MessageSystemAttributeValue {
        string_value,
        binary_value,
        string_list_values,
        binary_list_values,
        data_type,
    } = value;
    lists(name, string_list_values, binary_list_values)?;
    if name != TRACE {
        return Err(invalid_parameter(format!(
            "Message system attribute name '{name}' is invalid."
        )));
    }
    if data_type != "String" {
        return Err(invalid_parameter(format!(
            "Message (system) attribute '{name}' must be of type 'String'."
        )));
    }
    if string_value.as_deref().unwrap_or_default().is_empty() {
        return Err(invalid_parameter(format!(
            "Message (system) attribute '{name}' must contain a non-empty value of type 'String'."
        )));
    }
    if !string_value.as_deref().is_some_and(is_trace) {
        return Err(invalid_parameter(format!(
            "Message (system) attribute '{name}' has an invalid value."
        )));
    }
    Ok(attribute(string_value, binary_value, data_type))
}

/// AWS has no lists as values so far.
fn lists(
    name: &str,
    strings: Option<Vec<String>>,
    binaries: Option<Vec<Blob>>,
) -> Result<(), ApiError> {
    let has_strings = strings.is_some_and(|strings| !strings.is_empty());
    if has_strings || binaries.is_some_and(|binaries| !binaries.is_empty()) {
        return Err(invalid_parameter(format!(
            "Message attribute list values in SendMessage operation are not supported: '{name}'."
        )));
    }
    Ok(())
}

fn attribute(string: Option<String>, binary: Option<Blob>, data_type: String) -> Attribute {
    let is_binary = data_type.split('.').next() == Some("Binary");
    let value = match is_binary {
        true => Value::Binary(binary.map(|blob| blob.0).unwrap_or_default()),
        false => Value::Text(string.unwrap_or_default()),
    };
    Attribute { data_type, value }
}
