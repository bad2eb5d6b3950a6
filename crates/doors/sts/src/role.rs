//! Names of roles.

use headwater_types::{Account, Arn};

/// A role that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub account: Account,
    /// The name without its path.
    pub name: String,
}

impl Role {
    /// The role of an ARN such as `arn:aws:iam::111111111111:role/path/name`.
    pub fn of(arn: &str) -> Option<Self> {
        let arn: Arn = arn.parse().ok()?;
        let is_account = arn.account.len() == 12 && arn.account.bytes().all(|b| b.is_ascii_digit());
        let is_iams = arn.partition == "aws" && arn.service == "iam" && arn.region.is_empty();
        let name = arn.name_of("role")?.rsplit('/').next()?;
        // The characters that IAM takes in a role's name.
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        let is_name = (1..=64).contains(&name.len()) && name.bytes().all(of_name);
        (is_account && is_iams && is_name).then(|| Self {
            name: name.to_owned(),
            account: Account(arn.account.clone()),
        })
    }

    /// The ARN of its session of that name.
    pub fn session(&self, name: &str) -> String {
        format!(
            "arn:aws:sts::{}:assumed-role/{}/{name}",
            self.account.0, self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_by_its_arn() {
        let role = Role::of("arn:aws:iam::111111111111:role/a/path/r").unwrap();
        assert_eq!(
            (role.account.0.as_str(), role.name.as_str()),
            ("111111111111", "r")
        );
        assert_eq!(
            role.session("s"),
            "arn:aws:sts::111111111111:assumed-role/r/s"
        );
        for wrong in [
            "nothing-valid-in-here",
            "arn::b:::something/test-role",
            "arn:a::::something/test-role",
            "arn:a:::something/test-role",
            "arn:a:a::aaaaaaaaaa:",
            "arn:aws:iam::111111111111:user/ann",
            "arn:aws:iam::1:role/r",
            "arn:aws:iam::111111111111:role/",
            "arn:aws:iam::111111111111:role/a b",
        ] {
            assert_eq!(Role::of(wrong), None, "{wrong}");
        }
    }
}
