//! The HTTP server: connections in HTTP/1.1 and HTTP/2 on a port, each request handed to one [`Service`].
//!
//! Owns sockets, the syntax of HTTP, time-outs, bodies and the bounds of all of them. What a request means, who may
//! make it and what is answered is the service's; nothing here knows AWS.

pub mod body;
mod connection;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod h2c;
mod http1;
mod http2;
mod limits;
mod patience;
mod resumed;
mod seats;
mod seldom;
mod server;
mod service;
mod tls;

pub use body::{Body, Buffers, HoldError};
pub use limits::BUFFERED_BYTES;
pub use server::{Limits, Serving, serve};
pub use service::{Peer, Service};
pub use tls::{Listener, Tls, TlsError};
