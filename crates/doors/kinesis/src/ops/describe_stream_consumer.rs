//! DescribeStreamConsumer. Tested with RegisterStreamConsumer.

use headwater_shapes_kinesis::{
    ConsumerDescription, DescribeStreamConsumerInput, DescribeStreamConsumerOutput,
    ops::DescribeStreamConsumer,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, place::ConsumerPlace};

impl Handle<DescribeStreamConsumer> for Kinesis {
    async fn handle(
        &self,
        input: DescribeStreamConsumerInput,
        context: &Context,
    ) -> Result<DescribeStreamConsumerOutput, ApiError> {
        let DescribeStreamConsumerInput {
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
        let (stream, consumer) = self.consumer(place, context)?;
        let consumer_description = ConsumerDescription {
            consumer_arn: describe::consumer_arn(&consumer, context),
            consumer_name: consumer.name,
            consumer_status: describe::ACTIVE.to_owned(),
            consumer_creation_timestamp: describe::timestamp(consumer.created),
            stream_arn: describe::arn(&stream, context),
        };
        Ok(DescribeStreamConsumerOutput {
            consumer_description,
        })
    }
}
