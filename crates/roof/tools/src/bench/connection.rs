//! One connection to the endpoint: HTTP/1.1 driven by the very task that waits for the answer, so that no other is
//! woken for it.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    FutureExt,
    future::{Either, Fuse, select},
};
use headwater_client::CallError;
use headwater_wire::event_stream::Message;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use serde::Deserialize;
use tower_service::Service;

use crate::{
    bench::{calls::Codec, endpoint::Endpoint},
    limits::BENCH_ANSWER_WAIT_MAX,
};

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The endpoint's error type, or one of [`CallError`]'s codes.
    pub code: String,
    /// Whether it asks to come later.
    pub throttled: bool,
    /// Whether it may have done its work all the same.
    pub unclear: bool,
}

impl Failure {
    /// An answer that is not what it must be.
    pub fn unreadable(problem: &dyn ToString) -> Self {
        tracing::debug!(problem = problem.to_string(), "an answer cannot be read");
        Self {
            code: CallError::RESPONSE.to_owned(),
            throttled: false,
            unclear: true,
        }
    }

    /// An error of that type, in the midst of an answer.
    pub fn named(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            throttled: is_throttling(code),
            unclear: false,
        }
    }

    /// A connection that could not be made, or broke.
    pub fn transport(problem: &dyn std::error::Error, unclear: bool) -> Self {
        tracing::debug!(problem = problem.to_string(), "a connection failed");
        Self {
            code: CallError::TRANSPORT.to_owned(),
            throttled: false,
            unclear,
        }
    }

    fn answered(status: u16, headers: &HeaderMap, body: &[u8], codec: Codec) -> Self {
        let named = headers
            .get("x-amzn-errortype")
            .and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let code = named.or_else(|| codec.read::<ErrorBody>(body).ok()?.code);
        let code = code.unwrap_or_else(|| format!("Http{status}"));
        let code = code
            .rsplit('#')
            .next()
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap_or_default();
        Self {
            code: code.to_owned(),
            throttled: is_throttling(code),
            unclear: status >= 500,
        }
    }
}

/// Whether an error asks to come later.
pub fn is_throttling(code: &str) -> bool {
    code == "ProvisionedThroughputExceededException"
        || code == "LimitExceededException"
        || code.contains("Throttl")
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type")]
    code: Option<String>,
}

/// A connection that is made anew whenever it broke.
pub struct Connection {
    endpoint: Arc<Endpoint>,
    live: Option<Live>,
}

/// The future that moves a connection's bytes; it rests once the connection is at its end.
type Driver = Fuse<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>;

/// Works while the connection is driven.
async fn driven<T>(driver: &mut Driver, work: impl Future<Output = T>) -> T {
    match select(pin!(work), driver).await {
        Either::Left((done, _)) => done,
        // The connection is at its end, with or without what was asked for.
        Either::Right((_, work)) => work.await,
    }
}

/// An open connection: its sender of requests, and the future that moves their bytes.
struct Live {
    requests: SendRequest<Full<Bytes>>,
    driver: Driver,
}

impl Connection {
    /// A connection that is made with its first call.
    pub fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            live: None,
        }
    }

    /// How bodies are written.
    pub fn codec(&self) -> Codec {
        self.endpoint.codec
    }

    /// Calls once, and returns a success's body.
    pub async fn call(&mut self, target: HeaderValue, body: Bytes) -> Result<Bytes, Failure> {
        let env = self.endpoint.env.clone();
        let deadline = env.clock.sleep(BENCH_ANSWER_WAIT_MAX);
        // A connection whose exchange broke or was given up is not kept.
        match select(pin!(self.exchange(target, body)), deadline).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(Failure {
                code: CallError::TIMEOUT.to_owned(),
                throttled: false,
                unclear: true,
            }),
        }
    }

    async fn exchange(&mut self, target: HeaderValue, body: Bytes) -> Result<Bytes, Failure> {
        let request = self.endpoint.request(target, body).await?;
        let mut live = match self.live.take().filter(|live| !live.requests.is_closed()) {
            Some(live) => live,
            None => self.connect().await?,
        };
        let Live { requests, driver } = &mut live;
        let answer = async {
            let (head, body) = requests.send_request(request).await?.into_parts();
            Ok((head, body.collect().await?.to_bytes()))
        };
        let answer = driven(driver, answer).await;
        let (head, body) =
            answer.map_err(|error: hyper::Error| Failure::transport(&error, true))?;
        self.live = Some(live);
        match head.status.is_success() {
            true => Ok(body),
            false => Err(Failure::answered(
                head.status.as_u16(),
                &head.headers,
                &body,
                self.codec(),
            )),
        }
    }

    /// Whether it is connected, as far as its other end has said by now.
    pub fn is_open(&mut self) -> bool {
        self.live.as_mut().is_some_and(|live| {
            let ended = (&mut live.driver).now_or_never().is_some();
            !ended && !live.requests.is_closed()
        })
    }

    async fn connect(&mut self) -> Result<Live, Failure> {
        let stream = self
            .endpoint
            .connector
            .clone()
            .call(self.endpoint.uri.clone())
            .await;
        let stream = stream.map_err(|error| Failure::transport(&*error, false))?;
        let (requests, driver) = http1::handshake(stream)
            .await
            .map_err(|error| Failure::transport(&error, false))?;
        Ok(Live {
            requests,
            driver: (Box::pin(driver) as Pin<Box<dyn Future<Output = _> + Send>>).fuse(),
        })
    }
}

/// An answer that goes on: messages of an event stream, over a connection of their own.
pub struct Events {
    body: Incoming,
    live: Live,
    pending: BytesMut,
}

impl Events {
    /// Calls, and returns once the answer has begun.
    pub async fn open(
        endpoint: Arc<Endpoint>,
        target: HeaderValue,
        body: Bytes,
    ) -> Result<Self, Failure> {
        let request = endpoint.request(target, body).await?;
        let codec = endpoint.codec;
        let mut live = Connection::new(endpoint).connect().await?;
        let answer = driven(&mut live.driver, live.requests.send_request(request)).await;
        let (head, body) = answer
            .map_err(|error| Failure::transport(&error, true))?
            .into_parts();
        if head.status.is_success() {
            return Ok(Self {
                body,
                live,
                pending: BytesMut::new(),
            });
        }
        let body = driven(&mut live.driver, body.collect()).await;
        let body = body
            .map_err(|error| Failure::transport(&error, true))?
            .to_bytes();
        Err(Failure::answered(
            head.status.as_u16(),
            &head.headers,
            &body,
            codec,
        ))
    }

    /// The next message; none at the answer's end. Nothing is lost when it is given up in between.
    pub async fn next(&mut self) -> Result<Option<Message>, Failure> {
        loop {
            let message =
                Message::decode(&mut self.pending).map_err(|error| Failure::unreadable(&error))?;
            if message.is_some() {
                return Ok(message);
            }
            let frame = match driven(&mut self.live.driver, self.body.frame()).await {
                None => return Ok(None),
                Some(frame) => frame.map_err(|error| Failure::transport(&error, false))?,
            };
            if let Some(data) = frame.data_ref() {
                self.pending.extend_from_slice(data);
            }
        }
    }
}
