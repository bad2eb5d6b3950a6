//! ConfirmSubscription: by a call, or by whoever follows the link of a request to confirm.

use headwater_shapes_sns::errors as shapes;
use headwater_shapes_sns::{
    ConfirmSubscriptionInput, ConfirmSubscriptionResponse, ops::ConfirmSubscription,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::{api, invalid},
    names::topic_name,
};

impl Handle<ConfirmSubscription> for Sns {
    async fn handle(
        &self,
        input: ConfirmSubscriptionInput,
        context: &Context,
    ) -> Result<ConfirmSubscriptionResponse, ApiError> {
        let ConfirmSubscriptionInput {
            topic_arn,
            token,
            authenticate_on_unsubscribe,
        } = input;
        // The token alone tells what is confirmed: as on AWS the topic has to be one that could be here.
        topic_name(&topic_arn, context).map_err(|_| invalid("Topic"))?;
        let is_token = !token.is_empty() && token.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_token {
            let text = "Invalid token";
            return Err(ApiError::of(&shapes::INVALID_PARAMETER_EXCEPTION, text));
        }
        let cancelled_by_known = match authenticate_on_unsubscribe.as_deref() {
            None | Some("false" | "") => false,
            Some("true") => true,
            Some(_) => return Err(invalid("AuthenticateOnUnsubscribe")),
        };
        let by_known = !context.caller.is_anonymous();
        let confirmed = self.topics.confirm(&token, by_known, cancelled_by_known);
        let confirmed = confirmed.await.map_err(api)?;
        let arn = self
            .topics
            .place()
            .subscription(&confirmed.topic, &confirmed.id);
        Ok(ConfirmSubscriptionResponse {
            subscription_arn: Some(arn),
        })
    }
}
