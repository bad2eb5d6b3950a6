//! Connections: a pool over plain and encrypted TCP, HTTP/1.1 and HTTP/2, with every wait bounded.

use std::{io, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    stream,
};
use headwater_env::Clock;
use headwater_shapes::ByteStream;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{
    Authorities, CallError,
    config::Timeouts,
    limits::{ANSWER_WINDOW, ANSWERS_WINDOW, IDLE_CONNECTIONS_PER_HOST, RESPONSE_BYTES},
};

/// A request's body: bytes or a stream.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// How long an unused connection is kept: shorter than the 60 s after which AWS's load balancers drop theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// The connection pool; clones share it.
#[derive(Clone)]
pub(crate) struct Http {
    pool: legacy::Client<HttpsConnector<HttpConnector>, RequestBody>,
    clock: Arc<dyn Clock>,
    response: Duration,
    idle: Duration,
}

impl Http {
    pub(crate) fn new(
        timeouts: &Timeouts,
        trust: Option<&Authorities>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeouts.connect));
        let tls = HttpsConnectorBuilder::new();
        let tls = match trust.map(Authorities::tls) {
            Some(config) => tls.with_tls_config(config),
            None => match tls.with_native_roots() {
                Ok(native) => native,
                // A machine without certificates of its own.
                Err(_) => HttpsConnectorBuilder::new().with_webpki_roots(),
            },
        };
        let connector = tls
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .http2_initial_stream_window_size(ANSWER_WINDOW)
            .http2_initial_connection_window_size(ANSWERS_WINDOW)
            .build(connector);
        Self {
            pool,
            clock,
            response: timeouts.response,
            idle: timeouts.idle,
        }
    }

    /// Sends a request and waits for the answer's head.
    pub(crate) async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, CallError> {
        let sent = self.within(self.response, self.pool.request(request)).await;
        let Some(sent) = sent else {
            return Err(CallError::timeout(format!(
                "no answer within {:?}",
                self.response
            )));
        };
        sent.map_err(|error| CallError::transport(causes(&error), !error.is_connect()))
    }

    /// An answer's body whole, of a bounded size.
    pub(crate) async fn collect(&self, status: u16, body: Incoming) -> Result<Bytes, CallError> {
        match self
            .within(self.response, Limited::new(body, RESPONSE_BYTES).collect())
            .await
        {
            Some(Ok(body)) => Ok(body.to_bytes()),
            Some(Err(error)) => Err(CallError {
                status: Some(status),
                ..CallError::transport(causes(&*error), true)
            }),
            None => Err(CallError::timeout(format!(
                "the answer was not complete within {:?}",
                self.response
            ))),
        }
    }

    /// An answer's body as it comes; a chunk that is too long in coming is an error.
    pub(crate) fn stream(&self, body: Incoming, len: Option<u64>) -> ByteStream {
        let chunks = stream::try_unfold((self.clone(), body), async |(http, mut body)| {
            loop {
                let Some(frame) = http.within(http.idle, body.frame()).await else {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the answer stopped coming",
                    ));
                };
                match frame {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(io::Error::other(error)),
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some((data, (http, body))));
                        }
                    }
                }
            }
        });
        ByteStream {
            chunks: Box::pin(chunks),
            len,
        }
    }

    /// The result of `work`, or none once `limit` has passed.
    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.clock.sleep(limit))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

/// An error with what caused it, in one line: hyper keeps the reason that helps in its sources.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
