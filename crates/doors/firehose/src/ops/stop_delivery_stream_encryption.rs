//! StopDeliveryStreamEncryption.

use headwater_shapes_firehose::{
    StopDeliveryStreamEncryptionInput, StopDeliveryStreamEncryptionOutput,
    ops::StopDeliveryStreamEncryption,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<StopDeliveryStreamEncryption> for Firehose {
    async fn handle(
        &self,
        input: StopDeliveryStreamEncryptionInput,
        context: &Context,
    ) -> Result<StopDeliveryStreamEncryptionOutput, ApiError> {
        let encryption = None;
        let changed = self
            .deliveries
            .encrypt(&input.delivery_stream_name, encryption)
            .await;
        changed
            .map(|()| StopDeliveryStreamEncryptionOutput {})
            .map_err(|error| api(error, context))
    }
}
