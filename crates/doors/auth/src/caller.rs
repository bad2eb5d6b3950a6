//! The identity behind a request.

use headwater_types::Account;
use sha2::{Digest, Sha256};

/// Stands for the ARN of somebody who is not known.
const ANONYMOUS: &str = "anonymous";

/// An identity that makes requests, as policies name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that they belong to.
    pub account: Account,
    /// `arn:aws:iam::111111111111:root`, that of a user or of a role's session, or the name of a service.
    pub arn: String,
    /// The id of the key that they sign with; empty where signatures are not asked for.
    pub access_key_id: String,
    /// The session whose key that is; none for a key that lasts.
    pub session: Option<Session>,
}

/// A session: what is known of a caller whose key expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id of the key that lasts and stands behind it, also where roles were assumed one from the other: without that
    /// the session is over.
    pub behind: String,
    /// The ARN of the role that was assumed; none for a session of the caller's own.
    pub role: Option<String>,
    /// Who is behind it, as they said when they assumed the role; roles assumed from here on keep it.
    pub source_identity: Option<String>,
}

impl Caller {
    /// The root of an account: may do everything there.
    pub fn root(account: Account) -> Self {
        let arn = format!("arn:aws:iam::{}:root", account.0);
        Self::lasting(account, arn)
    }

    /// A user of an account; `name` is one that IAM would take.
    pub fn of_user(account: Account, name: &str) -> Self {
        let arn = format!("arn:aws:iam::{}:user/{name}", account.0);
        Self::lasting(account, arn)
    }

    /// One of AWS's services, such as `sns.amazonaws.com`: it has no account, and no ARN but its name.
    pub fn of_service(name: &str) -> Self {
        Self::lasting(Account(String::new()), name.to_owned())
    }

    /// Somebody who is not known.
    pub fn anonymous() -> Self {
        Self::lasting(Account(String::new()), ANONYMOUS.to_owned())
    }

    fn lasting(account: Account, arn: String) -> Self {
        Self {
            account,
            arn,
            access_key_id: String::new(),
            session: None,
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

    /// The id of the key that lasts and stands behind what they do.
    pub fn key_behind(&self) -> &str {
        let session = self.session.as_ref();
        session.map_or(&self.access_key_id, |session| &session.behind)
    }

    /// The ARN of the role whose session it is, where it is one's.
    pub fn role(&self) -> Option<&str> {
        self.session.as_ref()?.role.as_deref()
    }

    /// The unique id, as `aws:userid` and GetCallerIdentity have it: the account's number for its root, `AIDA…` for a
    /// user, `AROA…:name` for a session of a role.
    pub fn id(&self) -> String {
        match (self.role(), self.user()) {
            (Some(role), _) => {
                let name = self.arn.rsplit('/').next().unwrap_or_default();
                format!("{}:{name}", unique_id("AROA", role))
            }
            (None, Some(_)) => unique_id("AIDA", &self.arn),
            (None, None) => self.account.0.clone(),
        }
    }
}

/// The id of what has this ARN: the same each time, and another for every other ARN. 17 letters and digits stand behind
/// `kind`, as in AWS's own.
fn unique_id(kind: &str, arn: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(arn);
    let digits = hash.iter().take(17);
    let digits = digits.map(|byte| char::from(DIGITS[usize::from(byte % 32)]));
    kind.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_caller_has_an_id_of_its_own() {
        let account = || Account("111111111111".to_owned());
        assert_eq!(Caller::root(account()).id(), "111111111111");
        let ann = Caller::of_user(account(), "ann").id();
        assert!(ann.starts_with("AIDA") && ann.len() == 21, "{ann}");
        assert_ne!(ann, Caller::of_user(account(), "bob").id());
        let session = |name: &str| Caller {
            account: account(),
            arn: format!("arn:aws:sts::111111111111:assumed-role/r/{name}"),
            access_key_id: String::new(),
            session: Some(Session {
                behind: String::new(),
                role: Some("arn:aws:iam::111111111111:role/path/r".to_owned()),
                source_identity: None,
            }),
        };
        let (role, name) = (session("s").id(), session("t").id());
        assert!(
            role.starts_with("AROA") && role.ends_with(":s") && role.len() == 23,
            "{role}"
        );
        assert_eq!(role[..21], name[..21]);
    }
}
