//! DeleteTopic. One that is not there is as good as deleted.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{DeleteTopicInput, ops::DeleteTopic};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::api,
    names::{nothing, topic_name},
};

impl Handle<DeleteTopic> for Sns {
    async fn handle(
        &self,
        input: DeleteTopicInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteTopicInput { topic_arn } = input;
        let name = topic_name(&topic_arn, context)?;
        if context.is_foreign() || self.topics.topic(&name).is_ok() {
            self.topic(&topic_arn, "SNS:DeleteTopic", context)?;
        }
        self.topics.delete(&name).await.map(nothing).map_err(api)
    }
}
