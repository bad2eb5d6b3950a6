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
        // A version or alias may follow the name.
        let resource = arn.name_of("function").ok_or_else(missing)?;
        let (name, qualifier) = match resource.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (resource, None),
        };
        let name: FunctionName = name.parse().map_err(|_| missing())?;
        let qualifier = qualifier.map(|qualifier| qualifier.parse());
        let request = Request {
            qualifier: qualifier.transpose().map_err(|_| missing())?,
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
            Err(Error::Throttled | Error::QueueFull) => Err(InvokeError::Throttled),
            Err(Error::PayloadTooLarge { .. }) => Err(InvokeError::TooLarge),
            Err(other) => Err(InvokeError::Failed(other.to_string())),
        }
    }
}
