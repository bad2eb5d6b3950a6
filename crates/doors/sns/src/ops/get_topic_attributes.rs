//! GetTopicAttributes.

use headwater_shapes_sns::{
    GetTopicAttributesInput, GetTopicAttributesResponse, ops::GetTopicAttributes,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sns;

impl Handle<GetTopicAttributes> for Sns {
    async fn handle(
        &self,
        input: GetTopicAttributesInput,
        context: &Context,
    ) -> Result<GetTopicAttributesResponse, ApiError> {
        let GetTopicAttributesInput { topic_arn } = input;
        let topic = self.topic(&topic_arn, "SNS:GetTopicAttributes", context)?;
        Ok(GetTopicAttributesResponse {
            attributes: Some(self.attributes_of_topic(&topic, context)?),
        })
    }
}
