//! The seam for hosts of a service's own: all that is sent to them is the service's, whatever path and method it has, and
//! the service authenticates and answers it in its own words. The log and the observers are told of it as of any request.

use async_trait::async_trait;
use headwater_http::Body;
use http::{Response, request::Parts};

use crate::{ApiError, Context};

/// A service that has hosts of its own.
#[async_trait]
pub trait Hosted: Send + Sync {
    /// The name under which the log and the observers see such requests.
    fn operation(&self) -> &'static str;

    /// The region that such a host belongs to; none where the host is no such one.
    fn region<'h>(&self, host: &'h str) -> Option<&'h str>;

    /// Answers a request. An error is answered in JSON, as the service's others are.
    ///
    /// # Errors
    /// In AWS's words.
    async fn answer(
        &self,
        head: &Parts,
        body: Body,
        context: &Context,
    ) -> Result<Response<Body>, ApiError>;
}
