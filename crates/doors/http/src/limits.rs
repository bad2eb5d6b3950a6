//! The bounds of everything here that waits or grows.

use std::time::Duration;

/// The room for all request bodies in memory and for the values read of them; a request that finds it used up waits.
pub const BUFFERED_BYTES: usize = 128 << 20;

/// The room that a body takes, in its own lengths: itself, and at most about twice that in what is read of it.
pub(crate) const BODY_WEIGHT: usize = 3;

/// The steps in which a body takes its share of the room, in bytes of the body.
pub(crate) const BODY_STEP_BYTES: usize = 64 << 10;

/// The bytes that a body may be given room for, in multiples of those that came of it.
pub(crate) const BODY_AHEAD: usize = 4;

/// The pieces in which an answer that counts is handed to a connection.
pub(crate) const ANSWER_CHUNK_BYTES: usize = 256 << 10;

/// The bytes read of a body that is too long, for its sender to see that it is.
pub(crate) const DISCARDED_BYTES: u64 = 64 << 20;

/// Connections of a listener at a time.
pub(crate) const CONNECTIONS: usize = 16_384;

/// The files that a process has open beside connections: the log's files, functions' pipes, the clients' sockets.
pub(crate) const OTHER_FILES: usize = 1024;

/// When all connections are taken, one that was silent for this long may be closed for a new one.
pub(crate) const SILENT_MIN: Duration = Duration::from_secs(1);

/// How long a new connection waits for room before it looks again for one that may be closed.
pub(crate) const CROWDED_PAUSE: Duration = Duration::from_millis(250);

/// The time between two lines of the log whose cause comes again and again.
pub(crate) const LOG_LINE_EVERY: Duration = Duration::from_secs(60);

/// A request's head; AWS's own limits are 8 to 64 KiB.
pub(crate) const HEAD_BYTES: usize = 64 << 10;

/// Headers of a request.
pub(crate) const HEADERS: usize = 100;

/// A request's address: path and query. AWS's longest are keys of 1,024 bytes, every byte of them escaped.
pub(crate) const URI_BYTES: usize = 32 << 10;

/// The line before a chunk of a body in chunks.
pub(crate) const CHUNK_HEAD_BYTES: usize = 256;

/// The extensions of all chunks of a body, which mean nothing here.
pub(crate) const CHUNK_EXTENSION_BYTES: usize = 8 << 10;

/// The trailers behind the last chunk, of which there are at most [`HEADERS`].
pub(crate) const TRAILER_BYTES: usize = 8 << 10;

/// The bytes read of a connection at a time, on the stack, before their meaning is known: the pieces of a body that
/// streams.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// An answer up to this length is written in one piece with its head.
pub(crate) const JOINED_BYTES: usize = 4 << 10;

/// Requests at a time on one connection of HTTP/2.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 256;

/// The bytes that a peer may send ahead on one request of HTTP/2.
pub(crate) const STREAM_WINDOW: u32 = 1 << 20;

/// The same for all requests of a connection together.
pub(crate) const CONNECTION_WINDOW: u32 = 4 << 20;

/// The bytes held of an answer in HTTP/2 for which its peer has room and which the socket does not take yet.
pub(crate) const SEND_BUFFER: usize = 256 << 10;

/// The bytes of an answer in HTTP/2 for which room is asked at a time: the answers of a connection take turns.
pub(crate) const SEND_PIECE_BYTES: usize = 64 << 10;

/// Requests of HTTP/2 that a client may have taken back before they were looked at; more end its connection.
pub(crate) const RESET_BEFORE_TAKEN: usize = 20;

/// Streams of HTTP/2 that are reset for a client's mistakes; more end its connection.
pub(crate) const RESET_FOR_ERRORS: usize = 1024;

/// The longest wait for a request, also between two: longer than what clients keep connections for.
pub(crate) const IDLE: Duration = Duration::from_secs(75);

/// The longest wait for the next [`PROGRESS_BYTES`] of a body.
pub(crate) const BODY_IDLE: Duration = Duration::from_secs(30);

/// The bytes of a body that must come, or of an answer that must be taken, for its peer to be believed alive; the rest of
/// it, where less is left.
pub(crate) const PROGRESS_BYTES: usize = 16 << 10;

/// How long a shutdown waits for requests that run.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The body of a request that asks for HTTP/2 on the way: what the first window of HTTP/2 takes.
pub(crate) const H2C_BODY_BYTES: usize = 32 << 10;
