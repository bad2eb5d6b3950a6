//! Unsubscribe: by a call, or by whoever follows the link of a message.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{UnsubscribeInput, ops::Unsubscribe};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::{api, not_authorized},
    names::{nothing, subscription_id},
};

impl Handle<Unsubscribe> for Sns {
    async fn handle(
        &self,
        input: UnsubscribeInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UnsubscribeInput { subscription_arn } = input;
        let (_, id) = subscription_id(&subscription_arn, context)?;
        let caller = &context.caller;
        let by_known = !caller.is_anonymous();
        let owner = self
            .topics
            .subscription(&id)
            .map(|subscription| subscription.owner);
        let is_owner = owner.is_ok_and(|owner| owner == caller.account.0);
        if by_known && context.is_foreign() && !is_owner {
            return Err(not_authorized(format!(
                "User: {} is not authorized to perform: SNS:Unsubscribe on resource: {subscription_arn}",
                caller.arn
            )));
        }
        self.topics
            .cancel(&id, by_known)
            .await
            .map(nothing)
            .map_err(api)
    }
}
