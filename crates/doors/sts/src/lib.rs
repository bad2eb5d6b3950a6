//! The STS door: who calls, and keys that expire, one file an operation.
//!
//! Owns STS's spelling, durations and texts. What a session is, and how its token holds it, is `auth`'s; nothing is stored.
//! Roles are no resources yet: every well-formed name of a role in the caller's account can be assumed. Settings that
//! would narrow what a session may do are refused by name, for nothing would heed them. Texts are those recorded on AWS by
//! the tests of localstack, where those have them, else those of the API reference and of users' reports.

mod answers;
mod ops;
mod role;

use std::sync::Arc;

use headwater_auth::Sessions;
use headwater_shapes_sts::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};

/// The state that handlers run on.
pub struct Sts {
    /// Makes keys that expire.
    pub sessions: Arc<Sessions>,
}

/// The operations that are built. Callers of every account may call them: each acts in its own.
pub fn table(sts: Arc<Sts>) -> Table {
    Routes::new(&SERVICE, sts)
        .route_on::<shapes::AssumeRole>(WRITES.shared(), |input, _| input.role_arn.clone())
        .route::<shapes::GetAccessKeyInfo>(READS.shared())
        .route::<shapes::GetCallerIdentity>(READS.shared())
        .route::<shapes::GetSessionToken>(WRITES.shared())
        .build()
}
