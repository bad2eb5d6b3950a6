//! The bounds of everything here that waits or grows.

/// The largest answer that a client holds in memory; streamed ones have no bound.
pub(crate) const RESPONSE_BYTES: usize = 64 << 20;

/// Unused connections that a client keeps to one host.
pub(crate) const IDLE_CONNECTIONS_PER_HOST: usize = 64;

/// What is read of a shared configuration file or a token's file.
pub(crate) const CONFIG_FILE_BYTES: u64 = 1 << 20;
