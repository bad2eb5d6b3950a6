//! GetResourcePolicy. Tested with PutResourcePolicy.

use headwater_shapes_kinesis::{
    GetResourcePolicyInput, GetResourcePolicyOutput, ops::GetResourcePolicy,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Kinesis;

impl Handle<GetResourcePolicy> for Kinesis {
    /// Where there is no policy AWS describes an empty one, as LocalStack recorded.
    async fn handle(
        &self,
        input: GetResourcePolicyInput,
        context: &Context,
    ) -> Result<GetResourcePolicyOutput, ApiError> {
        let GetResourcePolicyInput {
            resource_arn,
            stream_id,
        } = input;
        let resource = self.owned(resource_arn, stream_id, context)?;
        let policy = resource
            .policy()
            .map_or_else(|| "{}".to_owned(), str::to_owned);
        Ok(GetResourcePolicyOutput { policy })
    }
}
