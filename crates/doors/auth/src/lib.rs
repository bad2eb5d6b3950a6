//! Authentication: signatures of requests, made and checked, and the identities behind them.
//!
//! Signature version 4 in headers, addresses and chunks of a body, and version 2 in S3's addresses. Which keys there
//! are is given; what their holders may do is not decided here.

mod caller;
pub mod key_id;
mod limits;
mod query;
pub mod sessions;
pub mod sign;
pub mod verify;

pub use caller::{Caller, Session};
pub use limits::SESSION_LIFE;
pub use query::parse_query;
pub use sessions::Sessions;
pub use verify::Verifier;
