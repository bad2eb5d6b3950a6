//! Deliveries call functions.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Invoke, InvokeError};
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Qualifier, Request};
use headwater_types::Arn;

/// The functions of this server.
pub struct FunctionInvoke {
    /// Gives each call its id.
    pub env: Env,
    /// The functions.
    pub functions: Functions,
}

#[async_trait]
impl Invoke for FunctionInvoke {
    async fn invoke(&self, arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError> {
        let missing = || InvokeError::NotFound(arn.to_string());
        let (name, qualifier) = named(arn).ok_or_else(missing)?;
        let request = Request {
            qualifier,
            request_id: self.env.random.uuid(),
            payload,
            client_context: None,
        };
        match self.functions.invoke(&name, request).await {
            Ok(done) if done.failed => Err(InvokeError::Function(
                String::from_utf8_lossy(&done.payload).into_owned(),
            )),
            Ok(done) => Ok(done.payload),
            Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => Err(missing()),
            Err(Error::Throttled | Error::Reserved | Error::QueueFull) => {
                Err(InvokeError::Throttled)
            }
            Err(Error::PayloadTooLarge { .. }) => Err(InvokeError::TooLarge),
            Err(other) => Err(InvokeError::Failed(other.to_string())),
        }
    }
}

/// The function that an ARN names, and the version or alias that may follow the name.
pub(super) fn named(arn: &Arn) -> Option<(FunctionName, Option<Qualifier>)> {
    let resource = arn.name_of("function")?;
    let (name, qualifier) = match resource.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier.parse().ok()?)),
        None => (resource, None),
    };
    Some((name.parse().ok()?, qualifier))
}
