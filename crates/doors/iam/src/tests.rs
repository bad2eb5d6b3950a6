//! Whole documents: AWS's documented examples, what IAM's grammar refuses, and anything at all.

use headwater_auth::Caller;
use headwater_types::{Account, Millis, Region};
use headwater_wire::Context;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Access, Decision, Keys, Malformed, Policy, Request, evaluate};

const OURS: &str = "111111111111";
const THEIRS: &str = "222222222222";

fn user(account: &str, name: &str) -> Caller {
    Caller::of_user(Account(account.to_owned()), name)
}

fn policy(statement: Value) -> Policy {
    let document = json!({"Version": "2012-10-17", "Statement": statement});
    Policy::of_resource(&document.to_string()).unwrap()
}

fn decide(policy: &Policy, caller: &Caller, action: &str, resource: &str, keys: &Keys) -> Decision {
    evaluate(
        [policy],
        &Request {
            caller,
            action,
            resource,
            keys,
        },
    )
}

/// Whether a statement with these conditions covers a request with these keys.
fn holds(conditions: Value, keys: Keys) -> bool {
    let statement = json!({
        "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": conditions,
    });
    decide(
        &policy(statement),
        &user(OURS, "ann"),
        "s3:GetObject",
        "arn:aws:s3:::b/k",
        &keys,
    ) == Decision::Allow
}

/// "The difference between explicit and implicit denies".
#[test]
fn a_denial_wins_and_silence_is_one() {
    let policy = policy(json!([
        {"Sid": "AllowGetList", "Effect": "Allow", "Principal": "*", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
        {"Sid": "DenyReports", "Effect": "Deny", "Principal": "*", "Action": "iam:*Report", "Resource": "*"},
    ]));
    let decided = |action| {
        decide(
            &policy,
            &user(OURS, "ann"),
            action,
            "arn:aws:iam::1:x",
            &Keys::default(),
        )
    };
    assert_eq!(decided("iam:GetUser"), Decision::Allow);
    assert_eq!(decided("IAM:listusers"), Decision::Allow);
    assert_eq!(decided("iam:GetCredentialReport"), Decision::ExplicitDeny);
    assert_eq!(
        decided("iam:GenerateCredentialReport"),
        Decision::ExplicitDeny
    );
    assert_eq!(decided("iam:CreatePolicy"), Decision::ImplicitDeny);
}

/// "AWS JSON policy elements: Principal" and "NotPrincipal".
#[test]
fn a_statement_covers_those_whom_it_names() {
    let covers = |element: &str, principals: Value, caller: &Caller| {
        let statement =
            json!({"Effect": "Allow", element: principals, "Action": "s3:*", "Resource": "*"});
        let decision = decide(
            &policy(statement),
            caller,
            "s3:GetObject",
            "arn:aws:s3:::b/k",
            &Keys::default(),
        );
        decision == Decision::Allow
    };
    let (ann, root) = (
        user(THEIRS, "ann"),
        Caller::root(Account(THEIRS.to_owned())),
    );
    let arn = |name: &str| format!("arn:aws:iam::{THEIRS}:{name}");
    for everyone in [json!("*"), json!({"AWS": "*"})] {
        assert!(covers("Principal", everyone.clone(), &ann));
        assert!(!covers("NotPrincipal", everyone, &ann));
    }
    for account in [json!(THEIRS), json!(arn("root")), json!([OURS, THEIRS])] {
        assert!(covers("Principal", json!({"AWS": account}), &ann));
        assert!(covers("Principal", json!({"AWS": account}), &root));
        assert!(!covers("NotPrincipal", json!({"AWS": account}), &ann));
    }
    assert!(covers("Principal", json!({"AWS": arn("user/ann")}), &ann));
    assert!(!covers("Principal", json!({"AWS": arn("user/ann")}), &root));
    assert!(covers(
        "NotPrincipal",
        json!({"AWS": arn("user/ann")}),
        &root
    ));
    for others in [
        json!({"AWS": OURS}),
        json!({"AWS": arn("user/bob")}),
        json!({"Service": "s3.amazonaws.com"}),
    ] {
        assert!(!covers("Principal", others, &ann));
    }
}

#[test]
fn all_but_the_actions_and_resources_that_are_listed() {
    let statement = json!({
        "Effect": "Allow", "Principal": "*",
        "NotAction": "s3:Delete*", "NotResource": ["arn:aws:s3:::secret", "arn:aws:s3:::secret/*"],
    });
    let policy = policy(statement);
    let decided = |action, resource| {
        decide(
            &policy,
            &user(OURS, "ann"),
            action,
            resource,
            &Keys::default(),
        )
    };
    assert_eq!(
        decided("s3:GetObject", "arn:aws:s3:::open/k"),
        Decision::Allow
    );
    assert_eq!(
        decided("s3:DeleteObject", "arn:aws:s3:::open/k"),
        Decision::ImplicitDeny
    );
    assert_eq!(
        decided("s3:GetObject", "arn:aws:s3:::secret/k"),
        Decision::ImplicitDeny
    );
}

/// "IAM JSON policy elements: Condition operators".
#[test]
fn each_operator_compares_as_documented() {
    let cases = [
        (
            json!({"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}}),
            "aws:PrincipalTag/Job",
            "iamuser-admin",
            true,
        ),
        (json!({"StringEquals": {"k": "a*"}}), "k", "ab", false),
        (
            json!({"StringNotEquals": {"k": ["a", "b"]}}),
            "k",
            "b",
            false,
        ),
        (
            json!({"StringEqualsIgnoreCase": {"k": "AB"}}),
            "k",
            "aB",
            true,
        ),
        (
            json!({"StringNotEqualsIgnoreCase": {"k": "AB"}}),
            "k",
            "aB",
            false,
        ),
        (
            json!({"StringLike": {"s3:prefix": ["", "home/?nn/*"]}}),
            "s3:prefix",
            "home/ann/x",
            true,
        ),
        (
            json!({"StringNotLike": {"k": "home/*"}}),
            "k",
            "home/x",
            false,
        ),
        (
            json!({"NumericLessThanEquals": {"s3:max-keys": "10"}}),
            "s3:max-keys",
            "10",
            true,
        ),
        (json!({"NumericLessThan": {"k": 10}}), "k", "9.5", true),
        (json!({"NumericEquals": {"k": "1"}}), "k", "1.0", true),
        (json!({"NumericNotEquals": {"k": "1"}}), "k", "2", true),
        (json!({"NumericGreaterThan": {"k": "1"}}), "k", "one", false),
        (
            json!({"NumericGreaterThanEquals": {"k": "1"}}),
            "k",
            "1",
            true,
        ),
        (
            json!({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}),
            "aws:TokenIssueTime",
            "2020-01-01T00:00:02Z",
            true,
        ),
        (
            json!({"DateLessThan": {"k": "2020-01-01"}}),
            "k",
            "1577836800",
            false,
        ),
        (
            json!({"DateEquals": {"k": "2020-01-01"}}),
            "k",
            "1577836800",
            true,
        ),
        (
            json!({"DateNotEquals": {"k": "2020-01-01"}}),
            "k",
            "1577836800",
            false,
        ),
        (
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            "aws:SecureTransport",
            "true",
            true,
        ),
        (
            json!({"Bool": {"aws:SecureTransport": false}}),
            "aws:SecureTransport",
            "true",
            false,
        ),
        (
            json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}),
            "aws:SourceIp",
            "2001:db8:1234:5678::1",
            true,
        ),
        (
            json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8"]}}),
            "aws:SourceIp",
            "10.1.1.1",
            false,
        ),
        (
            json!({"ArnEquals": {"k": "arn:aws:iam::*:role/a*"}}),
            "k",
            "arn:aws:iam::111111111111:role/admin",
            true,
        ),
        (
            json!({"ArnNotLike": {"k": "arn:aws:iam::*:role/a*"}}),
            "k",
            "arn:aws:iam::111111111111:role/admin",
            false,
        ),
        (json!({"Null": {"k": "true"}}), "k", "x", false),
        (json!({"Null": {"k": "false"}}), "k", "x", true),
    ];
    for (conditions, key, value, expected) in cases {
        assert_eq!(
            holds(conditions.clone(), Keys::default().with(key, value)),
            expected,
            "{conditions} {value}"
        );
    }
}

#[test]
fn a_key_without_a_value_fits_nothing_but_what_is_negated() {
    for (conditions, expected) in [
        (json!({"StringEquals": {"k": "a"}}), false),
        (json!({"StringNotEquals": {"k": "a"}}), true),
        (json!({"StringNotLike": {"k": "a"}}), true),
        (json!({"ArnNotEquals": {"k": "arn:aws:s3:::b"}}), true),
        (json!({"NotIpAddress": {"k": "10.0.0.0/8"}}), true),
        (json!({"StringEqualsIfExists": {"k": "a"}}), true),
        (json!({"BoolIfExists": {"k": "true"}}), true),
        (json!({"Null": {"k": "true"}}), true),
        (json!({"ForAllValues:StringEquals": {"k": "a"}}), true),
        (json!({"ForAnyValue:StringEquals": {"k": "a"}}), false),
        (json!({"StringEquals": {"k": "${k}"}}), false),
    ] {
        assert_eq!(
            holds(conditions.clone(), Keys::default()),
            expected,
            "{conditions}"
        );
    }
}

/// "Set operators for multivalued context keys".
#[test]
fn sets_are_compared_value_by_value() {
    let keys = |values: &[&str]| {
        values.iter().fold(Keys::default(), |keys, value| {
            keys.with("aws:TagKeys", *value)
        })
    };
    let all = json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}});
    assert!(holds(all.clone(), keys(&["environment"])));
    assert!(holds(all.clone(), keys(&["environment", "cost-center"])));
    assert!(!holds(all, keys(&["environment", "dept"])));
    let any = json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment", "webserver"]}});
    assert!(holds(any.clone(), keys(&["environment", "dept"])));
    assert!(!holds(any, keys(&["dept"])));
    let other = json!({"ForAnyValue:StringNotEquals": {"aws:TagKeys": "environment"}});
    assert!(holds(other.clone(), keys(&["environment", "dept"])));
    assert!(!holds(other, keys(&["environment"])));
}

#[test]
fn all_conditions_must_hold() {
    let both = json!({"StringEquals": {"a": "1", "b": "2"}, "NumericLessThan": {"c": 3}});
    let keys = Keys::default().with("a", "1").with("b", "2");
    assert!(holds(both.clone(), keys.clone().with("c", "2")));
    assert!(!holds(both.clone(), keys.with("c", "4")));
    assert!(!holds(both, Keys::default().with("a", "1").with("c", "2")));
}

#[test]
fn variables_belong_to_the_newer_version() {
    let text = |version: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*",
        });
        json!({"Version": version, "Id": "x", "Statement": statement}).to_string()
    };
    let keys = Keys::default().with("aws:username", "ann");
    let decided = |version| {
        let policy = Policy::of_resource(&text(version)).unwrap();
        decide(
            &policy,
            &user(OURS, "ann"),
            "s3:GetObject",
            "arn:aws:s3:::b/ann/k",
            &keys,
        )
    };
    assert_eq!(
        (decided("2012-10-17"), decided("2008-10-17")),
        (Decision::Allow, Decision::ImplicitDeny)
    );
}

#[test]
fn what_is_no_policy_is_refused_with_its_reason() {
    let statement = |change: &dyn Fn(&mut Value)| {
        let mut statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"});
        change(&mut statement);
        Policy::of_resource(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
            .unwrap_err()
    };
    let with = |element: &str, value: Value| statement(&|s| s[element] = value.clone());
    let without = |element: &str| {
        statement(&|s| {
            s.as_object_mut().unwrap().remove(element);
        })
    };
    assert_eq!(
        with("Effect", json!("allow")),
        Malformed::Effect("allow".to_owned())
    );
    assert_eq!(with("NotAction", json!("s3:*")), Malformed::OneOf("Action"));
    assert_eq!(without("Principal"), Malformed::OneOf("Principal"));
    assert_eq!(without("Resource"), Malformed::OneOf("Resource"));
    assert_eq!(with("Action", json!([])), Malformed::Empty("Action"));
    assert_eq!(with("Principal", json!({})), Malformed::Empty("Principal"));
    assert_eq!(
        with("Principal", json!({"Who": "x"})),
        Malformed::PrincipalKind("Who".to_owned())
    );
    for nobody in [
        "1",
        "arn:aws:iam::111111111111:user/*",
        "arn:aws:s3:::b",
        "arn:aws:iam::1:root",
        "ann",
    ] {
        assert_eq!(
            with("Principal", json!({"AWS": nobody})),
            Malformed::Principal(nobody.to_owned())
        );
    }
    assert_eq!(
        with("Action", json!("PutObject")),
        Malformed::Action("PutObject".to_owned())
    );
    assert_eq!(
        with("Resource", json!("b/k")),
        Malformed::Resource("b/k".to_owned())
    );
    let operator = |name: &str| with("Condition", json!({name: {"k": "v"}}));
    for unknown in [
        "StringIs",
        "ForSome:StringEquals",
        "NullIfExists",
        "ForAnyValue:Null",
        "BinaryEquals",
    ] {
        assert_eq!(operator(unknown), Malformed::Operator(unknown.to_owned()));
    }
    for typed in ["NumericEquals", "DateEquals", "Bool", "IpAddress", "Null"] {
        let expected = Malformed::Value {
            operator: typed.to_owned(),
            value: "v".to_owned(),
        };
        assert_eq!(operator(typed), expected);
    }
    for (text, said) in [
        ("", "EOF"),
        ("{}", "missing field `Statement`"),
        (r#"{"Statement": [], "Statment": []}"#, "unknown field"),
        (
            r#"{"Statement": {"Effect": "Allow", "Effect": "Deny"}}"#,
            "duplicate field",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Condition": {"Bool": {}, "Bool": {}}}}"#,
            "given twice",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Principal": "me"}}"#,
            "expected \"*\"",
        ),
    ] {
        let error = Policy::of_resource(text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(
        Policy::of_resource(r#"{"Statement": []}"#),
        Err(Malformed::Empty("Statement"))
    );
    let version = Policy::of_resource(r#"{"Version": "2020-01-01", "Statement": []}"#);
    assert_eq!(version, Err(Malformed::Version("2020-01-01".to_owned())));
}

fn call(caller: Caller) -> Context {
    let region = Region("us-east-1".to_owned());
    let mut context = Context::new("request", region, Account(OURS.to_owned()), "localhost");
    context.caller = caller.into();
    context
}

#[test]
fn a_call_of_another_account_needs_an_allowance_and_one_of_the_owners_no_denial() {
    let resource = "arn:aws:kinesis:us-east-1:111111111111:stream/s";
    let check = |caller: Caller, policy: Option<&Policy>| {
        let context = call(caller);
        let access = Access {
            context: &context,
            action: "kinesis:PutRecord",
            resource,
            now: Millis(0),
        };
        access.check(policy).map_err(|denied| denied.to_string())
    };
    let statement = |effect: &str, conditions: Value| {
        let action = "kinesis:PutRecord";
        policy(json!({
            "Effect": effect, "Principal": "*", "Action": action, "Resource": resource, "Condition": conditions,
        }))
    };
    let refused = |who: &str, why: &str| {
        Err(format!(
            "User: {who} is not authorized to perform: kinesis:PutRecord on resource: {resource} {why}"
        ))
    };
    let no_allowance = "because no resource-based policy allows the kinesis:PutRecord action";
    let denial = "with an explicit deny in a resource-based policy";
    let (ours, theirs) = (user(OURS, "ann"), user(THEIRS, "bob"));
    assert_eq!(check(ours.clone(), None), Ok(()));
    assert_eq!(
        check(theirs.clone(), None),
        refused(&theirs.arn, no_allowance)
    );
    let (allow, deny) = (statement("Allow", json!({})), statement("Deny", json!({})));
    assert_eq!(check(theirs.clone(), Some(&allow)), Ok(()));
    assert_eq!(
        check(theirs.clone(), Some(&deny)),
        refused(&theirs.arn, denial)
    );
    assert_eq!(check(ours.clone(), Some(&deny)), refused(&ours.arn, denial));
    for (met, condition) in [
        (
            true,
            json!({"StringEquals": {"aws:PrincipalAccount": THEIRS, "aws:username": "bob"}}),
        ),
        (
            true,
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/b*"}}),
        ),
        (true, json!({"Bool": {"aws:SecureTransport": "false"}})),
        (
            true,
            json!({"DateLessThan": {"aws:CurrentTime": "1970-01-02"}, "NumericEquals": {"aws:EpochTime": 0}}),
        ),
        (
            true,
            json!({"StringEquals": {"aws:ResourceAccount": OURS, "aws:RequestedRegion": "us-east-1"}}),
        ),
        (
            true,
            json!({"StringNotEquals": {"aws:sourceVpce": "vpce-1a2b3c4d"}}),
        ),
        (false, json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})),
    ] {
        let decided = check(theirs.clone(), Some(&statement("Allow", condition.clone())));
        assert_eq!(decided.is_ok(), met, "{condition}");
    }
}

/// Documents that have a policy's elements, right and wrong ones.
fn any_document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("*".to_owned()),
        Just("111111111111".to_owned()),
        Just("s3:Get*".to_owned()),
        Just("arn:aws:s3:::b/${aws:username}".to_owned()),
        Just("2020-01-01".to_owned()),
        Just("true".to_owned()),
        any::<String>(),
    ];
    let texts = prop_oneof![
        text.clone().prop_map(Value::from),
        prop::collection::vec(text, 0..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    let operator = prop_oneof![
        prop::sample::select(vec![
            "StringLike",
            "ForAnyValue:StringNotEquals",
            "DateLessThan",
            "Bool",
            "IpAddress",
            "Null"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let conditions = (operator, any::<String>(), texts.clone())
        .prop_map(|(op, key, values)| json!({op: {key: values}}));
    let principal = prop_oneof![
        texts.clone(),
        texts.clone().prop_map(|texts| json!({"AWS": texts}))
    ];
    let members = (
        prop::sample::select(vec!["Allow", "Deny", "x"]),
        principal,
        texts.clone(),
        texts,
        conditions,
    );
    members.prop_map(|(effect, principal, action, resource, condition)| {
        let statement = json!({
            "Effect": effect, "Principal": principal, "Action": action, "Resource": resource, "Condition": condition,
        });
        json!({"Version": "2012-10-17", "Statement": statement})
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), text in any::<String>()) {
        let _ = Policy::of_resource(&String::from_utf8_lossy(&bytes));
        let _ = Policy::of_resource(&text);
        let _ = Policy::of_resource(&json!({"Statement": text}).to_string());
    }

    #[test]
    fn whatever_is_read_decides(document in any_document(), text in any::<String>()) {
        let Ok(policy) = Policy::of_resource(&document.to_string()) else { return Ok(()) };
        let keys = Keys::default().with("aws:username", &text);
        let decided = decide(&policy, &user(OURS, "ann"), "s3:GetObject", &text, &keys);
        // A policy of one statement that denies can only deny, and one that allows only allow.
        let denies = document["Statement"]["Effect"] == "Deny";
        prop_assert_ne!(decided, if denies { Decision::Allow } else { Decision::ExplicitDeny });
    }

    #[test]
    fn a_denial_takes_and_never_gives(document in any_document(), name in "[a-z]{1,8}") {
        let Ok(policy) = Policy::of_resource(&document.to_string()) else { return Ok(()) };
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
        let deny = Policy::of_resource(&json!({"Statement": deny}).to_string()).unwrap();
        let (caller, keys) = (user(OURS, &name), Keys::default());
        let request = Request { caller: &caller, action: "s3:GetObject", resource: "arn:aws:s3:::b", keys: &keys };
        prop_assert_eq!(evaluate([&policy, &deny], &request), Decision::ExplicitDeny);
        prop_assert_eq!(evaluate([], &request), Decision::ImplicitDeny);
    }
}
