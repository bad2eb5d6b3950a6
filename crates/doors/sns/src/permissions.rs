//! Policies of topics: the one that a topic has at first, what may be in one, and single permissions in it.

use headwater_iam::Policy;
use headwater_topics::{Error, Topic, limits};
use headwater_wire::ApiError;
use serde_json::{Value, json};

use crate::errors::invalid;

/// The actions that a topic's policy may be about (AWS's guide, "Amazon SNS API permissions").
const ACTIONS: [&str; 12] = [
    "addpermission",
    "deletetopic",
    "getdataprotectionpolicy",
    "gettopicattributes",
    "listsubscriptionsbytopic",
    "listtagsforresource",
    "publish",
    "putdataprotectionpolicy",
    "receive",
    "removepermission",
    "settopicattributes",
    "subscribe",
];

/// The policy of a topic that has none of its own.
pub(crate) fn default_policy(arn: &str, account: &str) -> String {
    format!(
        "{{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{{\"Sid\":\"__default_statement_ID\",\
         \"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"*\"}},\"Action\":[\"SNS:GetTopicAttributes\",\
         \"SNS:SetTopicAttributes\",\"SNS:AddPermission\",\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\
         \"SNS:Subscribe\",\"SNS:ListSubscriptionsByTopic\",\"SNS:Publish\"],\"Resource\":\"{arn}\",\"Condition\":\
         {{\"StringEquals\":{{\"AWS:SourceOwner\":\"{account}\"}}}}}}]}}"
    )
}

/// The policy of a topic, as AWS shows it.
pub(crate) fn policy_of(topic: &Topic, arn: &str, account: &str) -> String {
    let own = topic.settings.policy.clone();
    own.unwrap_or_else(|| default_policy(arn, account))
}

/// Refuses what is no policy of a topic.
pub(crate) fn check_policy(text: &str) -> Result<(), Error> {
    let refused = |what: &str| Error::Refused(what.to_owned());
    if text.len() > limits::POLICY_BYTES_MAX {
        return Err(refused("Policy Error: the policy is too long"));
    }
    Policy::of_resource(text).map_err(|_| refused("Policy Error: null"))?;
    let policy: Value = serde_json::from_str(text).map_err(|_| refused("Policy Error: null"))?;
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    for statement in &statements {
        let actions = match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            Value::Null => return Err(refused("Policy statement must have an Action")),
            one => vec![one.clone()],
        };
        if !actions.iter().filter_map(Value::as_str).all(is_action) {
            return Err(refused("Policy statement action out of service scope!"));
        }
        if statement["Principal"].is_null() && statement["NotPrincipal"].is_null() {
            return Err(refused("Policy Error: null"));
        }
    }
    Ok(())
}

/// Whether an action is one of topics, or several of them by a star.
fn is_action(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    match action.strip_prefix("sns:") {
        Some(name) => name.contains(['*', '?']) || ACTIONS.contains(&name),
        None => action == "*",
    }
}

/// The policy with one more permission.
pub(crate) fn with_permission(
    policy: &str,
    arn: &str,
    label: &str,
    accounts: &[String],
    actions: &[String],
) -> Result<String, ApiError> {
    let known = |action: &&String| !ACTIONS.contains(&&*action.to_ascii_lowercase());
    if actions.is_empty() || actions.iter().any(|action| known(&action)) {
        return Err(invalid("Policy statement action out of service scope!"));
    }
    let is_number =
        |account: &String| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if accounts.is_empty() || !accounts.iter().all(is_number) {
        return Err(invalid("Policy Error: PrincipalNotFound"));
    }
    let mut policy = read(policy)?;
    let statements = statements_of(&mut policy);
    if statements.iter().any(|statement| statement["Sid"] == label) {
        return Err(invalid("Statement already exists"));
    }
    let principals = accounts
        .iter()
        .map(|account| format!("arn:aws:iam::{account}:root"));
    let actions = actions.iter().map(|action| format!("SNS:{action}"));
    statements.push(json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": one_or_all(principals.collect())},
        "Action": one_or_all(actions.collect()),
        "Resource": arn,
    }));
    Ok(policy.to_string())
}

/// The policy without a permission; as it is where it has none with that label.
pub(crate) fn without_permission(policy: &str, label: &str) -> Result<String, ApiError> {
    let mut policy = read(policy)?;
    statements_of(&mut policy).retain(|statement| statement["Sid"] != label);
    Ok(policy.to_string())
}

fn read(policy: &str) -> Result<Value, ApiError> {
    serde_json::from_str(policy).map_err(|_| invalid("Policy Error: null"))
}

/// The statements of a policy, which may be written as one.
fn statements_of(policy: &mut Value) -> &mut Vec<Value> {
    let statements = &mut policy["Statement"];
    if !statements.is_array() {
        let one = statements.take();
        *statements = if one.is_null() {
            json!([])
        } else {
            json!([one])
        };
    }
    statements.as_array_mut().expect("it is a list now")
}

/// One text, or a list of several.
fn one_or_all(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => Value::String(texts.remove(0)),
        _ => texts.into(),
    }
}
