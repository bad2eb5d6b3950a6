//! The policy of a queue: read, checked before it is stored, and put together of permissions.

use headwater_iam::{Malformed, Policy};
use headwater_messages::QueueRecord;
use headwater_shapes_sqs::errors::OVER_LIMIT;
use headwater_wire::ApiError;
use serde_json::{Value, json};

use crate::errors::{invalid_attribute, invalid_value};

/// Bytes of a policy. (Source: SQS developer guide, "Policy quotas".)
const POLICY_BYTES: usize = 8192;
/// Statements of a policy, and principals and actions of one. (Source: as above.)
const STATEMENTS: usize = 20;
/// See [`STATEMENTS`].
const ACTIONS: usize = 7;
/// See [`STATEMENTS`].
const PRINCIPALS: usize = 50;

/// An ARN that no queue has.
const NO_ARN: &str = "arn:aws:sqs:::none/";

/// The actions that a permission can name. (Source: the API reference, "AddPermission".)
const PERMITTED: &[&str] = &[
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

/// Reads a policy. AWS stores resources that are no ARNs; they are those of no queue.
pub(crate) fn read(text: &str) -> Result<Policy, Malformed> {
    match Policy::of_resource(text) {
        Err(Malformed::Resource(_)) => match serde_json::from_str::<Value>(text) {
            Ok(mut policy) => {
                let statements = policy.get_mut("Statement");
                let statements: Vec<&mut Value> = match statements {
                    Some(Value::Array(statements)) => statements.iter_mut().collect(),
                    statement => statement.into_iter().collect(),
                };
                statements.into_iter().for_each(name_no_others);
                Policy::of_resource(&policy.to_string())
            }
            Err(error) => Err(Malformed::Json(error.to_string())),
        },
        read => read,
    }
}

/// Has a statement name an ARN of no queue where it names something that is no ARN.
fn name_no_others(statement: &mut Value) {
    for element in ["Resource", "NotResource"] {
        let resources: Vec<&mut Value> = match statement.get_mut(element) {
            Some(Value::Array(resources)) => resources.iter_mut().collect(),
            resource => resource.into_iter().collect(),
        };
        for resource in resources {
            let is_none = |text: &str| text != "*" && !text.starts_with("arn:");
            if resource.as_str().is_some_and(is_none) {
                *resource = NO_ARN.into();
            }
        }
    }
}

/// Whether a text may be stored as a policy.
pub(crate) fn check(text: &str) -> Result<(), ApiError> {
    if text.len() > POLICY_BYTES || read(text).is_err() {
        return Err(invalid_attribute("Policy"));
    }
    Ok(())
}

/// A queue's policy with a further statement.
pub(crate) fn with(
    queue: &QueueRecord,
    arn: &str,
    label: &str,
    accounts: &[String],
    actions: &[String],
) -> Result<String, ApiError> {
    check_permission(label, accounts, actions)?;
    let mut policy = parsed(queue).unwrap_or_else(|| {
        json!({ "Version": "2008-10-17", "Id": format!("{arn}/SQSDefaultPolicy"), "Statement": [] })
    });
    let statements = statements(&mut policy);
    if statements.iter().any(|statement| statement["Sid"] == label) {
        return Err(invalid_value("Label", label, "Already exists."));
    }
    if statements.len() >= STATEMENTS {
        let text = format!("{STATEMENTS} statements is the maximum in a policy.");
        return Err(ApiError::of(&OVER_LIMIT, text));
    }
    let principals = accounts
        .iter()
        .map(|account| format!("arn:aws:iam::{account}:root"));
    statements.push(json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_all(principals.collect()) },
        "Action": one_or_all(actions.iter().map(|action| format!("SQS:{action}")).collect()),
        "Resource": arn,
    }));
    let text = policy.to_string();
    check(&text)?;
    Ok(text)
}

/// A queue's policy without the statement of this label; none where that was the only one.
pub(crate) fn without(queue: &QueueRecord, label: &str) -> Result<Option<String>, ApiError> {
    let not_found = || invalid_value("Label", label, "can't find label.");
    let mut policy = parsed(queue).ok_or_else(not_found)?;
    let statements = statements(&mut policy);
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != label);
    match (statements.len(), before) {
        (after, before) if after == before => Err(not_found()),
        (0, _) => Ok(None),
        _ => Ok(Some(policy.to_string())),
    }
}

fn check_permission(label: &str, accounts: &[String], actions: &[String]) -> Result<(), ApiError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if label.is_empty() || label.len() > 80 || !label.chars().all(is_word) {
        let why =
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(invalid_value("Label", label, why));
    }
    if actions.len() > ACTIONS {
        let text = format!(
            "{} Actions were found, maximum allowed is {ACTIONS}.",
            actions.len()
        );
        return Err(ApiError::of(&OVER_LIMIT, text));
    }
    if accounts.len() > PRINCIPALS {
        let text = format!(
            "{} principals were found, maximum allowed is {PRINCIPALS}.",
            accounts.len()
        );
        return Err(ApiError::of(&OVER_LIMIT, text));
    }
    let is_permitted = |action: &&String| PERMITTED.contains(&action.as_str());
    if let Some(action) = actions.iter().find(|action| !is_permitted(action)) {
        let why = "Please refer to the appropriate WSDL for a list of valid actions. ";
        return Err(invalid_value("ActionName", format!("SQS:{action}"), why));
    }
    let is_account = |id: &&String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    match accounts.iter().find(|account| !is_account(account)) {
        Some(account) => {
            let text = format!("[{account}]");
            Err(invalid_value("PrincipalId", text, "Unable to verify."))
        }
        None => Ok(()),
    }
}

fn parsed(queue: &QueueRecord) -> Option<Value> {
    let text = queue.policy.as_deref()?;
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
}

/// The statements of a policy, as a list.
fn statements(policy: &mut Value) -> &mut Vec<Value> {
    let statements = &mut policy["Statement"];
    if !statements.is_array() {
        let only = statements.take();
        *statements = Value::Array(if only.is_null() {
            Vec::new()
        } else {
            vec![only]
        });
    }
    statements.as_array_mut().expect("it was made one")
}

/// One text by itself, several in a list, as AWS writes them.
fn one_or_all(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => texts.remove(0).into(),
        _ => texts.into(),
    }
}
