//! PutResourcePolicy.

use headwater_shapes_dynamodb::{
    PutResourcePolicyInput, PutResourcePolicyOutput, ops::PutResourcePolicy,
};
use headwater_tables::TableRecord;
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, policy};

impl Handle<PutResourcePolicy> for Dynamo {
    /// The policy is kept to when this returns.
    async fn handle(
        &self,
        input: PutResourcePolicyInput,
        context: &Context,
    ) -> Result<PutResourcePolicyOutput, ApiError> {
        let PutResourcePolicyInput {
            resource_arn,
            policy: text,
            expected_revision_id: expected,
            confirm_remove_self_resource_access: confirmed,
        } = input;
        let table = self.resource(&resource_arn, context)?;
        let now = self.clock.now();
        let policy = policy::read(&text)?;
        if confirmed != Some(true) {
            policy::check_lockout(&policy, &table.name, context, now)?;
        }
        let altered = self.alter(&table.name, |table| {
            set(&text, expected.as_deref(), table, now)
        });
        let revision_id = altered.await?.policy.map(|(_, revision)| revision);
        Ok(PutResourcePolicyOutput { revision_id })
    }
}

/// Has a table have this policy. The same again is no change.
fn set(
    text: &str,
    expected: Option<&str>,
    table: &mut TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    policy::check_revision(table, expected)?;
    let before = table.policy.as_ref();
    if !before.is_some_and(|(before, _)| policy::same(before, text)) {
        let revision = policy::next_revision(table, now);
        table.policy = Some((text.into(), revision));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CREATED, record};

    #[test]
    fn a_policy_has_a_revision_that_can_be_expected() {
        let mut table = record();
        assert_eq!(set("{}", Some("NO_POLICY"), &mut table, CREATED), Ok(()));
        let (_, first) = table.policy.clone().unwrap();
        assert_eq!(set("{ }", Some(&first), &mut table, CREATED), Ok(()));
        assert_eq!(
            table.policy.as_ref().map(|(_, revision)| revision),
            Some(&first)
        );
        assert_eq!(set("{\"a\": 1}", None, &mut table, CREATED), Ok(()));
        let (_, second) = table.policy.clone().unwrap();
        assert_ne!(first, second);
        assert_eq!(
            set("{}", Some(&first), &mut table, CREATED)
                .unwrap_err()
                .message(),
            format!(
                "Resource-based policy not found for the provided ResourceArn: Requested update for policy with revision \
                 id {first}, but the policy associated to target table taxi has revision id {second}."
            )
        );
    }
}
