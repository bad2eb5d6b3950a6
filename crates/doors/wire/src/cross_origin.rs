//! The seam for requests that pages of other origins make: what a service tells their browsers. A service without one
//! answers them as it answers everyone.

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::ApiError;

/// A service that has rules for pages of other origins.
#[async_trait]
pub trait CrossOrigin: Send + Sync {
    /// The headers that answer a browser which asks whether a page may make a request.
    ///
    /// # Errors
    /// It may not.
    async fn preflight(&self, request: &CrossRequest<'_>) -> Result<HeaderMap, ApiError>;

    /// The headers that an answer to such a request gets; none where the page may not read it.
    async fn headers(&self, request: &CrossRequest<'_>) -> HeaderMap;
}

/// A request as its browser tells of it.
pub struct CrossRequest<'a> {
    /// Its path, which begins with the bucket, wherever the request has it.
    pub path: &'a str,
    /// Its method.
    pub method: &'a str,
    /// The origin of the page, where the browser says it.
    pub origin: Option<&'a str>,
    /// The method that a question is about.
    pub asked_method: Option<&'a str>,
    /// The headers that a question is about.
    pub asked_headers: Option<&'a str>,
}

impl<'a> CrossRequest<'a> {
    pub(crate) fn new(head: &'a Parts, path: &'a str) -> Self {
        let text = |name: HeaderName| head.headers.get(name)?.to_str().ok();
        Self {
            path,
            method: head.method.as_str(),
            origin: text(header::ORIGIN),
            asked_method: text(header::ACCESS_CONTROL_REQUEST_METHOD),
            asked_headers: text(header::ACCESS_CONTROL_REQUEST_HEADERS),
        }
    }
}

/// Whether a browser says that a request comes from a page of another origin than the host that it is sent to. Browsers send
/// forms without a question before them.
pub(crate) fn is_from_elsewhere(head: &Parts, host: &str) -> bool {
    let text = |name: &str| head.headers.get(name)?.to_str().ok();
    let is_of_host = |origin: &str| origin.split_once("://").is_some_and(|(_, of)| of == host);
    let site = text("sec-fetch-site");
    site.is_some_and(|site| matches!(site, "cross-site" | "same-site"))
        || text("origin").is_some_and(|origin| !is_of_host(origin))
}
