//! GetSubscriptionAttributes.

use headwater_shapes_sns::{
    GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse,
    ops::GetSubscriptionAttributes,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sns, errors::api, names::subscription_id};

impl Handle<GetSubscriptionAttributes> for Sns {
    async fn handle(
        &self,
        input: GetSubscriptionAttributesInput,
        context: &Context,
    ) -> Result<GetSubscriptionAttributesResponse, ApiError> {
        let GetSubscriptionAttributesInput { subscription_arn } = input;
        let (_, id) = subscription_id(&subscription_arn, context)?;
        let subscription = self.topics.subscription(&id).map_err(api)?;
        Ok(GetSubscriptionAttributesResponse {
            attributes: Some(self.attributes(&subscription)?),
        })
    }
}
