//! UpdateChannel. Tested with CreateChannel.

use headwater_shapes_kinesis::{
    CloudWatchLogs, UpdateChannelInput, UpdateChannelOutput, ops::UpdateChannel,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, channels,
    errors::{self, invalid_argument},
};

impl Handle<UpdateChannel> for Kinesis {
    /// The change holds when this returns, for what is not batched yet.
    async fn handle(
        &self,
        input: UpdateChannelInput,
        context: &Context,
    ) -> Result<UpdateChannelOutput, ApiError> {
        if input.s3_tables_destination_configuration.is_some() {
            return Err(invalid_argument(
                "The channel delivers to a general purpose S3 bucket.",
            ));
        }
        if input.s3_destination_configuration.is_none() && input.logging_configuration.is_none() {
            return Err(invalid_argument("Nothing to update was specified."));
        }
        let channel = self.channel(&input.channel_arn, context).await?;
        let mut description = channels::describe(&channel, "UPDATING")?;
        if let (Some(new), Some(s3)) = (
            input.s3_destination_configuration,
            &mut description.s3_destination_configuration,
        ) {
            s3.data_freshness_in_seconds = self
                .channels
                .freshness(Some(new.data_freshness_in_seconds))?;
        }
        if let Some(new) = input.logging_configuration {
            let old = &description.logging_configuration.cloud_watch_logs;
            let new = new.cloud_watch_logs;
            let logs = CloudWatchLogs {
                enabled: new.enabled,
                log_group_name: new.log_group_name.or_else(|| old.log_group_name.clone()),
                log_stream_name: new.log_stream_name.or_else(|| old.log_stream_name.clone()),
            };
            description.logging_configuration.cloud_watch_logs =
                channels::with_names(logs, &channel.name, &channel.id);
        }
        let (destination, kept) = channels::changed(channel.destination, &description)?;
        let deliveries = &self.channels.deliveries;
        let updated = deliveries
            .update(&channel.name, channel.version, destination, kept)
            .await;
        updated.map_err(|error| errors::channel(error, context))?;
        Ok(UpdateChannelOutput {
            channel_description: description,
        })
    }
}
