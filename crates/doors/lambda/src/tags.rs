//! The check of a function's tags, in Lambda's words.

use std::collections::BTreeMap;

use headwater_wire::{ApiError, RESERVED_TAG, TagFault, tag_fault};

use crate::errors::invalid_parameter;

/// Refuses tags whose texts AWS allows in none.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let fault = |(key, value): (&String, &String)| Some((tag_fault(key, value)?, key.clone()));
    match tags.iter().find_map(fault) {
        None => Ok(()),
        Some((TagFault::Reserved, _)) => Err(invalid_parameter(RESERVED_TAG)),
        Some((TagFault::Key, key)) => Err(invalid_parameter(format!("Invalid tag key: {key}"))),
        Some((TagFault::Value, key)) => Err(invalid_parameter(format!(
            "The value of the tag {key} is invalid"
        ))),
    }
}
