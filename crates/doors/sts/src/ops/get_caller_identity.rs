//! GetCallerIdentity. It needs no permission.

use headwater_shapes_sts::{
    GetCallerIdentityRequest, GetCallerIdentityResponse, ops::GetCallerIdentity,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sts;

impl Handle<GetCallerIdentity> for Sts {
    async fn handle(
        &self,
        input: GetCallerIdentityRequest,
        context: &Context,
    ) -> Result<GetCallerIdentityResponse, ApiError> {
        let GetCallerIdentityRequest {} = input;
        let caller = &context.caller;
        Ok(GetCallerIdentityResponse {
            user_id: Some(caller.id()),
            account: Some(caller.account.0.clone()),
            arn: Some(caller.arn.clone()),
        })
    }
}
