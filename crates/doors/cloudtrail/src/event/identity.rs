//! The caller of a call. (Source: CloudTrail user guide, "CloudTrail userIdentity element".)

use headwater_wire::Caller;
use serde_json::{Value, json};

/// The element `userIdentity`.
pub(super) fn of(caller: &Caller) -> Value {
    if caller.is_anonymous() {
        return json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"});
    }
    let kind = match (caller.role(), caller.user()) {
        (Some(_), _) => "AssumedRole",
        (None, Some(_)) => "IAMUser",
        (None, None) => "Root",
    };
    let mut identity = json!({
        "type": kind,
        "principalId": caller.id(),
        "arn": caller.arn,
        "accountId": caller.account.0,
    });
    if !caller.access_key_id.is_empty() {
        identity["accessKeyId"] = caller.access_key_id.as_str().into();
    }
    if let (None, Some(user)) = (caller.role(), caller.user()) {
        identity["userName"] = user.into();
    }
    if caller.session.is_some() {
        identity["sessionContext"] = session(caller);
    }
    identity
}

fn session(caller: &Caller) -> Value {
    let mut context = json!({"attributes": {"mfaAuthenticated": "false"}});
    if let Some(role) = caller.role() {
        let id = caller.id();
        context["sessionIssuer"] = json!({
            "type": "Role",
            "principalId": id.split(':').next().unwrap_or_default(),
            "arn": role,
            "accountId": caller.account.0,
            "userName": last(role),
        });
    }
    let session = caller.session.as_ref();
    if let Some(source) = session.and_then(|session| session.source_identity.as_deref()) {
        context["sourceIdentity"] = source.into();
    }
    context
}

/// The name that events are found by: a user's, a session's, or `root`.
pub(super) fn name(caller: &Caller) -> Option<String> {
    match (caller.role(), caller.user()) {
        _ if caller.is_anonymous() => None,
        (Some(_), _) => Some(last(&caller.arn).to_owned()),
        (None, Some(user)) => Some(last(user).to_owned()),
        (None, None) => Some("root".to_owned()),
    }
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use headwater_auth::Session;
    use headwater_types::Account;

    use super::*;

    fn account() -> Account {
        Account("111111111111".to_owned())
    }

    #[test]
    fn each_kind_of_caller_has_its_element() {
        let root = Caller::root(account());
        assert_eq!(
            of(&root),
            json!({
                "type": "Root",
                "principalId": "111111111111",
                "arn": "arn:aws:iam::111111111111:root",
                "accountId": "111111111111",
            })
        );
        assert_eq!(name(&root).as_deref(), Some("root"));
        let ann = Caller {
            access_key_id: "AKIA1".to_owned(),
            ..Caller::of_user(account(), "team/ann")
        };
        let told = of(&ann);
        assert_eq!(
            (&told["type"], &told["userName"]),
            (&json!("IAMUser"), &json!("team/ann"))
        );
        assert_eq!(told["accessKeyId"], "AKIA1");
        assert_eq!(name(&ann).as_deref(), Some("ann"));
        assert_eq!(of(&Caller::anonymous())["accountId"], "ANONYMOUS_PRINCIPAL");
        assert_eq!(name(&Caller::anonymous()), None);
    }

    #[test]
    fn a_session_of_a_role_names_the_role() {
        let caller = Caller {
            account: account(),
            arn: "arn:aws:sts::111111111111:assumed-role/r/s".to_owned(),
            access_key_id: "ASIA1".to_owned(),
            session: Some(Session {
                behind: String::new(),
                role: Some("arn:aws:iam::111111111111:role/path/r".to_owned()),
                source_identity: Some("ann".to_owned()),
            }),
        };
        let told = of(&caller);
        assert_eq!(told["type"], "AssumedRole");
        let issuer = &told["sessionContext"]["sessionIssuer"];
        assert_eq!(
            (&issuer["userName"], &issuer["type"]),
            (&json!("r"), &json!("Role"))
        );
        assert_eq!(told["sessionContext"]["sourceIdentity"], "ann");
        assert_eq!(name(&caller).as_deref(), Some("s"));
    }
}
