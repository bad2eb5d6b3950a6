//! The identity behind a request.

use headwater_types::Account;

/// Stands for the ARN of somebody who is not known.
const ANONYMOUS: &str = "anonymous";

/// An identity that makes requests, as policies name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that they belong to.
    pub account: Account,
    /// `arn:aws:iam::111111111111:root`, that of a user, or the name of a service.
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

    /// One of AWS's services, such as `sns.amazonaws.com`: it has no account, and no ARN but its name.
    pub fn of_service(name: &str) -> Self {
        Self {
            account: Account(String::new()),
            arn: name.to_owned(),
        }
    }

    /// Somebody who is not known.
    pub fn anonymous() -> Self {
        Self {
            account: Account(String::new()),
            arn: ANONYMOUS.to_owned(),
        }
    }

    /// Whether it is not known who it is.
    pub fn is_anonymous(&self) -> bool {
        self.arn == ANONYMOUS
    }

    /// The user's name, where it is a user.
    pub fn user(&self) -> Option<&str> {
        self.arn.split_once(":user/").map(|(_, name)| name)
    }
}
