//! The Lambda processor.
//!
//! A function is called when its batch is closed. `BufferSizeInMBs` and `BufferIntervalInSeconds` say what goes into
//! one call, as on AWS: data up to that size, of records that arrived within that time of each other.

use std::str::FromStr;

use headwater_delivery::{Function, Step, limits::RETRIES_MAX};
use headwater_shapes_firehose::{Processor, ProcessorParameter};
use headwater_types::Arn;
use headwater_wire::ApiError;

use super::Parameters;
use crate::errors::invalid_argument;

/// The processor with its defaults, in the order in which AWS describes them, and its step.
pub(super) fn read(given: &Parameters<'_>, role: &str) -> Result<(Processor, Step), ApiError> {
    given.allow(&[
        "LambdaArn",
        "NumberOfRetries",
        "RoleArn",
        "BufferSizeInMBs",
        "BufferIntervalInSeconds",
    ])?;
    if given.value("BufferSizeInMBs").is_some() != given.value("BufferIntervalInSeconds").is_some()
    {
        return Err(invalid_argument(
            "Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for lambda processor.",
        ));
    }
    let size_text = given.value("BufferSizeInMBs").unwrap_or("1");
    let size_mib = number("BufferSizeInMBs for lambda processor", size_text, 0.2, 3.0)?;
    let retries = given.value("NumberOfRetries").unwrap_or("3");
    let interval = given.value("BufferIntervalInSeconds").unwrap_or("60");
    let function = Function {
        arn: function_arn(given.value("LambdaArn"))?,
        retries: number("Number of retries for lambda", retries, 0, RETRIES_MAX)?,
        batch_bytes: (size_mib * 1024.0 * 1024.0) as usize,
        interval_s: number(
            "BufferIntervalInSeconds for lambda processor",
            interval,
            0,
            900,
        )?,
    };
    let parameter = |name: &str, value: String| ProcessorParameter {
        parameter_name: name.to_owned(),
        parameter_value: value,
    };
    let parameters = vec![
        parameter("LambdaArn", function.arn.to_string()),
        parameter("NumberOfRetries", function.retries.to_string()),
        parameter("RoleArn", given.value("RoleArn").unwrap_or(role).to_owned()),
        parameter("BufferSizeInMBs", size_text.to_owned()),
        parameter("BufferIntervalInSeconds", function.interval_s.to_string()),
    ];
    let described = Processor {
        r#type: "Lambda".to_owned(),
        parameters: Some(parameters),
    };
    Ok((described, Step::Function(function)))
}

fn function_arn(text: Option<&str>) -> Result<Arn, ApiError> {
    let text = text
        .ok_or_else(|| invalid_argument("LambdaArn is required when Lambda processor is used."))?;
    let is_function = |arn: &Arn| arn.service == "lambda" && arn.name_of("function").is_some();
    let arn = text.parse().ok().filter(is_function);
    arn.ok_or_else(|| invalid_argument("The Lambda processor requires a valid LambdaArn."))
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    what: &str,
    text: &str,
    min: T,
    max: T,
) -> Result<T, ApiError> {
    let value = text
        .parse()
        .ok()
        .filter(|value| *value >= min && *value <= max);
    value.ok_or_else(|| invalid_argument(format!("{what} must be between {min} and {max}.")))
}
