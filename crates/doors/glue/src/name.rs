//! Names and numbers as Glue reads them.

use headwater_schemas::Wanted;
use headwater_wire::{ApiError, Context};

use crate::errors::{invalid_input, not_found};

/// A name as it is kept: in lower case, as Hive has them.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// There is one catalog, the account's.
pub(crate) fn check_catalog(id: Option<&str>, context: &Context) -> Result<(), ApiError> {
    match id {
        Some(id) if id != context.account.0 => Err(not_found(format!("Catalog {id} not found."))),
        _ => Ok(()),
    }
}

/// The version that a request names.
pub(crate) fn version(id: &str) -> Result<u64, ApiError> {
    id.parse()
        .map_err(|_| invalid_input(format!("The version {id} is not a number.")))
}

/// The version that a request may name.
pub(crate) fn wanted(id: Option<&str>) -> Result<Wanted, ApiError> {
    id.map_or(Ok(Wanted::Latest), |id| version(id).map(Wanted::Version))
}
