//! The domain's errors in AWS's words. Texts as users and other projects' tests have recorded them.

use headwater_schemas::Error;
use headwater_shapes::ErrorShape;
use headwater_shapes_glue::errors as shapes;
use headwater_wire::ApiError;

/// An input that the model allows and the service does not.
pub(crate) fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_INPUT_EXCEPTION, message)
}

/// Something that is not there.
pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::ENTITY_NOT_FOUND_EXCEPTION, message)
}

/// Refuses what is set and not built.
pub(crate) fn refuse(set: bool, what: &str) -> Result<(), ApiError> {
    if set {
        Err(ApiError::not_supported(what))
    } else {
        Ok(())
    }
}

/// Refuses attributes of tables other than those that are shown anyway. An empty list asks for no others either and
/// passes, though AWS's documentation says that it is not accepted.
pub(crate) fn refuse_attributes(asked: Option<&[String]>) -> Result<(), ApiError> {
    let others = asked
        .unwrap_or_default()
        .iter()
        .any(|name| name != "DEFAULT");
    refuse(others, "AttributesToGet other than DEFAULT")
}

/// A domain error as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    let of = |shape: &ErrorShape, message: &str| ApiError::of(shape, message);
    match error {
        Error::NoDatabase(name) => not_found(format!("Database {name} not found.")),
        Error::NoTable(name) => not_found(format!("Table {name} not found.")),
        Error::NoVersion(_) => not_found("Version not found."),
        Error::DatabaseExists(_) => of(
            &shapes::ALREADY_EXISTS_EXCEPTION,
            "Database already exists.",
        ),
        Error::TableExists(_) => of(&shapes::ALREADY_EXISTS_EXCEPTION, "Table already exists."),
        Error::Changed => of(
            &shapes::CONCURRENT_MODIFICATION_EXCEPTION,
            "Update table failed due to concurrent modifications.",
        ),
        Error::NoPartition => not_found("Cannot find partition."),
        Error::PartitionExists => of(
            &shapes::ALREADY_EXISTS_EXCEPTION,
            "Partition already exists.",
        ),
        Error::LatestVersion(_) | Error::NamesTooLong(_) | Error::ValuesTooLong(_) => {
            invalid_input(error.to_string())
        }
        Error::TooManyVersions(_) => of(
            &shapes::RESOURCE_NUMBER_LIMIT_EXCEEDED_EXCEPTION,
            &error.to_string(),
        ),
        Error::Catalog(_) => of(&shapes::INTERNAL_SERVICE_EXCEPTION, &error.to_string()),
    }
}

/// As `api`, for reading a table: AWS does not say there which table it did not find.
pub(crate) fn reading(error: Error) -> ApiError {
    match error {
        Error::NoTable(_) => not_found("Entity Not Found"),
        error => api(error),
    }
}
