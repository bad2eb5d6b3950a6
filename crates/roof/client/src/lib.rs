//! The client's half of the protocols: one generic call over our own shapes.
//!
//! [`Client::call`] writes an operation's input, signs it, sends it, tries again where that is safe, and reads the
//! output or the error. Credentials and regions come from the chain that AWS's own tools use
//! ([`ClientConfig::from_env`]); it reads variables through a function it is given, never the process's own.

mod attempt;
mod config;
mod credentials;
mod error;
mod events;
mod http;
pub mod kinesis;
mod limits;
mod profile;
mod protocol;
mod retry;
mod sources;
mod trust;

use std::sync::Arc;

use headwater_env::Env;
use headwater_shapes::{Direct, Operation};

use crate::{
    attempt::attempt,
    http::Http,
    protocol::{Call, ReadOutput, read_direct, read_output},
};
pub use config::{ClientConfig, ConfigError, Endpoints, Timeouts};
pub use credentials::{CredentialsError, ProvideCredentials};
pub use error::CallError;
pub use profile::ProfileError;
pub use retry::Retry;
pub use trust::{Authorities, TrustError};

pub use headwater_auth::sign::Credentials;

/// Calls operations of AWS services, on AWS or on any other endpoint. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    http: Http,
    env: Env,
}

impl Client {
    /// A client of its own connections.
    pub fn new(config: ClientConfig, env: Env) -> Self {
        let http = Http::new(&config.timeouts, config.trust.as_ref(), env.clock.clone());
        Self {
            config: Arc::new(config),
            http,
            env,
        }
    }

    /// How it was made.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Calls one operation: `client.call::<ops::PutRecords>(input)`.
    ///
    /// Sends it again, as [`ClientConfig::retry`] says, after throttling, 5xx and failed connections; where it is
    /// unknown whether the service did it, only operations that may be repeated. A streamed body is sent once.
    ///
    /// # Errors
    /// The service's error, or why it could not be reached.
    pub async fn call<Op: Operation>(&self, input: Op::Input) -> Result<Op::Output, CallError> {
        self.run::<Op>(Call::new::<Op>(input)?, read_output::<Op>)
            .await
    }

    /// The same for an operation that carries data: its types are written and read without a tree between.
    ///
    /// # Errors
    /// The service's error, or why it could not be reached.
    pub async fn call_direct<Op: Direct>(&self, input: Op::Input) -> Result<Op::Output, CallError> {
        self.run::<Op>(Call::direct::<Op>(&input)?, read_direct::<Op>)
            .await
    }

    async fn run<Op: Operation>(
        &self,
        mut call: Call,
        read: ReadOutput<Op>,
    ) -> Result<Op::Output, CallError> {
        let mut tries = 0;
        loop {
            let error = match attempt::<Op>(self, &mut call, read).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            tries += 1;
            if !(error.retryable && call.repeatable(&error) && tries < self.config.retry.attempts) {
                return Err(error);
            }
            let pause = self.config.retry.pause(tries, self.env.random.next_u64());
            tracing::debug!(operation = Op::SHAPE.name, tries, ?pause, %error, "trying a call again");
            self.env.clock.sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests;
