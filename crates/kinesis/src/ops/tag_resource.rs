//! TagResource.

use headwater_shapes::{
    Nothing,
    kinesis::{TagResourceInput, ops::TagResource},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, place::Place};

impl Handle<TagResource> for Kinesis {
    async fn handle(&self, input: TagResourceInput, context: &Context) -> Result<Nothing, ApiError> {
        self.tag(Place::of_arn(input.resource_arn, input.stream_id), input.tags, context).await?;
        Ok(Nothing {})
    }
}
