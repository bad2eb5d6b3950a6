//! The attributes of a queue: set, and shown.

use std::collections::BTreeMap;

use headwater_messages::{Depth, Fifo, QueueRecord, Settings, limits};
use headwater_wire::{ApiError, Context};

use crate::{
    Sqs,
    errors::{invalid_attribute, invalid_name, unknown_attribute},
    place::arn,
    policy, redrive,
};

/// Attributes by their names.
pub(crate) type Attributes = BTreeMap<String, String>;

/// All that GetQueueAttributes knows, beside `All`.
const KNOWN: &[&str] = &[
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ContentBasedDeduplication",
    "CreatedTimestamp",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// The seconds that a key of data is used, where nobody said.
const KEY_REUSE_S: u32 = 300;

impl Sqs {
    /// Sets attributes of a queue, which is new or was there before.
    pub(crate) fn set(
        &self,
        queue: &mut QueueRecord,
        attributes: &Attributes,
        context: &Context,
    ) -> Result<(), ApiError> {
        for (name, value) in attributes {
            match name.as_str() {
                "Policy" => {
                    queue.policy = match value.as_str() {
                        "" => None,
                        text => {
                            policy::check(text)?;
                            Some(text.into())
                        }
                    }
                }
                "RedrivePolicy" => {
                    let (name, settings) = (&queue.name, &queue.settings);
                    queue.settings.redrive = match value.as_str() {
                        "" => None,
                        text => Some(self.redrive(text, name, settings, context)?),
                    }
                }
                "RedriveAllowPolicy" => {
                    queue.settings.redrive_allow = match value.as_str() {
                        "" => None,
                        text => Some(redrive::read_allow(text, context)?),
                    }
                }
                _ => set_plain(&mut queue.settings, name, value)?,
            }
        }
        set_encryption(&mut queue.settings, attributes)?;
        check_throughput(&queue.settings)
    }

    /// The attributes that were asked for, all of them for `All`.
    pub(crate) async fn shown(
        &self,
        queue: &QueueRecord,
        names: &[String],
        context: &Context,
    ) -> Result<Attributes, ApiError> {
        let is_known = |name: &&String| *name == "All" || KNOWN.contains(&name.as_str());
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            return Err(unknown_attribute(unknown));
        }
        let wants = |known: &str| names.iter().any(|name| name == "All" || name == known);
        let mut shown = settings(queue, context);
        if KNOWN[..3].iter().any(|name| wants(name)) {
            let depth = self.queues.depth(&queue.name).await;
            let Depth {
                visible,
                in_flight,
                delayed,
            } = depth.map_err(Self::failed(queue, context))?;
            for (name, count) in KNOWN[..3].iter().zip([visible, delayed, in_flight]) {
                shown.insert((*name).to_owned(), count.to_string());
            }
        }
        shown.retain(|name, _| wants(name));
        Ok(shown)
    }
}

/// The attributes that a queue has by its record.
pub(crate) fn settings(queue: &QueueRecord, context: &Context) -> Attributes {
    let settings = &queue.settings;
    let mut shown = Attributes::new();
    let mut show = |name: &str, value: String| drop(shown.insert(name.to_owned(), value));
    show("QueueArn", arn(&queue.name, context));
    show("CreatedTimestamp", queue.created.seconds().to_string());
    show(
        "LastModifiedTimestamp",
        queue.modified.seconds().to_string(),
    );
    show("VisibilityTimeout", settings.visibility_s.to_string());
    show("MaximumMessageSize", settings.max_bytes.to_string());
    show("MessageRetentionPeriod", settings.retention_s.to_string());
    show("DelaySeconds", settings.delay_s.to_string());
    show("ReceiveMessageWaitTimeSeconds", settings.wait_s.to_string());
    show(
        "SqsManagedSseEnabled",
        (settings.encrypted && settings.key.is_none()).to_string(),
    );
    if let Some(key) = &settings.key {
        show("KmsMasterKeyId", key.clone());
        let reuse = settings.key_reuse_s.unwrap_or(KEY_REUSE_S);
        show("KmsDataKeyReusePeriodSeconds", reuse.to_string());
    }
    if let Some(policy) = &queue.policy {
        show("Policy", policy.to_string());
    }
    if let Some(redrive) = &settings.redrive {
        show("RedrivePolicy", redrive::text(redrive, context));
    }
    if let Some(allow) = &settings.redrive_allow {
        show("RedriveAllowPolicy", redrive::allow_text(allow, context));
    }
    if let Some(fifo) = &settings.fifo {
        show("FifoQueue", "true".to_owned());
        show("ContentBasedDeduplication", fifo.by_content.to_string());
        let scope = if fifo.dedup_by_group {
            "messageGroup"
        } else {
            "queue"
        };
        show("DeduplicationScope", scope.to_owned());
        let limit = if fifo.limit_by_group {
            "perMessageGroupId"
        } else {
            "perQueue"
        };
        show("FifoThroughputLimit", limit.to_owned());
    }
    shown
}

/// Whether a text is true or false. AWS takes any case: its recorded tests make queues with `True`.
pub(crate) fn truth(name: &str, text: &str) -> Result<bool, ApiError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid_attribute(name)),
    }
}

/// Sets an attribute that stands for itself; an empty value is the default.
fn set_plain(settings: &mut Settings, name: &str, value: &str) -> Result<(), ApiError> {
    let defaults = Settings::default();
    let number = |least: u64, most: u64, default: u32| -> Result<u32, ApiError> {
        if value.is_empty() {
            return Ok(default);
        }
        let number = value
            .parse::<u64>()
            .ok()
            .filter(|n| (least..=most).contains(n));
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| invalid_attribute(name))
    };
    match name {
        "VisibilityTimeout" => {
            let most = limits::VISIBILITY_MAX.as_secs();
            settings.visibility_s = number(0, most, defaults.visibility_s)?;
        }
        "MaximumMessageSize" => {
            settings.max_bytes = number(1024, limits::MESSAGE_BYTES.into(), defaults.max_bytes)?;
        }
        "MessageRetentionPeriod" => {
            let (least, most) = (limits::RETENTION_MIN, limits::RETENTION_MAX);
            settings.retention_s = number(least.as_secs(), most.as_secs(), defaults.retention_s)?;
        }
        "DelaySeconds" => {
            settings.delay_s = number(0, limits::DELAY_MAX.as_secs(), defaults.delay_s)?;
        }
        "ReceiveMessageWaitTimeSeconds" => {
            settings.wait_s = number(0, limits::WAIT_MAX.as_secs(), defaults.wait_s)?;
        }
        "KmsDataKeyReusePeriodSeconds" => {
            settings.key_reuse_s = match value {
                "" => None,
                _ => Some(number(60, 86_400, KEY_REUSE_S)?),
            };
        }
        // What they mean together is seen behind all of them.
        "KmsMasterKeyId" | "SqsManagedSseEnabled" => {}
        _ => set_fifo(settings.fifo.as_mut(), name, value)?,
    }
    Ok(())
}

/// Sets an attribute that only a queue with order has.
fn set_fifo(fifo: Option<&mut Fifo>, name: &str, value: &str) -> Result<(), ApiError> {
    const SCOPES: [&str; 2] = ["queue", "messageGroup"];
    const THROUGHPUTS: [&str; 2] = ["perQueue", "perMessageGroupId"];
    let only_with = || {
        let text = format!("You can specify the {name} only when FifoQueue is set to true.");
        Err(invalid_name(text))
    };
    let one_of = |values: [&str; 2]| match value {
        "" => Ok(false),
        value if value == values[0] => Ok(false),
        value if value == values[1] => Ok(true),
        _ => Err(invalid_attribute(name)),
    };
    match (name, fifo) {
        ("FifoQueue", Some(_)) if truth(name, value)? => {}
        ("FifoQueue", Some(_)) => {
            let text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.";
            return Err(ApiError::of(
                &headwater_shapes_sqs::errors::INVALID_ATTRIBUTE_VALUE,
                text,
            ));
        }
        ("ContentBasedDeduplication", Some(fifo)) => {
            fifo.by_content = !value.is_empty() && truth(name, value)?;
        }
        ("DeduplicationScope", Some(fifo)) => fifo.dedup_by_group = one_of(SCOPES)?,
        ("FifoThroughputLimit", Some(fifo)) => fifo.limit_by_group = one_of(THROUGHPUTS)?,
        ("DeduplicationScope" | "FifoThroughputLimit", None) => return only_with(),
        _ => return Err(unknown_attribute(name)),
    }
    Ok(())
}

/// Sets how messages are encrypted: the later of the two ways takes the place of the other.
fn set_encryption(settings: &mut Settings, attributes: &Attributes) -> Result<(), ApiError> {
    let key = attributes.get("KmsMasterKeyId").map(String::as_str);
    let managed = attributes.get("SqsManagedSseEnabled");
    let managed = managed.map(|managed| match managed.as_str() {
        "" => Ok(false),
        text => truth("SqsManagedSseEnabled", text),
    });
    let managed = managed.transpose()?;
    match (key, managed) {
        (Some(key), Some(true)) if !key.is_empty() => {
            return Err(invalid_name(
                "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or \
                 SQS SSE.",
            ));
        }
        (Some(key), _) if !key.is_empty() => {
            (settings.key, settings.encrypted) = (Some(key.to_owned()), true);
        }
        (_, Some(true)) => (settings.key, settings.encrypted) = (None, true),
        (_, Some(false)) if settings.key.is_none() => settings.encrypted = false,
        (Some(_), _) if settings.key.is_some() => {
            (settings.key, settings.encrypted) = (None, false);
        }
        _ => {}
    }
    Ok(())
}

/// Groups can have a throughput each only where their ids are apart. (Source: the API reference, "CreateQueue".)
fn check_throughput(settings: &Settings) -> Result<(), ApiError> {
    let fifo = settings.fifo.unwrap_or_default();
    if fifo.limit_by_group && !fifo.dedup_by_group {
        return Err(ApiError::of(
            &headwater_shapes_sqs::errors::INVALID_ATTRIBUTE_VALUE,
            "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed only \
             when the value for DeduplicationScope is messageGroup.",
        ));
    }
    Ok(())
}
