//! From a message to a tree of values: each member from the place that its table names.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_shapes::{Location, Member, Shape, Structure};
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::{
    rest::{Format, Message, body_members, parse_scalar, payload},
    validate::Raw,
    xml::{self, XmlError},
};

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A header, parameter or label is not of its type.
    #[error("{name} is {text:?} and not {expected}")]
    Scalar {
        /// Its name on the wire.
        name: &'static str,
        /// Its text.
        text: String,
        /// The kind of text that it should be.
        expected: &'static str,
    },
    /// The body is no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The body is no JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The body is no XML, or not of its types.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

/// The members of `structure` in `message`. Streamed payloads are not among them.
pub fn read(structure: &Structure, message: &Message, format: Format) -> Result<Value, Unreadable> {
    let mut members = match payload(structure) {
        Some(member) => {
            Map::from_iter(read_payload(member, message, format)?.map(|v| key(member, v)))
        }
        None => read_body(structure, message, format)?,
    };
    for member in structure.members {
        if let Some(value) = read_located(structure, member, message)? {
            members.insert(member.wire_name.to_owned(), value);
        }
    }
    Ok(Value::Object(members))
}

fn key(member: &Member, value: Value) -> (String, Value) {
    (member.wire_name.to_owned(), value)
}

/// A member outside the body; none where it is not there.
fn read_located(
    structure: &Structure,
    member: &Member,
    message: &Message,
) -> Result<Option<Value>, Unreadable> {
    let name = member.wire_name;
    match member.location {
        Location::Body => Ok(None),
        Location::Status => Ok(Some(message.status.into())),
        Location::Uri => {
            let label = message
                .labels
                .iter()
                .find(|(label, _)| *label == name || *label == member.name);
            label
                .map(|(_, text)| scalar(member, member.shape, text))
                .transpose()
        }
        Location::Query => read_query(structure, member, &message.query),
        Location::Header => read_header(member, &message.headers),
        Location::Headers => Ok(read_prefixed(name, &message.headers)),
    }
}

fn read_query(
    structure: &Structure,
    member: &Member,
    query: &[(String, String)],
) -> Result<Option<Value>, Unreadable> {
    let mut values = query
        .iter()
        .filter(|(name, _)| name == member.wire_name)
        .map(|(_, value)| value);
    match member.shape {
        Shape::Map { .. } => {
            let taken = |name: &str| structure.members.iter().any(|m| m.wire_name == name);
            let left = query.iter().filter(|(name, _)| !taken(name));
            Ok(Some(
                left.map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                    .collect(),
            ))
        }
        Shape::List { member: shape, .. } => {
            let list: Vec<Value> = values
                .map(|text| scalar(member, shape, text))
                .collect::<Result<_, _>>()?;
            Ok((!list.is_empty()).then_some(Value::Array(list)))
        }
        _ => match values.next() {
            Some(text) if absent(member.shape, text) => Ok(None),
            Some(text) => scalar(member, member.shape, text).map(Some),
            None => Ok(None),
        },
    }
}

fn read_header(member: &Member, headers: &HeaderMap) -> Result<Option<Value>, Unreadable> {
    let values = headers.get_all(member.wire_name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    match (member.shape, values.first()) {
        (_, None) => Ok(None),
        (Shape::List { member: shape, .. }, _) => {
            let parts = values
                .iter()
                .flat_map(|value| value.split(','))
                .map(str::trim);
            let list = parts
                .filter(|part| !part.is_empty())
                .map(|part| scalar(member, shape, part));
            list.collect::<Result<Vec<_>, _>>()
                .map(|list| Some(Value::Array(list)))
        }
        (shape, Some(text)) if absent(shape, text) => Ok(None),
        (shape, Some(text)) => scalar(member, shape, text).map(Some),
    }
}

/// An empty text is a value for strings alone.
fn absent(shape: &Shape, text: &str) -> bool {
    text.trim().is_empty() && !matches!(shape, Shape::String { .. })
}

/// All headers that start with `prefix`, by the rest of their names.
fn read_prefixed(prefix: &str, headers: &HeaderMap) -> Option<Value> {
    let prefix = prefix.to_ascii_lowercase();
    let mut found = Map::new();
    for name in headers.keys() {
        if let Some(rest) = name.as_str().strip_prefix(&prefix) {
            let values = headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()));
            let text = values.collect::<Vec<_>>().join(",");
            found.insert(rest.to_owned(), text.into());
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

fn scalar(member: &Member, shape: &Shape, text: &str) -> Result<Value, Unreadable> {
    parse_scalar(text, shape).map_err(|expected| Unreadable::Scalar {
        name: member.wire_name,
        text: text.to_owned(),
        expected,
    })
}

/// The member that is the whole body; none for an empty body or one that is streamed.
fn read_payload(
    member: &Member,
    message: &Message,
    format: Format,
) -> Result<Option<Value>, Unreadable> {
    let body = &message.body;
    match member.shape {
        _ if body.is_empty() => Ok(None),
        Shape::Blob { .. } => Ok(Some(STANDARD.encode(body).into())),
        Shape::String { .. } => Ok(Some(String::from_utf8_lossy(body).into())),
        shape => match format {
            Format::Json => json(body).map(Some),
            Format::Xml(_) => Ok(Some(xml::read(
                &xml::parse(body)?,
                Some(member.wire_name),
                shape,
            )?)),
        },
    }
}

/// The members that stand in the body beside each other.
fn read_body(
    structure: &Structure,
    message: &Message,
    format: Format,
) -> Result<Map<String, Value>, Unreadable> {
    if message.body.is_empty() || body_members(structure).next().is_none() {
        return Ok(Map::new());
    }
    match format {
        Format::Json => {
            let Value::Object(mut object) = json(&message.body)? else {
                return Err(Unreadable::NotAnObject);
            };
            // A body has no say in what the path and the headers are for.
            object.retain(|key, _| body_members(structure).any(|member| member.wire_name == key));
            Ok(object)
        }
        Format::Xml(_) => Ok(xml::read_root(&xml::parse(&message.body)?, structure)?),
    }
}

/// A body as a tree, with a bound on how many values are in it: a tree is many times the size of its text.
fn json(body: &[u8]) -> Result<Value, Unreadable> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let raw = Raw::read(&mut from)?;
    from.end()?;
    Ok(value(raw))
}

fn value(raw: Raw) -> Value {
    match raw {
        Raw::Bool(value) => value.into(),
        Raw::Integer(value) => value.into(),
        Raw::Real(value) | Raw::Millis(value) => value.into(),
        Raw::Text(text) => text.into(),
        Raw::List(values) => values.into_iter().map(value).collect(),
        Raw::Map(entries) => {
            Value::Object(entries.into_iter().map(|(k, v)| (k, value(v))).collect())
        }
        // JSON has no bytes.
        Raw::Null | Raw::Bytes(_) => Value::Null,
    }
}
