//! Destinations of deliveries over HTTP/1.1 and HTTP/2, with TLS.

use std::{error::Error, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use headwater_delivery::{Web, WebError};
use headwater_env::{Clock, Env};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio_rustls::rustls::{self, ClientConfig};

/// How long a connection may take to come about.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: shorter than the 60 s after which load balancers drop theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);
/// Unused connections to one host.
const IDLE_CONNECTIONS_PER_HOST: usize = 8;

/// Bytes of an answer that are read though nobody wants them.
const PASSED_OVER: usize = 64 * 1024;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("headwater/", env!("CARGO_PKG_VERSION")));

/// HTTP as the machine has it. Redirects are answers like any other.
pub struct HttpWeb {
    pool: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    clock: Arc<dyn Clock>,
}

impl HttpWeb {
    /// Connections that trust whom `tls` trusts.
    pub fn new(env: &Env, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WAIT_MAX));
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = connector
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .build(connector);
        Self {
            pool,
            clock: env.clock.clone(),
        }
    }

    /// The status of an answer, whose body is gathered nowhere.
    pub async fn status(
        &self,
        request: Request<Bytes>,
        within: Duration,
    ) -> Result<StatusCode, WebError> {
        let exchange = Box::pin(async {
            let (head, mut body) = self.begin(request).await?.into_parts();
            // A short answer is read to its end, so that its connection can be used again.
            let mut left = PASSED_OVER;
            while let Some(Ok(frame)) = body.frame().await {
                let read = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(read) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
            Ok(head.status)
        });
        match select(exchange, self.clock.sleep(within)).await {
            Either::Left((status, _)) => status,
            Either::Right(_) => Err(WebError::TimedOut),
        }
    }

    async fn begin(&self, request: Request<Bytes>) -> Result<Response<Incoming>, WebError> {
        let mut request = request.map(Full::new);
        let headers = request.headers_mut();
        headers.entry(header::USER_AGENT).or_insert(AGENT);
        self.pool.request(request).await.map_err(|e| unsent(&e))
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        answer_max: usize,
    ) -> Result<Response<Bytes>, WebError> {
        let (head, body) = self.begin(request).await?.into_parts();
        match Limited::new(body, answer_max).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(WebError::TooLarge),
            Err(error) => Err(WebError::Broken(causes(&*error))),
        }
    }
}

#[async_trait]
impl Web for HttpWeb {
    async fn send(
        &self,
        request: Request<Bytes>,
        within: Duration,
        answer_max: usize,
    ) -> Result<Response<Bytes>, WebError> {
        let exchange = Box::pin(self.exchange(request, answer_max));
        match select(exchange, self.clock.sleep(within)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(WebError::TimedOut),
        }
    }
}

fn unsent(error: &legacy::Error) -> WebError {
    match (error.is_connect(), is_tls(error)) {
        (true, true) => WebError::Insecure(causes(error)),
        (true, false) => WebError::NotConnected(causes(error)),
        (false, _) => WebError::Broken(causes(error)),
    }
}

/// An error and what caused it. An I/O error keeps its cause inside without naming it as its source, and passes over it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        inside
            .map(|inside| inside as &(dyn Error + 'static))
            .or_else(|| error.source())
    })
}

/// Whether TLS is the reason.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<rustls::Error>())
}

/// An error with what caused it, in one line. A text that an error only repeats of its cause is said once.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = chain(error).map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_the_reason_however_it_is_wrapped() {
        let refusal = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let twice = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refusal()));
        assert!(is_tls(&refusal()) && is_tls(&io::Error::other(refusal())) && is_tls(&twice));
        assert_eq!(causes(&twice), "invalid peer certificate: UnknownIssuer");
        assert!(!is_tls(&io::Error::other(io::Error::from(
            io::ErrorKind::ConnectionReset
        ))));
    }
}
