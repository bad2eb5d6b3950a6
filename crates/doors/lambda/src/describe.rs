//! Functions as answers show them.

use headwater_functions::{Function, Layer, Options, Version};
use headwater_shapes_lambda::{
    self as shapes, DeadLetterConfig, EnvironmentResponse, FunctionConfiguration, LoggingConfig,
    RuntimeVersionConfig,
};
use headwater_types::Millis;

use crate::{layers, settings};

/// The stage of a function's last change that an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is being made, as the answer that makes it says.
    Creating,
    /// It is being changed, as the answer that changes it says.
    Updating,
    /// It is done, which it is as soon as one asks again.
    Done,
    /// Lists tell nothing of it.
    Listed,
}

/// A function's configuration.
pub(crate) fn configuration(
    function: &Function,
    arn: impl Into<String>,
    options: &Options,
    stage: Stage,
) -> FunctionConfiguration {
    let set = &function.configuration;
    let variables = set.environment.clone();
    let mut shown = FunctionConfiguration {
        function_name: Some(function.name.to_string()),
        function_arn: Some(arn.into()),
        runtime: Some(set.runtime.as_str().to_owned()),
        role: Some(set.role.clone()),
        handler: Some(set.handler.clone()),
        code_size: Some(function.code.size as i64),
        code_sha256: Some(function.code.sha256.clone()),
        description: Some(set.description.clone()),
        timeout: Some(set.timeout_s as i32),
        memory_size: Some(set.memory_mb as i32),
        last_modified: Some(date(function.last_modified)),
        version: Some(function.version.to_string()),
        environment: variables.map(|variables| EnvironmentResponse {
            variables: Some(variables),
            error: None,
        }),
        dead_letter_config: set.dead_letters.as_ref().map(|place| DeadLetterConfig {
            target_arn: Some(place.to_string()),
        }),
        revision_id: Some(function.revision.clone()),
        layers: shown_layers(&set.layers, options),
        logging_config: Some(LoggingConfig {
            log_format: Some("Text".to_owned()),
            log_group: Some(function.name.log_group()),
            ..Default::default()
        }),
        runtime_version_config: (stage != Stage::Listed).then(|| RuntimeVersionConfig {
            runtime_version_arn: Some(set.runtime.version_arn(&options.region)),
            error: None,
        }),
        ..Default::default()
    };
    settings::show_fixed(&mut shown);
    show_stage(&mut shown, stage);
    shown
}

/// The layers of a function, where it has some.
fn shown_layers(layers: &[Layer], options: &Options) -> Option<Vec<shapes::Layer>> {
    let shown = layers.iter().map(|layer| shapes::Layer {
        arn: Some(layers::version_arn(&layer.id, options)),
        code_size: Some(layer.code.size as i64),
        ..Default::default()
    });
    (!layers.is_empty()).then(|| shown.collect())
}

/// The ARN of a version, which for the latest is that of the function.
pub(crate) fn version_arn(function: &Function, options: &Options) -> String {
    let arn = options.function_arn(&function.name);
    match function.version {
        Version::Latest => arn.to_string(),
        version => format!("{arn}:{version}"),
    }
}

/// The stage in AWS's words, as localstack's tests have recorded them: also an update is "being created".
fn show_stage(shown: &mut FunctionConfiguration, stage: Stage) {
    let text = |text: &str| Some(text.to_owned());
    let (reason, code) = (text("The function is being created."), text("Creating"));
    match stage {
        Stage::Creating => {
            shown.state = text("Pending");
            shown.state_reason = reason;
            shown.state_reason_code = code;
        }
        Stage::Updating => {
            shown.state = text("Active");
            shown.last_update_status = text("InProgress");
            shown.last_update_status_reason = reason;
            shown.last_update_status_reason_code = code;
        }
        Stage::Done => {
            shown.state = text("Active");
            shown.last_update_status = text("Successful");
        }
        Stage::Listed => {}
    }
}

/// A time as Lambda writes it: `2018-01-02T03:04:05.678+0000`.
pub(crate) fn date(time: Millis) -> String {
    let shown = i64::try_from(time.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    shown
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S%.3f+0000")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_lambda_does() {
        assert_eq!(
            date(Millis(1_514_862_245_678)),
            "2018-01-02T03:04:05.678+0000"
        );
        assert_eq!(
            date(Millis(1_514_862_245_000)),
            "2018-01-02T03:04:05.000+0000"
        );
    }
}
