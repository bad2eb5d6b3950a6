//! UntagDeliveryStream.

use headwater_shapes_firehose::{
    UntagDeliveryStreamInput, UntagDeliveryStreamOutput, ops::UntagDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<UntagDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: UntagDeliveryStreamInput,
        context: &Context,
    ) -> Result<UntagDeliveryStreamOutput, ApiError> {
        let UntagDeliveryStreamInput {
            delivery_stream_name,
            tag_keys,
        } = input;
        let keys = tag_keys;
        let remove = move |tags: &mut std::collections::BTreeMap<String, String>| {
            tags.retain(|key, _| !keys.contains(key))
        };
        let untagged = self.deliveries.tag(&delivery_stream_name, remove).await;
        untagged
            .map(|()| UntagDeliveryStreamOutput {})
            .map_err(|error| api(error, context))
    }
}
