//! UntagResource.

use headwater_shapes::{
    Nothing,
    kinesis::{UntagResourceInput, ops::UntagResource},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, place::Place};

impl Handle<UntagResource> for Kinesis {
    async fn handle(&self, input: UntagResourceInput, context: &Context) -> Result<Nothing, ApiError> {
        self.untag(Place::of_arn(input.resource_arn, input.stream_id), input.tag_keys, context).await?;
        Ok(Nothing {})
    }
}
