//! Authentication: signatures of requests, made and checked, and the identities behind them.
//!
//! Signature version 4 in headers, addresses and chunks of a body, and version 2 in S3's addresses. Which keys there
//! are is given; what their holders may do is not decided here.

mod caller;
mod limits;
mod query;
pub mod sign;
pub mod verify;

pub use caller::Caller;
pub use query::parse_query;
pub use verify::Verifier;
