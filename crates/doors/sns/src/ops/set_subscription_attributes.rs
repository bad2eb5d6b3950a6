//! SetSubscriptionAttributes.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{SetSubscriptionAttributesInput, ops::SetSubscriptionAttributes};
use headwater_topics::Error;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    attributes::set,
    errors::api,
    names::{nothing, subscription_id},
};

impl Handle<SetSubscriptionAttributes> for Sns {
    async fn handle(
        &self,
        input: SetSubscriptionAttributesInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let SetSubscriptionAttributesInput {
            subscription_arn,
            attribute_name,
            attribute_value,
        } = input;
        let (_, id) = subscription_id(&subscription_arn, context)?;
        let value = attribute_value.unwrap_or_default();
        let changed = self.topics.update_subscription(&id, move |subscription| {
            let protocol = subscription.protocol;
            let known = set(
                &mut subscription.settings,
                protocol,
                &attribute_name,
                &value,
            )?;
            match known {
                true => Ok(()),
                false => Err(Error::Refused("AttributeName".to_owned())),
            }
        });
        changed.await.map(nothing).map_err(api)
    }
}
