//! The check of a function's tags, in Lambda's words.

use std::collections::BTreeMap;

use headwater_wire::{ApiError, RESERVED_TAG, TagFault, tag_fault};

use headwater_functions::Options;

use crate::{
    errors::{invalid_parameter, not_found},
    target::Target,
};

/// The function that `resource`, a whole ARN, names. There is nothing else that could have tags.
pub(crate) fn target(resource: &str, options: &Options) -> Result<Target, ApiError> {
    let kind = resource.split(':').nth(5).unwrap_or_default();
    let what = match kind {
        "function" => {
            let target = Target::parse(resource, None, options)?;
            return match target.qualifier {
                None => Ok(target),
                Some(_) => Err(invalid_parameter(
                    "Tags on function aliases and versions are not supported. Please specify a function ARN.",
                )),
            };
        }
        "event-source-mapping" => "Event source mapping",
        "capacity-provider" => "Capacity provider",
        "code-signing-config" => {
            return Err(not_found(format!(
                "The Lambda code signing configuration {resource} can not be found."
            )));
        }
        _ => return Err(not_found("The resource you requested does not exist.")),
    };
    Err(not_found(format!("{what} not found: {resource}")))
}

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
