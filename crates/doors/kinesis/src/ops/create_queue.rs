//! CreateQueue.

use std::sync::Arc;

use headwater_queues::{Attributes, NewQueue, Start};
use headwater_shapes_kinesis::{
    CreateQueueInput, CreateQueueOutput, QueueStartingPosition, QueueStreamConfiguration,
    ops::CreateQueue,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    place::Place,
    queues::{self, PlacesOfStream, api, changes, description, validation},
    tags,
};

impl Handle<CreateQueue> for Kinesis {
    /// The queue delivers when this returns; the answer says CREATING, as AWS's does.
    async fn handle(
        &self,
        input: CreateQueueInput,
        context: &Context,
    ) -> Result<CreateQueueOutput, ApiError> {
        let CreateQueueInput {
            queue_name,
            stream_configuration_list,
            queue_attributes,
            tags,
        } = input;
        let Ok([configuration]) = <[_; 1]>::try_from(stream_configuration_list) else {
            return Err(validation(
                "StreamConfigurationList must contain exactly one entry.",
            ));
        };
        let QueueStreamConfiguration {
            stream_arn,
            starting_position,
        } = configuration;
        let start = start_of(starting_position)?;
        let mut attributes = Attributes::default();
        changes(queue_attributes.unwrap_or_default())?(&mut attributes);
        let tags = tags.unwrap_or_default();
        let stream = self.stream(Place::of_arn(stream_arn, None), context)?;
        tags::check_texts(&tags)?;
        if !stream.record.mode.is_on_demand() {
            return Err(validation(
                "Queues are supported only on data streams in on-demand capacity mode.",
            ));
        }
        let most = self.most_consumers(&stream, context).await?;
        let new = NewQueue {
            name: queue_name,
            stream: queues::stream_arn(&stream.record.name, context),
            stream_created: stream.record.created,
            horizon: stream.record.horizon(self.streams.now()),
            start,
            attributes,
            tags,
        };
        let places = PlacesOfStream {
            streams: self.streams.clone(),
            stream: stream.record.name.clone(),
            most,
        };
        let record = self
            .queues
            .create(new, Arc::new(places))
            .await
            .map_err(|error| api(error, context))?;
        Ok(CreateQueueOutput {
            queue_description: description(&record, "CREATING", context),
        })
    }
}

fn start_of(given: Option<QueueStartingPosition>) -> Result<Start, ApiError> {
    let Some(QueueStartingPosition { r#type, timestamp }) = given else {
        return Ok(Start::Latest);
    };
    match (r#type.as_str(), timestamp.map(describe::millis)) {
        ("AT_TIMESTAMP", Some(time)) => Ok(Start::Time(time)),
        ("AT_TIMESTAMP", None) => Err(validation(
            "Timestamp is required for a Type of AT_TIMESTAMP.",
        )),
        (_, Some(Millis(_))) => Err(validation(
            "Timestamp is supported only for a Type of AT_TIMESTAMP.",
        )),
        ("TRIM_HORIZON", None) => Ok(Start::TrimHorizon),
        (_, None) => Ok(Start::Latest),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::World;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    #[tokio::test]
    async fn the_start_is_echoed_first_and_then_told_as_it_came_out() {
        let world = World::new(false).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        world.advance(5000);
        let start = async |name: &str, position: Value| {
            let configuration = json!([{"StreamARN": STREAM, "StartingPosition": position}]);
            let new = json!({"QueueName": name, "StreamConfigurationList": configuration});
            let mut made = world.ok::<ops::CreateQueue>(new).await["QueueDescription"].take();
            let queue = json!({"QueueARN": made["QueueARN"]});
            let mut now = world.ok::<ops::DescribeQueue>(queue).await["QueueDescription"].take();
            assert_eq!(
                (&made["QueueStatus"], &now["QueueStatus"]),
                (&json!("CREATING"), &json!("ACTIVE"))
            );
            let told = |description: &mut Value| {
                description["StreamConfigurationList"][0]["StartingPosition"]["Timestamp"].take()
            };
            (told(&mut made), told(&mut now))
        };
        let (created, now) = (json!(1_700_000_000), json!(1_700_000_005));
        assert_eq!(
            start("a", json!({"Type": "LATEST"})).await,
            (Value::Null, now)
        );
        assert_eq!(
            start("b", json!({"Type": "TRIM_HORIZON"})).await,
            (Value::Null, created.clone())
        );
        let early = json!({"Type": "AT_TIMESTAMP", "Timestamp": 1});
        assert_eq!(start("c", early).await, (json!(1), created));
        let at = json!({"Type": "AT_TIMESTAMP", "Timestamp": 1_700_000_002.5});
        assert_eq!(
            start("d", at).await,
            (json!(1_700_000_002.5), json!(1_700_000_002.5))
        );
    }

    #[tokio::test]
    async fn a_commitment_makes_room_for_fifty() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        let new = |n: u32| json!({"QueueName": n.to_string(), "StreamConfigurationList": [{"StreamARN": STREAM}]});
        for n in 0..20 {
            world.ok::<ops::CreateQueue>(new(n)).await;
        }
        assert_eq!(
            world.refused::<ops::CreateQueue>(new(20)).await.0,
            "LimitExceededException"
        );
        let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        world.ok::<ops::UpdateAccountSettings>(commitment).await;
        for n in 20..50 {
            world.ok::<ops::CreateQueue>(new(n)).await;
        }
        assert_eq!(
            world.refused::<ops::CreateQueue>(new(50)).await.0,
            "LimitExceededException"
        );
    }
}
