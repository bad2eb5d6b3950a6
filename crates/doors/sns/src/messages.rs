//! Messages as they are published, checked in AWS's order and words.

use std::collections::BTreeMap;

use headwater_shapes_sns::MessageAttributeValue;
use headwater_topics::{Attribute, Message, Topic, Value, limits::MESSAGE_BYTES_MAX};
use headwater_wire::{ApiError, Context};
use serde_json::{Map, Value as Json};

use crate::errors::{invalid, invalid_attribute};

const SUBJECT_MAX: usize = 100;
const TRACE_MAX: usize = 1024;
const GROUP_MAX: usize = 128;
const ATTRIBUTE_NAME_MAX: usize = 256;

/// A message as it came.
pub(crate) struct Given {
    pub message: String,
    pub subject: Option<String>,
    pub structure: Option<String>,
    pub attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub deduplication_id: Option<String>,
    pub group_id: Option<String>,
}

/// A message that may be published to `topic`, and the bytes that AWS counts of it.
pub(crate) fn message(given: Given, topic: &Topic) -> Result<(Message, usize), ApiError> {
    let Given {
        message,
        subject,
        structure,
        attributes,
        deduplication_id,
        group_id,
    } = given;
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if subject
        .as_deref()
        .is_some_and(|subject| !is_subject(subject))
    {
        return Err(invalid("Subject"));
    }
    if deduplication_id.is_some() {
        return Err(invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for \
             this topic type",
        ));
    }
    if group_id.as_deref().is_some_and(|group| !is_group(group)) {
        return Err(invalid("MessageGroupId"));
    }
    let attributes = attributes.unwrap_or_default().into_iter();
    let attributes = attributes.map(|(name, value)| attribute(name, value));
    let attributes = attributes.collect::<Result<BTreeMap<_, _>, _>>()?;
    let whole = message.len();
    let (body, bodies) = match structure.as_deref() {
        None | Some("") => (message, BTreeMap::new()),
        Some("json") => by_protocol(&message)?,
        Some(_) => return Err(invalid("MessageStructure")),
    };
    let message = Message {
        id: String::new(),
        subject,
        body,
        bodies,
        attributes,
        group: group_id,
        trace: None,
    };
    let bytes = whole + message.attribute_bytes();
    let most = topic.settings.message_bytes_max;
    let most = most.map_or(MESSAGE_BYTES_MAX, |bytes| bytes as usize);
    match bytes > most {
        true => Err(invalid("Message too long")),
        false => Ok((message, bytes)),
    }
}

/// The publisher's trace, which subscribers may go on with.
pub(crate) fn trace(context: &Context) -> Option<String> {
    let trace = context.origin.trace.as_ref()?.to_str().ok()?;
    Some(trace.to_owned()).filter(|trace| !trace.is_empty() && trace.len() <= TRACE_MAX)
}

/// Texts without line breaks and control characters (API reference, Publish).
fn is_subject(subject: &str) -> bool {
    let length = subject.chars().count();
    (1..=SUBJECT_MAX).contains(&length) && !subject.chars().any(char::is_control)
}

fn is_group(group: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_graphic();
    (1..=GROUP_MAX).contains(&group.len()) && group.bytes().all(is_allowed)
}

/// The message for all protocols, and those for single ones. What is no text is passed over.
fn by_protocol(message: &str) -> Result<(String, BTreeMap<String, String>), ApiError> {
    let no = |why: &str| invalid(format!("Message Structure - {why}"));
    let members: Map<String, Json> =
        serde_json::from_str(message).map_err(|_| no("JSON message body failed to parse"))?;
    let mut texts: BTreeMap<String, String> = members
        .into_iter()
        .filter_map(|(name, value)| match value {
            Json::String(text) => Some((name, text)),
            _ => None,
        })
        .collect();
    let default = texts.remove("default");
    let default = default.ok_or_else(|| no("No default entry in JSON message body"))?;
    let protocols = ["sqs", "lambda", "firehose", "http", "https"];
    texts.retain(|name, _| protocols.contains(&&**name));
    Ok((default, texts))
}

fn attribute(name: String, value: MessageAttributeValue) -> Result<(String, Attribute), ApiError> {
    let MessageAttributeValue {
        data_type,
        string_value,
        binary_value,
    } = value;
    check_name(&name)?;
    let kind = data_type.split('.').next().unwrap_or_default();
    let is_type = ["Binary", "Number", "String"].contains(&kind) && !data_type.ends_with('.');
    if !is_type {
        return Err(invalid_attribute(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is \
             Binary, Number, and String."
        )));
    }
    let binary = binary_value.filter(|bytes| !bytes.0.is_empty());
    let text = string_value.filter(|text| !text.is_empty());
    let value = match (kind, text, binary) {
        (_, None, None) => {
            return Err(invalid_attribute(format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute \
                 type '{data_type}'."
            )));
        }
        ("Binary", _, Some(bytes)) => Value::of_bytes(&bytes.0),
        ("Binary", Some(_), None) => return Err(other_field(&name, &data_type, "Binary")),
        (_, Some(text), _) => Value::Text(text),
        (_, None, Some(_)) => return Err(other_field(&name, &data_type, "String")),
    };
    if let ("Number", Value::Text(text)) = (kind, &value)
        && text
            .trim()
            .parse::<f64>()
            .map_or(true, |number| !number.is_finite())
    {
        return Err(invalid_attribute(format!(
            "Could not cast message attribute '{name}' value to number."
        )));
    }
    Ok((name, Attribute { data_type, value }))
}

fn other_field(name: &str, data_type: &str, field: &str) -> ApiError {
    invalid_attribute(format!(
        "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
    ))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let no = |why: &str| Err(invalid_attribute(why));
    if name.len() > ATTRIBUTE_NAME_MAX {
        return no("Length of message attribute name must be less than 256 bytes.");
    }
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    if let Some(other) = name.chars().find(|c| !is_allowed(c)) {
        let code = u32::from(other);
        return no(&format!(
            "Invalid non-alphanumeric character '#x{code:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots."
        ));
    }
    if name.starts_with('.') {
        return no("Invalid message attribute name starting with character '.' was found.");
    }
    if name.ends_with('.') {
        return no("Invalid message attribute name ending with character '.' was found.");
    }
    if name.contains("..") {
        return no("Message attribute name can not have successive '.' character.");
    }
    Ok(())
}
