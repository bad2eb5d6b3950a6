//! HTTP/2 (RFC 9113): the requests of a connection side by side, each in a task of its own.
//!
//! Owns the loop that takes requests (here), peers that are gone without a word (`keep_alive`), one request and its answer
//! (`stream`, `reply`), a request's body (`incoming`) and an answer's (`sending`). Frames, compressed heads, windows and the
//! bounds against floods of frames are `h2`'s; so are malformed requests, whose streams it resets.

pub(crate) mod incoming;
mod keep_alive;
mod reply;
mod sending;
mod stream;
#[cfg(test)]
mod tests;

use std::{io, pin::pin, sync::Arc};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::Request;
use parking_lot::Mutex;
use tokio_util::io::InspectReader;

use crate::{
    date::Date,
    exchange::Client,
    http2::keep_alive::Heard,
    limits,
    progress::{Progress, TimedSocket},
    serving::{Limits, Shared},
    slots::Shutdown,
    socket::Resumed,
};

/// A connection in HTTP/2, as its streams have it.
struct Connection {
    client: Client,
    shared: Arc<Shared>,
    /// The time of the last answer.
    date: Mutex<Date>,
}

/// Answers the requests of a connection to its end. Requests that run when it breaks are dropped, and with them what
/// does not run to its end by itself.
pub(crate) async fn serve(socket: Resumed, client: &Client, shared: &Arc<Shared>) {
    let connection = Arc::new(Connection {
        client: client.clone(),
        shared: shared.clone(),
        date: Mutex::default(),
    });
    let ended = tokio::select! {
        biased;
        ended = connection.run(socket) => ended,
        () = connection.asked_to_end(Shutdown::Abort) => return,
    };
    if let Err(error) = ended {
        client.broke(&io::Error::other(error));
    }
}

impl Connection {
    /// Takes requests until the client ends the connection, or is gone, or has its last answer after a shutdown began.
    async fn run(self: &Arc<Self>, socket: Resumed) -> Result<(), h2::Error> {
        let (clock, limits) = (&self.shared.env.clock, &self.shared.serving.limits);
        let heard = Heard::new(clock.clone());
        let noting = InspectReader::new(socket, {
            let heard = heard.clone();
            move |_: &[u8]| heard.now()
        });
        let socket = TimedSocket::new(noting, self.progress());
        let mut requests = builder(limits).handshake(socket).await?;
        let pings = requests.ping_pong().expect("nobody took it before");
        let mut is_gone = pin!(keep_alive::is_gone(&heard, pings, limits.body_idle));
        let mut never_asked = pin!(clock.sleep(limits.idle));
        let (mut has_asked, mut ends) = (false, false);
        loop {
            tokio::select! {
                biased;
                request = requests.accept() => {
                    let Some(request) = request else { return Ok(()) };
                    has_asked = true;
                    self.begin(request?);
                }
                () = self.asked_to_end(Shutdown::Graceful), if !ends => {
                    requests.graceful_shutdown();
                    ends = true;
                }
                () = &mut never_asked, if !has_asked => return Ok(()),
                () = &mut is_gone => return Ok(()),
            }
        }
    }

    fn begin(self: &Arc<Self>, (request, reply): (Request<RecvStream>, SendResponse<Bytes>)) {
        let answered = stream::answer(self.clone(), request, reply);
        self.shared.env.tasks.spawn(Box::pin(answered));
    }

    async fn asked_to_end(&self, how: Shutdown) {
        std::future::poll_fn(|context| self.client.slot.poll_shutdown(how, context)).await;
    }

    /// The time-out of a peer that has to send or to take something.
    fn progress(&self) -> Progress {
        Progress::new(
            self.shared.env.clock.clone(),
            self.shared.serving.limits.body_idle,
        )
    }
}

fn builder(limits: &Limits) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_per_connection)
        .initial_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buffer_size(limits::SEND_BUFFER)
        .max_pending_accept_reset_streams(limits::RESET_BEFORE_TAKEN)
        .max_local_error_reset_streams(Some(limits::RESET_FOR_ERRORS));
    builder
}
