//! What a handler knows of a request besides its input.

use std::{net::IpAddr, sync::Arc};

use headwater_types::{Account, Region};
use http::HeaderValue;

use crate::{ApiError, Buffers};

/// The request around an input.
#[derive(Debug, Clone)]
pub struct Context {
    /// The id that the answer carries and the log names.
    pub request_id: String,
    /// The region that the request was made for.
    pub region: Region,
    /// The account that it runs in: the server's, whoever calls.
    pub account: Account,
    /// The `Host` it was sent to, for answers that hold addresses: `127.0.0.1:4566`.
    pub host: String,
    /// Whoever signed it; the root of the server's account where signatures are not asked for.
    pub caller: Arc<Caller>,
    /// The operation that is called; empty before that is known.
    pub operation: &'static str,
    /// How it came here.
    pub origin: Origin,
    /// Room for its body in memory.
    pub buffers: Buffers,
}

/// How a request came here, as policies may ask.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The address that it came from.
    pub address: Option<IpAddr>,
    /// Whether it came through TLS.
    pub secure: bool,
    /// Its `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// Its `Referer`.
    pub referer: Option<HeaderValue>,
}

/// Somebody who calls, as policies name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that they belong to.
    pub account: Account,
    /// `arn:aws:iam::111111111111:root`, or that of a user.
    pub arn: String,
}

impl Caller {
    /// The root of an account: may do everything there.
    pub fn root(account: Account) -> Self {
        let arn = format!("arn:aws:iam::{}:root", account.0);
        Self { account, arn }
    }

    /// A user of an account; `name` is one that IAM would take.
    pub fn of_user(account: Account, name: &str) -> Self {
        let arn = format!("arn:aws:iam::{}:user/{name}", account.0);
        Self { account, arn }
    }

    /// The user's name, where it is a user.
    pub fn user(&self) -> Option<&str> {
        self.arn.split_once(":user/").map(|(_, name)| name)
    }
}

impl Context {
    /// A request of the account's root that came from nowhere, before it is known what it calls.
    pub fn new(
        request_id: impl Into<String>,
        region: Region,
        account: Account,
        host: impl Into<String>,
    ) -> Self {
        let caller = Arc::new(Caller::root(account.clone()));
        let (request_id, host) = (request_id.into(), host.into());
        let (origin, buffers) = (Origin::default(), Buffers::default());
        Self {
            request_id,
            region,
            account,
            host,
            caller,
            operation: "",
            origin,
            buffers,
        }
    }

    /// Whether the caller belongs to another account than the server's.
    pub fn is_foreign(&self) -> bool {
        self.caller.account != self.account
    }

    /// Whether the caller may call the operation at all: those of other accounts only what a service shares with
    /// them, for everything here belongs to the server's account.
    ///
    /// # Errors
    /// AWS's words for callers whose own account does not let them; `service` is the prefix of its actions, `status`
    /// what its errors of this kind come with.
    pub(crate) fn admit(
        &self,
        shared: &[&str],
        service: &str,
        status: u16,
    ) -> Result<(), ApiError> {
        if !self.is_foreign() || shared.contains(&self.operation) {
            return Ok(());
        }
        let (caller, action) = (
            &self.caller.arn,
            format_args!("{service}:{}", self.operation),
        );
        let text = format!(
            "User: {caller} is not authorized to perform: {action} because no identity-based policy allows the \
             {action} action"
        );
        Err(ApiError::new(status, "AccessDeniedException", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_other_accounts_are_admitted_to_what_is_shared() {
        let account = |digit: &str| Account(digit.repeat(12));
        let mut context = Context::new(
            "R1",
            Region("us-east-1".to_owned()),
            account("1"),
            "localhost",
        );
        context.operation = "DeleteStream";
        assert_eq!(context.admit(&[], "kinesis", 400), Ok(()));
        context.caller = Arc::new(Caller::of_user(account("2"), "ann"));
        assert_eq!(context.caller.user(), Some("ann"));
        let refused = context.admit(&["PutRecord"], "kinesis", 400).unwrap_err();
        assert_eq!(
            (refused.status(), refused.code()),
            (400, "AccessDeniedException")
        );
        assert_eq!(
            refused.message(),
            "User: arn:aws:iam::222222222222:user/ann is not authorized to perform: kinesis:DeleteStream because no \
             identity-based policy allows the kinesis:DeleteStream action"
        );
        context.operation = "PutRecord";
        assert_eq!(context.admit(&["PutRecord"], "kinesis", 400), Ok(()));
    }
}
