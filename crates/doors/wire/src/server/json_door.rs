//! The door of a service that speaks AWS JSON and CBOR: one address, the operation in `X-Amz-Target`.
//!
//! What is answered to requests that are no such request is as recorded on AWS by kinesalite's tests.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::buffers;
use headwater_shapes::{ByteStream, OperationShape, Protocol, Service};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
    request::Parts,
};
use serde_json::{Map, Value, json};

use crate::{
    ApiError, Body, Buffers, Caller, Context, Door, Route, Table,
    body::{self, Held, HoldError, Share},
    cbor,
    door::OperationName,
    event_stream, json,
    limits::{
        ANSWER_IN_THE_MAKING_BYTES, ANSWER_UNCOUNTED_BYTES, ANSWERS_BYTES, JSON_BODY_BYTES,
        JSON_DATA_BYTES,
    },
    route::{Answer, Encoded},
    validate::serialization,
    verify::Verifier,
};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// `application/x-amz-json-1.x`; the version is echoed.
    Json(&'static str),
    Cbor,
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
    /// The codec of a content type; parameters behind a semicolon do not matter.
    fn of(headers: &HeaderMap) -> Option<Self> {
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
        })
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let full = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    full.split(';').next().unwrap_or_default().trim()
}

/// The service and the operation that a request names.
fn target(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get(TARGET)?.to_str().ok()?.split_once('.')
}

/// A service's door.
pub struct JsonDoor {
    service: &'static Service,
    prefix: &'static str,
    routes: HashMap<&'static str, Route>,
    shared: Vec<&'static str>,
    /// Room for answers.
    answers: Buffers,
}

impl JsonDoor {
    /// The door of a table's operations.
    ///
    /// # Panics
    /// When the service speaks another protocol.
    pub fn new<State>(table: Table<State>) -> Self {
        let Protocol::Json { target, .. } = table.service.protocol else {
            panic!("{} does not speak AWS JSON", table.service.name)
        };
        Self {
            service: table.service,
            prefix: target,
            routes: table.routes,
            shared: table.shared,
            answers: Buffers::new(ANSWERS_BYTES),
        }
    }

    /// Answers with a success, or the error.
    async fn run(
        &self,
        head: &Parts,
        name: &str,
        codec: Codec,
        body: Bytes,
        mut context: Context,
    ) -> Result<Response<Body>, ApiError> {
        if let Some(caller) = self.verify(head, name, codec, &body)? {
            context.caller = caller;
        }
        let Some(route) = self.routes.get(name) else {
            return Err(self.no_route(self.operation(name), codec, &body));
        };
        context.operation = route.shape.name;
        context.admit(&self.shared, self.service.signing_name, 400)?;
        let input = match codec {
            Codec::Json(_) => Encoded::Json(body),
            Codec::Cbor => Encoded::Cbor(body),
        };
        let room = self.room(name).await;
        match route.call(input, &context).await? {
            Answer::Bytes(bytes) if bytes.len() <= ANSWER_UNCOUNTED_BYTES => {
                Ok(success(bytes, codec))
            }
            Answer::Bytes(bytes) => Ok(self.large(bytes, room, codec).await),
            Answer::Events(events) => Ok(event_response(events)),
            Answer::Rest(..) => Err(ApiError::internal("an answer in another protocol")),
        }
    }

    /// Room to make an answer of records in; in every service the operations that read data are named so.
    async fn room(&self, name: &str) -> Option<Share> {
        let reads = ["Get", "Receive", "Filter"]
            .iter()
            .any(|verb| name.starts_with(verb));
        if reads {
            Some(self.answers.take(ANSWER_IN_THE_MAKING_BYTES).await)
        } else {
            None
        }
    }

    /// A large success: it has its share of the room until its peer took it.
    async fn large(&self, bytes: Vec<u8>, room: Option<Share>, codec: Codec) -> Response<Body> {
        let mut share = match room {
            Some(share) => share,
            None => self.answers.take(bytes.capacity()).await,
        };
        share.keep(bytes.capacity());
        typed(body::shared(buffers::share(bytes), share), codec)
    }

    /// Whoever makes the request, where that is asked. AWS says what is no request before it asks.
    fn verify(
        &self,
        head: &Parts,
        name: &str,
        codec: Codec,
        body: &[u8],
    ) -> Result<Option<Arc<Caller>>, ApiError> {
        let Some(verifier) = head.extensions.get::<Verifier>() else {
            return Ok(None);
        };
        if self.operation(name).is_none() {
            return Ok(None);
        }
        let caller = verifier.check_json(head, self.service.signing_name, body);
        caller.map(Some).map_err(|refusal| match codec {
            Codec::Json(_) if !json::is_json(body) => serialization(""),
            _ => refusal,
        })
    }

    /// The operation of that name, built or not.
    fn operation(&self, name: &str) -> Option<&'static OperationShape> {
        let built = self.routes.get(name).map(|route| route.shape);
        built.or_else(|| {
            self.service
                .operations
                .iter()
                .find(|operation| operation.name == name)
                .copied()
        })
    }

    fn no_route(&self, operation: Option<&OperationShape>, codec: Codec, body: &[u8]) -> ApiError {
        match operation {
            _ if codec != Codec::Cbor && !json::is_json(body) => serialization(""),
            Some(operation) => ApiError::not_supported(format_args!(
                "{}'s operation {}",
                self.service.name, operation.name
            )),
            None => unknown_operation(),
        }
    }
}

#[async_trait]
impl Door for JsonDoor {
    fn name(&self) -> &'static str {
        self.service.name
    }

    fn takes(&self, head: &Parts) -> bool {
        target(&head.headers).is_some_and(|(prefix, _)| prefix == self.prefix)
    }

    async fn call(&self, request: Request<Body>, context: Context) -> Response<Body> {
        let (head, body) = request.into_parts();
        if let Some(answer) = not_a_call(&head) {
            return answer;
        }
        let name = target(&head.headers).map_or("", |(_, name)| name);
        // In every service the operations that carry data are named so.
        let limit = if name.starts_with("Put") {
            JSON_DATA_BYTES
        } else {
            JSON_BODY_BYTES
        };
        let Held { bytes, share } = match context.buffers.hold(body, limit).await {
            Ok(held) => held,
            Err(error) => return not_held(&error, &head),
        };
        let known = self.operation(name);
        let mut response = if bytes.is_empty() {
            empty_body(&head, known.is_some())
        } else {
            match Codec::of(&head.headers) {
                None => other_content(&head, &bytes),
                Some(codec) => match self.run(&head, name, codec, bytes, context).await {
                    Ok(response) => response,
                    Err(error) => error_response(&error, codec),
                },
            }
        };
        drop(share);
        // For the log alone, which most often does not say it.
        if let Some(operation) = known
            && (response.status().is_server_error() || tracing::enabled!(tracing::Level::DEBUG))
        {
            response
                .extensions_mut()
                .insert(OperationName(operation.name));
        }
        allow_origin(&head, response)
    }
}

/// Answers requests that are AWS JSON or CBOR by their headers, and no service's by their target.
pub(super) struct Stray;

#[async_trait]
impl Door for Stray {
    fn name(&self) -> &'static str {
        "none"
    }

    fn takes(&self, head: &Parts) -> bool {
        let asked = head.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let preflight = head.method == Method::OPTIONS
            && asked.is_some_and(|v| {
                v.to_str()
                    .is_ok_and(|v| v.to_ascii_lowercase().contains(TARGET.as_str()))
            });
        preflight || head.headers.contains_key(TARGET) || Codec::of(&head.headers).is_some()
    }

    async fn call(&self, request: Request<Body>, context: Context) -> Response<Body> {
        let (head, body) = request.into_parts();
        if let Some(answer) = not_a_call(&head) {
            return answer;
        }
        let Held {
            bytes,
            share: _share,
        } = match context.buffers.hold(body, JSON_BODY_BYTES).await {
            Ok(held) => held,
            Err(error) => return not_held(&error, &head),
        };
        let response = match Codec::of(&head.headers) {
            _ if bytes.is_empty() => empty_body(&head, false),
            None => other_content(&head, &bytes),
            Some(codec @ Codec::Json(_)) if !json::is_json(&bytes) => {
                error_response(&serialization(""), codec)
            }
            Some(codec) => error_response(&unknown_operation(), codec),
        };
        allow_origin(&head, response)
    }
}

fn unknown_operation() -> ApiError {
    ApiError::new(400, "UnknownOperationException", "")
}

/// The answer to what is no call at all: a browser's question before one, or another method than POST.
fn not_a_call(head: &Parts) -> Option<Response<Body>> {
    if head.method == Method::OPTIONS && head.headers.contains_key(header::ORIGIN) {
        return Some(preflight(head));
    }
    if head.method != Method::POST {
        let text = "Unable to determine service/operation name to be authorized";
        return Some(allow_origin(
            head,
            xml_error(403, "AccessDeniedException", Some(text)),
        ));
    }
    None
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
fn allow_origin(head: &Parts, mut response: Response<Body>) -> Response<Body> {
    if head.headers.contains_key(header::ORIGIN) {
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        let exposed = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date";
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(exposed),
        );
    }
    response
}

/// Without a body AWS answers in CBOR unless JSON 1.1 was named.
fn empty_body(head: &Parts, known: bool) -> Response<Body> {
    let codec = match Codec::of(&head.headers) {
        Some(codec @ Codec::Json(_)) if codec == Codec::default() => codec,
        _ => Codec::Cbor,
    };
    error_response(
        &if known {
            serialization("")
        } else {
            unknown_operation()
        },
        codec,
    )
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

fn not_held(error: &HoldError, head: &Parts) -> Response<Body> {
    let codec = Codec::of(&head.headers).unwrap_or_default();
    let error = match error {
        HoldError::TooLong { .. } => {
            ApiError::new(413, "RequestEntityTooLargeException", error.to_string())
        }
        HoldError::Broken(_) => ApiError::new(408, "RequestTimeoutException", error.to_string()),
    };
    let mut response = error_response(&error, codec);
    // The rest of the body is not read, so nothing can follow on this connection.
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn success(bytes: Vec<u8>, codec: Codec) -> Response<Body> {
    typed(body::full(bytes), codec)
}

fn typed(body: Body, codec: Codec) -> Response<Body> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, codec.content_type());
    response
}

fn event_response(events: ByteStream) -> Response<Body> {
    let mut response = Response::new(body::streamed(events));
    let content_type = HeaderValue::from_static(event_stream::CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// An error as AWS JSON and CBOR write it.
pub(crate) fn error_response(error: &ApiError, codec: Codec) -> Response<Body> {
    if error.status() >= 500 {
        tracing::warn!(%error, "an operation failed");
    }
    let members = Value::Object(error_members(error));
    let bytes = match codec {
        Codec::Json(_) => members.to_string().into_bytes(),
        Codec::Cbor => cbor::to_vec(&members).expect("a tree of values has a form in CBOR"),
    };
    let mut response = success(bytes, codec);
    *response.status_mut() = status_code(error.status());
    response
}

fn error_members(error: &ApiError) -> Map<String, Value> {
    let mut members = error.fields().clone();
    members.insert("__type".to_owned(), error.code().into());
    // AWS's decoder spells this one otherwise than everything behind it.
    let message = if error.code() == "SerializationException" {
        "Message"
    } else {
        "message"
    };
    if !error.message().is_empty() {
        members.insert(message.to_owned(), error.message().into());
    }
    members
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

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
