//! ListStreamConsumers. Tested with RegisterStreamConsumer.

use headwater_shapes_kinesis::{
    ListStreamConsumersInput, ListStreamConsumersOutput, ops::ListStreamConsumers,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    errors::{TokenFor, invalid_argument, no_stream, token_api},
    place::Place,
};

/// Consumers in one answer, whatever the limit asked for.
const CONSUMERS: usize = 100;

impl Handle<ListStreamConsumers> for Kinesis {
    async fn handle(
        &self,
        input: ListStreamConsumersInput,
        context: &Context,
    ) -> Result<ListStreamConsumersOutput, ApiError> {
        let ListStreamConsumersInput {
            stream_arn,
            next_token,
            max_results,
            stream_creation_timestamp,
            stream_id,
        } = input;
        let stream = self.stream(Place::of_arn(stream_arn, stream_id), context)?;
        let created = stream_creation_timestamp;
        if created.is_some_and(|created| created.0 / 1000 != describe::created(&stream).0 / 1000) {
            return Err(no_stream(&stream.record.name, &context.account.0));
        }
        let limit = max_results.map_or(CONSUMERS, |limit| {
            CONSUMERS.min(limit.unsigned_abs() as usize)
        });
        let page = match next_token {
            Some(_) if created.is_some() => {
                let text = "NextToken and StreamCreationTimestamp cannot be provided together.";
                return Err(invalid_argument(text));
            }
            Some(token) => self
                .streams
                .next_consumers(&stream, &token, limit)
                .map_err(|error| token_api(error, context, TokenFor::Page))?,
            None => self.streams.list_consumers(&stream, None, limit),
        };
        let consumers = page
            .consumers
            .iter()
            .map(|consumer| describe::consumer(consumer, context));
        Ok(ListStreamConsumersOutput {
            consumers: Some(consumers.collect()),
            next_token: page.next,
        })
    }
}
