//! What has tags, and their check, in Lambda's words.

use std::collections::BTreeMap;

use headwater_wire::{ApiError, RESERVED_TAG, TagFault, tag_fault};

use headwater_functions::Options;
use headwater_mappings::{Error, Mapping, limits::TAGS_MAX};

use crate::{
    Lambda,
    errors::{api, invalid_parameter, not_found},
    mappings,
    target::Target,
};

/// What has tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// A function.
    Function(Target),
    /// A mapping, by its id.
    Mapping(String),
}

/// What `resource`, a whole ARN, names. There is nothing else that could have tags.
pub(crate) fn tagged(resource: &str, options: &Options) -> Result<Tagged, ApiError> {
    let kind = resource.split(':').nth(5).unwrap_or_default();
    let what = match kind {
        "function" => {
            let target = Target::parse(resource, None, options)?;
            return match target.qualifier {
                None => Ok(Tagged::Function(target)),
                Some(_) => Err(invalid_parameter(
                    "Tags on function aliases and versions are not supported. Please specify a function ARN.",
                )),
            };
        }
        "event-source-mapping" => {
            let id = resource.split(':').nth(6).unwrap_or_default();
            return Ok(Tagged::Mapping(id.to_owned()));
        }
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

/// No mapping that `resource` names.
pub(crate) fn no_mapping(resource: &str) -> ApiError {
    not_found(format!("Event source mapping not found: {resource}"))
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

impl Lambda {
    /// Changes the tags of what `resource` names.
    pub(crate) async fn change_tags(
        &self,
        resource: &str,
        change: impl Fn(&mut BTreeMap<String, String>) + Send + Sync + 'static,
    ) -> Result<(), ApiError> {
        match tagged(resource, self.functions.options())? {
            Tagged::Function(target) => {
                let changed = self.functions.update_tags(&target.name, change).await;
                changed.map_err(|error| api(error, &target.arn))?;
            }
            Tagged::Mapping(id) => {
                let change = move |mapping: &mut Mapping| {
                    change(&mut mapping.tags);
                    match mapping.tags.len() > TAGS_MAX {
                        true => Err(Error::TooManyTags),
                        false => Ok(()),
                    }
                };
                let changed = self.mappings.update(&id, change).await;
                changed.map_err(|error| match error {
                    Error::NotFound(_) => no_mapping(resource),
                    error => mappings::api(error),
                })?;
            }
        }
        Ok(())
    }
}
