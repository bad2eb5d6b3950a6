//! One connection from its first byte to its last: TLS, HTTP/1.1, and the change to HTTP/2.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::{
    exchange::Client, http1, http2, serving::Shared, slots::Slot, socket::Socket, tls::Tls,
};

/// Serves a connection to its end, also across a change to HTTP/2.
pub(crate) async fn run(
    socket: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    slot: Arc<Slot>,
    shared: Arc<Shared>,
) {
    let client = Client::new(address, slot, tls.is_some());
    let socket: Socket = match tls {
        None => Box::new(socket),
        Some(tls) => match agree(tls, socket, &shared).await {
            Ok(socket) => Box::new(socket),
            Err(error) => {
                tracing::debug!(peer = %address, %error, "no TLS could be agreed on");
                return;
            }
        },
    };
    if let Some(resumed) = http1::serve(socket, &client, &shared).await {
        http2::serve(resumed, &client, &shared).await;
    }
}

/// Agrees with a client on keys.
async fn agree(tls: Tls, socket: TcpStream, shared: &Shared) -> io::Result<TlsStream<TcpStream>> {
    tokio::select! {
        agreed = tls.accept(socket) => agreed,
        () = shared.env.clock.sleep(shared.serving.limits.idle) => Err(io::ErrorKind::TimedOut.into()),
    }
}
