//! The HTTP server: connections in HTTP/1.1 and HTTP/2 on a port, each request handed to one [`Service`].
//!
//! Owns sockets, the syntax of HTTP, time-outs, bodies and the bounds of all of them. The meaning of a request, who may
//! make it and what is answered is the service's; nothing here knows AWS.
//!
//! The way of a request: `server` accepts a connection and takes a slot for it (`slots`), `connection` agrees on TLS,
//! `http1` or `http2` reads the request, `exchange` hands it to the service, and `buffers` brings its body into memory
//! where the service wants that.

pub mod body;
mod buffers;
mod connection;
mod date;
mod exchange;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod h2c;
mod headers;
mod http1;
mod http2;
mod length;
mod limits;
mod log_rate;
mod progress;
mod room;
mod server;
mod service;
mod serving;
mod slots;
mod socket;
mod tls;

pub use body::Body;
pub use buffers::{Buffered, Buffers, HoldError};
pub use limits::BUFFERED_BYTES;
pub use room::Share;
pub use server::serve;
pub use service::{Peer, Service};
pub use serving::{Limits, Serving};
pub use tls::{Listener, Tls, TlsError};
