//! Parts put together with the checks that the texts of expressions get: for languages that mean the same and are written
//! otherwise, such as PartiQL.

pub use crate::parse::{all_of, appended, between, calculated, called, compare, one_of};
