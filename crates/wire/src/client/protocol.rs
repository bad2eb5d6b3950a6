//! An operation's input as a request, and an answer as its output or error, protocol by protocol.

use bytes::Bytes;
use headwater_shapes::{ByteStream, Operation, OperationShape, Protocol, Service};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use crate::client::CallError;

/// One call, written down so that it can be sent more than once.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path from the service's root, escaped, with its query.
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: CallBody,
    name: &'static str,
}

/// The body of a call between attempts.
pub(crate) enum CallBody {
    /// Bytes, for as many attempts as it takes.
    Bytes(Bytes),
    /// A stream, for one.
    Stream(ByteStream),
    /// A stream that is gone.
    Spent,
}

/// The body of one attempt.
pub(crate) enum Body {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl CallBody {
    /// What the next attempt sends.
    pub(crate) fn take(&mut self) -> Body {
        match std::mem::replace(self, CallBody::Spent) {
            CallBody::Bytes(bytes) => {
                *self = CallBody::Bytes(bytes.clone());
                Body::Bytes(bytes)
            }
            CallBody::Stream(stream) => Body::Stream(stream),
            CallBody::Spent => Body::Stream(ByteStream::empty()),
        }
    }
}

impl Call {
    /// Writes `input` down.
    pub(crate) fn new<Op: Operation>(input: Op::Input) -> Result<Self, CallError> {
        match Op::SERVICE.protocol {
            Protocol::Json { version, target } => json_call::<Op>(&input, version, target),
            Protocol::RestJson | Protocol::RestXml => Err(CallError::request("REST is not spoken yet")),
        }
    }

    /// Whether it may be sent again after `error`.
    pub(crate) fn repeatable(&self, error: &CallError) -> bool {
        let whole = matches!(self.body, CallBody::Bytes(_));
        whole && (!error.unclear || self.method != Method::POST || is_reading(self.name))
    }
}

/// Operations that change nothing, or nothing more when they are done twice.
fn is_reading(name: &str) -> bool {
    ["Get", "List", "Describe", "Head", "Delete", "Filter"].iter().any(|start| name.starts_with(start))
}

fn json_call<Op: Operation>(input: &Op::Input, version: &str, target: &str) -> Result<Call, CallError> {
    let name = Op::SHAPE.name;
    let value = |text: String| HeaderValue::from_str(&text).expect("the model's names are plain ASCII");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, value(format!("application/x-amz-json-{version}")));
    headers.insert("x-amz-target", value(format!("{target}.{name}")));
    let body = CallBody::Bytes(serde_json::to_vec(input).map_err(CallError::request)?.into());
    Ok(Call { method: Method::POST, path_and_query: "/".to_owned(), headers, body, name })
}

/// Whether an operation's answer is handed on as it comes.
pub(crate) fn streams_output(_shape: &OperationShape) -> bool {
    false
}

/// The output that a success holds.
pub(crate) fn read_output<Op: Operation>(
    status: u16,
    _headers: &HeaderMap,
    body: Bytes,
) -> Result<Op::Output, CallError> {
    let body = if body.is_empty() { &b"{}"[..] } else { &body };
    serde_json::from_slice(body).map_err(|error| CallError::response(status, error))
}

/// The error that a failure holds.
pub(crate) fn read_error(_service: &Service, status: u16, headers: &HeaderMap, body: &[u8]) -> CallError {
    read_json_error(status, headers, body)
}

/// `x-amzn-ErrorType` or `__type` or `code`, and `message` in either case.
fn read_json_error(status: u16, headers: &HeaderMap, body: &[u8]) -> CallError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body[name].as_str()).map(str::to_owned);
    let code = headers
        .get("x-amzn-errortype")
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .or_else(|| text(&["__type", "code", "Code"]))
        .unwrap_or_else(|| format!("Http{status}"));
    // Some services put a namespace before a `#`, others an address behind a `:`.
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    CallError::answered(status, code, text(&["message", "Message"]).unwrap_or_default())
}
