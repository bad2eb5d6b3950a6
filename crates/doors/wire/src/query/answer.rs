//! Answers of the query protocols.

use headwater_http::{Body, body};
use headwater_shapes::{OperationShape, Value};
use http::{HeaderValue, Response, header};
use serde_json::Map;

use crate::{ApiError, Context, dialect::status_code, query::Form, rest::Times, xml::Writer};

/// A success, with the output's tree in it.
pub(crate) fn success(
    tree: &Value,
    shape: &OperationShape,
    form: Form,
    context: &Context,
) -> Response<Body> {
    let none = Map::new();
    let members = tree.as_object().unwrap_or(&none);
    let times = match form.is_ec2 {
        true => Times::Iso8601,
        false => Times::Shortest,
    };
    let writer = Writer::new(form.namespace).spelled(form.spelling);
    let mut writer = writer.timed(times);
    let root = format!("{}Response", shape.name);
    writer.open(&root, &[]);
    if form.is_ec2 {
        writer.leaf("requestId", &context.request_id);
        writer.members(members, shape.output);
    } else {
        match shape.result_wrapper {
            Some(wrapper) => writer.structure(wrapper, members, shape.output),
            None => writer.members(members, shape.output),
        }
        writer.open("ResponseMetadata", &[]);
        writer.leaf("RequestId", &context.request_id);
        writer.close("ResponseMetadata");
    }
    writer.close(&root);
    document(writer)
}

/// The answer that an error makes.
pub(crate) fn refuse(error: &ApiError, form: Form, context: &Context) -> Response<Body> {
    let writer = match form.is_ec2 {
        true => ec2_error(error, context),
        false => query_error(error, form, context),
    };
    let mut response = document(writer);
    *response.status_mut() = status_code(error.status());
    response
}

fn query_error(error: &ApiError, form: Form, context: &Context) -> Writer {
    let mut writer = Writer::new(form.namespace);
    writer.open("ErrorResponse", &[]);
    writer.open("Error", &[]);
    let fault = if error.status() < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    writer.leaf("Type", fault);
    said(&mut writer, error);
    if form.spelling.is_some() {
        writer.leaf("Detail", "");
    }
    writer.close("Error");
    writer.leaf("RequestId", &context.request_id);
    writer.close("ErrorResponse");
    writer
}

fn ec2_error(error: &ApiError, context: &Context) -> Writer {
    let mut writer = Writer::new(None);
    writer.open("Response", &[]);
    writer.open("Errors", &[]);
    writer.open("Error", &[]);
    said(&mut writer, error);
    writer.close("Error");
    writer.close("Errors");
    writer.leaf("RequestID", &context.request_id);
    writer.close("Response");
    writer
}

fn said(writer: &mut Writer, error: &ApiError) {
    writer.leaf("Code", error.query_code());
    if !error.message().is_empty() {
        writer.leaf("Message", error.message());
    }
}

fn document(writer: Writer) -> Response<Body> {
    let mut response = Response::new(body::full(writer.text));
    let content_type = HeaderValue::from_static("text/xml");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
