//! The lambda door: AWS's operations over the functions domain, one file an operation.
//!
//! Owns AWS's spelling of functions: names and ARNs, settings and their defaults, texts. Keeps no state of its own.
//! What the model has and this table has not is answered by `wire` with an error that says so; so are settings.

mod code;
mod describe;
mod errors;
mod ops;
mod settings;
mod target;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_functions::Functions;
use headwater_shapes::lambda::{SERVICE, ops as shapes};
use headwater_wire::Table;

pub use code::{CodeSource, NoCode};

/// What handlers run on.
pub struct Lambda {
    /// The functions.
    pub functions: Functions,
    /// Where code comes from that is not in the request: `S3Bucket` and `S3Key`.
    pub code: Arc<dyn CodeSource>,
}

/// The operations that are built.
pub fn table(lambda: Arc<Lambda>) -> Table<Lambda> {
    Table::new(&SERVICE, lambda)
        .route::<shapes::CreateFunction>()
        .route::<shapes::DeleteFunction>()
        .route::<shapes::GetFunction>()
        .route::<shapes::GetFunctionConfiguration>()
        .route::<shapes::Invoke>()
        .route::<shapes::ListFunctions>()
        .route::<shapes::ListTags>()
        .route::<shapes::TagResource>()
        .route::<shapes::UntagResource>()
        .route::<shapes::UpdateFunctionCode>()
        .route::<shapes::UpdateFunctionConfiguration>()
}
