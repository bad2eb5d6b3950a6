//! DeregisterStreamConsumer. Tested with RegisterStreamConsumer.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeregisterStreamConsumerInput, ops::DeregisterStreamConsumer};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::ConsumerPlace};

impl Handle<DeregisterStreamConsumer> for Kinesis {
    /// The consumer is gone when this returns, and its subscriptions end.
    async fn handle(
        &self,
        input: DeregisterStreamConsumerInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeregisterStreamConsumerInput {
            stream_arn,
            consumer_name,
            consumer_arn,
            stream_id,
        } = input;
        let place = ConsumerPlace {
            stream_arn,
            name: consumer_name,
            arn: consumer_arn,
            id: stream_id,
        };
        let (_, consumer) = self.consumer(place, context)?;
        self.streams
            .deregister(consumer)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}
