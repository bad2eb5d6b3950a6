//! Attributes of topics and subscriptions: set by name, and shown.

use std::collections::BTreeMap;

use headwater_topics::{
    Error, Protocol, Scope, Subscription, SubscriptionSettings, Topic, TopicSettings, compact,
};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};
use serde_json::Value;

use crate::{
    Sns, delivery_policy,
    errors::api,
    permissions::{check_policy, policy_of},
};

const DISPLAY_NAME_MAX: usize = 100;
/// The sizes that the largest message of a topic may have.
const MESSAGE_BYTES: std::ops::RangeInclusive<u32> = 1024..=256 * 1024;

/// Attributes that AWS's topics have and these have not.
const NOT_OF_TOPICS: [&str; 20] = [
    "ApplicationFailureFeedbackRoleArn",
    "ApplicationSuccessFeedbackRoleArn",
    "ApplicationSuccessFeedbackSampleRate",
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DataProtectionPolicy",
    "FifoThroughputScope",
    "FirehoseFailureFeedbackRoleArn",
    "FirehoseSuccessFeedbackRoleArn",
    "FirehoseSuccessFeedbackSampleRate",
    "HTTPFailureFeedbackRoleArn",
    "HTTPSuccessFeedbackRoleArn",
    "HTTPSuccessFeedbackSampleRate",
    "KmsMasterKeyId",
    "LambdaFailureFeedbackRoleArn",
    "LambdaSuccessFeedbackRoleArn",
    "LambdaSuccessFeedbackSampleRate",
    "SQSFailureFeedbackRoleArn",
    "SQSSuccessFeedbackRoleArn",
    "SQSSuccessFeedbackSampleRate",
];

fn refused<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Refused(why.into()))
}

/// The error of something that AWS has and this has not.
pub(crate) fn not_there<T>(name: &str) -> Result<T, Error> {
    refused(format!(
        "{name} Reason: Headwater does not support {name} yet"
    ))
}

/// Sets an attribute of a topic; whether there is one of that name.
pub(crate) fn set_of_topic(
    settings: &mut TopicSettings,
    name: &str,
    value: &str,
) -> Result<bool, Error> {
    match name {
        "DisplayName" => {
            if value.chars().count() > DISPLAY_NAME_MAX {
                return refused("DisplayName Reason: must be at most 100 characters");
            }
            settings.display_name = Some(value.to_owned());
        }
        "DeliveryPolicy" => delivery_policy::set_of_topic(settings, value)?,
        "Policy" => {
            check_policy(value)?;
            settings.policy = Some(value.to_owned());
        }
        "SignatureVersion" => match value {
            "1" => settings.signature_version = Some(1),
            "2" => settings.signature_version = Some(2),
            _ => return refused("SignatureVersion Reason: must be 1 or 2"),
        },
        "MaximumMessageSize" => match value.parse() {
            Ok(bytes) if MESSAGE_BYTES.contains(&bytes) => {
                settings.message_bytes_max = Some(bytes);
            }
            _ => return refused("MaximumMessageSize Reason: must be between 1024 and 262144"),
        },
        "TracingConfig" => match value {
            "PassThrough" => settings.tracing = Some(value.to_owned()),
            "Active" => return not_there("TracingConfig Active"),
            _ => return refused("TracingConfig Reason: must be PassThrough or Active"),
        },
        // An empty key is none.
        "KmsMasterKeyId" if value.is_empty() => {}
        name if NOT_OF_TOPICS.contains(&name) => return not_there(name),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Sets an attribute of a subscription with that protocol; whether there is one of that name.
pub(crate) fn set(
    settings: &mut SubscriptionSettings,
    protocol: Protocol,
    name: &str,
    value: &str,
) -> Result<bool, Error> {
    match name {
        "RawMessageDelivery" => settings.raw = raw(protocol, value)?,
        "FilterPolicy" => settings.filter = filter(value)?,
        "FilterPolicyScope" => {
            settings.scope = match value {
                "MessageAttributes" => Scope::Attributes,
                "MessageBody" => Scope::Body,
                _ => {
                    return refused(format!(
                        "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or \
                         MessageAttributes"
                    ));
                }
            }
        }
        "RedrivePolicy" => settings.dead_letters = dead_letters(value)?,
        "DeliveryPolicy" if protocol.is_web() => delivery_policy::set(settings, value)?,
        "DeliveryPolicy" => {
            return refused(format!(
                "Delivery protocol [{protocol}] does not support delivery policies."
            ));
        }
        "SubscriptionRoleArn" if protocol == Protocol::Firehose => {
            settings.role = Some(role(value)?);
        }
        "SubscriptionRoleArn" => {
            return refused(format!(
                "SubscriptionRoleArn Reason: Delivery protocol [{protocol}] has no role"
            ));
        }
        "ReplayPolicy" | "ReplayStatus" => return not_there(name),
        _ => return Ok(false),
    }
    Ok(true)
}

fn raw(protocol: Protocol, value: &str) -> Result<bool, Error> {
    let is_raw = match &*value.to_ascii_lowercase() {
        "true" => true,
        "false" => false,
        _ => {
            return refused(format!(
                "RawMessageDelivery: Invalid value [{value}]. Must be true or false."
            ));
        }
    };
    if is_raw && protocol == Protocol::Lambda {
        return refused(format!(
            "Delivery protocol [{protocol}] does not support raw message delivery."
        ));
    }
    Ok(is_raw)
}

/// A filter's text; nothing where it is empty, which takes it away.
fn filter(value: &str) -> Result<Option<String>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    match compact(value) {
        Ok(text) => Ok(Some(text).filter(|text| text != "{}")),
        Err(fault) => refused(format!("FilterPolicy: {fault}")),
    }
}

/// The queue of a redrive policy; nothing where it is empty, which takes it away.
fn dead_letters(value: &str) -> Result<Option<Arn>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    if let Err(fault) = compact(value) {
        return refused(format!("RedrivePolicy: {fault}"));
    }
    let policy: Value = serde_json::from_str(value).unwrap_or_default();
    let Some(members) = policy.as_object() else {
        return refused("RedrivePolicy: it must be an object");
    };
    if members.is_empty() {
        return Ok(None);
    }
    if let Some(other) = members.keys().find(|name| *name != "deadLetterTargetArn") {
        return refused(format!("RedrivePolicy: unexpected member {other}"));
    }
    let arn = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
    match arn.parse::<Arn>() {
        Ok(arn) if arn.service == "sqs" && !arn.resource.ends_with(".fifo") => Ok(Some(arn)),
        Ok(arn) if arn.service == "sqs" => refused(
            "RedrivePolicy: must use a Standard queue as DLQ for a Subscription to a Standard Topic.",
        ),
        _ => refused("RedrivePolicy: deadLetterTargetArn is an invalid arn"),
    }
}

fn role(value: &str) -> Result<String, Error> {
    let is_role = |arn: &Arn| arn.service == "iam" && arn.name_of("role").is_some();
    match value.parse::<Arn>() {
        Ok(arn) if is_role(&arn) => Ok(value.to_owned()),
        _ => refused("SubscriptionRoleArn Reason: must be the ARN of a role"),
    }
}

impl Sns {
    /// A topic's attributes as AWS shows them.
    pub(crate) fn attributes_of_topic(
        &self,
        topic: &Topic,
        context: &Context,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let arn = self.topics.place().topic(&topic.name).to_string();
        let (confirmed, pending) = self.topics.count(&topic.name).map_err(api)?;
        let account = &context.account.0;
        let settings = &topic.settings;
        let signature = settings
            .signature_version
            .map(|version| version.to_string());
        let bytes = settings.message_bytes_max.map(|bytes| bytes.to_string());
        let members = [
            ("TopicArn", Some(arn.clone())),
            ("Owner", Some(account.clone())),
            ("Policy", Some(policy_of(topic, &arn, account))),
            (
                "DisplayName",
                Some(settings.display_name.clone().unwrap_or_default()),
            ),
            ("SubscriptionsConfirmed", Some(confirmed.to_string())),
            ("SubscriptionsPending", Some(pending.to_string())),
            (
                "SubscriptionsDeleted",
                Some(topic.deleted_subscriptions.to_string()),
            ),
            ("DeliveryPolicy", delivery_policy::of_topic(settings)),
            (
                "EffectiveDeliveryPolicy",
                Some(delivery_policy::effective_of_topic(settings)),
            ),
            ("SignatureVersion", signature),
            ("MaximumMessageSize", bytes),
            ("TracingConfig", settings.tracing.clone()),
        ];
        Ok(map_of(members))
    }

    /// A subscription's attributes as AWS shows them.
    pub(crate) fn attributes(
        &self,
        subscription: &Subscription,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let place = self.topics.place();
        let topic = self.topics.topic(&subscription.topic).map_err(api)?;
        let settings = &subscription.settings;
        let effective = || delivery_policy::effective(subscription, &topic.settings);
        let scope = match settings.scope {
            Scope::Attributes => "MessageAttributes",
            Scope::Body => "MessageBody",
        };
        let redrive = settings.dead_letters.as_ref();
        let redrive = redrive.map(|queue| format!("{{\"deadLetterTargetArn\":\"{queue}\"}}"));
        let members = [
            (
                "SubscriptionArn",
                Some(place.subscription(&subscription.topic, &subscription.id)),
            ),
            (
                "TopicArn",
                Some(place.topic(&subscription.topic).to_string()),
            ),
            ("Owner", Some(subscription.owner.clone())),
            (
                "SubscriptionPrincipal",
                Some(subscription.principal.clone()),
            ),
            ("Protocol", Some(subscription.protocol.to_string())),
            ("Endpoint", Some(subscription.endpoint.clone())),
            (
                "PendingConfirmation",
                Some((!subscription.confirmed).to_string()),
            ),
            (
                "ConfirmationWasAuthenticated",
                Some(subscription.confirmed_by_known.to_string()),
            ),
            ("RawMessageDelivery", Some(settings.raw.to_string())),
            ("FilterPolicy", settings.filter.clone()),
            (
                "FilterPolicyScope",
                settings.filter.as_ref().map(|_| scope.to_owned()),
            ),
            ("RedrivePolicy", redrive),
            ("SubscriptionRoleArn", settings.role.clone()),
            ("DeliveryPolicy", delivery_policy::of(subscription)),
            (
                "EffectiveDeliveryPolicy",
                subscription.protocol.is_web().then(effective),
            ),
        ];
        Ok(map_of(members))
    }
}

fn map_of<const N: usize>(members: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    let members = members.into_iter();
    members
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
