//! GetResourcePolicy. Tested with PutResourcePolicy.

use headwater_shapes::kinesis::{GetResourcePolicyInput, GetResourcePolicyOutput, ops::GetResourcePolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::Kinesis;

impl Handle<GetResourcePolicy> for Kinesis {
    /// No resource has a policy; AWS describes that as an empty one.
    async fn handle(
        &self,
        input: GetResourcePolicyInput,
        context: &Context,
    ) -> Result<GetResourcePolicyOutput, ApiError> {
        self.owned(input.resource_arn, input.stream_id, context)?;
        Ok(GetResourcePolicyOutput { policy: "{}".to_owned() })
    }
}
