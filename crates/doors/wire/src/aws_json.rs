//! AWS JSON and CBOR, and Smithy RPC v2: one address, the operation in a header or in the path.
//!
//! The answers to requests that are not of this protocol are as kinesalite's tests recorded them on AWS.

use bytes::Bytes;
use headwater_http::{Body, HoldError, body};
use headwater_shapes::{ByteStream, Service, Structure, Value};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header, request::Parts};
use serde_json::{Map, json};

use crate::{
    ApiError,
    cbor::{self, Times},
    dialect::{Dialect, status_code},
    dynamo,
    error_types::error_type,
    event_stream, json,
    validate::{Raw, serialization},
};

/// The beginning of targets that have a package in front: `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101`.
const PACKAGE: &str = "com.amazonaws.";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const RPC_V2_CBOR: &str = "rpc-v2-cbor";
const QUERY_MODE: HeaderName = HeaderName::from_static("x-amzn-query-mode");

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// `application/x-amz-json-1.x`; the version is echoed.
    Json(&'static str),
    /// `application/x-amz-cbor-1.1`.
    Cbor,
    /// `application/cbor` of Smithy RPC v2.
    RpcV2,
}

impl Default for Codec {
    fn default() -> Self {
        Codec::Json(JSON_1_1)
    }
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";
const CBOR: &str = "application/x-amz-cbor-1.1";

impl Codec {
    /// AWS JSON of a version.
    pub(crate) fn of_version(version: &str) -> Self {
        Codec::Json(if version == "1.0" { JSON_1_0 } else { JSON_1_1 })
    }

    /// The codec of a content type; parameters behind a semicolon do not matter.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        match content_type(headers) {
            JSON_1_0 => Some(Codec::Json(JSON_1_0)),
            JSON_1_1 => Some(Codec::Json(JSON_1_1)),
            CBOR => Some(Codec::Cbor),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Codec::Json(name) => name,
            Codec::Cbor => CBOR,
            Codec::RpcV2 => "application/cbor",
        })
    }

    /// A body before anything is expected of it.
    pub(crate) fn read(self, body: &[u8]) -> Result<Raw, ApiError> {
        match self {
            Codec::Json(_) => json::read_raw(body),
            Codec::Cbor => cbor::read_raw(body, Times::Milliseconds),
            // An operation without input may come without a body.
            Codec::RpcV2 if body.is_empty() => Ok(Raw::Map(Vec::new())),
            Codec::RpcV2 => cbor::read_raw(body, Times::Seconds),
        }
    }

    /// A tree as a body; that of an operation without output is empty, except in RPC v2.
    pub(crate) fn write(self, tree: &Value, structure: &Structure) -> Vec<u8> {
        let is_nothing = structure.name.is_empty();
        match self {
            Codec::RpcV2 => cbor::write_tree(tree, structure, Times::Seconds),
            _ if is_nothing => Vec::new(),
            Codec::Json(_) => tree.to_string().into_bytes(),
            Codec::Cbor => cbor::write_tree(tree, structure, Times::Milliseconds),
        }
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let full = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    full.split(';').next().unwrap_or_default().trim()
}

/// The service and the operation that `X-Amz-Target` names. The package that some services have in front may be left out.
pub(crate) fn target(headers: &HeaderMap) -> Option<(&str, &str)> {
    let target = headers.get(TARGET)?.to_str().ok()?;
    match target.starts_with(PACKAGE) {
        true => target.rsplit_once('.'),
        false => target.split_once('.'),
    }
}

/// Whether a target is that of a service.
pub(crate) fn is_target(asked: &str, service: &str) -> bool {
    let without = service.rsplit('.').next();
    asked == service || service.starts_with(PACKAGE) && Some(asked) == without
}

/// The service and the operation in the path of Smithy RPC v2: `/service/S/operation/O`.
pub(crate) fn rpc_v2_target(head: &Parts) -> Option<(&str, &str)> {
    if head.headers.get(SMITHY_PROTOCOL)?.as_bytes() != RPC_V2_CBOR.as_bytes() {
        return None;
    }
    let rest = head.uri.path().strip_prefix("/service/")?;
    rest.split_once("/operation/")
}

/// Whether a client wants errors told with the codes and statuses of the query protocol too, which it spoke before.
pub(crate) fn wants_query_codes(headers: &HeaderMap) -> bool {
    let mode = headers.get(QUERY_MODE);
    mode.is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Whether a request is AWS JSON or CBOR by its headers, whatever service it is for.
pub(crate) fn is_meant(head: &Parts) -> bool {
    let asked = head.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let names_target = |asked: &HeaderValue| {
        let asked = asked.to_str().unwrap_or_default().to_ascii_lowercase();
        asked.contains(TARGET.as_str())
    };
    let preflight = head.method == Method::OPTIONS && asked.is_some_and(names_target);
    preflight || head.headers.contains_key(TARGET) || Codec::of(&head.headers).is_some()
}

/// The error of an operation that nobody has.
pub(crate) fn unknown_operation() -> ApiError {
    ApiError::new(400, "UnknownOperationException", "")
}

/// The error of a call that is no service's.
pub(crate) fn unknown_or_unreadable(dialect: Dialect, body: &[u8]) -> ApiError {
    match dialect {
        Dialect::Rpc(Codec::Json(_)) if !json::is_json(body) => serialization(""),
        _ => unknown_operation(),
    }
}

/// The answer to what is no call at all: a browser's question before one, or another method than POST.
pub(crate) fn not_a_call(head: &Parts) -> Option<Response<Body>> {
    if head.method == Method::OPTIONS && head.headers.contains_key(header::ORIGIN) {
        return Some(preflight(head));
    }
    if head.method != Method::POST {
        let text = "Unable to determine service/operation name to be authorized";
        return Some(xml_error(403, "AccessDeniedException", Some(text)));
    }
    None
}

/// The answer to a body that cannot be a call's: an empty one, or one of another type than AWS JSON and CBOR. `known`
/// says whether the operation is one of the service's model, `own` how the service's JSON is written.
pub(crate) fn stray_body(
    head: &Parts,
    bytes: &[u8],
    known: bool,
    own: Codec,
) -> Option<Response<Body>> {
    match Codec::of(&head.headers) {
        _ if bytes.is_empty() => Some(empty_body(head, known, own)),
        None => Some(other_content(head, bytes)),
        Some(_) => None,
    }
}

/// Without a body AWS answers in CBOR unless the JSON of the service was named: for Kinesis, 1.1.
fn empty_body(head: &Parts, known: bool, own: Codec) -> Response<Body> {
    let codec = match Codec::of(&head.headers) {
        Some(codec @ Codec::Json(_)) if codec == own => codec,
        _ => Codec::Cbor,
    };
    let error = if known {
        serialization("")
    } else {
        unknown_operation()
    };
    refuse(&error, codec, None)
}

fn preflight(head: &Parts) -> Response<Body> {
    let mut response = Response::new(body::empty());
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    for (asked, allowed) in [
        (
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
        ),
        (
            header::ACCESS_CONTROL_REQUEST_METHOD,
            header::ACCESS_CONTROL_ALLOW_METHODS,
        ),
    ] {
        if let Some(value) = head.headers.get(asked) {
            headers.insert(allowed, value.clone());
        }
    }
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("172800"),
    );
    response
}

/// Lets a page of any origin read the answer, as AWS does.
pub(crate) fn expose(head: &Parts, response: &mut Response<Body>) {
    if head.headers.contains_key(header::ORIGIN) {
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        let exposed = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date";
        let exposed = HeaderValue::from_static(exposed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// The answer to a body that is neither AWS JSON nor CBOR by its type.
fn other_content(head: &Parts, bytes: &[u8]) -> Response<Body> {
    if content_type(&head.headers) == "application/json" {
        let is_structure = bytes.trim_ascii_start().starts_with(b"{") && json::is_json(bytes);
        let (status, code) = match is_structure {
            true => (404, "UnknownOperationException"),
            false => (400, "SerializationException"),
        };
        let body = json!({"Output": {"__type": format!("com.amazon.coral.service#{code}")}, "Version": "1.0"});
        let mut response = Response::new(body::full(body.to_string()));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        *response.status_mut() = status_code(status);
        return response;
    }
    match target(&head.headers) {
        Some((_, operation)) if !operation.is_empty() => {
            xml_error(404, "UnknownOperationException", None)
        }
        _ => {
            let text = "Unable to determine service/operation name to be authorized";
            xml_error(403, "AccessDeniedException", Some(text))
        }
    }
}

/// The error of a body that could not be held.
pub(crate) fn not_held(error: &HoldError) -> ApiError {
    match error {
        HoldError::TooLong { .. } => {
            ApiError::new(413, "RequestEntityTooLargeException", error.to_string())
        }
        HoldError::Broken(_) => ApiError::new(408, "RequestTimeoutException", error.to_string()),
    }
}

/// A success.
pub(crate) fn success(body: Body, codec: Codec) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, codec.content_type());
    if codec == Codec::RpcV2 {
        headers.insert(SMITHY_PROTOCOL, HeaderValue::from_static(RPC_V2_CBOR));
    }
    response
}

/// A success that comes as events.
pub(crate) fn events(events: ByteStream) -> Response<Body> {
    let mut response = Response::new(body::streamed(events.chunks, events.len));
    let content_type = HeaderValue::from_static(event_stream::CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// An error as these protocols write it. Clients that knew the service by the query protocol find its code in a header.
pub(crate) fn refuse(error: &ApiError, codec: Codec, service: Option<&Service>) -> Response<Body> {
    let of_dynamo = service.filter(|service| dynamo::is_meant(service));
    let members = Value::Object(error_members(error, service));
    let bytes = match codec {
        Codec::Json(_) => members.to_string().into_bytes(),
        Codec::Cbor | Codec::RpcV2 => {
            cbor::to_vec(&members).expect("a tree of values has a form in CBOR")
        }
    };
    let bytes = Bytes::from(bytes);
    let mut response = success(body::full(bytes.clone()), codec);
    if of_dynamo.is_some() {
        dynamo::add_checksum(response.headers_mut(), &bytes);
    }
    *response.status_mut() = status_code(error.status());
    if matches!(error.status(), 408 | 413) {
        // The rest of the body is not read, so nothing can follow on this connection.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    if service.is_some_and(|service| service.query_compatible) {
        let fault = if error.status() < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        let text = format!("{};{fault}", error.query_code());
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert("x-amzn-query-error", value);
        }
    }
    response
}

fn error_members(error: &ApiError, service: Option<&Service>) -> Map<String, Value> {
    let mut members = error.fields().clone();
    let code = error.code();
    members.insert("__type".to_owned(), error_type(code, service).into());
    let is_dynamo = service.is_some_and(dynamo::is_meant);
    // AWS's decoder spells this one otherwise than everything behind it.
    let is_large = code == "SerializationException" || is_dynamo && dynamo::is_spelled_large(code);
    let message = if is_large { "Message" } else { "message" };
    if !error.message().is_empty() {
        members.insert(message.to_owned(), error.message().into());
    }
    members
}

/// The answer to a request that names no operation of a service that is spoken to in forms.
pub(crate) fn unknown_address() -> Response<Body> {
    xml_error(404, "UnknownOperationException", None)
}

fn xml_error(status: u16, code: &str, message: Option<&str>) -> Response<Body> {
    let text = match message {
        Some(message) => format!("<{code}>\n  <Message>{message}</Message>\n</{code}>\n"),
        None => format!("<{code}/>\n"),
    };
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status_code(status);
    response
}
