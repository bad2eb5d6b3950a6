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
        let StopDeliveryStreamEncryptionInput {
            delivery_stream_name,
        } = input;
        let encryption = None;
        let changed = self
            .deliveries
            .encrypt(&delivery_stream_name, encryption)
            .await;
        changed
            .map(|()| StopDeliveryStreamEncryptionOutput {})
            .map_err(|error| api(error, context))
    }
}
