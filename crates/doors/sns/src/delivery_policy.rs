//! Delivery policies: how requests to HTTP endpoints are tried again, and their content type.
//!
//! Written into a topic or a subscription as JSON, and shown as AWS shows them. What of AWS's policies is not done here,
//! throttling and the policy of sick endpoints, is refused by name.

use headwater_topics::{
    Backoff, Error, Retries, Subscription, SubscriptionSettings, TopicSettings, compact,
};
use serde_json::{Map, Value};

/// The longest wait of one retry, and of all together, in seconds.
const WAIT_MAX_S: u64 = 3600;
const RETRIES_MAX: u32 = 100;
const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";
/// The content types that AWS lets requests have ("Creating an HTTP/S delivery policy").
const CONTENT_TYPES: [&str; 14] = [
    "application/atom+xml",
    "application/json",
    "application/octet-stream",
    "application/soap+xml",
    "application/x-www-form-urlencoded",
    "application/xhtml+xml",
    "application/xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/plain",
    "text/xml",
    "application/x-amz-json-1.0",
    "application/x-amz-json-1.1",
];

fn refused<T>(why: impl AsRef<str>) -> Result<T, Error> {
    Err(Error::Refused(format!("DeliveryPolicy: {}", why.as_ref())))
}

fn not_there<T>(name: &str) -> Result<T, Error> {
    refused(format!("Headwater does not support {name} yet"))
}

/// Sets the delivery policy of a topic; an empty one takes it away.
pub(crate) fn set_of_topic(settings: &mut TopicSettings, text: &str) -> Result<(), Error> {
    settings.retries = None;
    settings.content_type = None;
    settings.no_overrides = None;
    let Some(mut policy) = read(text)? else {
        return Ok(());
    };
    let http = take(&mut policy, "http", "")?;
    refuse_rest(&policy)?;
    let Some(mut http) = http else { return Ok(()) };
    settings.no_overrides = Some(match http.remove("disableSubscriptionOverrides") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(set)) => set,
        Some(_) => return refused("http.disableSubscriptionOverrides must be a boolean"),
    });
    let name = "defaultHealthyRetryPolicy";
    settings.retries = match take(&mut http, name, "http.")? {
        Some(policy) => Some(retries(policy, &format!("http.{name}"))?),
        None => None,
    };
    let name = "defaultRequestPolicy";
    settings.content_type = match take(&mut http, name, "http.")? {
        Some(policy) => content_type(policy, &format!("http.{name}"))?,
        None => None,
    };
    for name in ["defaultSicklyRetryPolicy", "defaultThrottlePolicy"] {
        if take(&mut http, name, "http.")?.is_some() {
            return not_there(&format!("http.{name}"));
        }
    }
    refuse_rest(&http)
}

/// Sets the delivery policy of a subscription; an empty one takes it away.
pub(crate) fn set(settings: &mut SubscriptionSettings, text: &str) -> Result<(), Error> {
    settings.retries = None;
    settings.content_type = None;
    let Some(mut policy) = read(text)? else {
        return Ok(());
    };
    let name = "healthyRetryPolicy";
    settings.retries = match take(&mut policy, name, "")? {
        Some(policy) => Some(retries(policy, name)?),
        None => None,
    };
    let name = "requestPolicy";
    settings.content_type = match take(&mut policy, name, "")? {
        Some(policy) => content_type(policy, name)?,
        None => None,
    };
    for name in ["sicklyRetryPolicy", "throttlePolicy"] {
        if take(&mut policy, name, "")?.is_some() {
            return not_there(name);
        }
    }
    match policy.remove("guaranteed") {
        None | Some(Value::Null | Value::Bool(false)) => {}
        Some(_) => return not_there("guaranteed"),
    }
    refuse_rest(&policy)
}

/// The members of a policy; nothing where there is none.
fn read(text: &str) -> Result<Option<Map<String, Value>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if let Err(fault) = compact(text) {
        return refused(fault);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(policy)) => Ok(Some(policy)),
        Ok(Value::Null) => Ok(None),
        _ => refused("it must be an object"),
    }
}

/// A member that is an object.
fn take(
    of: &mut Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<Map<String, Value>>, Error> {
    match of.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => refused(format!("{path}{name} must be an object")),
    }
}

fn refuse_rest(rest: &Map<String, Value>) -> Result<(), Error> {
    match rest.keys().next() {
        Some(name) => refused(format!("Unexpected JSON member: {name}")),
        None => Ok(()),
    }
}

fn content_type(mut policy: Map<String, Value>, path: &str) -> Result<Option<String>, Error> {
    let found = match policy.remove("headerContentType") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return refused(format!("{path}.headerContentType must be a string")),
    };
    refuse_rest(&policy)?;
    if let Some(found) = &found {
        let kind = found.split(';').next().unwrap_or_default().trim();
        if !CONTENT_TYPES.contains(&kind) || !found.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return refused(format!(
                "{path}.headerContentType is not a supported content type"
            ));
        }
    }
    Ok(found)
}

fn retries(mut policy: Map<String, Value>, path: &str) -> Result<Retries, Error> {
    let mut number = |name: &str, most: u32| match policy.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|value| u32::try_from(value).ok()) {
            Some(value) if value <= most => Ok(Some(value)),
            Some(_) => refused(format!(
                "{path}.{name} must be less than or equal to {most}"
            )),
            None => refused(format!(
                "{path}.{name} must be a number greater than or equal to 0"
            )),
        },
    };
    let most = WAIT_MAX_S as u32;
    let read = Retries {
        min_delay_s: number("minDelayTarget", most)?,
        max_delay_s: number("maxDelayTarget", most)?,
        retries: number("numRetries", RETRIES_MAX)?,
        without_delay: number("numNoDelayRetries", RETRIES_MAX)?,
        at_min_delay: number("numMinDelayRetries", RETRIES_MAX)?,
        at_max_delay: number("numMaxDelayRetries", RETRIES_MAX)?,
        backoff: backoff(policy.remove("backoffFunction"), path)?,
    };
    refuse_rest(&policy)?;
    if read.min_delay() < 1 || read.min_delay() > read.max_delay() {
        return refused(format!(
            "{path}.minDelayTarget must be at least 1 and at most maxDelayTarget"
        ));
    }
    let phases = [read.without_delay, read.at_min_delay, read.at_max_delay];
    if phases.into_iter().flatten().sum::<u32>() > read.count() {
        return refused(format!(
            "{path}.numRetries must be greater than or equal to the sum of numNoDelayRetries, numMinDelayRetries and \
             numMaxDelayRetries"
        ));
    }
    match read.total().as_secs() > WAIT_MAX_S {
        true => refused(format!(
            "{path}: total delay must be at most {WAIT_MAX_S} seconds"
        )),
        false => Ok(read),
    }
}

fn backoff(value: Option<Value>, path: &str) -> Result<Option<Backoff>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).or_else(|_| {
            refused(format!(
                "{path}.backoffFunction must be one of: linear, arithmetic, geometric, exponential"
            ))
        }),
    }
}

/// Retries as AWS shows them: what is set, or all of it.
fn shown(retries: &Retries, whole: bool) -> String {
    let backoff = match retries.backoff.unwrap_or(Backoff::Linear) {
        Backoff::Linear => "linear",
        Backoff::Arithmetic => "arithmetic",
        Backoff::Geometric => "geometric",
        Backoff::Exponential => "exponential",
    };
    let is_shown = |set: bool| whole || set;
    let numbers = [
        ("minDelayTarget", retries.min_delay_s, retries.min_delay()),
        ("maxDelayTarget", retries.max_delay_s, retries.max_delay()),
        ("numRetries", retries.retries, retries.count()),
        (
            "numMaxDelayRetries",
            retries.at_max_delay,
            retries.at_max_delay.unwrap_or(0),
        ),
        (
            "numNoDelayRetries",
            retries.without_delay,
            retries.without_delay.unwrap_or(0),
        ),
        (
            "numMinDelayRetries",
            retries.at_min_delay,
            retries.at_min_delay.unwrap_or(0),
        ),
    ];
    let numbers = numbers.iter().filter(|(_, set, _)| is_shown(set.is_some()));
    let mut members: Vec<String> = numbers
        .map(|(name, _, value)| format!("\"{name}\":{value}"))
        .collect();
    if is_shown(retries.backoff.is_some()) {
        members.push(format!("\"backoffFunction\":\"{backoff}\""));
    }
    format!("{{{}}}", members.join(","))
}

/// The policy of a topic, where it has one.
pub(crate) fn of_topic(settings: &TopicSettings) -> Option<String> {
    let no_overrides = settings.no_overrides?;
    let mut members = Vec::new();
    if let Some(retries) = &settings.retries {
        members.push(format!(
            "\"defaultHealthyRetryPolicy\":{}",
            shown(retries, false)
        ));
    }
    members.push(format!("\"disableSubscriptionOverrides\":{no_overrides}"));
    if let Some(content_type) = &settings.content_type {
        members.push(format!(
            "\"defaultRequestPolicy\":{}",
            request_policy(content_type)
        ));
    }
    Some(format!("{{\"http\":{{{}}}}}", members.join(",")))
}

/// The policy that a topic goes by.
pub(crate) fn effective_of_topic(settings: &TopicSettings) -> String {
    let retries = shown(&settings.retries.unwrap_or_default(), true);
    let no_overrides = settings.no_overrides.unwrap_or(false);
    let content_type = settings.content_type.as_deref().unwrap_or(CONTENT_TYPE);
    format!(
        "{{\"http\":{{\"defaultHealthyRetryPolicy\":{retries},\"disableSubscriptionOverrides\":{no_overrides},\
         \"defaultRequestPolicy\":{}}}}}",
        request_policy(content_type)
    )
}

/// The policy of a subscription, where it has one.
pub(crate) fn of(subscription: &Subscription) -> Option<String> {
    let settings = &subscription.settings;
    if settings.retries.is_none() && settings.content_type.is_none() {
        return None;
    }
    let retries = settings.retries.map(|retries| shown(&retries, true));
    Some(whole(retries, settings.content_type.as_deref()))
}

/// The policy that a subscription of a topic goes by.
pub(crate) fn effective(subscription: &Subscription, topic: &TopicSettings) -> String {
    let own = Some(&subscription.settings).filter(|_| topic.no_overrides != Some(true));
    let retries = own.and_then(|own| own.retries).or(topic.retries);
    let content_type = own.and_then(|own| own.content_type.as_deref());
    let content_type = content_type.or(topic.content_type.as_deref());
    let retries = shown(&retries.unwrap_or_default(), true);
    whole(Some(retries), Some(content_type.unwrap_or(CONTENT_TYPE)))
}

fn whole(retries: Option<String>, content_type: Option<&str>) -> String {
    let null = || "null".to_owned();
    let (retries, request) = (
        retries.unwrap_or_else(null),
        content_type.map_or_else(null, request_policy),
    );
    format!(
        "{{\"healthyRetryPolicy\":{retries},\"sicklyRetryPolicy\":null,\"throttlePolicy\":null,\"requestPolicy\":\
         {request},\"guaranteed\":false}}"
    )
}

fn request_policy(content_type: &str) -> String {
    format!("{{\"headerContentType\":{}}}", Value::from(content_type))
}
