//! DeleteDeliveryStream.

use headwater_shapes_firehose::{
    DeleteDeliveryStreamInput, DeleteDeliveryStreamOutput, ops::DeleteDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<DeleteDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: DeleteDeliveryStreamInput,
        context: &Context,
    ) -> Result<DeleteDeliveryStreamOutput, ApiError> {
        let DeleteDeliveryStreamInput {
            delivery_stream_name,
            // It is about grants of KMS keys, which no delivery stream here has: nothing can hold up one deletion more than the other.
            allow_force_delete: _,
        } = input;
        let deleted = self.deliveries.delete(&delivery_stream_name).await;
        deleted
            .map(|()| DeleteDeliveryStreamOutput {})
            .map_err(|error| api(error, context))
    }
}
