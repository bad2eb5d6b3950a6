//! The bounds of everything here that waits or grows.

/// The largest answer that a client holds in memory; streamed ones have no bound.
pub(crate) const RESPONSE_BYTES: usize = 64 << 20;

/// Unused connections that a client keeps to one host.
pub(crate) const IDLE_CONNECTIONS_PER_HOST: usize = 64;

/// Bytes that a server may send ahead on one answer of HTTP/2 that is not read yet.
pub(crate) const ANSWER_WINDOW: u32 = 1 << 20;

/// The same for all answers of a connection: enough for as many as one has, so that none waits for another's reader.
pub(crate) const ANSWERS_WINDOW: u32 = 256 << 20;

/// Bytes that are read of a shared configuration file or a token's file.
pub(crate) const CONFIG_FILE_BYTES: u64 = 1 << 20;
