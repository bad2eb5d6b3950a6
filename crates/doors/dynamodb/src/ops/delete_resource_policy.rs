//! DeleteResourcePolicy.

use headwater_shapes_dynamodb::{
    DeleteResourcePolicyInput, DeleteResourcePolicyOutput, ops::DeleteResourcePolicy,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, policy};

impl Handle<DeleteResourcePolicy> for Dynamo {
    /// Where there is no policy, nothing is done.
    async fn handle(
        &self,
        input: DeleteResourcePolicyInput,
        context: &Context,
    ) -> Result<DeleteResourcePolicyOutput, ApiError> {
        let DeleteResourcePolicyInput {
            resource_arn,
            expected_revision_id: expected,
        } = input;
        let table = self.resource(&resource_arn, context)?;
        policy::check_revision(&table, expected.as_deref())?;
        if table.policy.is_none() {
            return Ok(DeleteResourcePolicyOutput { revision_id: None });
        }
        let revision_id = Some(policy::next_revision(&table, self.clock.now()));
        self.alter(&table.name, |table| {
            policy::check_revision(table, expected.as_deref())?;
            table.policy = None;
            Ok(())
        })
        .await?;
        Ok(DeleteResourcePolicyOutput { revision_id })
    }
}
