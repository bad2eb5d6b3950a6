//! Whether the actions of a transaction can go together.

use headwater_items::Item;
use headwater_tables::limits::TRANSACTION_BYTES;
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::{
        fault::Fault,
        transaction::{Reason, at},
    },
};

/// What actions came to, where their tables take them all.
///
/// # Errors
/// What AWS finds in the request itself; otherwise the first of them that its table does not take, as the reason why the
/// transaction is cancelled.
pub(crate) fn check_faults<T>(checked: Vec<Result<T, Fault>>) -> Result<Vec<T>, ApiError> {
    let count = checked.len();
    let faults = || checked.iter().filter_map(|checked| checked.as_ref().err());
    if let Some(fault) = faults().find(|fault| fault.is_of_request()) {
        return Err(fault.clone().into());
    }
    let place = checked.iter().position(Result::is_err);
    let checked: Result<Vec<T>, Fault> = checked.into_iter().collect();
    checked.map_err(|fault| {
        let reason = Reason::invalid(fault.text());
        at(place.unwrap_or_default(), count, &reason)
    })
}

/// Whether no two actions are about the same item: the tables by name, and the items' keys.
///
/// # Errors
/// Two are.
pub(crate) fn check_distinct<'a>(
    keys: impl Iterator<Item = (&'a str, &'a Item)>,
) -> Result<(), ApiError> {
    let keys: Vec<_> = keys.collect();
    let is_twice = |(at, key)| keys.iter().take(at).any(|before| before == key);
    match keys.iter().enumerate().any(is_twice) {
        true => Err(validation(
            "Transaction request cannot include multiple operations on one item",
        )),
        false => Ok(()),
    }
}

/// Whether items of so many bytes go into a transaction.
///
/// # Errors
/// They do not.
pub(crate) fn check_bytes(bytes: usize) -> Result<(), ApiError> {
    match bytes {
        0..=TRANSACTION_BYTES => Ok(()),
        _ => Err(too_large(bytes)),
    }
}

/// A transaction whose items have so many bytes.
pub(crate) fn too_large(bytes: usize) -> ApiError {
    validation(format!(
        "Transaction payload size cannot exceed 4MB. Payload Size: {bytes}"
    ))
}
