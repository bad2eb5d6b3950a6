//! Access to a stream, a consumer or a queue: what its policy may say, and what that means for a call.
//!
//! All that handlers do with one they do with what [`Kinesis::stream`], [`Kinesis::consumer`] or [`Kinesis::queue`] gave
//! them, or with a token's stream, and before that the caller is asked for here. The operations that can be shared,
//! and the limits of policies, are as the developer guide has them ("Controlling access to Amazon Kinesis Data
//! Streams resources using IAM"); the texts of refused policies are ours, for no recording of AWS's is known.

use std::sync::Arc;

use headwater_iam::{Access, Listed, Pattern, Policy, Principal, Statement};
use headwater_shapes_kinesis::errors::ACCESS_DENIED_EXCEPTION;
use headwater_streams::{Consumer, Stream};
use headwater_types::StreamName;
use headwater_wire::{ApiError, Context};

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
    place::Resource,
    queues,
};

/// Bytes of a policy: "The size of the policy cannot exceed 20KB".
const POLICY_BYTES: usize = 20 * 1024;

/// The operations on a stream that its policy may allow to other accounts. DescribeStream is not in the guide's
/// table, and is in its instructions for sharing a stream with another account's function.
pub(crate) const OF_STREAMS: &[&str] = &[
    "DescribeStream",
    "DescribeStreamSummary",
    "GetRecords",
    "GetShardIterator",
    "ListShards",
    "PutRecord",
    "PutRecords",
];

/// The operations on a consumer that its policy may allow to other accounts.
pub(crate) const OF_CONSUMERS: &[&str] = &["DescribeStreamConsumer", "SubscribeToShard"];

/// The operations on a queue that its policy may allow to other accounts. The model says that queues have policies, and
/// no more: these are the operations of those who work on a queue.
pub(crate) const OF_QUEUES: &[&str] = &[
    "AcknowledgeDeadLetterQueueRecords",
    "AcknowledgeQueueRecords",
    "DescribeQueue",
    "ReceiveDeadLetterQueueRecords",
    "ReceiveQueueRecords",
    "RestoreDeadLetterQueueRecords",
    "UpdateDeadLetterQueueRecordsVisibility",
    "UpdateQueueRecordsVisibility",
];

impl Resource {
    /// Its policy, where it has one.
    pub(crate) fn policy(&self) -> Option<&str> {
        match self {
            Self::Stream(stream) => stream.record.policy.as_deref(),
            Self::Consumer(_, consumer) => consumer.policy.as_deref(),
            Self::Queue(queue) => queue.policy.as_deref(),
        }
    }

    fn arn(&self, context: &Context) -> String {
        match self {
            Self::Stream(stream) => describe::arn(stream, context),
            Self::Consumer(_, consumer) => describe::consumer_arn(consumer, context),
            Self::Queue(queue) => queues::arn(&queue.id, context),
        }
    }

    /// The operations on it that its policy may allow.
    fn operations(&self) -> &'static [&'static str] {
        match self {
            Self::Stream(_) => OF_STREAMS,
            Self::Consumer(..) => OF_CONSUMERS,
            Self::Queue(_) => OF_QUEUES,
        }
    }
}

/// Whether a text may be the policy of a resource with that ARN and those operations to share.
fn check(text: &str, resource: &str, operations: &[&str]) -> Result<(), ApiError> {
    if text.len() > POLICY_BYTES {
        return Err(invalid_argument(format!(
            "The policy must not be over {POLICY_BYTES} bytes."
        )));
    }
    let invalid = |why: String| invalid_argument(format!("Policy validation error: {why}"));
    let policy = Policy::of_resource(text).map_err(|error| invalid(error.to_string()))?;
    let mut statements = policy.statements.iter();
    statements
        .try_for_each(|statement| check_statement(statement, resource, operations))
        .map_err(invalid)?;
    let mut named = policy.statements.iter().flat_map(resources_of);
    if named.all(|named| named.is(resource)) {
        Ok(())
    } else {
        Err(invalid_argument(
            "The resource policy's resource must be the same as the resource ARN.",
        ))
    }
}

fn resources_of(statement: &Statement) -> &[Pattern] {
    match &statement.resources {
        Listed::Only(resources) | Listed::AllBut(resources) => resources,
    }
}

/// Whether a statement may be one of a resource's policy. Of principals AWS asks only that they are named; `*` is
/// anybody who has signed.
fn check_statement(
    statement: &Statement,
    resource: &str,
    operations: &[&str],
) -> Result<(), String> {
    let prohibited = |name: &str| Err(format!("Has prohibited field {name}"));
    let Listed::Only(principals) = &statement.principals else {
        return prohibited("NotPrincipal");
    };
    let Listed::Only(actions) = &statement.actions else {
        return prohibited("NotAction");
    };
    let Listed::Only(_) = &statement.resources else {
        return prohibited("NotResource");
    };
    for principal in principals {
        match principal {
            Principal::Everyone | Principal::Account(_) | Principal::Arn(_) => {}
            Principal::Service(name)
            | Principal::Federated(name)
            | Principal::CanonicalUser(name) => {
                return Err(format!(
                    "the principal {name} is neither an account nor a user or role"
                ));
            }
        }
    }
    for action in actions {
        let known = action
            .as_str()
            .split_once(':')
            .filter(|(service, _)| service.eq_ignore_ascii_case("kinesis"));
        if !known.is_some_and(|(_, name)| {
            operations
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        }) {
            return Err(format!(
                "the action {} cannot be shared of {resource}",
                action.as_str()
            ));
        }
    }
    Ok(())
}

impl Kinesis {
    /// Gives a resource a policy in place of the one it has, or takes that away.
    pub(crate) async fn set_policy(
        &self,
        resource: Resource,
        policy: Option<String>,
        context: &Context,
    ) -> Result<(), ApiError> {
        if let Some(text) = &policy {
            check(text, &resource.arn(context), resource.operations())?;
        }
        let policy = policy.map(Arc::from);
        let set = match resource {
            Resource::Queue(queue) => {
                let set = self.queues.set_policy(&queue.id, policy).await;
                return set.map_err(|error| queues::api(error, context));
            }
            Resource::Stream(stream) => {
                self.streams
                    .set_policy(stream.record.name.clone(), policy)
                    .await
            }
            Resource::Consumer(_, consumer) => {
                self.streams.set_consumer_policy(consumer, policy).await
            }
        };
        set.map_err(|error| errors::api(error, context))
    }

    /// Whether the caller may do what they call with the stream of that name; to those of other accounts one that is
    /// not there is one that nobody shares with them.
    pub(crate) fn permit_stream(
        &self,
        name: &StreamName,
        stream: Option<&Stream>,
        context: &Context,
    ) -> Result<(), ApiError> {
        let policy = stream.and_then(|stream| stream.record.policy.as_deref());
        self.permit(policy, || describe::arn_of(name, context), context)
    }

    /// The same of a stream's consumer.
    pub(crate) fn permit_consumer(
        &self,
        stream: &StreamName,
        name: &str,
        consumer: Option<&Consumer>,
        context: &Context,
    ) -> Result<(), ApiError> {
        let policy = consumer.and_then(|consumer| consumer.policy.as_deref());
        let resource = || match consumer {
            Some(consumer) => describe::consumer_arn(consumer, context),
            None => format!("{}/consumer/{name}", describe::arn_of(stream, context)),
        };
        self.permit(policy, resource, context)
    }

    /// Whether the caller may do what they call with a resource that has this policy.
    pub(crate) fn permit(
        &self,
        policy: Option<&str>,
        resource: impl FnOnce() -> String,
        context: &Context,
    ) -> Result<(), ApiError> {
        if policy.is_none() && !context.is_foreign() {
            return Ok(());
        }
        // Read at each call: that takes microseconds, and only where something is shared.
        let policy = policy
            .map(Policy::of_resource)
            .transpose()
            .map_err(ApiError::internal)?;
        let (action, resource) = (format!("kinesis:{}", context.operation), resource());
        let access = Access {
            context,
            action: &action,
            resource: &resource,
            now: self.streams.now(),
        };
        let checked = access.check(policy.as_ref());
        checked.map_err(|denied| ApiError::of(&ACCESS_DENIED_EXCEPTION, denied.to_string()))
    }
}
