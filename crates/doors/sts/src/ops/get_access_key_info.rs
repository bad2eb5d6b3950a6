//! GetAccessKeyInfo.

use headwater_auth::key_id;
use headwater_shapes_sts::{
    GetAccessKeyInfoRequest, GetAccessKeyInfoResponse, ops::GetAccessKeyInfo,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sts, answers::invalid};

impl Handle<GetAccessKeyInfo> for Sts {
    async fn handle(
        &self,
        input: GetAccessKeyInfoRequest,
        context: &Context,
    ) -> Result<GetAccessKeyInfoResponse, ApiError> {
        let GetAccessKeyInfoRequest { access_key_id } = input;
        let keys = context.keys();
        let known = keys.and_then(|keys| keys.account_of(&access_key_id));
        let account = known.or_else(|| key_id::account_of(&access_key_id));
        // Where signatures are not asked for, any key is the account's.
        let account = account.or_else(|| keys.is_none().then(|| context.account.clone()));
        let account = account
            .ok_or_else(|| invalid(format!("{access_key_id} is not the id of an access key")))?;
        Ok(GetAccessKeyInfoResponse {
            account: Some(account.0),
        })
    }
}
