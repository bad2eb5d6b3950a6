//! CreateQueue.

use headwater_queues::{Attributes, NewQueue, Start};
use headwater_shapes::kinesis::{
    CreateQueueInput, CreateQueueOutput, QueueStartingPosition, QueueStreamConfiguration, ops::CreateQueue,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    place::Place,
    queues::{api, changes, description, stream_arn, validation},
    tags,
};

impl Handle<CreateQueue> for Kinesis {
    /// The queue delivers when this returns; the answer says CREATING, as AWS's does.
    async fn handle(
        &self,
        input: CreateQueueInput,
        context: &Context,
    ) -> Result<CreateQueueOutput, ApiError> {
        let Ok([configuration]) = <[QueueStreamConfiguration; 1]>::try_from(input.stream_configuration_list)
        else {
            return Err(validation("StreamConfigurationList must contain exactly one entry."));
        };
        let start = start_of(configuration.starting_position)?;
        let mut attributes = Attributes::default();
        changes(input.queue_attributes.unwrap_or_default())?(&mut attributes);
        let tags = input.tags.unwrap_or_default();
        let stream = self.stream(Place::of_arn(configuration.stream_arn, None), context)?;
        tags::check_letters(tags.keys().chain(tags.values()))?;
        if !stream.record.mode.is_on_demand() {
            return Err(validation("Queues are supported only on data streams in on-demand capacity mode."));
        }
        let most = self.most_consumers(&stream, context).await?;
        let new = NewQueue {
            name: input.queue_name,
            stream: stream_arn(&stream.record.name, context),
            stream_created: stream.record.created,
            horizon: stream.record.horizon(self.streams.now()),
            places: most.saturating_sub(stream.record.consumers.len()),
            start,
            attributes,
            tags,
        };
        let record = self.queues.create(new).await.map_err(|error| api(error, context))?;
        Ok(CreateQueueOutput { queue_description: description(&record, "CREATING", context) })
    }
}

fn start_of(given: Option<QueueStartingPosition>) -> Result<Start, ApiError> {
    let Some(QueueStartingPosition { r#type, timestamp }) = given else { return Ok(Start::Latest) };
    match (r#type.as_str(), timestamp.map(describe::millis)) {
        ("AT_TIMESTAMP", Some(time)) => Ok(Start::Time(time)),
        ("AT_TIMESTAMP", None) => Err(validation("Timestamp is required for a Type of AT_TIMESTAMP.")),
        (_, Some(Millis(_))) => Err(validation("Timestamp is supported only for a Type of AT_TIMESTAMP.")),
        ("TRIM_HORIZON", None) => Ok(Start::TrimHorizon),
        (_, None) => Ok(Start::Latest),
    }
}
