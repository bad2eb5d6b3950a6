//! Errors as REST services answer them.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_auth::verify::is_refusal;
use headwater_http::{Body, HoldError, body::full};
use headwater_shapes::OperationShape;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use serde_json::{Map, Value};

use crate::{
    ApiError, Context,
    chunked::{BodyError, body_error},
    dialect::status_code,
    rest::{Format, Unreadable},
    validate::serialization,
    xml::Writer,
};

/// A field of an error with this prefix is a header of the answer: `header:Allow`. With status 304, which has no
/// body, all fields are headers.
const HEADER: &str = "header:";

/// The answer that an error makes.
pub(crate) fn refuse(error: &ApiError, format: Format, context: &Context) -> Response<Body> {
    let body = match format {
        Format::Json => json(error),
        Format::Xml(_) => xml(error, context),
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = status_code(error.status());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    if format == Format::Json {
        insert(headers, "x-amzn-errortype", error.code());
    }
    for (field, value) in error.fields() {
        let name = field
            .strip_prefix(HEADER)
            .or((error.status() == 304).then_some(field.as_str()));
        if let (Some(name), Some(text)) = (name, value.as_str()) {
            insert(headers, name, text);
        }
    }
    response
}

fn body_fields(error: &ApiError) -> impl Iterator<Item = (&String, &Value)> {
    error
        .fields()
        .iter()
        .filter(|(name, _)| !name.starts_with(HEADER))
}

/// Lambda's form: who is at fault, the text under `message` unless the error's model calls it `Message` (a field of
/// the error then), and the other fields.
fn json(error: &ApiError) -> String {
    let mut body = Map::new();
    let fault = if error.status() < 500 {
        "User"
    } else {
        "Service"
    };
    if !is_refusal(error.code()) {
        body.insert("Type".to_owned(), fault.into());
    }
    body.extend(body_fields(error).map(|(name, value)| (name.clone(), value.clone())));
    // An error that does not say whose fault it is has this as null.
    if body.get("Type").is_some_and(Value::is_null) {
        body.remove("Type");
    }
    if !body.contains_key("Message") {
        body.insert("message".to_owned(), error.message().into());
    }
    Value::Object(body).to_string()
}

/// S3's form, without a namespace, as AWS sends it.
fn xml(error: &ApiError, context: &Context) -> String {
    let mut writer = Writer::new(None);
    writer.open("Error", &[]);
    writer.leaf("Code", error.code());
    writer.leaf("Message", error.message());
    for (name, value) in body_fields(error) {
        match value {
            Value::String(text) => writer.leaf(name, text),
            other => writer.leaf(name, &other.to_string()),
        }
    }
    writer.leaf("RequestId", &context.request_id);
    writer.leaf("HostId", &host_id(context));
    writer.close("Error");
    writer.text
}

/// Names the request in the answer's headers.
pub(crate) fn add_request_id(headers: &mut HeaderMap, format: Format, context: &Context) {
    match format {
        Format::Json => insert(headers, "x-amzn-requestid", &context.request_id),
        Format::Xml(_) => {
            insert(headers, "x-amz-request-id", &context.request_id);
            insert(headers, "x-amz-id-2", &host_id(context));
        }
    }
}

/// S3's second id: it names the host there, and says no more than the first here.
fn host_id(context: &Context) -> String {
    STANDARD.encode(&context.request_id)
}

fn insert(headers: &mut HeaderMap, name: &str, text: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::from_bytes(name.as_bytes()),
        HeaderValue::from_str(text),
    ) {
        headers.insert(name, value);
    }
}

/// Nothing in the model has this method and path.
pub(crate) fn no_operation(format: Format, method: &Method) -> ApiError {
    match format {
        Format::Json => ApiError::new(404, "UnknownOperationException", ""),
        Format::Xml(_) => {
            let text = "The specified method is not allowed against this resource.";
            ApiError::new(405, "MethodNotAllowed", text).with("Method", method.as_str())
        }
    }
}

/// The input cannot be read out of the request.
pub(crate) fn unreadable(error: &Unreadable, format: Format) -> ApiError {
    match (format, error) {
        (
            Format::Json,
            Unreadable::Scalar {
                name,
                text,
                expected,
            },
        ) => serialization(format!("{name} is {text:?} and not {expected}")),
        (Format::Json, _) => serialization(""),
        (
            Format::Xml(_),
            Unreadable::Scalar {
                name,
                text,
                expected,
            },
        ) => {
            let message = match *expected {
                "an integer" => format!("Provided {name} not an integer or within integer range"),
                expected => format!("Provided {name} is not {expected}"),
            };
            ApiError::new(400, "InvalidArgument", message)
                .with("ArgumentName", *name)
                .with("ArgumentValue", text.as_str())
        }
        (Format::Xml(_), _) => malformed_xml(),
    }
}

/// The body is not what the operation's shape says, in S3's words.
pub(crate) fn malformed_xml() -> ApiError {
    ApiError::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// S3 wants to know how much is put before it comes.
pub(crate) fn no_length() -> ApiError {
    ApiError::new(
        411,
        "MissingContentLength",
        "You must provide the Content-Length HTTP header.",
    )
}

/// The body could not be read.
pub(crate) fn not_held(error: HoldError, format: Format, operation: &OperationShape) -> ApiError {
    match (error, format) {
        (HoldError::TooLong { limit }, Format::Json) => ApiError::new(
            413,
            "RequestEntityTooLargeException",
            format!(
                "Request must be smaller than {limit} bytes for the {} operation",
                operation.name
            ),
        ),
        (HoldError::TooLong { .. }, Format::Xml(_)) => {
            ApiError::new(400, "MaxMessageLengthExceeded", "Your request was too big.")
        }
        (HoldError::Broken(error), _) => {
            body_error(&error).unwrap_or_else(|| ApiError::from(&BodyError::Cut))
        }
    }
}
