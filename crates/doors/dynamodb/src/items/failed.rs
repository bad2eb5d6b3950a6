//! Writes that were not done, in AWS's words.

use headwater_items::Item;
use headwater_shapes_dynamodb::errors as shapes;
use headwater_tables::{Error, TableRecord, WriteError};
use headwater_wire::{ApiError, Context};

use crate::{
    errors::{api, validation},
    items::{fault::Fault, keys, throttled, values::shown},
};

/// What a conditional write says whose condition does not hold.
pub(crate) const CONDITION_FAILED: &str = "The conditional request failed";
/// What an insertion says whose item is there already.
pub(crate) const DUPLICATE: &str = "Duplicate primary key exists in table";
/// What a write says whose item a transaction is changing.
pub(crate) const CONFLICT: &str = "Transaction is ongoing for the item";

/// A table that is not there, as requests about items say it.
pub(crate) fn no_such_table() -> ApiError {
    let text = "Requested resource not found";
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, text)
}

/// A domain error as an answer to a request about items.
pub(crate) fn below(error: Error) -> ApiError {
    match error {
        Error::NoTable(_) => no_such_table(),
        error => api(error),
    }
}

/// A write that was not done, as an answer; `shows` says whether the item is shown where the condition does not hold.
pub(crate) fn write(
    error: WriteError,
    table: &TableRecord,
    shows: bool,
    context: &Context,
) -> ApiError {
    match fault(&error, table) {
        Some(Ok(fault)) => return fault.into(),
        Some(Err(text)) => return validation(text),
        None => {}
    }
    match error {
        WriteError::ConditionFailed(item) => {
            let error = ApiError::of(
                &shapes::CONDITIONAL_CHECK_FAILED_EXCEPTION,
                CONDITION_FAILED,
            );
            match item.filter(|_| shows) {
                Some(item) => error.with("Item", json(item)),
                None => error,
            }
        }
        WriteError::Conflict => ApiError::of(&shapes::TRANSACTION_CONFLICT_EXCEPTION, CONFLICT),
        WriteError::Throttled(error) => throttled::api(&error, &table.name, context),
        WriteError::Failed(error) => below(error),
        other => validation(other.to_string()),
    }
}

/// What is wrong with what was asked: a fault, or AWS's text about the update. None where it is something else.
pub(crate) fn fault(error: &WriteError, table: &TableRecord) -> Option<Result<Fault, String>> {
    Some(match error {
        WriteError::Update(error) => Err(error.to_string()),
        WriteError::ChangesKey(attribute) => Ok(Fault::ChangesKey(attribute.clone())),
        WriteError::TooLarge => Ok(Fault::UpdatedTooLarge),
        WriteError::TooDeep => Ok(Fault::UpdatedTooDeep),
        WriteError::WrongIndexKind { .. } => Ok(Fault::UpdatedIndexKind),
        WriteError::WrongIndexSize {
            attribute, bytes, ..
        } => Ok(match (*bytes, keys::kind(attribute, table)) {
            (0, Some(kind)) => Fault::UpdatedEmptyIndexKey(kind),
            _ => match keys::check_bytes(*bytes, true) {
                Err(fault) => fault,
                Ok(()) => Fault::SortTooLong,
            },
        }),
        WriteError::ConditionFailed(_)
        | WriteError::Conflict
        | WriteError::Throttled(_)
        | WriteError::Failed(_) => {
            return None;
        }
    })
}

/// An item as a member of an error.
pub(crate) fn json(item: Item) -> serde_json::Value {
    serde_json::to_value(shown(item)).unwrap_or_default()
}
