//! The principals that a statement is about.

use headwater_auth::Caller;

use crate::{
    Listed, Malformed,
    raw::{Pairs, RawPrincipals, Texts},
};

/// One of those whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `*`: every caller.
    Everyone,
    /// An account, by its number or its root's ARN: every caller of the account.
    Account(String),
    /// A user, a role or a session, by its ARN.
    Arn(String),
    /// A service of AWS, such as `lambda.amazonaws.com`.
    Service(String),
    /// An identity of an identity provider; nobody calls as one here.
    Federated(String),
    /// An account as S3 also names it; nobody is known by that here.
    CanonicalUser(String),
}

impl Principal {
    /// Whether it is the caller, or the caller is of it.
    pub(crate) fn is(&self, caller: &Caller) -> bool {
        match self {
            Self::Everyone => true,
            Self::Account(account) => *account == caller.account.0,
            Self::Arn(arn) => *arn == caller.arn,
            Self::Service(name) => *name == caller.arn,
            Self::Federated(_) | Self::CanonicalUser(_) => false,
        }
    }

    /// A principal that stands under `AWS`.
    fn of_aws(text: String) -> Result<Self, Malformed> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account(&text) {
            return Ok(Self::Account(text));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts[..] {
            ["arn", partition, "iam", "", account, "root"]
                if partition.starts_with("aws") && is_account(account) =>
            {
                Ok(Self::Account(account.to_owned()))
            }
            ["arn", partition, service, "", account, name]
                if partition.starts_with("aws")
                    && is_account(account)
                    && is_name(service, name) =>
            {
                Ok(Self::Arn(text))
            }
            _ => Err(Malformed::Principal(text)),
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the last part of an ARN names somebody who calls. Wildcards stand for nobody in it.
fn is_name(service: &str, name: &str) -> bool {
    let kinds: &[&str] = match service {
        "iam" => &["user/", "role/"],
        "sts" => &["assumed-role/", "federated-user/"],
        _ => &[],
    };
    let named = |kind: &&str| {
        name.strip_prefix(*kind)
            .is_some_and(|name| !name.is_empty())
    };
    kinds.iter().any(named) && !name.contains(['*', '?'])
}

/// The principals that an element names.
fn read_all(raw: RawPrincipals) -> Result<Vec<Principal>, Malformed> {
    let RawPrincipals::ByKind(Pairs(kinds)) = raw else {
        return Ok(vec![Principal::Everyone]);
    };
    let mut all = Vec::new();
    for (kind, Texts(texts)) in kinds {
        let read = |text: String| match kind.as_str() {
            "AWS" => Principal::of_aws(text),
            "Service" => Ok(Principal::Service(text)),
            "Federated" => Ok(Principal::Federated(text)),
            "CanonicalUser" => Ok(Principal::CanonicalUser(text)),
            _ => Err(Malformed::PrincipalKind(kind.clone())),
        };
        for text in texts {
            all.push(read(text)?);
        }
    }
    if all.is_empty() {
        Err(Malformed::Empty("Principal"))
    } else {
        Ok(all)
    }
}

/// The callers that a statement covers.
pub(crate) fn read(
    only: Option<RawPrincipals>,
    all_but: Option<RawPrincipals>,
) -> Result<Listed<Principal>, Malformed> {
    match (only, all_but) {
        (Some(only), None) => read_all(only).map(Listed::Only),
        (None, Some(all_but)) => read_all(all_but).map(Listed::AllBut),
        _ => Err(Malformed::OneOf("Principal")),
    }
}
