//! From a tree of values to a message: each member to the place that its table names.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_shapes::{Location, Member, Shape, Structure};
use http::{HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use crate::{
    rest::{Format, Message, Times, body_members, payload, render_scalar},
    xml,
};

/// A member that HTTP cannot carry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot be sent as a header: {text:?}")]
pub struct Unwritable {
    name: String,
    text: String,
}

/// `tree` as a message; streamed payloads are not in it. `status` is the message's unless a member says another.
pub fn write(
    structure: &Structure,
    tree: Value,
    format: Format,
    status: u16,
) -> Result<Message, Unwritable> {
    let mut message = Message {
        status,
        ..Message::default()
    };
    let Value::Object(mut tree) = tree else {
        return Ok(message);
    };
    for member in structure
        .members
        .iter()
        .filter(|member| member.location != Location::Body)
    {
        if let Some(value) = tree.remove(member.wire_name) {
            write_located(&mut message, member, &value)?;
        }
    }
    let body = match payload(structure) {
        Some(member) => tree
            .remove(member.wire_name)
            .and_then(|value| write_payload(member, value, format)),
        None => write_body(structure, tree, format),
    };
    if let Some((body, content_type)) = body {
        let content_type = HeaderValue::from_static(content_type);
        message
            .headers
            .entry(header::CONTENT_TYPE)
            .or_insert(content_type);
        message.body = body;
    }
    Ok(message)
}

fn write_located(message: &mut Message, member: &Member, value: &Value) -> Result<(), Unwritable> {
    let name = member.wire_name;
    match member.location {
        Location::Body => {}
        Location::Status => {
            let status = value.as_u64().and_then(|status| status.try_into().ok());
            message.status = status.unwrap_or(message.status);
        }
        Location::Uri => message
            .labels
            .push((name, render_scalar(value, member.shape, Times::Iso8601))),
        Location::Query => write_query(message, member, value),
        Location::Header => {
            let text = match (value, member.shape) {
                (Value::Array(list), Shape::List { member: shape, .. }) => {
                    let parts = list
                        .iter()
                        .map(|value| render_scalar(value, shape, Times::Rfc822));
                    parts.collect::<Vec<_>>().join(",")
                }
                (value, shape) => render_scalar(value, shape, Times::Rfc822),
            };
            write_header(message, name, &text)?;
        }
        Location::Headers => {
            for (rest, value) in value.as_object().into_iter().flatten() {
                write_header(
                    message,
                    &format!("{name}{rest}"),
                    value.as_str().unwrap_or_default(),
                )?;
            }
        }
    }
    Ok(())
}

fn write_query(message: &mut Message, member: &Member, value: &Value) {
    let name = member.wire_name;
    let mut push = |name: &str, value: &Value, shape: &Shape| {
        message
            .query
            .push((name.to_owned(), render_scalar(value, shape, Times::Iso8601)));
    };
    match (value, member.shape) {
        (Value::Array(list), Shape::List { member: shape, .. }) => {
            list.iter().for_each(|value| push(name, value, shape));
        }
        (Value::Object(map), Shape::Map { value: shape, .. }) => {
            map.iter()
                .for_each(|(name, value)| push(name, value, shape));
        }
        (value, shape) => push(name, value, shape),
    }
}

fn write_header(message: &mut Message, name: &str, text: &str) -> Result<(), Unwritable> {
    let unwritable = || Unwritable {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unwritable())?;
    let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unwritable())?;
    message.headers.insert(name, value);
    Ok(())
}

/// A body and its content type.
type TypedBody = (Bytes, &'static str);

fn write_payload(member: &Member, value: Value, format: Format) -> Option<TypedBody> {
    match (member.shape, value) {
        (Shape::Blob { .. }, Value::String(base64)) => Some((
            STANDARD.decode(base64).unwrap_or_default().into(),
            "application/octet-stream",
        )),
        (Shape::String { .. }, Value::String(text)) => Some((text.into(), "text/plain")),
        (shape, value) => {
            let body = match format {
                Format::Json => value.to_string(),
                Format::Xml(namespace) => xml::write(&value, member.wire_name, shape, namespace),
            };
            Some((body.into(), format.content_type()))
        }
    }
}

/// The body, out of the members that are left in the tree; a message without body members has none.
fn write_body(
    structure: &Structure,
    tree: Map<String, Value>,
    format: Format,
) -> Option<TypedBody> {
    body_members(structure).next()?;
    let body = match format {
        Format::Json => Value::Object(tree).to_string(),
        Format::Xml(namespace) => xml::write_root(&tree, structure, namespace),
    };
    Some((body.into(), format.content_type()))
}
