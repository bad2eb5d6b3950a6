//! An operation's input as a request, and an answer as its output or error, protocol by protocol.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_shapes::{ByteStream, Direct, Operation, OperationShape, Protocol, Service, Tree};
use http::{HeaderMap, HeaderValue, Method, header};
use md5::{Digest, Md5};
use serde_json::Value;

use headwater_wire::{
    rest::{self, Format, Message, render_uri},
    xml,
};

use crate::CallError;

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
pub(crate) enum AttemptBody {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl CallBody {
    /// The body that the next attempt sends.
    pub(crate) fn take(&mut self) -> AttemptBody {
        match std::mem::replace(self, CallBody::Spent) {
            CallBody::Bytes(bytes) => {
                *self = CallBody::Bytes(bytes.clone());
                AttemptBody::Bytes(bytes)
            }
            CallBody::Stream(stream) => AttemptBody::Stream(stream),
            CallBody::Spent => AttemptBody::Stream(ByteStream::empty()),
        }
    }
}

impl Call {
    /// Writes `input` down, in the first protocol of its service.
    pub(crate) fn new<Op: Operation>(input: Op::Input) -> Result<Self, CallError> {
        match Format::of(Op::SERVICE) {
            Some(format) => rest_call::<Op>(input, format),
            None => json_call::<Op>(input.to_value().to_string().into()),
        }
    }

    /// Writes `input` down without a tree between.
    pub(crate) fn direct<Op: Direct>(input: &Op::Input) -> Result<Self, CallError> {
        let body = serde_json::to_vec(input).map_err(CallError::request)?;
        json_call::<Op>(body.into())
    }

    /// Whether it may be sent again after `error`.
    pub(crate) fn repeatable(&self, error: &CallError) -> bool {
        let whole = matches!(self.body, CallBody::Bytes(_));
        whole && (!error.unclear || self.method != Method::POST || is_reading(self.name))
    }
}

/// Operations that change nothing, or nothing more when they are done twice.
fn is_reading(name: &str) -> bool {
    ["Get", "List", "Describe", "Head", "Delete", "Filter"]
        .iter()
        .any(|start| name.starts_with(start))
}

fn json_call<Op: Operation>(body: Bytes) -> Result<Call, CallError> {
    if !Op::SERVICE.speaks(Protocol::Json) {
        return Err(CallError::request("this protocol is not spoken"));
    }
    let (version, target) = (Op::SERVICE.json_version, Op::SERVICE.target);
    let name = Op::SHAPE.name;
    let value =
        |text: String| HeaderValue::from_str(&text).expect("the model's names are plain ASCII");
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        value(format!("application/x-amz-json-{version}")),
    );
    headers.insert("x-amz-target", value(format!("{target}.{name}")));
    let body = CallBody::Bytes(body);
    Ok(Call {
        method: Method::POST,
        path_and_query: "/".to_owned(),
        headers,
        body,
        name,
    })
}

fn rest_call<Op: Operation>(mut input: Op::Input, format: Format) -> Result<Call, CallError> {
    let shape = Op::SHAPE;
    let stream = Op::take_input_stream(&mut input).filter(|_| rest::streams(shape.input));
    let message =
        rest::write(shape.input, input.to_value(), format, 0).map_err(CallError::request)?;
    let missing = || CallError::request(format!("{} needs all of {}", shape.name, shape.http.uri));
    let path_and_query =
        render_uri(shape.http.uri, &message.labels, &message.query).ok_or_else(missing)?;
    let mut headers = message.headers;
    let body = match stream {
        Some(stream) => CallBody::Stream(stream),
        None => CallBody::Bytes(message.body.clone()),
    };
    if matches!(format, Format::Xml(_)) && !message.body.is_empty() {
        // Some of S3's operations want a digest of the body, and all take one.
        let digest = STANDARD.encode(Md5::digest(&message.body));
        headers.insert(
            "content-md5",
            HeaderValue::from_str(&digest).expect("base64 is plain"),
        );
    }
    let method = Method::from_bytes(shape.http.method.as_bytes()).map_err(CallError::request)?;
    Ok(Call {
        method,
        path_and_query,
        headers,
        body,
        name: shape.name,
    })
}

/// Whether an operation's answer is handed on as it comes.
pub(crate) fn streams_output(shape: &OperationShape) -> bool {
    rest::streams(shape.output)
}

/// How the output of an operation is read out of a success: its status, headers and body.
pub(crate) type ReadOutput<Op> =
    fn(u16, &HeaderMap, Bytes) -> Result<<Op as Operation>::Output, CallError>;

/// The output that a success holds, read without a tree between.
pub(crate) fn read_direct<Op: Direct>(
    status: u16,
    _: &HeaderMap,
    body: Bytes,
) -> Result<Op::Output, CallError> {
    serde_json::from_slice(json_of(&body)).map_err(|error| CallError::response(status, &error))
}

/// A body; that of an operation without output is empty.
fn json_of(body: &[u8]) -> &[u8] {
    if body.is_empty() { b"{}" } else { body }
}

/// The output that a success holds.
pub(crate) fn read_output<Op: Operation>(
    status: u16,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Op::Output, CallError> {
    let unreadable = |error: &dyn std::error::Error| CallError::response(status, error);
    match Format::of(Op::SERVICE) {
        None => {
            let tree =
                serde_json::from_slice(json_of(&body)).map_err(|error| unreadable(&error))?;
            Op::Output::from_value(tree).map_err(|error| unreadable(&error))
        }
        Some(format) => {
            if let Some(error) = late_error(format, &body) {
                return Err(error);
            }
            let message = Message {
                headers: headers.clone(),
                status,
                body,
                ..Message::default()
            };
            let tree = rest::read(Op::SHAPE.output, &message, format)
                .map_err(|error| unreadable(&error))?;
            Op::Output::from_value(tree).map_err(|error| unreadable(&error))
        }
    }
}

/// S3 begins the answers of long operations (copies, completed uploads) with status 200 before it knows how they end.
fn late_error(format: Format, body: &[u8]) -> Option<CallError> {
    let Format::Xml(_) = format else { return None };
    let root = xml::parse(body).ok().filter(|root| root.name == "Error")?;
    let text = |name| root.child_text(name).unwrap_or_default();
    let code = text("Code");
    let status = if code == "SlowDown" { 503 } else { 500 };
    Some(CallError::answered(status, code, text("Message")))
}

/// The error that a failure holds.
pub(crate) fn read_error(
    service: &Service,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> CallError {
    if service.speaks(Protocol::RestXml) {
        read_xml_error(status, body)
    } else {
        read_json_error(status, headers, body)
    }
}

/// `<Error><Code/><Message/></Error>`, or nothing at all in the answer to a HEAD.
fn read_xml_error(status: u16, body: &[u8]) -> CallError {
    let root = xml::parse(body).unwrap_or_default();
    let code = match (root.child_text("Code"), status) {
        (Some(code), _) => code.to_owned(),
        (None, 304) => "NotModified".to_owned(),
        (None, 404) => "NotFound".to_owned(),
        (None, 412) => "PreconditionFailed".to_owned(),
        (None, status) => format!("Http{status}"),
    };
    CallError::answered(status, code, root.child_text("Message").unwrap_or_default())
}

/// `x-amzn-ErrorType` or `__type` or `code`, and `message` in either case.
fn read_json_error(status: u16, headers: &HeaderMap, body: &[u8]) -> CallError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| body[name].as_str())
            .map(str::to_owned)
    };
    let code = headers
        .get("x-amzn-errortype")
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .or_else(|| text(&["__type", "code", "Code"]))
        .unwrap_or_else(|| format!("Http{status}"));
    // Some services put a namespace before a `#`, others an address behind a `:`.
    let code = code
        .rsplit('#')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    CallError::answered(
        status,
        code,
        text(&["message", "Message"]).unwrap_or_default(),
    )
}
