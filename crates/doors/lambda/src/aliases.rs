//! Aliases as requests give them and answers show them.

use std::collections::BTreeMap;

use headwater_functions::{Alias, AliasName, Error, Version};
use headwater_shapes_lambda::{AliasConfiguration, AliasRoutingConfiguration};
use headwater_wire::ApiError;

use crate::{
    errors::{self, invalid_parameter, not_found},
    target::Target,
};

/// An alias's configuration.
pub(crate) fn configuration(alias: Alias, target: &Target) -> AliasConfiguration {
    let Alias {
        name,
        version,
        description,
        weights,
        revision,
    } = alias;
    let weights = weights.into_iter();
    let weights: BTreeMap<_, _> = weights
        .map(|(version, weight)| (version.to_string(), weight))
        .collect();
    AliasConfiguration {
        alias_arn: Some(arn(target, &name)),
        name: Some(name.to_string()),
        function_version: Some(version.to_string()),
        description: Some(description),
        routing_config: (!weights.is_empty()).then_some(AliasRoutingConfiguration {
            additional_version_weights: Some(weights),
        }),
        revision_id: Some(revision),
    }
}

/// The ARN of an alias.
pub(crate) fn arn(target: &Target, alias: &AliasName) -> String {
    format!("{}:{alias}", target.arn)
}

/// The name of an alias, which the model has checked.
pub(crate) fn name(text: &str) -> Result<AliasName, ApiError> {
    let parsed = text.parse();
    parsed.map_err(|_| invalid_parameter(format!("{text} is no name of an alias")))
}

/// The version that an alias is to lead to, as the model has checked it.
pub(crate) fn version(text: &str) -> Result<Version, ApiError> {
    match text.parse() {
        Ok(version) => Ok(version),
        // `$LATEST.PUBLISHED` is that of functions with a capacity provider.
        Err(_) => Err(ApiError::not_supported(format!("the version {text}"))),
    }
}

/// The other version of an alias and its weight.
pub(crate) fn weights(
    routing: AliasRoutingConfiguration,
) -> Result<BTreeMap<Version, f64>, ApiError> {
    let AliasRoutingConfiguration {
        additional_version_weights,
    } = routing;
    let weights = additional_version_weights.into_iter().flatten();
    weights
        .map(|(text, weight)| Ok((version(&text)?, weight)))
        .collect()
}

/// A domain error about an alias that is made or changed to lead to `version`.
pub(crate) fn api(error: Error, target: &Target, alias: &AliasName, version: &str) -> ApiError {
    match error {
        Error::NoVersion(missing) => errors::no_function(format!("{}:{missing}", target.arn)),
        Error::NotFound(_) => errors::no_function(format!("{}:{version}", target.arn)),
        Error::NoAlias(_) => not_found(format!("Alias not found: {}", arn(target, alias))),
        other => errors::api(other, arn(target, alias)),
    }
}
