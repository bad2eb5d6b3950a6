//! GetPolicy; tested with AddPermission.

use headwater_shapes_lambda::{GetPolicyRequest, GetPolicyResponse, ops::GetPolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, target::Target};

impl Handle<GetPolicy> for Lambda {
    async fn handle(
        &self,
        input: GetPolicyRequest,
        _context: &Context,
    ) -> Result<GetPolicyResponse, ApiError> {
        let GetPolicyRequest {
            function_name,
            qualifier,
        } = input;
        let qualifier = qualifier.as_deref();
        let target = Target::parse(&function_name, qualifier, self.functions.options())?;
        let part = self.part_to_read(&target)?;
        // No policy is the same as no function, as recorded on AWS.
        let found = self.functions.policy(&part).await.map_err(errors::other)?;
        let policy =
            found.ok_or_else(|| errors::not_found("The resource you requested does not exist."))?;
        Ok(GetPolicyResponse {
            policy: Some(policy.document()),
            revision_id: Some(policy.revision),
        })
    }
}
