//! UpdateChannel. Tested with CreateChannel.

use headwater_shapes_kinesis::{
    ChannelLoggingUpdateInput, CloudWatchLogs, CloudWatchLogsUpdateInput, S3DestinationUpdateInput,
    UpdateChannelInput, UpdateChannelOutput, ops::UpdateChannel,
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
        let UpdateChannelInput {
            channel_arn,
            s3_destination_configuration,
            s3_tables_destination_configuration,
            logging_configuration,
        } = input;
        if s3_tables_destination_configuration.is_some() {
            return Err(invalid_argument(
                "The channel delivers to a general purpose S3 bucket.",
            ));
        }
        if s3_destination_configuration.is_none() && logging_configuration.is_none() {
            return Err(invalid_argument("Nothing to update was specified."));
        }
        let channel = self.channel(&channel_arn, context).await?;
        let mut description = channels::describe(&channel, "UPDATING")?;
        if let (Some(new), Some(s3)) = (
            s3_destination_configuration,
            &mut description.s3_destination_configuration,
        ) {
            let S3DestinationUpdateInput {
                data_freshness_in_seconds,
            } = new;
            s3.data_freshness_in_seconds =
                self.channels.freshness(Some(data_freshness_in_seconds))?;
        }
        if let Some(ChannelLoggingUpdateInput { cloud_watch_logs }) = logging_configuration {
            let old = &description.logging_configuration.cloud_watch_logs;
            let CloudWatchLogsUpdateInput {
                enabled,
                log_group_name,
                log_stream_name,
            } = cloud_watch_logs;
            let logs = CloudWatchLogs {
                enabled,
                log_group_name: log_group_name.or_else(|| old.log_group_name.clone()),
                log_stream_name: log_stream_name.or_else(|| old.log_stream_name.clone()),
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
