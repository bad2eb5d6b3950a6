//! The errors of tables in AWS's words, and those that several operations share. Texts as recorded on AWS by the tests of
//! dynalite and Alternator, and by reports of users, where those have them.

use headwater_shapes_dynamodb::errors as shapes;
use headwater_tables::{Error, TableRecord, TableState};
use headwater_types::Millis;
use headwater_wire::ApiError;

/// A request that cannot be.
pub(crate) fn validation(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", text)
}

/// The same with the words that AWS puts before most of its reasons.
pub(crate) fn invalid(why: impl std::fmt::Display) -> ApiError {
    validation(format!("One or more parameter values were invalid: {why}"))
}

/// A value that breaks a constraint of the model as the service has it, in the words of those that `wire` checks.
pub(crate) fn constraint(
    member: &str,
    value: impl std::fmt::Display,
    constraint: &str,
) -> ApiError {
    validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

/// A table that is not there.
pub(crate) fn no_table(name: &str) -> ApiError {
    not_found(format!("Table: {name} not found"))
}

/// Something else that is not there.
pub(crate) fn not_found(what: impl std::fmt::Display) -> ApiError {
    let text = format!("Requested resource not found: {what}");
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, text)
}

/// Something that is in a state in which this cannot be done.
pub(crate) fn in_use(why: impl std::fmt::Display) -> ApiError {
    let text = format!("Attempt to change a resource which is still in use: {why}");
    ApiError::of(&shapes::RESOURCE_IN_USE_EXCEPTION, text)
}

/// More of something than an account may have.
pub(crate) fn limit(why: impl std::fmt::Display) -> ApiError {
    let text = format!("Subscriber limit exceeded: {why}");
    ApiError::of(&shapes::LIMIT_EXCEEDED_EXCEPTION, text)
}

/// A caller who may not.
pub(crate) fn denied(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "AccessDeniedException", text)
}

/// The state of a table that keeps it from being changed, as an error.
pub(crate) fn check_state(table: &TableRecord, now: Millis) -> Result<(), ApiError> {
    let name = &table.name;
    match table.state {
        TableState::Creating(until) if now < until => {
            Err(in_use(format_args!("Table is being created: {name}")))
        }
        TableState::Updating(until) if now < until => {
            Err(in_use(format_args!("Table is being updated: {name}")))
        }
        TableState::Deleting => Err(in_use(format_args!("Table is being deleted: {name}"))),
        TableState::Creating(_) | TableState::Updating(_) | TableState::Active => Ok(()),
    }
}

/// A domain error about a table as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    match error {
        Error::NoTable(name) => no_table(&name),
        Error::Exists(name) => {
            let text = format!("Table already exists: {name}");
            ApiError::of(&shapes::RESOURCE_IN_USE_EXCEPTION, text)
        }
        Error::NoIndex(table, index) => not_found(format_args!("Index {index} for table {table}")),
        Error::Busy(name) => in_use(format_args!("Table is being updated: {name}")),
        Error::WrongKey(_) => validation("The provided key element does not match the schema"),
        Error::Protected(_) => validation(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        ),
        Error::StreamEnabled(name) => {
            let text = format!("Table already has an enabled stream: TableName: {name}");
            validation(text)
        }
        Error::StreamDisabled(name) => {
            let text = format!("Table has no stream to disable: TableName: {name}");
            validation(text)
        }
        error @ Error::TooManyStreams(_) => limit(error),
        error @ Error::Conflict => in_use(error),
        // The operations of streams and of destinations say these of themselves.
        error @ (Error::NoStream(_)
        | Error::NoShard(_)
        | Error::Position(_)
        | Error::Destination(..)
        | Error::Interrupted
        | Error::Catalog(_)
        | Error::Log(_)
        | Error::Index(_)
        | Error::IndexLost(_)
        | Error::Damaged { .. }) => ApiError::of(&shapes::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
