//! The boundary between HTTP and what is served over it.

use std::net::SocketAddr;

use async_trait::async_trait;
use http::{Request, Response};

use crate::{Body, HoldError};

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
}

/// The answers to a listener's requests.
#[async_trait]
pub trait Service: Send + Sync {
    /// Answers a request. It must not panic: in HTTP/1.1 that drops the connection, in HTTP/2 the request's stream.
    ///
    /// The request's body is there for as long as the call and its answer's body run; a body that is kept longer fails
    /// when it is read.
    async fn call(&self, request: Request<Body>, peer: Peer) -> Response<Body>;

    /// The answer to a request whose body did not come in time, or not as it was announced.
    fn body_failed(&self, error: &HoldError) -> Response<Body>;
}
