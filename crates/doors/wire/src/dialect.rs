//! The way in which one request is spoken: its protocol, with what of it changes from request to request.

use std::borrow::Cow;

use headwater_http::{Body, HoldError};
use headwater_shapes::{OperationShape, Protocol, Service};
use http::{Response, StatusCode};

use crate::{
    ApiError, Context,
    authorize::Denied,
    aws_json::{self, Codec},
    query,
    rest::{self, Format},
};

/// How a request is spoken, and so how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// AWS JSON, its CBOR, or Smithy RPC v2 in CBOR.
    Rpc(Codec),
    /// REST in JSON or XML.
    Rest(Format),
    /// Query, with its namespace, or EC2's kind of it.
    Query(query::Form),
}

impl Default for Dialect {
    fn default() -> Self {
        Self::Rpc(Codec::default())
    }
}

impl Dialect {
    /// The way in which clients of a service speak first.
    pub(crate) fn of(
        protocol: Protocol,
        json_version: &str,
        namespace: Option<&'static str>,
    ) -> Self {
        match protocol {
            Protocol::Json => Self::Rpc(Codec::of_version(json_version)),
            Protocol::RpcV2Cbor => Self::Rpc(Codec::RpcV2),
            Protocol::RestJson => Self::Rest(Format::Json),
            Protocol::RestXml => Self::Rest(Format::Xml(namespace)),
            Protocol::Query => Self::Query(query::Form::new(namespace, false)),
            Protocol::Ec2Query => Self::Query(query::Form::new(namespace, true)),
        }
    }

    /// The answer that an error makes.
    pub(crate) fn refuse(
        self,
        error: &ApiError,
        service: Option<&Service>,
        context: &Context,
    ) -> Response<Body> {
        if error.status() >= 500 && error.status() != 501 {
            tracing::warn!(%error, "an operation failed");
        }
        match self {
            Self::Rpc(codec) => {
                let error = in_status(error, service, context);
                aws_json::refuse(&error, codec, service)
            }
            Self::Rest(format) => rest::refuse(error, format, context),
            Self::Query(form) => query::refuse(error, form, context),
        }
    }

    /// The error of a body that could not be held.
    pub(crate) fn not_held(self, error: HoldError, operation: Option<&OperationShape>) -> ApiError {
        match (self, operation) {
            (Self::Rest(format), Some(operation)) => rest::not_held(error, format, operation),
            _ => aws_json::not_held(&error),
        }
    }

    /// The error of a request that its caller may not make.
    pub(crate) fn denied(self, denied: Denied) -> ApiError {
        match self {
            // S3 gives callers of other accounts no reasons.
            Self::Rest(Format::Xml(_)) => ApiError::new(403, "AccessDenied", "Access Denied"),
            Self::Rest(Format::Json) => ApiError::new(403, "AccessDeniedException", denied.0),
            Self::Query(_) => ApiError::new(403, "AccessDenied", denied.0),
            Self::Rpc(_) => ApiError::new(400, "AccessDeniedException", denied.0),
        }
    }
}

/// The error with the status that its client knows it by: a service that was spoken to by the query protocol keeps the
/// statuses of that for clients that ask for its codes, and has one for all that is theirs in the others' answers.
fn in_status<'a>(
    error: &'a ApiError,
    service: Option<&Service>,
    context: &Context,
) -> Cow<'a, ApiError> {
    let keeps_all =
        context.wants_query_codes || !service.is_some_and(|service| service.query_compatible);
    match error.status() {
        // What ends the connection is no answer of the service's.
        408 | 413 => Cow::Borrowed(error),
        401..500 if !keeps_all => Cow::Owned(error.clone().with_status(400)),
        _ => Cow::Borrowed(error),
    }
}

/// A status; one that HTTP does not know is a fault of ours.
pub(crate) fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
