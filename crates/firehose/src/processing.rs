//! The processors of a destination: the one that is built is a Lambda function.
//!
//! A function is called when its batch is closed. `BufferSizeInMBs` and `BufferIntervalInSeconds` say what goes into
//! one call, as on AWS: data up to that size, of records that arrived within that time of each other.

use std::str::FromStr;

use headwater_delivery::{Function, Step, limits::RETRIES_MAX};
use headwater_shapes::firehose::{ProcessingConfiguration, Processor, ProcessorParameter};
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

const PROCESSORS_MAX: usize = 5;

/// The parameters of a Lambda processor with their defaults, in the order in which AWS describes them.
struct Lambda {
    arn: Arn,
    retries: u32,
    role: String,
    size_mib: f64,
    size_text: String,
    interval_s: u32,
}

/// The configuration as it is described, with all defaults, and the steps that are taken.
pub(crate) fn normalize(
    given: Option<ProcessingConfiguration>,
    role: &str,
) -> Result<(Option<ProcessingConfiguration>, Vec<Step>), ApiError> {
    let Some(given) = given else { return Ok((None, Vec::new())) };
    let enabled = given.enabled.unwrap_or(false);
    let processors = given.processors.unwrap_or_default();
    if enabled && !(1..=PROCESSORS_MAX).contains(&processors.len()) {
        return Err(invalid_argument(
            "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.",
        ));
    }
    let mut lambdas = Vec::new();
    for processor in &processors {
        match processor.r#type.as_str() {
            "Lambda" => lambdas.push(lambda(processor, role)?),
            other => return Err(ApiError::not_supported(format_args!("the {other} processor"))),
        }
    }
    if lambdas.len() > 1 {
        return Err(invalid_argument("Cannot have more than 1 Lambda processor"));
    }
    let processors = lambdas.iter().map(describe).collect();
    let function = |lambda: Lambda| {
        Step::Function(Function {
            arn: lambda.arn,
            retries: lambda.retries,
            batch_bytes: (lambda.size_mib * 1024.0 * 1024.0) as usize,
            interval_s: lambda.interval_s,
        })
    };
    let steps = lambdas.pop().filter(|_| enabled).map(function).into_iter().collect();
    Ok((Some(ProcessingConfiguration { enabled: Some(enabled), processors: Some(processors) }), steps))
}

fn lambda(processor: &Processor, role: &str) -> Result<Lambda, ApiError> {
    let given = processor.parameters.as_deref().unwrap_or_default();
    for (i, parameter) in given.iter().enumerate() {
        let name = parameter.parameter_name.as_str();
        if given[..i].iter().any(|other| other.parameter_name == name) {
            return Err(invalid_argument(format!("The Lambda processor parameter {name} is given twice.")));
        }
        if !matches!(
            name,
            "LambdaArn" | "NumberOfRetries" | "RoleArn" | "BufferSizeInMBs" | "BufferIntervalInSeconds"
        ) {
            return Err(invalid_argument(format!("{name} is not a parameter of a Lambda processor.")));
        }
    }
    let value =
        |name: &str| given.iter().find(|p| p.parameter_name == name).map(|p| p.parameter_value.as_str());
    if value("BufferSizeInMBs").is_some() != value("BufferIntervalInSeconds").is_some() {
        return Err(invalid_argument(
            "Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for lambda processor.",
        ));
    }
    let size_text = value("BufferSizeInMBs").unwrap_or("1").to_owned();
    Ok(Lambda {
        arn: function_arn(value("LambdaArn"))?,
        retries: number("NumberOfRetries", value("NumberOfRetries").unwrap_or("3"), 0, RETRIES_MAX)?,
        role: value("RoleArn").unwrap_or(role).to_owned(),
        size_mib: number("BufferSizeInMBs", &size_text, 0.2, 3.0)?,
        size_text,
        interval_s: number(
            "BufferIntervalInSeconds",
            value("BufferIntervalInSeconds").unwrap_or("60"),
            0,
            900,
        )?,
    })
}

fn function_arn(text: Option<&str>) -> Result<Arn, ApiError> {
    let is_function = |arn: &Arn| arn.service == "lambda" && arn.name_of("function").is_some();
    let arn = text.and_then(|text| text.parse().ok()).filter(is_function);
    arn.ok_or_else(|| invalid_argument("The Lambda processor requires a valid LambdaArn."))
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    name: &str,
    text: &str,
    min: T,
    max: T,
) -> Result<T, ApiError> {
    let value = text.parse().ok().filter(|value| *value >= min && *value <= max);
    value.ok_or_else(|| invalid_argument(format!("{name} must be a number between {min} and {max}: {text}")))
}

fn describe(lambda: &Lambda) -> Processor {
    let parameter = |name: &str, value: String| ProcessorParameter {
        parameter_name: name.to_owned(),
        parameter_value: value,
    };
    let parameters = vec![
        parameter("LambdaArn", lambda.arn.to_string()),
        parameter("NumberOfRetries", lambda.retries.to_string()),
        parameter("RoleArn", lambda.role.clone()),
        parameter("BufferSizeInMBs", lambda.size_text.clone()),
        parameter("BufferIntervalInSeconds", lambda.interval_s.to_string()),
    ];
    Processor { r#type: "Lambda".to_owned(), parameters: Some(parameters) }
}
