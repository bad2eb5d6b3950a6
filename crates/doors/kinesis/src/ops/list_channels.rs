//! ListChannels. Tested with CreateChannel.

use std::time::Duration;

use headwater_delivery::StreamRecord;
use headwater_shapes_kinesis::{
    ChannelStreamIdentifier, ChannelSummary, ListChannelsInput, ListChannelsOutput, StreamFilter,
    ops::ListChannels,
};
use headwater_streams::{ITERATOR_LIFE, TokenKind};
use headwater_wire::{ApiError, Context, Handle};
use serde::{Deserialize, Serialize};

use crate::{
    Kinesis, channels,
    describe::ACTIVE,
    errors::{self, TokenFor, token_api},
};

/// Channels in one answer, whatever the limit asked for.
const CHANNELS: usize = 100;

#[derive(Serialize, Deserialize)]
struct NextChannels {
    after: String,
}

impl TokenKind for NextChannels {
    const TAG: u8 = 110;
    const LIFE: Duration = ITERATOR_LIFE;
}

impl Handle<ListChannels> for Kinesis {
    async fn handle(
        &self,
        input: ListChannelsInput,
        context: &Context,
    ) -> Result<ListChannelsOutput, ApiError> {
        let ListChannelsInput {
            stream_filter,
            max_results,
            next_token,
        } = input;
        let limit = max_results.map_or(CHANNELS, |limit| {
            CHANNELS.min(limit.unsigned_abs() as usize)
        });
        let after = next_token
            .map(|token| self.streams.open_token::<NextChannels>(&token))
            .transpose();
        let after = after
            .map_err(|error| token_api(error, context, TokenFor::Page))?
            .map(|next| next.after);
        let filters = stream_filter.unwrap_or_default();
        let is_wanted = |channel: &StreamRecord| filters.is_empty() || is_of(channel, &filters);
        let listed = self
            .channels
            .deliveries
            .list(after.as_deref(), limit, is_wanted)
            .await;
        let (channels, more) = listed.map_err(|error| errors::channel(error, context))?;
        let last = channels
            .last()
            .filter(|_| more)
            .map(|last| last.name.clone());
        Ok(ListChannelsOutput {
            channel_summaries: channels.iter().map(summary).collect::<Result<_, _>>()?,
            next_token: last.map(|after| self.streams.token_of(&NextChannels { after })),
        })
    }
}

fn is_of(channel: &StreamRecord, filters: &[StreamFilter]) -> bool {
    let Ok(description) = channels::describe(channel, ACTIVE) else {
        return false;
    };
    description.stream_configuration_list.iter().any(|stream| {
        filters.iter().any(|filter| {
            let StreamFilter {
                stream_arn,
                stream_creation_timestamp: created,
            } = filter;
            *stream_arn == stream.stream_arn
                && created.is_none_or(|created| created == stream.stream_creation_timestamp)
        })
    })
}

fn summary(channel: &StreamRecord) -> Result<ChannelSummary, ApiError> {
    let described = channels::describe(channel, ACTIVE)?;
    let streams = described
        .stream_configuration_list
        .into_iter()
        .map(|stream| ChannelStreamIdentifier {
            stream_arn: stream.stream_arn,
            stream_creation_timestamp: stream.stream_creation_timestamp,
        });
    Ok(ChannelSummary {
        channel_name: described.channel_name,
        channel_arn: described.channel_arn,
        channel_id: described.channel_id,
        channel_status: described.channel_status,
        channel_creation_timestamp: described.channel_creation_timestamp,
        channel_destination_type: "S3".to_owned(),
        streams: streams.collect(),
        ..Default::default()
    })
}
