//! Queues by their addresses and ARNs, and who may do what with them.

use headwater_iam::Access;
use headwater_messages::{Error, QueueRecord};
use headwater_wire::{ApiError, Context};

use crate::{
    Sqs,
    errors::{api, denied, invalid_address, no_queue},
    policy,
};

/// The ARN of a queue.
pub fn arn(name: &str, context: &Context) -> String {
    let (region, account) = (&context.region.0, &context.account.0);
    format!("arn:aws:sqs:{region}:{account}:{name}")
}

/// The name of the queue that has this ARN in a region of an account.
pub fn name_of_arn<'a>(arn: &'a str, region: &str, account: &str) -> Option<&'a str> {
    let name = arn.strip_prefix("arn:aws:sqs:")?;
    let name = name.strip_prefix(region)?.strip_prefix(':')?;
    name.strip_prefix(account)?.strip_prefix(':')
}

/// The address of a queue, at the host by which the client came.
pub(crate) fn url(name: &str, context: &Context) -> String {
    let scheme = if context.origin.secure {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}/{}/{name}", context.host, context.account.0)
}

/// The account and the name in an address: the host does not matter, for a server has many. AWS takes a name alone, too.
fn parts<'a>(address: &'a str, context: &'a Context) -> Option<(&'a str, &'a str)> {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.strip_prefix('/').unwrap_or(address),
    };
    if !path.is_empty() && path == address && !path.contains('/') {
        return Some((&context.caller.account.0, path));
    }
    let (account, name) = path.split_once('/')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty() && !name.contains('/')).then_some((account, name))
}

/// A change that was refused by the door, or below it.
enum Refused {
    Here(ApiError),
    Below(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Below(error)
    }
}

impl Sqs {
    /// The queue at an address, if the caller may do there what they call.
    pub(crate) fn queue(&self, address: &str, context: &Context) -> Result<QueueRecord, ApiError> {
        let (account, name) = parts(address, context).ok_or_else(|| invalid_address(address))?;
        self.queue_named(account, name, context)
    }

    /// The queue of an account, if the caller may do with it what they call.
    pub(crate) fn queue_named(
        &self,
        account: &str,
        name: &str,
        context: &Context,
    ) -> Result<QueueRecord, ApiError> {
        let found = match account == context.account.0 {
            true => self.queues.get(name).ok(),
            false => None,
        };
        self.permit(name, found.as_ref(), context)?;
        found.ok_or_else(|| no_queue(context))
    }

    /// Whether the caller may do what they call with a queue; to those of other accounts one that is not there is one that
    /// nobody shares with them.
    fn permit(
        &self,
        name: &str,
        queue: Option<&QueueRecord>,
        context: &Context,
    ) -> Result<(), ApiError> {
        let text = queue.and_then(|queue| queue.policy.as_deref());
        if text.is_none() && !context.is_foreign() {
            return Ok(());
        }
        let policy = text.map(policy::read).transpose();
        // A text that is no policy was never stored; should one be, it allows nobody anything.
        let policy = policy.ok().flatten();
        let (action, resource) = (context.action(), arn(name, context));
        let access = Access {
            context,
            action: &action,
            resource: &resource,
            now: self.clock.now(),
        };
        access
            .check(policy.as_ref())
            .map_err(|error| denied(error.to_string()))
    }

    /// Changes a queue's settings or its policy.
    pub(crate) async fn alter(
        &self,
        queue: &QueueRecord,
        context: &Context,
        change: impl FnOnce(&mut QueueRecord) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let change = move |queue: &mut QueueRecord| change(queue).map_err(Refused::Here);
        match self.queues.alter(&queue.name, true, change).await {
            Ok(_) => Ok(()),
            Err(Refused::Here(error)) => Err(error),
            Err(Refused::Below(error)) => Err(api(error, &queue.name, context)),
        }
    }

    /// A domain error about a queue as an answer.
    pub(crate) fn failed<'a>(
        queue: &'a QueueRecord,
        context: &'a Context,
    ) -> impl Fn(Error) -> ApiError + use<'a> {
        move |error| api(error, &queue.name, context)
    }
}
