//! SetTopicAttributes.

use headwater_shapes::Nothing;
use headwater_shapes_sns::{SetTopicAttributesInput, ops::SetTopicAttributes};
use headwater_topics::Error;
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sns, attributes::set_of_topic, errors::api, names::nothing};

impl Handle<SetTopicAttributes> for Sns {
    async fn handle(
        &self,
        input: SetTopicAttributesInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let SetTopicAttributesInput {
            topic_arn,
            attribute_name,
            attribute_value,
        } = input;
        let topic = self.topic(&topic_arn, "SNS:SetTopicAttributes", context)?;
        let value = attribute_value.unwrap_or_default();
        let changed = self.topics.update(&topic.name, move |topic| {
            match set_of_topic(&mut topic.settings, &attribute_name, &value)? {
                true => Ok(()),
                false => Err(Error::Refused("AttributeName".to_owned())),
            }
        });
        changed.await.map(nothing).map_err(api)
    }
}
