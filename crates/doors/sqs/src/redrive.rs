//! Redrive policies and who may have a queue for dead letters, as JSON and as the domain has them.

use headwater_messages::{QueueRecord, Redrive, RedriveAllow, Settings};
use headwater_wire::{ApiError, Context};
use serde_json::{Value, json};

use crate::{
    Sqs,
    errors::invalid_value,
    place::{arn, name_of_arn},
};

/// Queues that a redrive allow policy can name. (Source: the API reference, "SetQueueAttributes".)
const SOURCES: usize = 10;

impl Sqs {
    /// The redrive policy of a queue of this name with these settings.
    pub(crate) fn redrive(
        &self,
        text: &str,
        name: &str,
        settings: &Settings,
        context: &Context,
    ) -> Result<Redrive, ApiError> {
        let refused = |why: &str| invalid_value("RedrivePolicy", text, why);
        let policy: Value = serde_json::from_str(text).unwrap_or_default();
        let Some(policy) = policy.as_object() else {
            return Err(refused(
                "Amazon SQS can't create the redrive policy, as it’s in an unsupported format.",
            ));
        };
        for key in policy.keys() {
            if !matches!(key.as_str(), "deadLetterTargetArn" | "maxReceiveCount") {
                return Err(refused(&format!(
                    "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount], not {key}."
                )));
            }
        }
        let lacks = |what: &str| {
            refused(&format!(
                "Redrive policy does not contain mandatory attribute: {what}."
            ))
        };
        let target = policy
            .get("deadLetterTargetArn")
            .ok_or_else(|| lacks("deadLetterTargetArn"))?;
        let count = policy
            .get("maxReceiveCount")
            .ok_or_else(|| lacks("maxReceiveCount"))?;
        let max_receives = match count {
            Value::String(digits) => digits.parse().ok(),
            number => number.as_u64(),
        };
        let max_receives = max_receives.and_then(|count| u32::try_from(count).ok());
        let max_receives = max_receives.filter(|count| (1..=1000).contains(count));
        let max_receives = max_receives.ok_or_else(|| {
            let count = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
            refused(&format!(
                "Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
            ))
        })?;
        let target = target.as_str().unwrap_or_default();
        let named = name_of_arn(target, &context.region.0, &context.account.0);
        let found = named.and_then(|target| self.queues.get(target).ok());
        let found = found.ok_or_else(|| refused("Dead letter target does not exist."))?;
        if found.settings.fifo.is_some() != settings.fifo.is_some() {
            return Err(refused(
                "Dead-letter queue must be same type of queue as the source.",
            ));
        }
        if !found.takes_letters_of(name) {
            return Err(refused(
                "The redriveAllowPolicy of the dead-letter queue does not allow this source queue.",
            ));
        }
        Ok(Redrive {
            target: found.name,
            max_receives,
        })
    }
}

/// A redrive policy as its owner reads it.
pub(crate) fn text(redrive: &Redrive, context: &Context) -> String {
    json!({
        "deadLetterTargetArn": arn(&redrive.target, context),
        "maxReceiveCount": redrive.max_receives,
    })
    .to_string()
}

/// A redrive allow policy.
pub(crate) fn read_allow(text: &str, context: &Context) -> Result<RedriveAllow, ApiError> {
    let refused = |why: &str| invalid_value("RedriveAllowPolicy", text, why);
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(policy) = policy.as_object() else {
        return Err(refused("Amazon SQS can't create the redrive allow policy."));
    };
    let permission = policy.get("redrivePermission").and_then(Value::as_str);
    let sources = policy.get("sourceQueueArns");
    match (permission, sources) {
        (Some("allowAll"), None) => Ok(RedriveAllow::All),
        (Some("denyAll"), None) => Ok(RedriveAllow::None),
        (Some("byQueue"), Some(Value::Array(sources)))
            if (1..=SOURCES).contains(&sources.len()) =>
        {
            let name = |source: &Value| {
                let name = name_of_arn(source.as_str()?, &context.region.0, &context.account.0)?;
                Some(name.to_owned())
            };
            let names: Option<Vec<_>> = sources.iter().map(name).collect();
            let names = names.ok_or_else(|| {
                refused("sourceQueueArns must be ARNs of queues of this account and region.")
            })?;
            Ok(RedriveAllow::Only(names))
        }
        (Some("byQueue"), _) => Err(refused(
            "sourceQueueArns must have 1 to 10 ARNs when redrivePermission is byQueue.",
        )),
        (Some("allowAll" | "denyAll"), Some(_)) => Err(refused(
            "sourceQueueArns can only be specified when redrivePermission is byQueue.",
        )),
        _ => Err(refused(
            "redrivePermission must be one of allowAll, denyAll and byQueue.",
        )),
    }
}

/// A redrive allow policy as its owner reads it.
pub(crate) fn allow_text(allow: &RedriveAllow, context: &Context) -> String {
    match allow {
        RedriveAllow::All => json!({ "redrivePermission": "allowAll" }),
        RedriveAllow::None => json!({ "redrivePermission": "denyAll" }),
        RedriveAllow::Only(names) => {
            let sources: Vec<_> = names.iter().map(|name| arn(name, context)).collect();
            json!({ "redrivePermission": "byQueue", "sourceQueueArns": sources })
        }
    }
    .to_string()
}

/// Whether a queue has that one for its dead letters.
pub(crate) fn is_source_of(queue: &QueueRecord, target: &str) -> bool {
    let redrive = queue.settings.redrive.as_ref();
    redrive.is_some_and(|redrive| redrive.target == target)
}
