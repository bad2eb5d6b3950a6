//! Deliveries call functions.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Invoke, InvokeError};
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Request};
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
        // A version or alias may follow the name; `$LATEST` is the only one there is.
        let name = arn
            .name_of("function")
            .and_then(|name| match name.split_once(':') {
                None | Some((_, "$LATEST")) => name.split(':').next(),
                Some(_) => None,
            });
        let name: FunctionName = name
            .and_then(|name| name.parse().ok())
            .ok_or_else(missing)?;
        let request = Request {
            request_id: self.env.random.uuid(),
            payload,
            client_context: None,
        };
        match self.functions.invoke(&name, request).await {
            Ok(done) if done.failed => Err(InvokeError::Function(
                String::from_utf8_lossy(&done.payload).into_owned(),
            )),
            Ok(done) => Ok(done.payload),
            Err(Error::NotFound(_)) => Err(missing()),
            Err(Error::Throttled | Error::QueueFull) => Err(InvokeError::Throttled),
            Err(Error::PayloadTooLarge { .. }) => Err(InvokeError::TooLarge),
            Err(other) => Err(InvokeError::Failed(other.to_string())),
        }
    }
}
