//! AWS's services that send for somebody: whether a queue's policy lets them.
//!
//! As on AWS they need its allowance, also for what belongs to the queue's own account.

use headwater_auth::Caller;
use headwater_iam::{Decision, Keys, Request, evaluate};
use headwater_messages::QueueRecord;
use headwater_types::Arn;

use crate::policy;

/// Whether a service, such as `sns.amazonaws.com`, may send messages to a queue for the sake of `source`: a topic, a
/// bucket, a rule.
pub fn service_may_send(queue: &QueueRecord, arn: &Arn, service: &str, source: &Arn) -> bool {
    // A text that is no policy was never stored; should one be, it allows nobody anything.
    let policy = queue
        .policy
        .as_deref()
        .and_then(|text| policy::read(text).ok());
    let keys = [
        ("aws:SourceArn", source.to_string()),
        ("aws:SourceAccount", source.account.clone()),
        ("aws:PrincipalIsAWSService", "true".to_owned()),
        ("aws:PrincipalServiceName", service.to_owned()),
        ("aws:SecureTransport", "true".to_owned()),
    ];
    let keys = keys.into_iter();
    let keys = keys.fold(Keys::default(), |keys, (key, value)| keys.with(key, value));
    let request = Request {
        caller: &Caller::of_service(service),
        action: "sqs:SendMessage",
        resource: &arn.to_string(),
        keys: &keys,
    };
    evaluate(&policy, &request) == Decision::Allow
}
