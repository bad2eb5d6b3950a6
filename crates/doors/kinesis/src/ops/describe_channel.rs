//! DescribeChannel. Tested with CreateChannel.

use headwater_shapes_kinesis::{DescribeChannelInput, DescribeChannelOutput, ops::DescribeChannel};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, channels, describe::ACTIVE};

impl Handle<DescribeChannel> for Kinesis {
    async fn handle(
        &self,
        input: DescribeChannelInput,
        context: &Context,
    ) -> Result<DescribeChannelOutput, ApiError> {
        let DescribeChannelInput { channel_arn } = input;
        let channel = self.channel(&channel_arn, context).await?;
        Ok(DescribeChannelOutput {
            channel_description: channels::describe(&channel, ACTIVE)?,
        })
    }
}
