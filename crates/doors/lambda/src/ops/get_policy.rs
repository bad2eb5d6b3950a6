//! GetPolicy: no function has one, whether it is there or not; tested with GetFunctionCodeSigningConfig.

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
        Target::parse(&function_name, qualifier, self.functions.options())?;
        Err(errors::not_found(
            "The resource you requested does not exist.",
        ))
    }
}
