//! Messages as functions get them, AWS's members and forms, as recorded; and as patterns see them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    ports::{AttributeValue, Message, MessageAttribute},
    record::Mapping,
};

/// Adds a message to an event's records.
pub(crate) fn add_message(out: &mut String, mapping: &Mapping, message: &Message) {
    let text = |text: &str| Value::from(text).to_string();
    let mut member = |name: &str, value: &str| {
        out.push_str(if name == "messageId" { "{\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        out.push_str(value);
    };
    member("messageId", &text(&message.id));
    member("receiptHandle", &text(&message.receipt));
    member("body", &text(&message.body));
    member("attributes", &system(message).to_string());
    member("messageAttributes", &attributes(message).to_string());
    match &message.attributes_md5 {
        Some(hash) => member("md5OfMessageAttributes", &text(hash)),
        // Only mappings with a batching window say that there is none (recorded on AWS).
        None if mapping.settings.window_s > 0 => member("md5OfMessageAttributes", "null"),
        None => {}
    }
    member("md5OfBody", &text(&message.body_md5));
    member("eventSource", "\"aws:sqs\"");
    member("eventSourceARN", &text(&mapping.source.to_string()));
    member("awsRegion", &text(&mapping.source.region));
    out.push('}');
}

/// A message as patterns see it: with its body as JSON where it is JSON and as a text otherwise.
pub(crate) fn filtered_message(message: &Message) -> Value {
    let body = serde_json::from_str(&message.body);
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": body.unwrap_or_else(|_| Value::from(&*message.body)),
        "attributes": system(message),
        "messageAttributes": attributes(message),
        "md5OfBody": message.body_md5,
    })
}

fn system(message: &Message) -> Value {
    let members = message.system.iter();
    let members = members.map(|(name, value)| (name.clone(), Value::from(&**value)));
    Value::Object(members.collect())
}

fn attributes(message: &Message) -> Value {
    let members = message.attributes.iter();
    let members = members.map(|(name, attribute)| (name.clone(), written(attribute)));
    Value::Object(members.collect())
}

fn written(attribute: &MessageAttribute) -> Value {
    let (name, value) = match &attribute.value {
        AttributeValue::Text(text) => ("stringValue", text.clone()),
        AttributeValue::Binary(bytes) => ("binaryValue", STANDARD.encode(bytes)),
    };
    let mut members = Map::new();
    members.insert(name.to_owned(), value.into());
    members.insert("stringListValues".to_owned(), json!([]));
    members.insert("binaryListValues".to_owned(), json!([]));
    members.insert("dataType".to_owned(), attribute.kind.clone().into());
    Value::Object(members)
}
