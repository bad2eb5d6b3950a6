//! DeleteResourcePolicy. Tested with PutResourcePolicy.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeleteResourcePolicyInput, ops::DeleteResourcePolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors::not_found};

impl Handle<DeleteResourcePolicy> for Kinesis {
    /// Text as in moto's tests.
    async fn handle(
        &self,
        input: DeleteResourcePolicyInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteResourcePolicyInput {
            resource_arn,
            stream_id,
        } = input;
        let resource = self.owned(resource_arn.clone(), stream_id, context)?;
        if resource.policy().is_none() {
            let arn = resource_arn;
            return Err(not_found(format!(
                "No resource policy found for resource ARN {arn}."
            )));
        }
        self.set_policy(resource, None, context).await?;
        Ok(Nothing {})
    }
}
