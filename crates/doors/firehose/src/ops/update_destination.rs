//! UpdateDestination.

use headwater_shapes_firehose::{
    UpdateDestinationInput, UpdateDestinationOutput, ops::UpdateDestination,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose,
    destinations::{self, DESTINATION_ID, Update},
    errors::{api, invalid_argument},
};

impl Handle<UpdateDestination> for Firehose {
    /// Members that are not specified stay as they were, and batches that are closed already go where they were to go.
    async fn handle(
        &self,
        input: UpdateDestinationInput,
        context: &Context,
    ) -> Result<UpdateDestinationOutput, ApiError> {
        let UpdateDestinationInput {
            delivery_stream_name: name,
            current_delivery_stream_version_id,
            destination_id,
            s3_destination_update,
            extended_s3_destination_update,
            redshift_destination_update,
            elasticsearch_destination_update,
            amazonopensearchservice_destination_update,
            splunk_destination_update,
            http_endpoint_destination_update,
            amazon_open_search_serverless_destination_update,
            snowflake_destination_update,
            iceberg_destination_update,
        } = input;
        let update = Update {
            extended_s3: extended_s3_destination_update,
            s3: s3_destination_update,
            http: http_endpoint_destination_update,
            splunk: splunk_destination_update,
            opensearch: amazonopensearchservice_destination_update,
            serverless: amazon_open_search_serverless_destination_update,
            elasticsearch: elasticsearch_destination_update,
            redshift: redshift_destination_update,
            snowflake: snowflake_destination_update,
            iceberg: iceberg_destination_update,
        };
        let stream = self
            .deliveries
            .describe(&name)
            .await
            .map_err(|error| api(error, context))?;
        if destination_id != DESTINATION_ID {
            return Err(invalid_argument(format!(
                "Destination Id {destination_id} not found"
            )));
        }
        let expected = current_delivery_stream_version_id
            .parse()
            .unwrap_or(u64::MAX);
        let configured = destinations::updated(&stream, update)?;
        let (destination, description) = (configured.destination, configured.description);
        let deliveries = &self.deliveries;
        let updated = deliveries.update(&name, expected, destination, description);
        updated
            .await
            .map(|_| UpdateDestinationOutput {})
            .map_err(|error| api(error, context))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    async fn world() -> World {
        let world = World::new().await;
        let destination = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "Prefix": "p/",
            "BufferingHints": {"SizeInMBs": 7, "IntervalInSeconds": 70}, "FileExtension": ".x"});
        let input =
            json!({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(input).await;
        world
    }

    fn update(version: &str, more: Value) -> Value {
        let mut input = json!({"DeliveryStreamName": "d", "CurrentDeliveryStreamVersionId": version,
            "DestinationId": "destinationId-000000000001"});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    }

    #[tokio::test]
    async fn what_is_specified_changes_and_the_rest_stays() {
        let world = world().await;
        let change = json!({"BufferingHints": {"SizeInMBs": 7, "IntervalInSeconds": 0}, "CompressionFormat": "GZIP"});
        world
            .ok::<ops::UpdateDestination>(update(
                "1",
                json!({"ExtendedS3DestinationUpdate": change}),
            ))
            .await;
        let change = json!({"Prefix": "q/", "BucketARN": "arn:aws:s3:::c"});
        world
            .ok::<ops::UpdateDestination>(update("2", json!({"S3DestinationUpdate": change})))
            .await;
        let described = world
            .ok::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": "d"}))
            .await;
        let described = &described["DeliveryStreamDescription"];
        assert_eq!(described["VersionId"], "3");
        assert_eq!(described["LastUpdateTimestamp"], 1_700_000_000.5);
        let s3 = &described["Destinations"][0]["ExtendedS3DestinationDescription"];
        assert_eq!(
            s3,
            &json!({
                "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::c", "Prefix": "q/", "FileExtension": ".x",
                "BufferingHints": {"SizeInMBs": 7, "IntervalInSeconds": 0}, "CompressionFormat": "GZIP",
                "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
                "CloudWatchLoggingOptions": {"Enabled": false}, "S3BackupMode": "Disabled",
            })
        );
    }

    #[tokio::test]
    async fn hints_of_s3_come_both_or_not_at_all() {
        let world = world().await;
        let text = "BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither";
        let refused = refusal("InvalidArgumentException", text);
        for half in ["SizeInMBs", "IntervalInSeconds"] {
            let hints = json!({"BufferingHints": {half: 64}});
            let mut s3 = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"});
            s3["BufferingHints"] = hints["BufferingHints"].clone();
            for kind in [
                "S3DestinationConfiguration",
                "ExtendedS3DestinationConfiguration",
            ] {
                let new = json!({"DeliveryStreamName": "new", kind: s3});
                assert_eq!(
                    world.refused::<ops::CreateDeliveryStream>(new).await,
                    refused
                );
            }
            for kind in ["S3DestinationUpdate", "ExtendedS3DestinationUpdate"] {
                let change = update("1", json!({kind: hints}));
                assert_eq!(
                    world.refused::<ops::UpdateDestination>(change).await,
                    refused
                );
            }
        }
    }

    #[tokio::test]
    async fn what_cannot_be_changed_is_refused() {
        let world = world().await;
        let change = json!({"ExtendedS3DestinationUpdate": {"Prefix": "q/"}});
        assert_eq!(
            world
                .refused::<ops::UpdateDestination>(update("2", change.clone()))
                .await,
            refusal(
                "ConcurrentModificationException",
                "Cannot update firehose: d since the current version id: 1 and specified version id: 2 do not match"
            )
        );
        let mut other = update("1", change);
        other["DestinationId"] = json!("destinationId-000000000002");
        let (code, _) = world.refused::<ops::UpdateDestination>(other).await;
        assert_eq!(code, "InvalidArgumentException");
        let (code, _) = world
            .refused::<ops::UpdateDestination>(update("1", json!({})))
            .await;
        assert_eq!(code, "InvalidArgumentException");
        for (change, named) in [(
            json!({"SplunkDestinationUpdate": {}}),
            "an update to another kind of destination",
        )] {
            assert_eq!(
                world
                    .refused::<ops::UpdateDestination>(update("1", change))
                    .await,
                refusal(
                    "NotImplemented",
                    &format!("Headwater does not support {named} yet.")
                )
            );
        }
        let prefix = json!({"ExtendedS3DestinationUpdate": {"Prefix": "!{timestamp:yyyy}/"}});
        let (code, _) = world
            .refused::<ops::UpdateDestination>(update("1", prefix))
            .await;
        assert_eq!(code, "InvalidArgumentException");
    }
}
