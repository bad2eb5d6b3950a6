//! How events are tried and where their ends are told, as requests say it and answers show it.

use headwater_functions::{
    DestinationFault, Error, EventSettingsChange, Functions, KeptEventSettings, Part,
};
use headwater_shapes::Timestamp;
use headwater_shapes_lambda::{DestinationConfig, FunctionEventInvokeConfig, OnFailure, OnSuccess};
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::{
    Lambda,
    errors::{self, invalid_parameter, not_found},
    target::{LATEST, Target},
};

/// The settings that a request names.
pub(crate) struct Wanted {
    pub retries: Option<i32>,
    pub age: Option<i32>,
    pub destinations: Option<DestinationConfig>,
}

impl Wanted {
    /// The change that they make, which must be one.
    pub fn change(self, functions: &Functions) -> Result<EventSettingsChange, ApiError> {
        let Self {
            retries,
            age,
            destinations,
        } = self;
        if (retries, age, &destinations) == (None, None, &None) {
            return Err(invalid_parameter(
                "You must specify at least one of error handling or destination setting.",
            ));
        }
        let places = destinations.map(|config| places(config, functions));
        // The model's table has checked the bounds of numbers.
        Ok(EventSettingsChange {
            retries: retries.map(i32::unsigned_abs),
            age_s: age.map(i32::unsigned_abs),
            places: places.transpose()?,
        })
    }
}

/// The places of a request; none for one that is empty.
fn places(
    config: DestinationConfig,
    functions: &Functions,
) -> Result<(Option<Arn>, Option<Arn>), ApiError> {
    let shown = shown(&config);
    let DestinationConfig {
        on_success,
        on_failure,
    } = config;
    let success = on_success.and_then(|OnSuccess { destination }| destination);
    let failure = on_failure.and_then(|OnFailure { destination }| destination);
    let place = |given: Option<String>, services: &[&str]| {
        let Some(text) = given.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let arn = text.parse::<Arn>().ok();
        let service = arn.as_ref().map_or("", |arn| &arn.service);
        if !services.contains(&service) {
            return Err(invalid_parameter(format!(
                "The provided destination config {shown} is invalid."
            )));
        }
        match functions.tells(service) {
            true => Ok(arn),
            false => Err(ApiError::not_supported(format!(
                "destinations of the service {service}"
            ))),
        }
    };
    Ok((
        place(success, &["lambda", "sqs", "sns", "events"])?,
        place(failure, &["lambda", "sqs", "sns", "events", "s3"])?,
    ))
}

/// A request's destinations as AWS's texts show them.
fn shown(config: &DestinationConfig) -> String {
    let of = |kind: &str, destination: Option<&Option<String>>| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
        destination.map_or_else(
            || "null".to_owned(),
            |destination| format!("{kind}(destination={})", text(destination)),
        )
    };
    let success = config.on_success.as_ref().map(|to| &to.destination);
    let failure = config.on_failure.as_ref().map(|to| &to.destination);
    format!(
        "DestinationConfig(onSuccess={}, onFailure={})",
        of("OnSuccess", success),
        of("OnFailure", failure)
    )
}

/// Settings as answers show them.
pub(crate) fn config(kept: KeptEventSettings, arn: String) -> FunctionEventInvokeConfig {
    let KeptEventSettings { settings, modified } = kept;
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let text = |place: Option<Arn>| place.map(|place| place.to_string());
    FunctionEventInvokeConfig {
        last_modified: Some(Timestamp(i64::try_from(modified.0).unwrap_or(i64::MAX))),
        function_arn: Some(arn),
        maximum_retry_attempts: settings.retries.map(number),
        maximum_event_age_in_seconds: settings.age_s.map(number),
        destination_config: Some(DestinationConfig {
            on_success: Some(OnSuccess {
                destination: text(settings.on_success),
            }),
            on_failure: Some(OnFailure {
                destination: text(settings.on_failure),
            }),
        }),
    }
}

impl Lambda {
    /// Makes sure that a function's dead letters can go where they are to go.
    pub(crate) async fn check_dead_letters(
        &self,
        place: Option<&Arn>,
        target: &Target,
    ) -> Result<(), ApiError> {
        let Some(place) = place else { return Ok(()) };
        if !self.functions.tells(&place.service) {
            return Err(ApiError::not_supported(format!(
                "a DeadLetterConfig of the service {}",
                place.service
            )));
        }
        let checked = self.functions.check_destination(&target.name, place).await;
        checked.map_err(|error| api(error, &target.qualified_arn()))
    }
}

/// The part of a function whose events settings are for, and its ARN, which says `$LATEST` where no version was named.
pub(crate) fn part(
    lambda: &Lambda,
    name: &str,
    qualifier: Option<&str>,
) -> Result<(Part, String), ApiError> {
    let target = Target::parse(name, qualifier, lambda.functions.options())?;
    let version = target.qualifier.as_deref().unwrap_or(LATEST);
    let arn = format!("{}:{version}", target.arn);
    // What is no version's name, none has.
    let qualifier = target.version().map_err(|_| none(&arn))?;
    let name = target.name;
    Ok((Part { name, qualifier }, arn))
}

/// The error for a part without settings, or that is not there.
pub(crate) fn none(arn: &str) -> ApiError {
    not_found(format!(
        "The function {arn} doesn't have an EventInvokeConfig"
    ))
}

/// A domain error about a part's settings in AWS's words.
pub(crate) fn api(error: Error, arn: &str) -> ApiError {
    match error {
        Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_) => {
            not_found("The function doesn't exist.")
        }
        Error::NoEventSettings => none(arn),
        Error::Destination(fault) => destination(fault),
        other => errors::api(other, arn),
    }
}

/// A place at which nothing can be told.
pub(crate) fn destination(fault: DestinationFault) -> ApiError {
    invalid_parameter(match fault {
        DestinationFault::Itself => {
            "You can't specify the function as a destination for itself.".to_owned()
        }
        DestinationFault::Missing(place) => format!("The destination ARN {place} is invalid."),
    })
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, DeleteFunctionEventInvokeConfig, GetFunctionEventInvokeConfig,
        ListFunctionEventInvokeConfigs, PutFunctionEventInvokeConfig,
        UpdateFunctionEventInvokeConfig,
    };
    use serde_json::{Value, json};

    use crate::testing::{World, function};

    fn settings(members: Value) -> Value {
        let mut input = json!({ "FunctionName": "f" });
        let given = members.as_object().unwrap().clone();
        input.as_object_mut().unwrap().extend(given);
        input
    }

    #[tokio::test]
    async fn settings_are_put_changed_and_removed() {
        let world = World::new().await;
        for name in ["f", "g"] {
            world.ok::<CreateFunction>(function(name)).await;
        }
        let g = "arn:aws:lambda:us-east-1:000000000000:function:g";
        let to_g = json!({ "OnSuccess": { "Destination": g } });
        let update = settings(json!({ "MaximumRetryAttempts": 1 }));
        let none = world
            .refused::<UpdateFunctionEventInvokeConfig>(update.clone())
            .await;
        assert!(
            none.1
                .ends_with(":function:f:$LATEST doesn't have an EventInvokeConfig")
        );
        let put = settings(json!({ "DestinationConfig": to_g }));
        world.ok::<PutFunctionEventInvokeConfig>(put).await;
        let changed = world.ok::<UpdateFunctionEventInvokeConfig>(update).await;
        assert_eq!(changed["DestinationConfig"]["OnSuccess"]["Destination"], g);
        assert_eq!(changed["MaximumRetryAttempts"], 1);
        let named = || settings(json!({}));
        assert_eq!(
            world.ok::<GetFunctionEventInvokeConfig>(named()).await,
            changed
        );
        let listed = world.ok::<ListFunctionEventInvokeConfigs>(named()).await;
        assert_eq!(listed, json!({ "FunctionEventInvokeConfigs": [changed] }));
        world.ok::<DeleteFunctionEventInvokeConfig>(named()).await;
        let gone = world.refused::<GetFunctionEventInvokeConfig>(named()).await;
        assert_eq!(gone.0, "ResourceNotFoundException");
    }

    #[tokio::test]
    async fn places_are_done_or_refused_by_name() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        for (place, code) in [
            (
                "arn:aws:events:us-east-1:000000000000:event-bus/b",
                "NotImplemented",
            ),
            (
                "arn:aws:lambda:us-east-1:000000000000:function:f",
                "InvalidParameterValueException",
            ),
            (
                "arn:aws:lambda:eu-west-1:000000000000:function:g",
                "InvalidParameterValueException",
            ),
            (
                "arn:aws:dynamodb:us-east-1:000000000000:table/t",
                "InvalidParameterValueException",
            ),
            ("kafka://topic", "InvalidParameterValueException"),
        ] {
            let put =
                settings(json!({ "DestinationConfig": { "OnFailure": { "Destination": place } } }));
            let refused = world.refused::<PutFunctionEventInvokeConfig>(put).await;
            assert_eq!(refused.0, code, "{place}");
        }
    }
}
