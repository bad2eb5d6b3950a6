//! TagDeliveryStream.

use headwater_shapes_firehose::{
    TagDeliveryStreamInput, TagDeliveryStreamOutput, ops::TagDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api, tags};

impl Handle<TagDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: TagDeliveryStreamInput,
        context: &Context,
    ) -> Result<TagDeliveryStreamOutput, ApiError> {
        let TagDeliveryStreamInput {
            delivery_stream_name,
            tags,
        } = input;
        let new = tags::of_request(tags)?;
        let tagged = self
            .deliveries
            .tag(&delivery_stream_name, move |kept| kept.extend(new))
            .await;
        tagged
            .map(|()| TagDeliveryStreamOutput {})
            .map_err(|error| api(error, context))
    }
}
