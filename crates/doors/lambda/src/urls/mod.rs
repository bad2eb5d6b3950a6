//! Addresses of functions: `http://<id>.lambda-url.<region>.localhost:<port>/`, where anything that speaks HTTP calls them.
//!
//! Owns which hosts these are, who may call there, and the way from a request to an event ([`event`]) and from the
//! function's answer to that of the request ([`answer`], [`streamed`]). Pages of other origins are [`cors`]'s.

mod answer;
mod cors;
mod event;
mod settings;
mod streamed;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_functions::{Answer, Error, FunctionUrl, Qualifier, Request, UrlId, limits};
use headwater_http::{Body, HoldError, body};
use headwater_types::Account;
use headwater_wire::{ApiError, Caller, Context, Hosted};
use http::{HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) use settings::{
    change, created, described, no_function, page_of, target, updated, wished,
};

use crate::{Asked, Lambda, Permissions, errors};

/// What stands in such a host between the id and the region.
const LABEL: &str = "lambda-url";
/// The type of an error that a function's caller gets.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// AWS's answer to callers who may not.
const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                         https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/// Whether somebody may call.
enum Admission {
    /// They may; who it is, where they had to sign.
    Granted(Option<Arc<Caller>>),
    /// They may not, and this is the answer.
    Refused(Response<Body>),
}

impl Admission {
    fn forbidden() -> Self {
        Self::Refused(forbidden(FORBIDDEN.into()))
    }
}

/// The id and the region of a host.
fn parts(host: &str) -> Option<(UrlId, &str)> {
    let mut labels = host.splitn(4, '.');
    let (id, label, region) = (labels.next()?, labels.next()?, labels.next()?);
    // Hosts are read whatever their case; ids are in small letters.
    let id = id.to_ascii_lowercase().parse().ok()?;
    let is_ours = label.eq_ignore_ascii_case(LABEL) && labels.next().is_some();
    is_ours.then_some((id, region))
}

#[async_trait]
impl Hosted for Lambda {
    fn operation(&self) -> &'static str {
        "InvokeFunctionUrl"
    }

    fn region<'h>(&self, host: &'h str) -> Option<&'h str> {
        Some(parts(host)?.1)
    }

    async fn answer(
        &self,
        head: &Parts,
        body: Body,
        context: &Context,
    ) -> Result<Response<Body>, ApiError> {
        let Some((id, _)) = parts(&context.host) else {
            return Err(ApiError::internal("the host is no function's"));
        };
        let found = self.functions.url_of(&id).await;
        let Some(url) = found.map_err(errors::other)? else {
            return Ok(forbidden(Value::Null));
        };
        let cors = url.settings.cors.as_ref();
        if let Some(answer) = cors.and_then(|cors| cors::preflight(cors, head)) {
            return Ok(answer);
        }
        let mut response = self.call_url(&url, head, body, context).await?;
        if let Some(cors) = cors {
            cors::dress(cors, head, response.headers_mut());
        }
        Ok(response)
    }
}

impl Lambda {
    async fn call_url(
        &self,
        url: &FunctionUrl,
        head: &Parts,
        body: Body,
        context: &Context,
    ) -> Result<Response<Body>, ApiError> {
        let held = context.buffers.hold(body, limits::PAYLOAD_BYTES_MAX).await;
        // The share of the room goes back before the function runs, which may call back in here.
        let body = match held.map(|held| held.bytes) {
            Ok(body) => body,
            Err(HoldError::TooLong { .. }) => return Ok(too_large()),
            Err(error) => return Err(ApiError::new(400, "BadRequestException", error.to_string())),
        };
        let caller = match self.admit(url, head, &body, context).await? {
            Admission::Granted(caller) => caller,
            Admission::Refused(refusal) => return Ok(refusal),
        };
        let now = self.functions.now();
        let event = event::Event {
            url,
            head,
            body: &body,
            context,
            caller: caller.as_deref(),
            now,
        };
        let payload = Bytes::from(event.to_json().to_string());
        drop(body);
        if payload.len() > limits::PAYLOAD_BYTES_MAX {
            return Ok(too_large());
        }
        let alias = url.target.alias.clone();
        let request = Request {
            request_id: context.request_id.clone(),
            payload,
            client_context: None,
            qualifier: alias.map(Qualifier::Alias),
        };
        self.run_url(url, request).await
    }

    async fn run_url(
        &self,
        url: &FunctionUrl,
        request: Request,
    ) -> Result<Response<Body>, ApiError> {
        let name = &url.target.function;
        let streams = url.settings.streams == Some(true);
        let answer = match streams {
            true => self.functions.invoke_streaming(name, request).await,
            false => self
                .functions
                .invoke(name, request)
                .await
                .map(Answer::Whole),
        };
        Ok(match answer {
            Ok(Answer::Whole(invocation)) if invocation.failed => bad_gateway(),
            Ok(Answer::Whole(invocation)) if streams => answer::raw(invocation.payload),
            Ok(Answer::Whole(invocation)) => {
                answer::of(&invocation.payload).unwrap_or_else(bad_gateway)
            }
            Ok(Answer::Streamed(stream)) => streamed::of(stream).await.unwrap_or_else(bad_gateway),
            // What it led to was deleted a moment ago.
            Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => {
                forbidden(FORBIDDEN.into())
            }
            Err(Error::Throttled) => refused(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                &json!({ "Reason": "ConcurrentInvocationLimitExceeded", "message": "Rate Exceeded." }),
            ),
            Err(error) => {
                return Err(errors::api(
                    error,
                    self.functions.options().function_arn(name),
                ));
            }
        })
    }

    /// The caller, where they must sign; the answer to one who may not. Where nobody must, everybody needs a permission
    /// that says so, as on AWS; callers of the server's account need none where they sign.
    async fn admit(
        &self,
        url: &FunctionUrl,
        head: &Parts,
        body: &[u8],
        context: &Context,
    ) -> Result<Admission, ApiError> {
        if !url.settings.signed {
            let anybody = Caller {
                account: Account("anonymous".to_owned()),
                arn: "anonymous".to_owned(),
            };
            return Ok(match self.permits(url, &anybody, "NONE").await? {
                true => Admission::Granted(None),
                false => Admission::forbidden(),
            });
        }
        // Also where signatures are not checked for want of keys, one has to be there.
        if !is_signed(head) {
            return Ok(Admission::forbidden());
        }
        let caller = match context.signer(head, body) {
            Ok(caller) => caller,
            Err(error) => {
                let text = json!({ "Message": error.message() });
                let refusal = refused(StatusCode::FORBIDDEN, error.code(), &text);
                return Ok(Admission::Refused(refusal));
            }
        };
        let is_own = caller.account == context.account;
        Ok(
            match is_own || self.permits(url, &caller, "AWS_IAM").await? {
                true => Admission::Granted(Some(caller)),
                false => Admission::forbidden(),
            },
        )
    }

    /// Whether the function's policy lets somebody call its address.
    async fn permits(
        &self,
        url: &FunctionUrl,
        caller: &Caller,
        auth_type: &str,
    ) -> Result<bool, ApiError> {
        let asked = Asked {
            action: "lambda:InvokeFunctionUrl",
            keys: vec![("lambda:FunctionUrlAuthType", auth_type.to_owned())],
            ..Default::default()
        };
        let permissions = Permissions::new(self.env.clone(), self.functions.clone());
        let alias = url.target.alias.clone().map(Qualifier::Alias);
        let name = &url.target.function;
        let may = permissions.may(caller, &asked, name, alias.as_ref()).await;
        may.map_err(errors::other)
    }
}

fn is_signed(head: &Parts) -> bool {
    let authorization = head.headers.get(header::AUTHORIZATION);
    let in_header =
        authorization.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256"));
    let query = head.uri.query().unwrap_or_default();
    in_header
        || query
            .split('&')
            .any(|pair| pair.starts_with("X-Amz-Signature="))
}

fn forbidden(message: Value) -> Response<Body> {
    let status = StatusCode::FORBIDDEN;
    refused(
        status,
        "AccessDeniedException",
        &json!({ "Message": message }),
    )
}

fn too_large() -> Response<Body> {
    refused(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestTooLargeException",
        &json!({ "message": "Request Entity Too Large" }),
    )
}

/// The answer to a request whose function failed, or gave what is no answer.
fn bad_gateway() -> Response<Body> {
    let mut response = Response::new(body::full("Internal Server Error"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn refused(status: StatusCode, kind: &str, text: &Value) -> Response<Body> {
    let mut response = Response::new(body::full(text.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(ERROR_TYPE, kind);
    }
    response
}

#[cfg(test)]
mod tests;
