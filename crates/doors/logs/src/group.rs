//! Which group a request means, and ARNs of groups and streams.

use headwater_shapes_logs::errors as shapes;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

use crate::errors::invalid_parameter;

/// The name of the group that is given by its name or by an identifier, a name or an ARN.
pub(crate) fn name(
    name: Option<String>,
    identifier: Option<String>,
    context: &Context,
) -> Result<String, ApiError> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => of_identifier(&identifier, context),
        (Some(_), Some(_)) => Err(ApiError::of(
            &shapes::VALIDATION_EXCEPTION,
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )),
        (None, None) => Err(ApiError::of(
            &shapes::VALIDATION_EXCEPTION,
            "Either LogGroup name or LogGroup ARN must be specified.",
        )),
    }
}

fn of_identifier(identifier: &str, context: &Context) -> Result<String, ApiError> {
    match identifier.starts_with("arn:") {
        true => of_arn(identifier, context),
        false => Ok(identifier.to_owned()),
    }
}

/// The name of the group with this ARN.
pub(crate) fn of_arn(identifier: &str, context: &Context) -> Result<String, ApiError> {
    let invalid = || {
        invalid_parameter(format!(
            "{identifier} is not the ARN of a log group in this account."
        ))
    };
    let arn: Arn = identifier.parse().map_err(|_| invalid())?;
    let here =
        arn.service == "logs" && arn.region == context.region.0 && arn.account == context.account.0;
    let name = arn
        .name_of("log-group")
        .filter(|_| here)
        .ok_or_else(invalid)?;
    Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// A group's ARN.
pub(crate) fn arn(group: &str, context: &Context) -> String {
    Arn::new(
        "logs",
        &context.region,
        &context.account,
        format!("log-group:{group}"),
    )
    .to_string()
}

/// A stream's ARN.
pub(crate) fn stream_arn(group: &str, stream: &str, context: &Context) -> String {
    format!("{}:log-stream:{stream}", arn(group, context))
}
