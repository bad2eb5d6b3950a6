//! ListSubscriptionsByTopic.

use headwater_shapes_sns::{
    ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse, ops::ListSubscriptionsByTopic,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::api,
    names::{PAGE, behind},
    ops::list_subscriptions::page,
};

impl Handle<ListSubscriptionsByTopic> for Sns {
    async fn handle(
        &self,
        input: ListSubscriptionsByTopicInput,
        context: &Context,
    ) -> Result<ListSubscriptionsByTopicResponse, ApiError> {
        let ListSubscriptionsByTopicInput {
            topic_arn,
            next_token,
        } = input;
        let topic = self.topic(&topic_arn, "SNS:ListSubscriptionsByTopic", context)?;
        let after = behind(next_token)?;
        let of = Some(&*topic.name);
        let found = self.topics.subscriptions(of, after.as_deref(), PAGE + 1);
        let (subscriptions, next_token) = page(found.map_err(api)?, self.topics.place());
        Ok(ListSubscriptionsByTopicResponse {
            subscriptions: Some(subscriptions),
            next_token,
        })
    }
}
