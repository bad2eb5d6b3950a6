//! What a handler knows of a request besides its input.

use headwater_types::{Account, Region};

/// The request around an input.
#[derive(Debug, Clone)]
pub struct Context {
    /// The id that the answer carries and the log names.
    pub request_id: String,
    /// The region that the request was made for.
    pub region: Region,
    /// The account that it runs in.
    pub account: Account,
    /// The `Host` it was sent to, for answers that hold addresses: `127.0.0.1:4566`.
    pub host: String,
}
