//! DeleteResourcePolicy. Tested with PutResourcePolicy.

use headwater_shapes::{
    Nothing,
    kinesis::{DeleteResourcePolicyInput, ops::DeleteResourcePolicy},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors::not_found};

impl Handle<DeleteResourcePolicy> for Kinesis {
    /// No resource has a policy.
    async fn handle(&self, input: DeleteResourcePolicyInput, context: &Context) -> Result<Nothing, ApiError> {
        self.owned(input.resource_arn.clone(), input.stream_id, context)?;
        Err(not_found(format!("No resource policy found for resource ARN {}", input.resource_arn)))
    }
}
