//! Whether a request may be made. (Source: the IAM User Guide, "Policy evaluation logic".)

use headwater_auth::Caller;

use crate::{Effect, Keys, Policy, Statement};

/// A request to decide about.
pub struct Request<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The action, such as `kinesis:PutRecord`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The context keys that conditions may ask for.
    pub keys: &'a Keys,
}

/// The verdict of policies on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement covers it.
    ImplicitDeny,
}

/// The decision of all policies together: a denial wins, and without an allowance the request is denied.
pub fn evaluate<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    request: &Request<'_>,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    let statements = policies.into_iter().flat_map(|policy| &policy.statements);
    for statement in statements.filter(|statement| statement.covers(request)) {
        match statement.effect {
            Effect::Deny => return Decision::ExplicitDeny,
            Effect::Allow => decision = Decision::Allow,
        }
    }
    decision
}

impl Statement {
    fn covers(&self, request: &Request<'_>) -> bool {
        self.actions.covers(|action| action.is(request.action))
            && self
                .principals
                .covers(|principal| principal.is(request.caller))
            && self
                .resources
                .covers(|resource| resource.matches(request.resource, request.keys))
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(request.keys))
    }
}
