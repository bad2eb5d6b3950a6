//! The handle by which a request is answered, of which its body may have one use before: `100 Continue`.

use std::{
    future::poll_fn,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use h2::{Reason, server::SendResponse};
use http::{Response, StatusCode};
use parking_lot::Mutex;

type Shared = Mutex<Option<SendResponse<Bytes>>>;

/// A request's reply, until its answer begins.
pub(super) struct Reply(Arc<Shared>);

/// Leave to tell the client once that it may send the body for which it waits.
pub(crate) struct Greeting(Weak<Shared>);

impl Reply {
    pub(super) fn new(reply: SendResponse<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(Some(reply))))
    }

    pub(super) fn greeting(&self) -> Greeting {
        Greeting(Arc::downgrade(&self.0))
    }

    /// Ready when the client wants no answer any more.
    pub(super) async fn reset(&self) -> Result<Reason, h2::Error> {
        poll_fn(|context| match &mut *self.0.lock() {
            Some(reply) => reply.poll_reset(context),
            None => std::task::Poll::Pending,
        })
        .await
    }

    /// Begins the answer. From now on the client is not greeted any more, since it would take that for an answer too.
    pub(super) fn begin(self) -> Option<SendResponse<Bytes>> {
        self.0.lock().take()
    }
}

impl Greeting {
    /// Tells the client to send, unless its answer has begun. A client that is gone finds out otherwise.
    pub(super) fn send(self) {
        let Some(shared) = self.0.upgrade() else {
            return;
        };
        if let Some(reply) = &mut *shared.lock() {
            let mut go_on = Response::new(());
            *go_on.status_mut() = StatusCode::CONTINUE;
            let _ = reply.send_informational(go_on);
        }
    }
}
