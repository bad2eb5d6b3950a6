//! ListTagsForDeliveryStream.

use headwater_shapes_firehose::{
    ListTagsForDeliveryStreamInput, ListTagsForDeliveryStreamOutput, Tag,
    ops::ListTagsForDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

const LIMIT: i32 = 50;

impl Handle<ListTagsForDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: ListTagsForDeliveryStreamInput,
        context: &Context,
    ) -> Result<ListTagsForDeliveryStreamOutput, ApiError> {
        let ListTagsForDeliveryStreamInput {
            delivery_stream_name,
            exclusive_start_tag_key,
            limit,
        } = input;
        let found = self.deliveries.describe(&delivery_stream_name).await;
        let stream = found.map_err(|error| api(error, context))?;
        let limit = limit.unwrap_or(LIMIT).unsigned_abs() as usize;
        let after = exclusive_start_tag_key.unwrap_or_default();
        let mut rest = stream.tags.into_iter().filter(|(key, _)| *key > after);
        let page = rest.by_ref().take(limit).map(|(key, value)| Tag {
            key,
            value: Some(value),
        });
        Ok(ListTagsForDeliveryStreamOutput {
            tags: page.collect(),
            has_more_tags: rest.next().is_some(),
        })
    }
}
