//! ListTagsForResource.

use headwater_shapes::kinesis::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, place::Place, tags};

impl Handle<ListTagsForResource> for Kinesis {
    async fn handle(
        &self,
        input: ListTagsForResourceInput,
        context: &Context,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        let stream = self.stream(Place::of_arn(input.resource_arn, input.stream_id), context)?;
        Ok(ListTagsForResourceOutput { tags: Some(tags::after(&stream, None).collect()) })
    }
}
