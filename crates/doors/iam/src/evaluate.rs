//! Whether a request may be made. (Source: the IAM User Guide, "Policy evaluation logic".)

use headwater_auth::Caller;

use crate::{Effect, Keys, Policy, Statement};

/// What is to be decided.
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// For what, such as `kinesis:PutRecord`.
    pub action: &'a str,
    /// On what, an ARN.
    pub resource: &'a str,
    /// What conditions may ask for.
    pub keys: &'a Keys,
}

/// What policies say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement covers it.
    ImplicitDeny,
}

/// What all policies together say: a denial wins, and without an allowance there is none.
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
