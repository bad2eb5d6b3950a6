//! PutSubscriptionFilter.

use headwater_loggroups::{Destination, Distribution, Error, NewSubscription};
use headwater_shapes::Nothing;
use headwater_shapes_logs::{
    PutSubscriptionFilterRequest, errors as shapes, ops::PutSubscriptionFilter,
};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter, refuse},
};

impl Handle<PutSubscriptionFilter> for Logs {
    async fn handle(
        &self,
        input: PutSubscriptionFilterRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutSubscriptionFilterRequest {
            log_group_name,
            filter_name,
            filter_pattern,
            destination_arn,
            role_arn,
            distribution,
            apply_on_transformed_logs,
            field_selection_criteria,
            emit_system_fields,
        } = input;
        refuse(
            apply_on_transformed_logs == Some(true),
            "applyOnTransformedLogs",
        )?;
        refuse(field_selection_criteria.is_some(), "fieldSelectionCriteria")?;
        refuse(
            emit_system_fields.is_some_and(|fields| !fields.is_empty()),
            "emitSystemFields",
        )?;
        let destination = destination(&destination_arn, role_arn.as_deref(), context)?;
        check_own_group(&destination, &log_group_name)?;
        let subscription = NewSubscription {
            pattern: filter_pattern,
            destination: destination.clone(),
            role: role_arn,
            // Only a stream has shards; for other destinations it is kept and shown, as AWS does.
            distribution: match distribution.as_deref() {
                Some("Random") => Distribution::Random,
                _ => Distribution::ByStream,
            },
        };
        let put = self
            .groups
            .put_subscription(&log_group_name, &filter_name, subscription);
        put.await.map_err(|error| match error {
            Error::Destination(_) => not_taken(&destination),
            error => api(error),
        })?;
        Ok(Nothing {})
    }
}

/// The error of a destination that does not take messages.
fn not_taken(destination: &Destination) -> ApiError {
    invalid_parameter(match destination {
        Destination::Function(_) => {
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
             function."
        }
        Destination::Stream(_) => {
            "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state."
        }
        Destination::Delivery(_) => {
            "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE \
             state."
        }
    })
}

/// The destination that an ARN names. Texts as AWS's.
fn destination(text: &str, role: Option<&str>, context: &Context) -> Result<Destination, ApiError> {
    let arn: Arn = text
        .parse()
        .map_err(|_| invalid_parameter("Destination ARN is not valid."))?;
    let vendor = arn.service.as_str();
    let is_here = arn.account == context.account.0;
    if vendor == "lambda" && !is_here {
        return Err(ApiError::of(
            &shapes::ACCESS_DENIED_EXCEPTION,
            "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross \
             account lambda triggers.",
        ));
    }
    refuse(vendor == "logs", "a destination of logs as destinationArn")?;
    match (vendor, role) {
        ("lambda", Some(_)) => Err(invalid_parameter(
            "destinationArn for vendor lambda cannot be used with roleArn",
        )),
        ("kinesis" | "firehose", None) => Err(invalid_parameter(format!(
            "destinationArn for vendor {vendor} cannot be used without roleArn"
        ))),
        ("lambda", None) => Ok(Destination::Function(arn)),
        ("kinesis", Some(_)) => Ok(Destination::Stream(arn)),
        ("firehose", Some(_)) => Ok(Destination::Delivery(arn)),
        _ => Err(invalid_parameter(format!(
            "PutSubscriptionFilter operation cannot work with destinationArn for vendor {vendor}"
        ))),
    }
}

/// A function is not called with what it logs itself.
fn check_own_group(destination: &Destination, group: &str) -> Result<(), ApiError> {
    let Destination::Function(arn) = destination else {
        return Ok(());
    };
    let name = arn.name_of("function").unwrap_or_default();
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    match group.strip_prefix("/aws/lambda/") == Some(name) {
        true => Err(invalid_parameter(
            "The log group provided is reserved for the function logs of the destination function.",
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        DeleteSubscriptionFilter, DescribeSubscriptionFilters, PutSubscriptionFilter,
    };
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    fn filter(name: &str, destination: &str) -> Value {
        let mut input = json!({
            "logGroupName": "g", "filterName": name, "filterPattern": "", "destinationArn": destination,
        });
        if !destination.contains(":lambda:") {
            input["roleArn"] = json!(ROLE);
        }
        input
    }

    #[tokio::test]
    async fn a_subscription_is_made_shown_changed_and_deleted() {
        let world = World::with_stream().await;
        let describe = async |more: Value| {
            let mut input = json!({ "logGroupName": "g" });
            input
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let found = world.ok::<DescribeSubscriptionFilters>(input).await;
            found["subscriptionFilters"].clone()
        };
        assert_eq!(describe(json!({})).await, json!([]));
        world
            .ok::<PutSubscriptionFilter>(filter("one", STREAM))
            .await;
        let mut changed = filter("one", STREAM);
        (changed["filterPattern"], changed["distribution"]) = (json!("[]"), json!("Random"));
        world.ok::<PutSubscriptionFilter>(changed).await;
        world
            .ok::<PutSubscriptionFilter>(filter("two", FUNCTION))
            .await;
        let third = world
            .refused::<PutSubscriptionFilter>(filter("three", FUNCTION))
            .await;
        let text = "Resource limit exceeded.";
        assert_eq!(third, ("LimitExceededException".into(), text.into()));
        let one = json!({
            "filterName": "one", "logGroupName": "g", "filterPattern": "[]", "destinationArn": STREAM, "roleArn": ROLE,
            "distribution": "Random", "applyOnTransformedLogs": false, "creationTime": START,
        });
        let two = json!({
            "filterName": "two", "logGroupName": "g", "filterPattern": "", "destinationArn": FUNCTION,
            "distribution": "ByLogStream", "applyOnTransformedLogs": false, "creationTime": START,
        });
        assert_eq!(describe(json!({})).await, json!([one, two]));
        assert_eq!(
            describe(json!({ "filterNamePrefix": "t" })).await,
            json!([two])
        );
        let first = world
            .ok::<DescribeSubscriptionFilters>(json!({ "logGroupName": "g", "limit": 1 }))
            .await;
        assert_eq!(first["subscriptionFilters"], json!([one]));
        let rest = describe(json!({ "nextToken": first["nextToken"] })).await;
        assert_eq!(rest, json!([two]));
        let delete = |group: &str| json!({ "logGroupName": group, "filterName": "one" });
        world.ok::<DeleteSubscriptionFilter>(delete("g")).await;
        for (group, text) in [
            ("g", "The specified subscription filter does not exist."),
            ("none", "The specified log group does not exist."),
        ] {
            let refused = world
                .refused::<DeleteSubscriptionFilter>(delete(group))
                .await;
            assert_eq!(refused, ("ResourceNotFoundException".into(), text.into()));
        }
        assert_eq!(describe(json!({})).await, json!([two]));
    }

    #[tokio::test]
    async fn destinations_are_asked_first() {
        let world = World::with_stream().await;
        let refused = async |input| world.refused::<PutSubscriptionFilter>(input).await;
        let with = |mut input: Value, name: &str, value: Value| {
            input[name] = value;
            input
        };
        let elsewhere = "arn:aws:lambda:us-east-1:123456789012:function:f";
        for (input, code, text) in [
            (
                with(filter("f", FUNCTION), "logGroupName", json!("none")),
                "ResourceNotFoundException",
                "The specified log group does not exist.",
            ),
            (
                with(filter("f", elsewhere), "logGroupName", json!("none")),
                "AccessDeniedException",
                "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross \
                 account lambda triggers.",
            ),
            (
                with(filter("f", STREAM), "roleArn", json!(null)),
                "InvalidParameterException",
                "destinationArn for vendor kinesis cannot be used without roleArn",
            ),
            (
                with(filter("f", FUNCTION), "roleArn", json!(ROLE)),
                "InvalidParameterException",
                "destinationArn for vendor lambda cannot be used with roleArn",
            ),
            (
                filter("f", "arn:aws:sns:us-east-1:000000000000:t"),
                "InvalidParameterException",
                "PutSubscriptionFilter operation cannot work with destinationArn for vendor sns",
            ),
            (
                filter("f", &format!("{STREAM}-gone")),
                "InvalidParameterException",
                "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE \
                 state.",
            ),
            (
                filter(
                    "f",
                    "arn:aws:firehose:us-east-1:000000000000:deliverystream/gone",
                ),
                "InvalidParameterException",
                "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE \
                 state.",
            ),
            (
                filter("f", &format!("{FUNCTION}-gone")),
                "InvalidParameterException",
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
                 function.",
            ),
            (
                with(
                    filter("f", FUNCTION),
                    "logGroupName",
                    json!("/aws/lambda/f"),
                ),
                "InvalidParameterException",
                "The log group provided is reserved for the function logs of the destination function.",
            ),
        ] {
            let found = refused(input).await;
            assert_eq!(found.0, code, "{}", found.1);
            assert_eq!(found.1, text);
        }
        let pattern = refused(with(
            filter("f", FUNCTION),
            "filterPattern",
            json!("{ $.a }"),
        ))
        .await;
        assert_eq!(pattern.0, "InvalidParameterException");
        for (name, value) in [
            ("applyOnTransformedLogs", json!(true)),
            ("fieldSelectionCriteria", json!("x")),
            ("emitSystemFields", json!(["@aws.account"])),
        ] {
            let refused = refused(with(filter("f", FUNCTION), name, value)).await;
            assert_eq!(refused.0, "NotImplemented");
        }
    }
}
