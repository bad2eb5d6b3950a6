//! The seam at which it is decided whether a caller may do what they ask for.
//!
//! A decision is asked for once a request's input is read and before its handler runs. Policies of resources are read
//! by the services that keep them, in their handlers.

use crate::Context;

/// The authorizer: decides whether a caller may make a request.
pub trait Authorize: Send + Sync {
    /// Whether a request may be made.
    ///
    /// # Errors
    /// The reason that it may not.
    fn authorize(&self, asked: &AccessRequest<'_>) -> Result<(), Denied>;
}

/// A request that waits for a decision.
pub struct AccessRequest<'a> {
    /// The request: its caller, its action, where it came from.
    pub context: &'a Context,
    pub(crate) resource: &'a dyn Fn() -> Option<String>,
}

impl AccessRequest<'_> {
    /// The ARN of the resource that it acts on; none where it acts on no single one.
    pub fn resource(&self) -> Option<String> {
        (self.resource)()
    }
}

/// The reason that a request may not be made, in IAM's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(pub String);

/// The rule while users have no policies: callers of other accounts may call what a service shares with them, for
/// everything here belongs to the server's account.
pub struct OwnAccount;

impl Authorize for OwnAccount {
    fn authorize(&self, asked: &AccessRequest<'_>) -> Result<(), Denied> {
        let context = asked.context;
        if !context.is_foreign() || context.line.shared {
            return Ok(());
        }
        let (caller, action) = (&context.caller.arn, context.action());
        Err(Denied(format!(
            "User: {caller} is not authorized to perform: {action} because no identity-based policy allows the \
             {action} action"
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_auth::Caller;
    use headwater_types::{Account, Region};

    use super::*;
    use crate::table::READS;

    #[test]
    fn callers_of_other_accounts_are_admitted_to_what_is_shared() {
        let account = |digit: &str| Account(digit.repeat(12));
        let mut context = Context::new(
            "R1",
            Region("us-east-1".to_owned()),
            account("1"),
            "localhost",
        );
        (context.service, context.operation) = ("kinesis", "DeleteStream");
        let authorize = |context: &Context| context.authorize(|| None);
        assert_eq!(authorize(&context), Ok(()));
        context.caller = Arc::new(Caller::of_user(account("2"), "ann"));
        assert_eq!(context.caller.user(), Some("ann"));
        let refused = authorize(&context).unwrap_err();
        assert_eq!(
            (refused.status(), refused.code()),
            (400, "AccessDeniedException")
        );
        assert_eq!(
            refused.message(),
            "User: arn:aws:iam::222222222222:user/ann is not authorized to perform: kinesis:DeleteStream because no \
             identity-based policy allows the kinesis:DeleteStream action"
        );
        context.line = READS.shared();
        assert_eq!(authorize(&context), Ok(()));
    }
}
