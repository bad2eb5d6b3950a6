//! Destinations beside the bucket that answer what a test tells them to, and a clock for tests of those who wait.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::{Clock, Env, SeededRandom};
use headwater_types::Millis;
use http::{Request, Response};
use parking_lot::Mutex;

use crate::ports::{Web, WebError};

/// Makes the answer to a request.
pub type Reply = Box<dyn FnOnce(&Request<Bytes>) -> Result<Response<Bytes>, WebError> + Send>;

/// Keeps what it is sent and answers in turn; to what comes after, it does not answer in time.
#[derive(Default)]
pub struct FakeWeb {
    pub replies: Mutex<VecDeque<Reply>>,
    pub requests: Mutex<Vec<Request<Bytes>>>,
}

impl FakeWeb {
    /// Answers the next request that has no reply yet.
    pub fn reply(
        &self,
        make: impl FnOnce(&Request<Bytes>) -> Result<Response<Bytes>, WebError> + Send + 'static,
    ) {
        self.replies.lock().push_back(Box::new(make));
    }

    /// Answers it with a status and a JSON text.
    pub fn answer(&self, status: u16, text: &str) {
        let text = text.to_owned();
        self.reply(move |_| Ok(json(status, text)));
    }
}

/// An answer with all that belongs to one.
pub fn json(status: u16, text: impl Into<Bytes>) -> Response<Bytes> {
    let text: Bytes = text.into();
    let answer = Response::builder().status(status);
    let answer = answer
        .header("content-type", "application/json")
        .header("content-length", text.len());
    answer.body(text).unwrap()
}

#[async_trait]
impl Web for FakeWeb {
    async fn send(
        &self,
        request: Request<Bytes>,
        _within: Duration,
        _answer_max: usize,
    ) -> Result<Response<Bytes>, WebError> {
        let reply = self.replies.lock().pop_front();
        let answer = reply.map_or(Err(WebError::TimedOut), |reply| reply(&request));
        self.requests.lock().push(request);
        answer
    }
}

/// A clock on which every sleep is over at once.
#[derive(Default)]
pub struct JumpingClock(Mutex<Duration>);

impl JumpingClock {
    /// An environment with such a clock, and chance that repeats itself.
    pub fn env() -> Env {
        Env {
            clock: Arc::new(Self::default()),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        }
    }
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000).plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock()
    }

    async fn sleep(&self, by: Duration) {
        *self.0.lock() += by;
    }
}
