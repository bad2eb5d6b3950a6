//! The bounds of everything here that waits or grows.

/// The largest answer that a client holds in memory; streamed ones have no bound.
pub(crate) const RESPONSE_BYTES: usize = 64 << 20;

/// Unused connections that a client keeps to one host.
pub(crate) const IDLE_CONNECTIONS_PER_HOST: usize = 64;

/// What is read of a shared configuration file or a token's file.
pub(crate) const CONFIG_FILE_BYTES: u64 = 1 << 20;

/// How deep elements may stand in each other; the deepest of S3's shapes needs a third of it.
pub(crate) const XML_DEPTH: usize = 24;

/// What all request bodies in memory may take together; who comes when it is used up waits.
pub const BUFFERED_BYTES: usize = 128 << 20;

/// The values in a body that is read without expectations, to find AWS's words for what is wrong with it.
pub(crate) const RAW_VALUES: usize = 1 << 18;

/// How deep lists, maps and structures may stand in each other in CBOR; JSON has serde_json's own bound of 128.
pub(crate) const CBOR_DEPTH: usize = 64;

/// The body of an AWS JSON or CBOR request: 10 MiB of records in base64, and their frame.
pub(crate) const JSON_BODY_BYTES: usize = 16 << 20;
