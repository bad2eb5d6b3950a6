//! The lambda door: AWS's operations over the functions domain, one file an operation.
//!
//! Owns AWS's spelling of functions: names and ARNs, settings and their defaults, texts. Keeps no state of its own.
//! Operations and settings that the model has and this table has not are refused by `wire` with an error that says so.

mod code;
mod describe;
mod errors;
mod ops;
mod settings;
mod tags;
mod target;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_functions::Functions;
use headwater_shapes_lambda::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};

pub use code::{CodeSource, NoCode};

/// The state that handlers run on.
pub struct Lambda {
    /// The functions.
    pub functions: Functions,
    /// Where code comes from that is not in the request: `S3Bucket` and `S3Key`.
    pub code: Arc<dyn CodeSource>,
}

/// The operations that are built.
pub fn table(lambda: Arc<Lambda>) -> Table {
    Routes::new(&SERVICE, lambda)
        .route::<shapes::CreateFunction>(WRITES)
        .route::<shapes::DeleteFunction>(WRITES)
        .route::<shapes::GetFunction>(READS)
        .route::<shapes::GetFunctionConfiguration>(READS)
        .route::<shapes::Invoke>(WRITES.data().action("lambda:InvokeFunction"))
        .route::<shapes::ListFunctions>(READS)
        .route::<shapes::ListTags>(READS)
        .route::<shapes::TagResource>(WRITES)
        .route::<shapes::UntagResource>(WRITES)
        .route::<shapes::UpdateFunctionCode>(WRITES)
        .route::<shapes::UpdateFunctionConfiguration>(WRITES)
        .build()
}
