//! The policy of a table: checked before it is stored, and its revisions.

use headwater_iam::{Access, Denied, Malformed, Policy};
use headwater_shapes_dynamodb::errors::POLICY_NOT_FOUND_EXCEPTION;
use headwater_tables::TableRecord;
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};

use crate::{
    errors::{denied, invalid},
    place::arn,
};

/// Bytes of a policy. (Source: the API reference, "PutResourcePolicy".)
const POLICY_BYTES: usize = 20 * 1024;

/// The revision that stands for having no policy. (Source: the API reference, "PutResourcePolicy".)
const NO_POLICY: &str = "NO_POLICY";

/// The policy that a text is, if a table can have it.
pub(crate) fn read(text: &str) -> Result<Policy, ApiError> {
    if text.len() > POLICY_BYTES {
        return Err(invalid(format_args!(
            "Maximum policy size of {POLICY_BYTES} bytes exceeded"
        )));
    }
    Policy::of_resource(text).map_err(|error| match error {
        Malformed::Json(_) => invalid("Invalid policy document: This policy contains invalid Json"),
        Malformed::Empty("Statement") => {
            invalid("Invalid policy document: Could not parse the policy: Statement is empty!")
        }
        Malformed::Principal(_) | Malformed::PrincipalKind(_) => {
            invalid("Invalid principal in policy document.")
        }
        error => invalid(format_args!("Invalid policy document: {error}")),
    })
}

/// Whether the caller could still change the policy when it is this one. AWS asks that they confirm when not.
pub(crate) fn check_lockout(
    policy: &Policy,
    table: &str,
    context: &Context,
    now: Millis,
) -> Result<(), ApiError> {
    let access = Access {
        context,
        action: "dynamodb:PutResourcePolicy",
        resource: &arn(table, context),
        now,
    };
    match access.check(Some(policy)) {
        Err(Denied::Explicitly { .. }) => Err(denied(
            "The new resource policy will not allow you to update the resource policy in the future.",
        )),
        Ok(()) | Err(Denied::Implicitly { .. }) => Ok(()),
    }
}

/// Whether a table's policy is of the revision that a request expects.
pub(crate) fn check_revision(table: &TableRecord, expected: Option<&str>) -> Result<(), ApiError> {
    let name = &table.name;
    let revision = table.policy.as_ref().map(|(_, revision)| &**revision);
    let why = match (expected, revision) {
        (None, _) | (Some(NO_POLICY), None) => return Ok(()),
        (Some(expected), Some(revision)) if expected == revision => return Ok(()),
        (Some(NO_POLICY), Some(revision)) => format!(
            "Requested policy update expecting none to be present for table {name}, but a policy exists with revision \
             id {revision}."
        ),
        (Some(expected), Some(revision)) => format!(
            "Requested update for policy with revision id {expected}, but the policy associated to target table {name} \
             has revision id {revision}."
        ),
        (Some(expected), None) => format!(
            "Requested update for policy with revision id {expected}, but no policy is associated to target table \
             {name}."
        ),
    };
    Err(not_found(why))
}

/// A policy that is not there.
pub(crate) fn not_found(what: impl std::fmt::Display) -> ApiError {
    let text = format!("Resource-based policy not found for the provided ResourceArn: {what}");
    ApiError::of(&POLICY_NOT_FOUND_EXCEPTION, text)
}

/// The revision of a policy that is changed now: the time of it, as AWS has it, and another than the one before.
pub(crate) fn next_revision(table: &TableRecord, now: Millis) -> String {
    let last = table.policy.as_ref().map(|(_, revision)| revision);
    let last = last.and_then(|revision| revision.parse::<u64>().ok());
    let next = last.map_or(now.0, |last| now.0.max(last.saturating_add(1)));
    next.to_string()
}

/// Whether two texts say the same policy, in whatever order and with whatever space.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || read(one).is_some_and(|one| Some(one) == read(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_one_of_a_resource() {
        let good = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": "222222222222"}, "Action": "dynamodb:GetItem", "Resource": "*"}]}"#;
        assert!(read(good).is_ok());
        assert!(same(good, &good.replace([' ', '\n'], "")));
        assert!(!same(good, &good.replace("GetItem", "PutItem")));
        let large = good.replace(' ', &" ".repeat(4096));
        let prefix = "One or more parameter values were invalid:";
        for (text, error) in [
            (
                "{",
                "Invalid policy document: This policy contains invalid Json",
            ),
            (&*large, "Maximum policy size of 20480 bytes exceeded"),
            (
                r#"{"Statement": []}"#,
                "Invalid policy document: Could not parse the policy: Statement is empty!",
            ),
            (
                &good.replace("222222222222", "nobody"),
                "Invalid principal in policy document.",
            ),
        ] {
            let error = format!("{prefix} {error}");
            assert_eq!(read(text).unwrap_err().message(), error);
        }
    }
}
