//! Mappings call functions, and leave what is given up in buckets.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use headwater_delivery::{ObjectMeta, Objects};
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Request};
use headwater_mappings::ports::{Answer, Destinations, HandlerError, Handlers};
use headwater_types::Arn;

/// The functions of this server.
pub struct MappedFunctions {
    /// Gives each call its id.
    pub env: Env,
    /// The functions.
    pub functions: Functions,
}

/// The buckets of this server.
pub struct FailureBuckets(pub Arc<dyn Objects>);

#[async_trait]
impl Handlers for MappedFunctions {
    async fn role(&self, function: &Arn) -> Result<String, HandlerError> {
        let found = self.functions.get(&name_of(function)?).await;
        let function = found.map_err(|error| to_handler(error, function))?;
        Ok(function.configuration.role)
    }

    async fn call(&self, function: &Arn, event: Bytes) -> Result<Answer, HandlerError> {
        let request = Request {
            request_id: self.env.random.uuid(),
            payload: event,
            client_context: None,
        };
        let done = self.functions.invoke(&name_of(function)?, request).await;
        let done = done.map_err(|error| to_handler(error, function))?;
        Ok(Answer {
            request_id: done.request_id,
            version: done.executed_version.to_owned(),
            payload: done.payload,
            failed: done.failed,
        })
    }
}

#[async_trait]
impl Destinations for FailureBuckets {
    async fn store(&self, destination: &Arn, name: &str, body: Bytes) -> Result<(), String> {
        let meta = ObjectMeta {
            content_type: "application/json",
            content_encoding: None,
            encryption_key: None,
        };
        let body = Box::pin(stream::iter([Ok(body)]));
        let put = self.0.put(&destination.resource, name, body, meta).await;
        put.map_err(|error| error.to_string())
    }
}

/// The function that an ARN names; a version may follow the name, of which `$LATEST` is the only one there is.
fn name_of(function: &Arn) -> Result<FunctionName, HandlerError> {
    let name = function.name_of("function").unwrap_or_default();
    let (name, version) = name
        .split_once(':')
        .unwrap_or((name, headwater_functions::LATEST));
    let missing = || HandlerError::NotFound(function.to_string());
    if version != headwater_functions::LATEST {
        return Err(missing());
    }
    name.parse().map_err(|_| missing())
}

fn to_handler(error: Error, function: &Arn) -> HandlerError {
    match error {
        Error::NotFound(_) => HandlerError::NotFound(function.to_string()),
        Error::Throttled | Error::QueueFull => HandlerError::Throttled,
        Error::PayloadTooLarge { .. } => HandlerError::TooLarge,
        other => HandlerError::Failed(other.to_string()),
    }
}
