//! GetResourcePolicy.

use headwater_shapes_dynamodb::{
    GetResourcePolicyInput, GetResourcePolicyOutput, ops::GetResourcePolicy,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, policy::not_found};

impl Handle<GetResourcePolicy> for Dynamo {
    async fn handle(
        &self,
        input: GetResourcePolicyInput,
        context: &Context,
    ) -> Result<GetResourcePolicyOutput, ApiError> {
        let GetResourcePolicyInput { resource_arn } = input;
        let table = self.resource(&resource_arn, context)?;
        let (text, revision) = table.policy.ok_or_else(|| not_found(&resource_arn))?;
        Ok(GetResourcePolicyOutput {
            policy: Some(text.to_string()),
            revision_id: Some(revision),
        })
    }
}
