//! Subscribe.

use std::{collections::BTreeMap, sync::Arc};

use headwater_shapes_sns::{SubscribeInput, SubscribeResponse, ops::Subscribe};
use headwater_topics::{Error, NewSubscription, Protocol, SubscriptionSettings};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, Handle};
use http::Uri;

use crate::{
    Sns,
    attributes::set,
    errors::{api, invalid},
};

/// Protocols that AWS has and this has not.
const NOT_THERE: [&str; 4] = ["application", "email", "email-json", "sms"];
const ENDPOINT_MAX: usize = 2048;

impl Handle<Subscribe> for Sns {
    async fn handle(
        &self,
        input: SubscribeInput,
        context: &Context,
    ) -> Result<SubscribeResponse, ApiError> {
        let SubscribeInput {
            topic_arn,
            protocol,
            endpoint,
            attributes,
            return_subscription_arn,
        } = input;
        let attributes = attributes.unwrap_or_default();
        let protocol = protocol_of(&protocol)?;
        let topic = self.topic(&topic_arn, "SNS:Subscribe", context)?;
        let endpoint = endpoint.unwrap_or_default();
        check_endpoint(protocol, &endpoint, context)?;
        let needs_role = protocol == Protocol::Firehose;
        if needs_role && !attributes.contains_key("SubscriptionRoleArn") {
            return Err(invalid(
                "Attributes Reason: SubscriptionRoleArn is required for the firehose protocol",
            ));
        }
        let new = NewSubscription {
            topic: topic.name.clone(),
            protocol,
            endpoint,
            owner: context.caller.account.0.clone(),
            principal: context.caller.arn.clone(),
            set: Arc::new(move |settings| set_all(settings, protocol, &attributes)),
        };
        let subscribed = self
            .topics
            .subscribe(new)
            .await
            .map_err(|error| match error {
                Error::Filter(fault) => invalid(format!("Attributes Reason: {fault}")),
                Error::Refused(text) => invalid(format!("Attributes Reason: {text}")),
                other => api(other),
            })?;
        let arn = match subscribed.confirmed || return_subscription_arn == Some(true) {
            true => self
                .topics
                .place()
                .subscription(&topic.name, &subscribed.id),
            false => "pending confirmation".to_owned(),
        };
        Ok(SubscribeResponse {
            subscription_arn: Some(arn),
        })
    }
}

fn protocol_of(name: &str) -> Result<Protocol, ApiError> {
    Ok(match name {
        "sqs" => Protocol::Sqs,
        "lambda" => Protocol::Lambda,
        "firehose" => Protocol::Firehose,
        "http" => Protocol::Http,
        "https" => Protocol::Https,
        name if NOT_THERE.contains(&name) => {
            let what = format_args!("subscriptions with the protocol {name}");
            return Err(ApiError::not_supported(what));
        }
        name => {
            return Err(invalid(format!(
                "Amazon SNS does not support this protocol string: {name}"
            )));
        }
    })
}

/// Refuses what is no endpoint of a protocol, and endpoints of others.
fn check_endpoint(protocol: Protocol, endpoint: &str, context: &Context) -> Result<(), ApiError> {
    if endpoint.is_empty() {
        return Err(invalid("Endpoint"));
    }
    if protocol.is_web() {
        return match is_address(protocol, endpoint) {
            true => Ok(()),
            false => Err(invalid("Endpoint must match the specified protocol")),
        };
    }
    let (service, kind, name) = match protocol {
        Protocol::Lambda => ("lambda", "function", "Lambda"),
        Protocol::Firehose => ("firehose", "deliverystream", "Firehose"),
        _ => ("sqs", "", "SQS"),
    };
    let is_kind = |arn: &Arn| kind.is_empty() || arn.name_of(kind).is_some();
    let arn = endpoint.parse::<Arn>().ok();
    let arn = arn.filter(|arn| arn.service == service && is_kind(arn));
    let arn = arn.ok_or_else(|| invalid(format!("{name} endpoint ARN")))?;
    if protocol == Protocol::Sqs && arn.resource.ends_with(".fifo") {
        // AWS's own text, which says it twice.
        return Err(invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        ));
    }
    if arn.region != context.region.0 {
        return Err(ApiError::not_supported("endpoints in other regions"));
    }
    match arn.account == context.account.0 && !context.is_foreign() {
        true => Ok(()),
        false => Err(ApiError::not_supported(
            "queues, functions and delivery streams of another account than the topic's and the caller's",
        )),
    }
}

fn is_address(protocol: Protocol, endpoint: &str) -> bool {
    let uri = endpoint.parse::<Uri>().ok();
    let is_of = |uri: &Uri| uri.scheme_str() == Some(protocol.as_str()) && uri.host().is_some();
    endpoint.len() <= ENDPOINT_MAX && uri.is_some_and(|uri| is_of(&uri))
}

fn set_all(
    settings: &mut SubscriptionSettings,
    protocol: Protocol,
    attributes: &BTreeMap<String, String>,
) -> Result<(), Error> {
    for (name, value) in attributes {
        if !set(settings, protocol, name, value)? {
            return Err(Error::Refused(format!("Unknown attribute: {name}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::{
        GetSubscriptionAttributes, ListSubscriptions, ListSubscriptionsByTopic,
        SetSubscriptionAttributes, Subscribe, Unsubscribe,
    };
    use serde_json::{Value, json};

    use crate::testing::{QUEUE, TOPIC, World, invalid};

    fn subscribe(protocol: &str, endpoint: &str, attributes: Value) -> Value {
        json!({
            "TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes,
            "ReturnSubscriptionArn": true,
        })
    }

    #[tokio::test]
    async fn a_subscription_of_a_queue_shows_what_aws_shows() {
        let world = World::with_topic().await;
        let made = world
            .ok::<Subscribe>(subscribe("sqs", QUEUE, json!({})))
            .await;
        let arn = made["SubscriptionArn"].as_str().unwrap();
        let get = async || {
            let got = world
                .ok::<GetSubscriptionAttributes>(json!({"SubscriptionArn": arn}))
                .await;
            got["Attributes"].clone()
        };
        let mut expected = json!({
            "ConfirmationWasAuthenticated": "true", "Endpoint": QUEUE, "Owner": "000000000000",
            "PendingConfirmation": "false", "Protocol": "sqs", "RawMessageDelivery": "false", "SubscriptionArn": arn,
            "SubscriptionPrincipal": "arn:aws:iam::000000000000:root", "TopicArn": TOPIC,
        });
        assert_eq!(get().await, expected);
        let set = |name: &str, value: &str| json!({"SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value});
        world
            .ok::<SetSubscriptionAttributes>(set("FilterPolicyScope", "MessageBody"))
            .await;
        assert_eq!(get().await, expected);
        world
            .ok::<SetSubscriptionAttributes>(set("FilterPolicy", "{\"a\": [\"x y\"]}"))
            .await;
        expected["FilterPolicy"] = json!("{\"a\":[\"x y\"]}");
        expected["FilterPolicyScope"] = json!("MessageBody");
        assert_eq!(get().await, expected);
        let listed = json!({"Subscriptions": [{
            "SubscriptionArn": arn, "Owner": "000000000000", "Protocol": "sqs", "Endpoint": QUEUE, "TopicArn": TOPIC,
        }]});
        assert_eq!(world.ok::<ListSubscriptions>(json!({})).await, listed);
        let of = json!({"TopicArn": TOPIC});
        assert_eq!(world.ok::<ListSubscriptionsByTopic>(of).await, listed);
        world
            .ok::<Unsubscribe>(json!({"SubscriptionArn": arn}))
            .await;
        world
            .ok::<Unsubscribe>(json!({"SubscriptionArn": arn}))
            .await;
        let refused = world
            .refused::<GetSubscriptionAttributes>(json!({"SubscriptionArn": arn}))
            .await;
        assert_eq!(refused.1, "Subscription does not exist");
    }

    /// localstack's `test_subscribe_idempotency`.
    #[tokio::test]
    async fn an_endpoint_has_one_subscription() {
        let world = World::with_topic().await;
        let raw = json!({"RawMessageDelivery": "true", "FilterPolicyScope": "MessageAttributes"});
        let first = world
            .ok::<Subscribe>(subscribe("sqs", QUEUE, raw.clone()))
            .await;
        for same in [raw, json!({}), json!({"RawMessageDelivery": "true"})] {
            assert_eq!(
                world.ok::<Subscribe>(subscribe("sqs", QUEUE, same)).await,
                first
            );
        }
        let other = subscribe("sqs", QUEUE, json!({"RawMessageDelivery": "false"}));
        assert_eq!(
            world.refused::<Subscribe>(other).await,
            invalid("Attributes Reason: Subscription already exists with different attributes")
        );
    }

    /// localstack's `TestSNSSubscriptionCrud`.
    #[tokio::test]
    async fn what_cannot_be_subscribed_is_refused_in_the_words_of_aws() {
        let world = World::with_topic().await;
        let attribute = |name: &str, value: &str| subscribe("sqs", QUEUE, json!({name: value}));
        for (input, why) in [
            (
                subscribe("test-protocol", "x", json!({})),
                "Amazon SNS does not support this protocol string: test-protocol",
            ),
            (
                subscribe("sqs", "http://queue", json!({})),
                "SQS endpoint ARN",
            ),
            (
                subscribe("sqs", &format!("{QUEUE}.fifo"), json!({})),
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
            ),
            (subscribe("lambda", QUEUE, json!({})), "Lambda endpoint ARN"),
            (
                subscribe("https", "http://x/y", json!({})),
                "Endpoint must match the specified protocol",
            ),
            (
                attribute("RawMessageDelivery", "wrongvalue"),
                "Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false.",
            ),
            (
                attribute("FilterPolicy", "{\"key\": [[\"value\"]]}"),
                "Attributes Reason: FilterPolicy: Match value must be String, number, true, false, or null\n at \
                 [Source: (String)\"{\"key\":[[\"value\"]]}\"; line: 1, column: 10]",
            ),
            (
                attribute("RedrivePolicy", "{\"deadLetterTargetArn\": \"fake-arn\"}"),
                "Attributes Reason: RedrivePolicy: deadLetterTargetArn is an invalid arn",
            ),
        ] {
            assert_eq!(world.refused::<Subscribe>(input).await, invalid(why));
        }
        for protocol in ["email", "sms", "application"] {
            let refused = world
                .refused::<Subscribe>(subscribe(protocol, "x", json!({})))
                .await;
            let text = format!(
                "Headwater does not support subscriptions with the protocol {protocol} yet."
            );
            assert_eq!(refused.1, text);
        }
        for (arn, why) in [
            (
                "randomstring",
                "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
            ),
            (
                "arn:aws:sns:us-east-1:random",
                "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5",
            ),
            (
                "arn:aws:sns:us-east-1:111111111111:random",
                "SubscriptionId",
            ),
            (
                "",
                "SubscriptionArn Reason: no value for required parameter",
            ),
        ] {
            let refused = world
                .refused::<Unsubscribe>(json!({"SubscriptionArn": arn}))
                .await;
            assert_eq!(refused, invalid(why));
        }
    }

    /// localstack's `test_validate_set_sub_attributes` and `test_sub_filter_policy_nested_property`.
    #[tokio::test]
    async fn attributes_are_checked_when_they_are_set() {
        let world = World::with_topic().await;
        let made = world
            .ok::<Subscribe>(subscribe("sqs", QUEUE, json!({})))
            .await;
        let json_fault = "failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start \
            field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]";
        for (name, value, why) in [
            ("FakeAttribute", "x", "AttributeName".to_owned()),
            (
                "RawMessageDelivery",
                "",
                "RawMessageDelivery: Invalid value []. Must be true or false.".to_owned(),
            ),
            ("RedrivePolicy", "{invalidjson}", format!("RedrivePolicy: {json_fault}")),
            ("FilterPolicy", "{invalidjson}", format!("FilterPolicy: {json_fault}")),
            (
                "FilterPolicyScope",
                "RandomValue",
                "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes"
                    .to_owned(),
            ),
            (
                "FilterPolicy",
                "{\"a\": {\"b\": [1]}}",
                "Filter policy scope MessageAttributes does not support nested filter policy".to_owned(),
            ),
        ] {
            let input = json!({
                "SubscriptionArn": made["SubscriptionArn"], "AttributeName": name, "AttributeValue": value,
            });
            let refused = world.refused::<SetSubscriptionAttributes>(input).await;
            assert_eq!(refused, invalid(&why));
        }
    }

    #[tokio::test]
    async fn an_address_waits_to_be_confirmed() {
        let world = World::with_topic().await;
        let input =
            json!({"TopicArn": TOPIC, "Protocol": "http", "Endpoint": "http://127.0.0.1:1/x"});
        let made = world.ok::<Subscribe>(input.clone()).await;
        assert_eq!(made, json!({"SubscriptionArn": "pending confirmation"}));
        let listed = world.ok::<ListSubscriptions>(json!({})).await;
        assert_eq!(
            listed["Subscriptions"][0]["SubscriptionArn"],
            "PendingConfirmation"
        );
        let policy = r#"{"requestPolicy": {"headerContentType": "text/csv"}}"#;
        let arn = world
            .ok::<Subscribe>(subscribe("http", "http://127.0.0.1:1/x", json!({})))
            .await;
        let arn = &arn["SubscriptionArn"];
        let set = json!({"SubscriptionArn": arn, "AttributeName": "DeliveryPolicy", "AttributeValue": policy});
        world.ok::<SetSubscriptionAttributes>(set).await;
        let got = world
            .ok::<GetSubscriptionAttributes>(json!({"SubscriptionArn": arn}))
            .await;
        let got = &got["Attributes"];
        assert_eq!(got["PendingConfirmation"], "true");
        assert_eq!(got["ConfirmationWasAuthenticated"], "false");
        assert_eq!(
            got["DeliveryPolicy"],
            "{\"healthyRetryPolicy\":null,\"sicklyRetryPolicy\":null,\"throttlePolicy\":null,\"requestPolicy\":\
             {\"headerContentType\":\"text/csv\"},\"guaranteed\":false}"
        );
        assert_eq!(
            got["EffectiveDeliveryPolicy"],
            "{\"healthyRetryPolicy\":{\"minDelayTarget\":20,\"maxDelayTarget\":20,\"numRetries\":3,\
             \"numMaxDelayRetries\":0,\"numNoDelayRetries\":0,\"numMinDelayRetries\":0,\"backoffFunction\":\"linear\"},\
             \"sicklyRetryPolicy\":null,\"throttlePolicy\":null,\"requestPolicy\":{\"headerContentType\":\"text/csv\"},\
             \"guaranteed\":false}"
        );
    }
}
