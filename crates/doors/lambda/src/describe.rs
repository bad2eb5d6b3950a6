//! Functions as answers show them.

use headwater_functions::{Function, LATEST};
use headwater_shapes_lambda::{EnvironmentResponse, FunctionConfiguration, LoggingConfig};
use headwater_types::Millis;

use crate::settings;

/// A function's configuration. It is active as soon as it is kept, and a change is done when it is answered.
pub(crate) fn configuration(function: &Function, arn: String) -> FunctionConfiguration {
    let set = &function.configuration;
    let variables = (!set.environment.is_empty()).then(|| set.environment.clone());
    let mut shown = FunctionConfiguration {
        function_name: Some(function.name.to_string()),
        function_arn: Some(arn),
        runtime: Some(set.runtime.as_str().to_owned()),
        role: Some(set.role.clone()),
        handler: Some(set.handler.clone()),
        code_size: Some(function.code.size as i64),
        code_sha256: Some(function.code.sha256.clone()),
        description: Some(set.description.clone()),
        timeout: Some(set.timeout_s as i32),
        memory_size: Some(set.memory_mb as i32),
        last_modified: Some(date(function.last_modified)),
        version: Some(LATEST.to_owned()),
        environment: variables.map(|variables| EnvironmentResponse {
            variables: Some(variables),
            error: None,
        }),
        revision_id: Some(function.revision.clone()),
        state: Some("Active".to_owned()),
        last_update_status: Some("Successful".to_owned()),
        logging_config: Some(LoggingConfig {
            log_format: Some("Text".to_owned()),
            log_group: Some(function.name.log_group()),
            ..Default::default()
        }),
        ..Default::default()
    };
    settings::show_fixed(&mut shown);
    shown
}

/// A time as Lambda writes it: `2018-01-02T03:04:05.678+0000`.
fn date(time: Millis) -> String {
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
