//! DeleteChannel. Tested with CreateChannel.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeleteChannelInput, ops::DeleteChannel};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors};

impl Handle<DeleteChannel> for Kinesis {
    /// It delivers no more when this returns; what it delivered stays.
    async fn handle(
        &self,
        input: DeleteChannelInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteChannelInput { channel_arn } = input;
        let channel = self.channel(&channel_arn, context).await?;
        let deleted = self.channels.deliveries.delete(&channel.name).await;
        deleted.map_err(|error| errors::channel(error, context))?;
        Ok(Nothing {})
    }
}
