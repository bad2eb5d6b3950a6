//! SubscribeToShard.

use std::sync::Arc;

use futures_util::stream;
use headwater_shapes::{EventError, EventStream, Shared};
use headwater_shapes_kinesis::{
    StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream, SubscribeToShardInput,
    SubscribeToShardOutput, ops::SubscribeToShard,
};
use headwater_streams::{FanOut, ShardEvent, Subscription};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe, dry_run, errors,
    place::{ConsumerPlace, shard, shard_index},
    position::Position,
};

impl Handle<SubscribeToShard> for Kinesis {
    /// Returns once the subscription holds; its events are made as the client takes them. It ends five minutes later, or five
    /// seconds after the event that names the shard's children.
    async fn handle(
        &self,
        input: SubscribeToShardInput,
        context: &Context,
    ) -> Result<SubscribeToShardOutput, ApiError> {
        let SubscribeToShardInput {
            consumer_arn,
            stream_id,
            shard_id,
            starting_position,
            dry_run,
        } = input;
        let arn = Some(consumer_arn);
        let place = ConsumerPlace {
            stream_arn: None,
            name: None,
            arn,
            id: stream_id,
        };
        let (stream, consumer) = self.consumer(place, context)?;
        let index = shard_index(&shard_id, &stream.record.name, context)?;
        let shard = shard(&stream, index, context)?;
        let StartingPosition {
            r#type,
            sequence_number,
            timestamp,
        } = starting_position;
        let position = Position {
            call: "SubscribeToShard",
            kind: &r#type,
            number: sequence_number.as_deref(),
            time: timestamp,
        };
        let start = self.start(&position, &stream, shard, context).await?;
        dry_run::end(dry_run, || Ok(()))?;
        let subscribed = self
            .streams
            .subscribe(&stream, shard, consumer, start, &self.subscribers.0)
            .await;
        let subscription = subscribed.map_err(|error| errors::api(error, context))?;
        Ok(SubscribeToShardOutput {
            event_stream: events(subscription, context.clone()),
        })
    }
}

/// Those who subscribe through this door: what each event looks like is made, and later written, once for all of them.
#[derive(Clone)]
pub struct Subscribers(Arc<FanOut<Shared<SubscribeToShardEventStream>>>);

impl Default for Subscribers {
    fn default() -> Self {
        Self(FanOut::new(|event| Shared::from(translate(event))))
    }
}

fn events(
    subscription: Subscription<Shared<SubscribeToShardEventStream>>,
    context: Context,
) -> EventStream<SubscribeToShardEventStream> {
    let events = stream::unfold(
        (subscription, context),
        async |(mut subscription, context)| {
            let next = subscription.next().await?;
            let event = next.map_err(|error| EventError::from(errors::api(error, &context)));
            Some((event, (subscription, context)))
        },
    );
    EventStream {
        events: Box::pin(events),
    }
}

/// An event as AWS spells it.
fn translate(event: ShardEvent) -> SubscribeToShardEventStream {
    SubscribeToShardEventStream::SubscribeToShardEvent(SubscribeToShardEvent {
        records: event.records.into_iter().map(describe::record).collect(),
        continuation_sequence_number: event.continuation.map(|number| number.to_string()),
        millis_behind_latest: i64::try_from(event.millis_behind).unwrap_or(i64::MAX),
        child_shards: event.children.as_deref().map(describe::children),
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, poll};
    use headwater_shapes::{EventError, EventFormat, EventStream, Shared};
    use headwater_shapes_kinesis::{SubscribeToShardEventStream, ops};
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    struct Events(EventStream<SubscribeToShardEventStream>);

    impl Events {
        async fn next(&mut self) -> Option<Result<Value, EventError>> {
            self.0
                .events
                .next()
                .await
                .map(|event| event.map(|event| serde_json::to_value(&*event).unwrap()))
        }

        async fn event(&mut self) -> Value {
            self.next().await.unwrap().unwrap()
        }

        /// Whether there is nothing to be had now.
        async fn is_waiting(&mut self) -> bool {
            poll!(std::pin::pin!(self.next())).is_pending()
        }
    }

    async fn register(world: &World) -> String {
        register_named(world, "c").await
    }

    async fn register_named(world: &World, name: &str) -> String {
        let input = json!({"StreamARN": STREAM, "ConsumerName": name});
        let consumer = world.ok::<ops::RegisterStreamConsumer>(input).await;
        consumer["Consumer"]["ConsumerARN"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn input(consumer: &str, position: Value) -> Value {
        json!({"ConsumerARN": consumer, "ShardId": "shardId-000000000000", "StartingPosition": position})
    }

    async fn subscribe(world: &World, consumer: &str, position: Value) -> Events {
        let output = world
            .output::<ops::SubscribeToShard>(input(consumer, position))
            .await;
        Events(output.unwrap().event_stream)
    }

    async fn put(world: &World, data: &str) -> Value {
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": data});
        world.ok::<ops::PutRecord>(put).await["SequenceNumber"].clone()
    }

    #[tokio::test]
    async fn records_come_as_they_are_put_and_the_end_names_the_children() {
        let world = World::with_stream(1).await;
        let consumer = register(&world).await;
        let first = put(&world, "YQ==").await;
        let mut events = subscribe(&world, &consumer, json!({"Type": "TRIM_HORIZON"})).await;
        let expected = json!({
            "Records": [{
                "SequenceNumber": first,
                "ApproximateArrivalTimestamp": 1_700_000_000,
                "Data": "YQ==",
                "PartitionKey": "k",
            }],
            "ContinuationSequenceNumber": first,
            "MillisBehindLatest": 0,
        });
        assert_eq!(events.event().await, expected);
        assert!(events.is_waiting().await);
        let second = put(&world, "Yg==").await;
        assert_eq!(events.event().await["ContinuationSequenceNumber"], second);
        world.split().await;
        let last = events.event().await;
        assert_eq!(
            (&last["Records"], last.get("ContinuationSequenceNumber")),
            (&json!([]), None)
        );
        let children: Vec<&Value> = last["ChildShards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|child| &child["ShardId"])
            .collect();
        assert_eq!(
            children,
            [
                &json!("shardId-000000000001"),
                &json!("shardId-000000000002")
            ]
        );
        world.advance(4999);
        assert!(
            events.is_waiting().await,
            "clients act on the last event first"
        );
        world.advance(1);
        assert_eq!(events.next().await, None);
    }

    #[tokio::test]
    async fn every_kind_of_position_is_understood() {
        let world = World::with_stream(1).await;
        let mut numbers = Vec::new();
        for data in ["YQ==", "Yg==", "Yw=="] {
            numbers.push(put(&world, data).await);
            world.advance(1000);
        }
        let consumer = register(&world).await;
        let first = async |position: Value| {
            subscribe(&world, &consumer, position).await.event().await["Records"][0]["SequenceNumber"].clone()
        };
        let at = |kind: &str, n: usize| json!({"Type": kind, "SequenceNumber": numbers[n]});
        assert_eq!(first(json!({"Type": "TRIM_HORIZON"})).await, numbers[0]);
        assert_eq!(first(at("AT_SEQUENCE_NUMBER", 1)).await, numbers[1]);
        assert_eq!(first(at("AFTER_SEQUENCE_NUMBER", 1)).await, numbers[2]);
        assert_eq!(
            first(json!({"Type": "AT_TIMESTAMP", "Timestamp": 1_700_000_001})).await,
            numbers[1]
        );
        let mut latest = subscribe(&world, &consumer, json!({"Type": "LATEST"})).await;
        assert!(latest.is_waiting().await);
        let refused = async |position| {
            world
                .refused::<ops::SubscribeToShard>(input(&consumer, position))
                .await
                .0
        };
        for wrong in [
            json!({"Type": "AT_SEQUENCE_NUMBER"}),
            json!({"Type": "AT_TIMESTAMP"}),
            json!({"Type": "LATEST", "SequenceNumber": numbers[0]}),
            json!({"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": "7"}),
        ] {
            assert_eq!(refused(wrong).await, "InvalidArgumentException");
        }
    }

    #[tokio::test]
    async fn a_quiet_shard_is_told_of_and_the_subscription_ends_after_five_minutes() {
        let world = World::with_stream(1).await;
        let consumer = register(&world).await;
        let number = put(&world, "YQ==").await;
        let mut events = subscribe(&world, &consumer, json!({"Type": "LATEST"})).await;
        let quiet =
            json!({"Records": [], "ContinuationSequenceNumber": number, "MillisBehindLatest": 0});
        for _ in 0..59 {
            world.advance(4999);
            assert!(events.is_waiting().await);
            world.advance(1);
            assert_eq!(events.event().await, quiet);
        }
        world.advance(5000);
        assert_eq!(events.next().await, None);
    }

    #[tokio::test]
    async fn one_subscription_a_consumer_and_shard() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        let consumer = register(&world).await;
        let latest = || json!({"Type": "LATEST"});
        let mut first = subscribe(&world, &consumer, latest()).await;
        world.advance(4999);
        let (code, text) = world
            .refused::<ops::SubscribeToShard>(input(&consumer, latest()))
            .await;
        assert_eq!(code, "ResourceInUseException");
        assert!(
            text.starts_with("Another active subscription exists for this consumer"),
            "{text}"
        );
        assert!(first.is_waiting().await);
        world.advance(1);
        let mut second = subscribe(&world, &consumer, latest()).await;
        let error = first.next().await.unwrap().unwrap_err();
        assert_eq!(error.name, "ResourceInUseException");
        assert_eq!(first.next().await, None);
        put(&world, "YQ==").await;
        assert_eq!(second.event().await["Records"][0]["Data"], "YQ==");
    }

    #[tokio::test]
    async fn those_at_the_same_place_at_the_same_time_get_one_event() {
        let world = World::with_stream(1).await;
        let mut readers = Vec::new();
        for name in ["c", "d", "late"] {
            let consumer = register_named(&world, name).await;
            readers.push(subscribe(&world, &consumer, json!({"Type": "TRIM_HORIZON"})).await);
        }
        put(&world, "YQ==").await;
        let mut got = Vec::new();
        for reader in &mut readers[..2] {
            got.push(reader.0.events.next().await.unwrap().unwrap());
        }
        let written = |event: &Shared<SubscribeToShardEventStream>| {
            event.written(EventFormat::Json).get().cloned()
        };
        got[0]
            .written(EventFormat::Json)
            .set("as it was written".into())
            .unwrap();
        assert_eq!(written(&got[1]).unwrap(), "as it was written");
        // How far behind its reader is, it says for a moment only.
        world.advance(100);
        let late = readers[2].0.events.next().await.unwrap().unwrap();
        assert_eq!((written(&late), &*late), (None, &*got[0]));
    }

    #[tokio::test]
    async fn a_subscription_ends_with_its_consumer_or_its_stream() {
        let world = World::with_stream(1).await;
        let consumer = register(&world).await;
        let latest = || json!({"Type": "LATEST"});
        let mut events = subscribe(&world, &consumer, latest()).await;
        world
            .ok::<ops::DeregisterStreamConsumer>(json!({"ConsumerARN": consumer}))
            .await;
        assert_eq!(
            events.next().await.unwrap().unwrap_err().name,
            "ResourceNotFoundException"
        );
        let gone = refusal(
            "ResourceNotFoundException",
            "Consumer c, account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::SubscribeToShard>(input(&consumer, latest()))
                .await,
            gone
        );
        let consumer = register(&world).await;
        let mut events = subscribe(&world, &consumer, latest()).await;
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s", "EnforceConsumerDeletion": true}))
            .await;
        let error = events.next().await.unwrap().unwrap_err();
        assert_eq!(
            error.message,
            "Stream s under account 000000000000 not found."
        );
    }

    #[tokio::test]
    async fn a_consumer_gets_two_mebibytes_a_second() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        let consumer = register(&world).await;
        let megabyte = "AAAA".repeat(250_000);
        for _ in 0..5 {
            world.advance(1000);
            put(&world, &megabyte).await;
        }
        let mut events = subscribe(&world, &consumer, json!({"Type": "TRIM_HORIZON"})).await;
        for _ in 0..3 {
            assert_eq!(events.event().await["Records"].as_array().unwrap().len(), 1);
        }
        // 750,000 bytes each: what a second brings, and a debt of what is over.
        assert!(events.is_waiting().await);
        world.advance(72);
        assert!(events.is_waiting().await);
        world.advance(2);
        events.event().await;
    }
}
