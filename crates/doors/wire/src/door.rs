//! A door: what answers the requests of one service.

use async_trait::async_trait;
use http::{Request, Response, request::Parts};

use crate::{Body, Context};

/// One service as the listener sees it.
#[async_trait]
pub trait Door: Send + Sync {
    /// The service's name, for logs and metrics.
    fn name(&self) -> &'static str;

    /// Whether a request with this head is for this service.
    fn takes(&self, head: &Parts) -> bool;

    /// Answers a request. Room for a body in memory comes from the context's [`Buffers`](crate::Buffers).
    async fn call(&self, request: Request<Body>, context: Context) -> Response<Body>;
}

/// Among an answer's extensions, where the log says it: the operation that was called.
#[derive(Debug, Clone, Copy)]
pub struct OperationName(pub &'static str);
