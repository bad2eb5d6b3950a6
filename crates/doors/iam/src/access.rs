//! The check of a call against a resource's policy: who needs one, what conditions may ask of the call, and AWS's words
//! for a refusal.

use headwater_types::Millis;
use headwater_wire::Context;

use crate::{Decision, Keys, Policy, Request, evaluate};

/// A call that wants to act on a resource of the server's account.
pub struct Access<'a> {
    /// The call.
    pub context: &'a Context,
    /// The action, such as `kinesis:PutRecord`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The time of the call.
    pub now: Millis,
}

/// A call that may not be made, in AWS's words. (Source: the IAM User Guide, "Troubleshoot access denied error
/// messages".)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody allowed it.
    #[error(
        "User: {caller} is not authorized to perform: {action} on resource: {resource} because no resource-based \
         policy allows the {action} action"
    )]
    Implicitly {
        /// The caller's ARN.
        caller: String,
        /// The action.
        action: String,
        /// The resource's ARN.
        resource: String,
    },
    /// A statement says so.
    #[error(
        "User: {caller} is not authorized to perform: {action} on resource: {resource} with an explicit deny in a \
         resource-based policy"
    )]
    Explicitly {
        /// The caller's ARN.
        caller: String,
        /// The action.
        action: String,
        /// The resource's ARN.
        resource: String,
    },
}

impl Access<'_> {
    /// Whether the call may be made under the resource's policy. Callers of the owner's account may do what is not
    /// denied them: there are no policies of identities yet that would have to allow it. All others need an allowance.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self, policy: Option<&Policy>) -> Result<(), Denied> {
        let keys = self.keys();
        let (caller, action, resource) = (&*self.context.caller, self.action, self.resource);
        let request = Request {
            caller,
            action,
            resource,
            keys: &keys,
        };
        let owner = !self.context.is_foreign();
        let (caller, action, resource) =
            (caller.arn.clone(), action.to_owned(), resource.to_owned());
        match evaluate(policy, &request) {
            Decision::Allow => Ok(()),
            Decision::ImplicitDeny if owner => Ok(()),
            Decision::ImplicitDeny => Err(Denied::Implicitly {
                caller,
                action,
                resource,
            }),
            Decision::ExplicitDeny => Err(Denied::Explicitly {
                caller,
                action,
                resource,
            }),
        }
    }

    /// The global condition keys that are known of a call. The others (`aws:sourceVpce`, `aws:PrincipalOrgID` …) have
    /// no values here, as on AWS for callers that come from no such place.
    fn keys(&self) -> Keys {
        let Context {
            caller,
            origin,
            region,
            account,
            ..
        } = self.context;
        let time = i64::try_from(self.now.seconds())
            .ok()
            .and_then(|s| jiff::Timestamp::from_second(s).ok());
        let (kind, user) = match caller.user() {
            Some(user) => ("User", Some(user)),
            None => ("Account", None),
        };
        let header = |value: &Option<_>| value.as_ref().and_then(header_text);
        [
            ("aws:PrincipalArn", Some(caller.arn.clone())),
            ("aws:PrincipalAccount", Some(caller.account.0.clone())),
            ("aws:PrincipalType", Some(kind.to_owned())),
            ("aws:username", user.map(str::to_owned)),
            ("aws:ResourceAccount", Some(account.0.clone())),
            ("aws:RequestedRegion", Some(region.0.clone())),
            (
                "aws:SourceIp",
                origin.address.map(|address| address.to_string()),
            ),
            ("aws:SecureTransport", Some(origin.secure.to_string())),
            ("aws:UserAgent", header(&origin.user_agent)),
            ("aws:Referer", header(&origin.referer)),
            ("aws:CurrentTime", time.map(|time| time.to_string())),
            ("aws:EpochTime", Some(self.now.seconds().to_string())),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .fold(Keys::default(), |keys, (key, value)| keys.with(key, value))
    }
}

fn header_text(value: &http::HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}
