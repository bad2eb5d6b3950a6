//! CreateChannel.

use std::sync::Arc;

use headwater_delivery::{DeliveryError, NewOrigin, NewStream};
use headwater_shapes_kinesis::{
    ChannelStreamConfiguration, CreateChannelInput, CreateChannelOutput, errors as shapes,
    ops::CreateChannel,
};
use headwater_types::{Arn, StreamName};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    channels::{self, Asked, PlacesForChannels, bucket_configuration},
    describe,
    errors::{self, invalid_argument},
    place::Place,
    tags,
};

impl Handle<CreateChannel> for Kinesis {
    /// It delivers when this returns, whatever records come after.
    async fn handle(
        &self,
        input: CreateChannelInput,
        context: &Context,
    ) -> Result<CreateChannelOutput, ApiError> {
        let CreateChannelInput {
            channel_name: name,
            service_execution_role_arn: role,
            stream_configuration_list,
            s3_destination_configuration,
            s3_tables_destination_configuration,
            encryption_configuration,
            tags,
            logging_configuration,
        } = input;
        let Ok([source]) = <[_; 1]>::try_from(stream_configuration_list) else {
            return Err(invalid_argument("A channel has exactly one stream."));
        };
        let ChannelStreamConfiguration {
            stream_arn,
            record_configuration,
        } = source;
        let stream = self.stream(Place::of_arn(stream_arn, None), context)?;
        let tags = tags.unwrap_or_default();
        tags::check_new(&tags, &stream.record.name, context)?;
        let id = self.channels.deliveries.new_id();
        let asked = Asked {
            name: &name,
            id: &id,
            role: &role,
            records: record_configuration,
            bucket: bucket_configuration(
                s3_destination_configuration,
                s3_tables_destination_configuration,
                encryption_configuration,
            )?,
            logging: logging_configuration,
        };
        let (destination, description) =
            channels::destination(&self.channels, asked, &stream, context)?;
        let arn = describe::arn(&stream, context)
            .parse()
            .map_err(ApiError::internal)?;
        let resource = format!("channel/{name}");
        let new = NewStream {
            arn: Arn::new("kinesis", &context.region, &context.account, resource),
            name,
            id,
            origin: NewOrigin::Stream { arn, role },
            destination,
            description,
            tags,
            encryption: None,
        };
        let places = PlacesForChannels {
            streams: self.streams.clone(),
            stream: stream.record.name.clone(),
            limits: self.channels.limits,
        };
        let created = self
            .channels
            .deliveries
            .create_among(new, Arc::new(places))
            .await
            .map_err(|error| match error {
                DeliveryError::NoPlace(_) => self.no_place(&stream.record.name),
                error => errors::channel(error, context),
            })?;
        // AWS answers so, and it is active once somebody looks.
        Ok(CreateChannelOutput {
            channel_description: channels::describe(&created, "CREATING")?,
        })
    }
}

impl Kinesis {
    /// Why a stream has no place for one more channel, as it is now.
    fn no_place(&self, stream: &StreamName) -> ApiError {
        let now = self.streams.get(stream);
        if now.is_ok_and(|now| !now.record.mode.is_on_demand()) {
            return invalid_argument(
                "Channels are only supported for streams with the on-demand capacity mode.",
            );
        }
        ApiError::of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            format!(
                "Stream {stream} has a channel to a general purpose S3 bucket, which is the limit."
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    const CHANNEL: &str = "arn:aws:kinesis:us-east-1:000000000000:channel/c";
    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    fn storage(more: Value) -> Value {
        let mut storage = json!({"BucketARN": "arn:aws:s3:::out", "ExpectedBucketOwner": "000000000000",
            "CompressionType": "GZIP"});
        storage
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"StorageConfiguration": storage})
    }

    fn channel(name: &str, s3: Value, more: Value) -> Value {
        let mut input = json!({"ChannelName": name, "ServiceExecutionRoleARN": ROLE,
            "StreamConfigurationList": [
                {"StreamARN": STREAM, "RecordConfiguration": {"RecordFormatType": "JSON"}}],
            "S3DestinationConfiguration": s3});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    }

    #[tokio::test]
    async fn a_channel_is_described_with_all_defaults_updated_and_deleted() {
        let world = World::with_stream(1).await;
        let logs = json!({"LoggingConfiguration": {"CloudWatchLogs": {"Enabled": true}}});
        let created = world
            .ok::<ops::CreateChannel>(channel("c", storage(json!({})), logs))
            .await;
        let described = &created["ChannelDescription"];
        let id = described["ChannelId"].as_str().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(
            described,
            &json!({
                "ChannelName": "c", "ChannelARN": CHANNEL, "ChannelId": id, "ChannelStatus": "CREATING",
                "ChannelCreationTimestamp": 1_700_000_000, "ServiceExecutionRoleARN": ROLE,
                "StreamConfigurationList": [{"StreamARN": STREAM, "StreamCreationTimestamp": 1_700_000_000,
                    "RecordConfiguration": {"RecordFormatType": "JSON"}}],
                "S3DestinationConfiguration": {
                    "DataFreshnessInSeconds": 300,
                    "DeadLetterQueueS3Configuration": {"BucketARN": "arn:aws:s3:::out",
                        "ExpectedBucketOwner": "000000000000", "ErrorOutputPrefix": "kinesis-channel-errors/"},
                    "StorageConfiguration": {"BucketARN": "arn:aws:s3:::out",
                        "ExpectedBucketOwner": "000000000000", "CompressionType": "GZIP",
                        "StorageClass": "STANDARD", "OutputKeyTemplate":
                        "kinesis-channel/!{channel-name}/!{channel-id}/!{yyyy}/!{MM}/!{dd}/!{HH}/\
                         !{channel-name}-!{channel-id}-!{yyyy}-!{MM}-!{dd}-!{HH}-!{mm}!{extension}"},
                },
                "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": true,
                    "LogGroupName": format!("/aws/kinesis/c/{id}"), "LogStreamName": "DestinationDelivery"}},
            })
        );
        let update = json!({"ChannelARN": CHANNEL, "S3DestinationConfiguration": {"DataFreshnessInSeconds": 400},
            "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": false}}});
        let updated = world.ok::<ops::UpdateChannel>(update).await;
        assert_eq!(updated["ChannelDescription"]["ChannelStatus"], "UPDATING");
        let described = world
            .ok::<ops::DescribeChannel>(json!({"ChannelARN": CHANNEL}))
            .await;
        let described = &described["ChannelDescription"];
        assert_eq!(described["ChannelStatus"], "ACTIVE");
        assert_eq!(
            described["S3DestinationConfiguration"]["DataFreshnessInSeconds"],
            400
        );
        assert_eq!(
            described["LoggingConfiguration"]["CloudWatchLogs"]["Enabled"],
            false
        );
        let summary = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(summary["StreamDescriptionSummary"]["ChannelCount"], 1);
        let in_use = "Stream s has channels. Delete them before you delete the stream.";
        assert_eq!(
            world
                .refused::<ops::DeleteStream>(json!({"StreamName": "s"}))
                .await,
            refusal("ResourceInUseException", in_use)
        );
        world
            .ok::<ops::DeleteChannel>(json!({"ChannelARN": CHANNEL}))
            .await;
        let gone = refusal(
            "ResourceNotFoundException",
            "Channel c under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::DescribeChannel>(json!({"ChannelARN": CHANNEL}))
                .await,
            gone
        );
        assert_eq!(
            world
                .refused::<ops::DeleteChannel>(json!({"ChannelARN": CHANNEL}))
                .await,
            gone
        );
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
    }

    #[tokio::test]
    async fn channels_are_listed_in_pages_and_by_stream() {
        let world = World::with_stream(1).await;
        for name in ["c", "a", "b"] {
            world
                .ok::<ops::CreateChannel>(channel(name, storage(json!({})), json!({})))
                .await;
        }
        let names = |page: &Value| -> Vec<String> {
            let summaries = page["ChannelSummaries"].as_array().unwrap();
            summaries
                .iter()
                .map(|s| s["ChannelName"].as_str().unwrap().to_owned())
                .collect()
        };
        let page = world
            .ok::<ops::ListChannels>(json!({"MaxResults": 2}))
            .await;
        assert_eq!(names(&page), ["a", "b"]);
        assert_eq!(page["ChannelSummaries"][0]["ChannelDestinationType"], "S3");
        assert_eq!(
            page["ChannelSummaries"][0]["Streams"][0]["StreamARN"],
            STREAM
        );
        let next = json!({"NextToken": page["NextToken"]});
        let page = world.ok::<ops::ListChannels>(next.clone()).await;
        assert_eq!(
            (names(&page), page.get("NextToken")),
            (vec!["c".to_owned()], None)
        );
        let of = |filter: Value| json!({"StreamFilter": [filter]});
        let listed = async |filter| names(&world.ok::<ops::ListChannels>(of(filter)).await).len();
        assert_eq!(listed(json!({"StreamARN": STREAM})).await, 3);
        assert_eq!(
            listed(json!({"StreamARN": STREAM, "StreamCreationTimestamp": 1_700_000_000})).await,
            3
        );
        assert_eq!(
            listed(json!({"StreamARN": STREAM, "StreamCreationTimestamp": 1.0})).await,
            0
        );
        assert_eq!(listed(json!({"StreamARN": format!("{STREAM}x")})).await, 0);
        world.advance(300_001);
        assert_eq!(
            world.refused::<ops::ListChannels>(next).await.0,
            "ExpiredNextTokenException"
        );
        let (code, _) = world
            .refused::<ops::ListChannels>(json!({"NextToken": "x"}))
            .await;
        assert_eq!(code, "InvalidArgumentException");
    }

    #[tokio::test]
    async fn tags_are_kept() {
        let world = World::with_stream(1).await;
        let tags = json!({"Tags": {"a": "1", "b": "2"}});
        world
            .ok::<ops::CreateChannel>(channel("c", storage(json!({})), tags))
            .await;
        world
            .ok::<ops::TagResource>(json!({"ResourceARN": CHANNEL, "Tags": {"c": "3"}}))
            .await;
        world
            .ok::<ops::UntagResource>(json!({"ResourceARN": CHANNEL, "TagKeys": ["a"]}))
            .await;
        assert_eq!(
            world
                .ok::<ops::ListTagsForResource>(json!({"ResourceARN": CHANNEL}))
                .await,
            json!({"Tags": [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]})
        );
    }

    #[tokio::test]
    async fn what_is_not_built_or_not_allowed_is_refused_by_name() {
        let world = World::with_stream(1).await;
        let refused = async |input| world.refused::<ops::CreateChannel>(input).await;
        let not_built = |what: &str| {
            refusal(
                "NotImplemented",
                format!("Headwater does not support {what} yet."),
            )
        };
        let key = json!({"EncryptionConfiguration": {"EncryptionType": "KMS", "KeyId": "k"}});
        assert_eq!(
            refused(channel("c", storage(json!({})), key)).await,
            not_built("EncryptionConfiguration of channels")
        );
        assert_eq!(
            refused(channel(
                "c",
                storage(json!({"StorageClass": "GLACIER_IR"})),
                json!({})
            ))
            .await,
            not_built("StorageClass GLACIER_IR")
        );
        let mut tables = channel("c", json!(null), json!({}));
        tables["S3TablesDestinationConfiguration"] = json!({
            "DeadLetterQueueS3Configuration": {"BucketARN": "arn:aws:s3:::out",
                "ExpectedBucketOwner": "000000000000"},
            "S3TablesConfigurationList": [{"TableBucketARN": "t", "Namespace": "n", "TableName": "t",
                "CompressionType": "NONE"}]});
        assert_eq!(
            refused(tables.clone()).await,
            not_built("S3TablesDestinationConfiguration")
        );
        tables["S3DestinationConfiguration"] = storage(json!({}));
        let stranger = json!({"ExpectedBucketOwner": "111111111111"});
        let template = json!({"OutputKeyTemplate": "a/!{topic-name}"});
        let mut slow = storage(json!({}));
        slow["DataFreshnessInSeconds"] = json!(901);
        let mut gsr = channel("c", storage(json!({})), json!({}));
        gsr["StreamConfigurationList"][0]["RecordConfiguration"]["RecordFormatType"] =
            json!("GSR_JSON");
        let mut two = channel("c", storage(json!({})), json!({}));
        let stream = two["StreamConfigurationList"][0].clone();
        two["StreamConfigurationList"]
            .as_array_mut()
            .unwrap()
            .push(stream);
        for input in [
            tables,
            channel("c", json!(null), json!({})),
            channel("c", storage(stranger), json!({})),
            channel("c", storage(template), json!({})),
            channel("c", slow, json!({})),
            gsr,
            two,
        ] {
            assert_eq!(
                refused(input.clone()).await.0,
                "InvalidArgumentException",
                "{input}"
            );
        }
        world
            .ok::<ops::CreateChannel>(channel("c", storage(json!({})), json!({})))
            .await;
        assert_eq!(
            refused(channel("c", storage(json!({})), json!({}))).await,
            refusal(
                "ResourceInUseException",
                "Channel c under account 000000000000 already exists."
            )
        );
        let nothing = json!({"ChannelARN": CHANNEL});
        assert_eq!(
            world.refused::<ops::UpdateChannel>(nothing).await.0,
            "InvalidArgumentException"
        );
    }

    #[tokio::test]
    async fn of_channels_that_are_made_at_once_a_stream_gets_one() {
        let world = World::crowded(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s",
                "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}))
            .await;
        let made = join_all((0..8).map(|n| {
            let input = channel(&format!("c-{n}"), storage(json!({})), json!({}));
            world.call::<ops::CreateChannel>(input)
        }))
        .await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        let refused = made.iter().filter_map(|made| made.as_ref().err());
        for (code, _) in refused {
            assert_eq!(code, "LimitExceededException");
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_deleted_meanwhile_gets_no_channel() {
        // However far the one has come when the other begins.
        for behind in 0..40 {
            let world = World::crowded(false).await;
            world
                .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
                .await;
            let later = |turns: usize| async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            };
            let create = async {
                later(20).await;
                let input = channel("c", storage(json!({})), json!({}));
                world.call::<ops::CreateChannel>(input).await
            };
            let delete = async {
                later(behind).await;
                world
                    .call::<ops::DeleteStream>(json!({"StreamName": "s"}))
                    .await
            };
            match tokio::join!(create, delete) {
                (Ok(_), Err((code, text))) => {
                    assert_eq!(code, "ResourceInUseException");
                    assert!(text.contains("channels"), "{text}");
                }
                (Err((code, _)), Ok(_)) => assert_eq!(code, "ResourceNotFoundException"),
                both => panic!("{behind}: {both:?}"),
            }
        }
    }

    #[tokio::test]
    async fn limits_of_aws_hold_unless_they_are_off() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        let create = |name: &str, seconds: i32| {
            let mut s3 = storage(json!({}));
            s3["DataFreshnessInSeconds"] = json!(seconds);
            channel(name, s3, json!({}))
        };
        let refused = world.refused::<ops::CreateChannel>(create("c", 300)).await;
        assert!(refused.1.contains("on-demand"), "{refused:?}");
        let mode = json!({"StreamARN": STREAM, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}});
        world.ok::<ops::UpdateStreamMode>(mode).await;
        let (code, _) = world.refused::<ops::CreateChannel>(create("c", 299)).await;
        assert_eq!(code, "InvalidArgumentException");
        world.ok::<ops::CreateChannel>(create("c", 300)).await;
        let (code, _) = world.refused::<ops::CreateChannel>(create("d", 300)).await;
        assert_eq!(code, "LimitExceededException");
    }
}
