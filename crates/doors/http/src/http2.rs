//! HTTP/2: hyper's, with a slot whose connection may be asked to end, and peers that must keep moving.
//!
//! `Expect: 100-continue` is not answered here, unlike in HTTP/1.1. hyper 1.12 keeps the only handle that could send a
//! `100 Continue` (`h2::server::SendResponse::send_informational`) to itself: its server has no call for informational
//! answers, and `hyper::ext::on_informational` is for clients. To have it, the server would be built on `h2` directly,
//! with flow control, pings and the lengths of answers written anew. RFC 9110 has clients wait a while and then send
//! (section 10.1.1), and a client of HTTP/2 loses nothing by a body that is refused: its stream is reset, the connection
//! stays.

use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use headwater_env::Spawn;
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::{
    Body,
    exchange::{self, Client},
    limits,
    progress::{Progress, TimedBody, TimedSocket},
    serving::Shared,
    slots::Shutdown,
    socket::Resumed,
};

/// Runs hyper's tasks where all tasks run.
#[derive(Clone)]
struct Tasks(Arc<dyn Spawn>);

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.spawn(Box::pin(async move {
            task.await;
        }));
    }
}

/// Answers the requests of a connection to its end.
pub(crate) async fn serve(socket: Resumed, client: &Client, shared: &Arc<Shared>) {
    let has_asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (shared, client, has_asked) = (shared.clone(), client.clone(), has_asked.clone());
        move |request| {
            has_asked.store(true, Ordering::Relaxed);
            let (shared, client) = (shared.clone(), client.clone());
            async move {
                let _running = client.slot.busy(&shared.env);
                let request = http::Request::map(request, |body| {
                    Body::other(TimedBody::new(body, progress(&shared)))
                });
                Ok::<_, Infallible>(exchange::answer(request, &client, &shared).await)
            }
        }
    });
    let socket = TokioIo::new(TimedSocket::new(socket, progress(shared)));
    let mut connection = pin!(builder(shared).serve_connection(socket, service));
    let asked_to_end =
        |how| std::future::poll_fn(move |context| client.slot.poll_shutdown(how, context));
    // hyper has no time-out of its own for a client that never asks for anything.
    let silence = async {
        shared.env.clock.sleep(shared.serving.limits.idle).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = asked_to_end(Shutdown::Graceful) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = asked_to_end(Shutdown::Abort) => return,
            }
        }
        () = silence => return,
    };
    if let Err(error) = ended {
        client.broke(&io::Error::other(error));
    }
}

fn progress(shared: &Shared) -> Progress {
    Progress::new(shared.env.clock.clone(), shared.serving.limits.body_idle)
}

fn builder(shared: &Shared) -> http2::Builder<Tasks> {
    let limits = &shared.serving.limits;
    let mut builder = http2::Builder::new(Tasks(shared.env.tasks.clone()));
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_per_connection)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buf_size(limits::SEND_BUFFER)
        .keep_alive_interval(limits.body_idle)
        .keep_alive_timeout(limits.body_idle);
    builder
}
