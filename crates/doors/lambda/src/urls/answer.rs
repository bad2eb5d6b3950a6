//! A function's answer as that of a request: an object with `statusCode` says all of it, anything else is the body.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_http::{Body, body};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body of an answer that says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given<'a> {
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    is_base64_encoded: Option<bool>,
}

/// Status, headers and cookies, which also go before a body that streams.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prelude {
    status_code: Option<Value>,
    headers: Option<BTreeMap<String, Value>>,
    cookies: Option<Vec<String>>,
}

/// Whether an object says its status; nothing else of it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    status_code: Option<serde::de::IgnoredAny>,
}

/// The answer that a payload makes; none where it is no answer.
pub(super) fn of(payload: &Bytes) -> Option<Response<Body>> {
    let text = std::str::from_utf8(payload).ok()?;
    let is_object = text.trim_start().starts_with('{');
    let probe = || serde_json::from_str::<Probe>(text).ok();
    if !is_object || probe()?.status_code.is_none() {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        return Some(with_type(plain(raw)?.into_owned().into()));
    }
    let given: Given<'_> = serde_json::from_str(text).ok()?;
    let prelude: Prelude = serde_json::from_str(text).ok()?;
    let body = match given.body {
        None => Bytes::new(),
        Some(raw) => {
            let text = plain(raw)?;
            match given.is_base64_encoded == Some(true) {
                true => STANDARD.decode(text.as_bytes()).ok()?.into(),
                false => text.into_owned().into(),
            }
        }
    };
    let mut response = Response::new(body::full(body));
    prelude.apply(&mut response)?;
    response
        .headers_mut()
        .entry(header::CONTENT_TYPE)
        .or_insert(JSON);
    Some(response)
}

/// The answer of a function that does not stream to a caller who takes streams: its payload as it is.
pub(super) fn raw(payload: Bytes) -> Response<Body> {
    with_type(payload)
}

fn with_type(bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(body::full(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A text by itself, and what is none as JSON without spaces, as AWS writes it. None for what is nothing.
fn plain(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get() {
        "null" => Some(Cow::Borrowed("")),
        text if text.starts_with('"') => serde_json::from_str::<String>(text).ok().map(Cow::Owned),
        text => Some(Cow::Owned(compact(text))),
    }
}

/// JSON without the spaces between its parts: order and numbers stay as they were written.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let stays = |character: &char| {
        if in_text {
            let ends = *character == '"' && !escaped;
            escaped = *character == '\\' && !escaped;
            in_text = !ends;
            return true;
        }
        in_text = *character == '"';
        !character.is_ascii_whitespace()
    };
    json.chars().filter(stays).collect()
}

impl Prelude {
    /// Gives an answer its status and headers; none where they are no such.
    pub fn apply(self, response: &mut Response<Body>) -> Option<()> {
        if let Some(status) = &self.status_code {
            *response.status_mut() = status_of(status)?;
        }
        let headers = response.headers_mut();
        for (name, value) in self.headers.into_iter().flatten() {
            add(headers, &name, &value)?;
        }
        for cookie in self.cookies.into_iter().flatten() {
            headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
        }
        Some(())
    }
}

/// A number, or a text that is one.
fn status_of(given: &Value) -> Option<StatusCode> {
    let number = match given {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_u64()?,
    };
    let status = u16::try_from(number)
        .ok()
        .and_then(|number| StatusCode::from_u16(number).ok())?;
    // The statuses below are between one machine and the next.
    (status.as_u16() >= 200).then_some(status)
}

/// Adds a header; those that frame the body are the connection's.
fn add(headers: &mut HeaderMap, name: &str, value: &Value) -> Option<()> {
    let name: HeaderName = name.parse().ok()?;
    let framing = [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
    ];
    if framing.contains(&name) {
        return Some(());
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return Some(()),
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| {
                part.as_str()
                    .map_or_else(|| part.to_string(), str::to_owned)
            });
            parts.collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    headers.insert(name, HeaderValue::from_bytes(text.as_bytes()).ok()?);
    Some(())
}
