//! The tokens of lists: the name behind which the next page begins.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_wire::ApiError;

use crate::errors::{invalid_parameter, invalid_value};

/// Queues of a page, where nobody said. (Source: the API reference, "ListQueues".)
pub(crate) const PAGE: usize = 1000;

/// How many queues a page has, and whether it may tell where the next begins: without MaxResults it does not.
pub(crate) fn page(max_results: Option<i32>) -> Result<usize, ApiError> {
    match max_results.map(usize::try_from) {
        None => Ok(PAGE),
        Some(Ok(max)) if (1..=PAGE).contains(&max) => Ok(max),
        Some(_) => Err(invalid_value(
            "MaxResults",
            max_results.unwrap_or_default(),
            "MaxResults must be an integer between 1 and 1000.",
        )),
    }
}

/// The token of a name.
pub(crate) fn write(name: &str) -> String {
    STANDARD.encode(name)
}

/// The name of a token.
pub(crate) fn read(token: &str) -> Result<String, ApiError> {
    let bytes = STANDARD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| invalid_parameter("Invalid or expired next token."))
}
