//! HTTP/2: hyper's, with a seat that may be asked for, and peers that must keep moving.

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
    connection::{self, Client},
    limits,
    patience::{Patience, TimedBody, TimedSocket},
    resumed::Resumed,
    seats::Wish,
    server::Shared,
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
    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (shared, client, asked) = (shared.clone(), client.clone(), asked.clone());
        move |request| {
            asked.store(true, Ordering::Relaxed);
            let (shared, client) = (shared.clone(), client.clone());
            async move {
                let _busy = client.seat.busy(&shared.env);
                let request = http::Request::map(request, |body| {
                    Body::other(TimedBody::new(body, patience(&shared)))
                });
                Ok::<_, Infallible>(connection::answer(request, &client, &shared).await)
            }
        }
    });
    let socket = TokioIo::new(TimedSocket::new(socket, patience(shared)));
    let mut connection = pin!(builder(shared).serve_connection(socket, service));
    let asked_for =
        |wish| std::future::poll_fn(move |context| client.seat.poll_wish(wish, context));
    // hyper has no time-out of its own for a client that never asks for anything.
    let silence = async {
        shared.env.clock.sleep(shared.serving.limits.idle).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = asked_for(Wish::Leave) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = asked_for(Wish::Drop) => return,
            }
        }
        () = silence => return,
    };
    if let Err(error) = ended {
        client.broke(&io::Error::other(error));
    }
}

fn patience(shared: &Shared) -> Patience {
    Patience::new(shared.env.clock.clone(), shared.serving.limits.body_idle)
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
