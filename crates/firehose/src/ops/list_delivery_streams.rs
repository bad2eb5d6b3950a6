//! ListDeliveryStreams.

use headwater_delivery::{Origin, StreamRecord};
use headwater_shapes::firehose::{
    ListDeliveryStreamsInput, ListDeliveryStreamsOutput, ops::ListDeliveryStreams,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

/// How many names AWS gives where nothing is said.
const LIMIT: i32 = 10;

impl Handle<ListDeliveryStreams> for Firehose {
    async fn handle(
        &self,
        input: ListDeliveryStreamsInput,
        context: &Context,
    ) -> Result<ListDeliveryStreamsOutput, ApiError> {
        let limit = input.limit.unwrap_or(LIMIT).unsigned_abs() as usize;
        let after = input.exclusive_start_delivery_stream_name.as_deref();
        let wanted = input.delivery_stream_type.as_deref();
        let is_wanted = |stream: &StreamRecord| wanted.is_none_or(|wanted| wanted == kind(stream));
        let found = self.deliveries.list(after, limit, is_wanted).await;
        let (delivery_stream_names, has_more_delivery_streams) =
            found.map_err(|error| api(error, context))?;
        Ok(ListDeliveryStreamsOutput { delivery_stream_names, has_more_delivery_streams })
    }
}

fn kind(stream: &StreamRecord) -> &'static str {
    match stream.origin {
        Origin::Direct { .. } => "DirectPut",
        Origin::Stream { .. } => "KinesisStreamAsSource",
    }
}
