//! ARNs of topics and subscriptions, and tokens of pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_iam::{Access, Policy};
use headwater_shapes::Nothing;
use headwater_topics::Topic;
use headwater_wire::{ApiError, Context};

use crate::{
    Sns,
    errors::{api, invalid, not_authorized},
};

/// How many of AWS's pages list at most.
pub(crate) const PAGE: usize = 100;

impl Sns {
    /// The topic that an ARN names, for a caller who wants to do `action` on it.
    pub(crate) fn topic(
        &self,
        arn: &str,
        action: &str,
        context: &Context,
    ) -> Result<Topic, ApiError> {
        let name = topic_name(arn, context)?;
        let topic = self.topics.topic(&name);
        if context.is_foreign() && topic.is_err() {
            // Others are not told what there is.
            let caller = &context.caller.arn;
            return Err(not_authorized(format!(
                "User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based \
                 policy allows the {action} action"
            )));
        }
        let topic = topic.map_err(api)?;
        let policy = topic.settings.policy.as_deref();
        // What is kept was parsed before.
        let policy = policy.and_then(|text| Policy::of_resource(text).ok());
        let access = Access {
            context,
            action,
            resource: arn,
            now: self.env.clock.now(),
        };
        let allowed = access.check(policy.as_ref());
        allowed.map_err(|denied| not_authorized(denied.to_string()))?;
        Ok(topic)
    }
}

/// The parts of an ARN, of which there are at least six.
fn parts<'a>(arn: &'a str, parameter: &str) -> Result<Vec<&'a str>, ApiError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.len() {
        6.. => Ok(parts),
        count => Err(invalid(format!(
            "{parameter} Reason: An ARN must have at least 6 elements, not {count}"
        ))),
    }
}

/// Whether an ARN's first parts are those of a topic here.
fn is_here(parts: &[&str], context: &Context) -> bool {
    let (region, account) = (&*context.region.0, &*context.account.0);
    let is_sns = parts[0] == "arn" && parts[1] == "aws" && parts[2] == "sns";
    is_sns && parts[3] == region && parts[4] == account
}

/// The name of the topic that an ARN names.
pub(crate) fn topic_name(arn: &str, context: &Context) -> Result<String, ApiError> {
    let parts = parts(arn, "TopicArn")?;
    match parts.len() == 6 && is_here(&parts, context) {
        true => Ok(parts[5].to_owned()),
        false => Err(invalid("TopicArn")),
    }
}

/// The id of the subscription that an ARN names, and its topic's name.
pub(crate) fn subscription_id(arn: &str, context: &Context) -> Result<(String, String), ApiError> {
    if arn.is_empty() {
        return Err(invalid(
            "SubscriptionArn Reason: no value for required parameter",
        ));
    }
    let parts = parts(arn, "SubscriptionArn")?;
    let is_id = |id: &str| id.len() == 36 && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    if parts.len() != 7 || !is_id(parts[6]) {
        return Err(invalid("SubscriptionId"));
    }
    match is_here(&parts, context) {
        true => Ok((parts[5].to_owned(), parts[6].to_owned())),
        false => Err(invalid("SubscriptionArn")),
    }
}

/// The token of the page behind `last`.
pub(crate) fn token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// What a token of a page is behind.
pub(crate) fn behind(token: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(|| invalid("NextToken"))
}

/// An answer without members.
pub(crate) fn nothing<T>(_: T) -> Nothing {
    Nothing {}
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    const ID: &str = "01234567-89ab-cdef-0123-456789abcdef";
    const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:t";

    fn context() -> Context {
        let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
        Context::new("request", region, account, "127.0.0.1:4566")
    }

    #[test]
    fn an_arn_names_what_is_of_this_partition_service_region_and_account() {
        let topic = |arn: &str| topic_name(arn, &context()).ok();
        let subscription = |arn: &str| subscription_id(&format!("{arn}:{ID}"), &context()).ok();
        assert_eq!(topic(TOPIC).as_deref(), Some("t"));
        assert_eq!(subscription(TOPIC), Some(("t".to_owned(), ID.to_owned())));
        for other in [
            "arn:aws-cn:sns:us-east-1:000000000000:t",
            "arn:awsome:sns:us-east-1:000000000000:t",
            "arn::sns:us-east-1:000000000000:t",
            "urn:aws:sns:us-east-1:000000000000:t",
            "arn:aws:sqs:us-east-1:000000000000:t",
            "arn:aws:sns:eu-west-1:000000000000:t",
            "arn:aws:sns:us-east-1:111111111111:t",
        ] {
            assert_eq!(topic(other), None, "{other}");
            assert_eq!(subscription(other), None, "{other}");
        }
    }

    #[test]
    fn an_arn_has_as_many_parts_as_what_it_names() {
        let why = |refused: ApiError| refused.message().to_owned();
        let short = "Reason: An ARN must have at least 6 elements, not 2";
        let refused = topic_name("arn:aws", &context()).unwrap_err();
        assert_eq!(why(refused), format!("Invalid parameter: TopicArn {short}"));
        let refused = topic_name(&format!("{TOPIC}:{ID}"), &context()).unwrap_err();
        assert_eq!(why(refused), "Invalid parameter: TopicArn");
        for (arn, what) in [
            ("arn:aws", format!("SubscriptionArn {short}")),
            (TOPIC, "SubscriptionId".to_owned()),
            (&format!("{TOPIC}:no-id"), "SubscriptionId".to_owned()),
            (&format!("{TOPIC}:{ID}:more"), "SubscriptionId".to_owned()),
        ] {
            let refused = subscription_id(arn, &context()).unwrap_err();
            assert_eq!(why(refused), format!("Invalid parameter: {what}"), "{arn}");
        }
    }
}
