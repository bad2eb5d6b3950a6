//! DeleteDeliveryStream.

use headwater_shapes_firehose::{
    DeleteDeliveryStreamInput, DeleteDeliveryStreamOutput, ops::DeleteDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<DeleteDeliveryStream> for Firehose {
    /// `AllowForceDelete` is about grants of KMS keys, which no delivery stream here has: nothing can hold up one
    /// deletion more than the other.
    async fn handle(
        &self,
        input: DeleteDeliveryStreamInput,
        context: &Context,
    ) -> Result<DeleteDeliveryStreamOutput, ApiError> {
        let deleted = self.deliveries.delete(&input.delivery_stream_name).await;
        deleted
            .map(|()| DeleteDeliveryStreamOutput {})
            .map_err(|error| api(error, context))
    }
}
