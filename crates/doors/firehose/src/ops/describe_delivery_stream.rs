//! DescribeDeliveryStream.

use headwater_delivery::{Origin, StreamRecord};
use headwater_shapes::Timestamp;
use headwater_shapes_firehose::{
    DeliveryStreamDescription, DescribeDeliveryStreamInput, DescribeDeliveryStreamOutput,
    KinesisStreamSourceDescription, SourceDescription, ops::DescribeDeliveryStream,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, destinations, encryption, errors::api};

impl Handle<DescribeDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: DescribeDeliveryStreamInput,
        context: &Context,
    ) -> Result<DescribeDeliveryStreamOutput, ApiError> {
        let DescribeDeliveryStreamInput {
            delivery_stream_name,
            // They page through destinations, of which there is one; as recorded, AWS gives it whatever they say.
            limit: _,
            exclusive_start_destination_id: _,
        } = input;
        let found = self.deliveries.describe(&delivery_stream_name).await;
        let stream = found.map_err(|error| api(error, context))?;
        Ok(DescribeDeliveryStreamOutput {
            delivery_stream_description: describe(&stream)?,
        })
    }
}

fn describe(stream: &StreamRecord) -> Result<DeliveryStreamDescription, ApiError> {
    let created = Timestamp(stream.created.0 as i64);
    let (kind, encryption, source) = match &stream.origin {
        Origin::Direct { .. } => (
            "DirectPut",
            Some(encryption::describe(stream.encryption.as_ref())),
            None,
        ),
        Origin::Stream { arn, role, .. } => {
            let description = KinesisStreamSourceDescription {
                kinesis_stream_arn: Some(arn.to_string()),
                role_arn: Some(role.clone()),
                delivery_start_timestamp: Some(created),
            };
            let source = SourceDescription {
                kinesis_stream_source_description: Some(description),
                ..Default::default()
            };
            ("KinesisStreamAsSource", None, Some(source))
        }
    };
    Ok(DeliveryStreamDescription {
        delivery_stream_name: stream.name.clone(),
        delivery_stream_arn: stream.arn.to_string(),
        delivery_stream_status: "ACTIVE".to_owned(),
        delivery_stream_encryption_configuration: encryption,
        delivery_stream_type: kind.to_owned(),
        version_id: stream.version.to_string(),
        create_timestamp: Some(created),
        last_update_timestamp: stream.updated.map(|updated| Timestamp(updated.0 as i64)),
        source,
        destinations: vec![destinations::describe(stream)?],
        has_more_destinations: false,
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    #[tokio::test]
    async fn defaults_are_described_as_aws_does() {
        let world = World::new().await;
        let input = json!({"DeliveryStreamName": "d",
            "S3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}});
        let arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/d";
        assert_eq!(
            world.ok::<ops::CreateDeliveryStream>(input).await,
            json!({"DeliveryStreamARN": arn})
        );
        let simple = json!({
            "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b",
            "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
            "CompressionFormat": "UNCOMPRESSED",
            "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
            "CloudWatchLoggingOptions": {"Enabled": false},
        });
        let mut extended = simple.clone();
        extended["S3BackupMode"] = json!("Disabled");
        assert_eq!(
            world
                .ok::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": "d"}))
                .await,
            json!({"DeliveryStreamDescription": {
                "DeliveryStreamName": "d", "DeliveryStreamARN": arn, "DeliveryStreamStatus": "ACTIVE",
                "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
                "DeliveryStreamType": "DirectPut", "VersionId": "1", "CreateTimestamp": 1_700_000_000.5,
                "Destinations": [{
                    "DestinationId": "destinationId-000000000001",
                    "S3DestinationDescription": simple,
                    "ExtendedS3DestinationDescription": extended,
                }],
                "HasMoreDestinations": false,
            }})
        );
    }

    #[tokio::test]
    async fn a_source_and_a_function_are_described() {
        let world = World::new().await;
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let processors = json!([{"Type": "Lambda", "Parameters": [
            {"ParameterName": "LambdaArn", "ParameterValue": function}]}]);
        let destination = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "Prefix": "p/",
            "CompressionFormat": "GZIP", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
            "ProcessingConfiguration": {"Enabled": true, "Processors": processors}});
        let input = json!({"DeliveryStreamName": "d", "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": {"KinesisStreamARN": stream, "RoleARN": ROLE},
            "ExtendedS3DestinationConfiguration": destination});
        world.ok::<ops::CreateDeliveryStream>(input).await;
        let output = world
            .ok::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": "d"}))
            .await;
        let described = &output["DeliveryStreamDescription"];
        assert_eq!(described["DeliveryStreamType"], "KinesisStreamAsSource");
        assert_eq!(
            described["Source"],
            json!({"KinesisStreamSourceDescription": {
                "KinesisStreamARN": stream, "RoleARN": ROLE, "DeliveryStartTimestamp": 1_700_000_000.5}})
        );
        assert!(
            described
                .get("DeliveryStreamEncryptionConfiguration")
                .is_none()
        );
        let destination = &described["Destinations"][0]["ExtendedS3DestinationDescription"];
        let parameter =
            |name: &str, value: &str| json!({"ParameterName": name, "ParameterValue": value});
        assert_eq!(
            destination["ProcessingConfiguration"],
            json!({"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
                parameter("LambdaArn", function), parameter("NumberOfRetries", "3"), parameter("RoleArn", ROLE),
                parameter("BufferSizeInMBs", "1"), parameter("BufferIntervalInSeconds", "60")]}]})
        );
        assert_eq!(
            (&destination["Prefix"], &destination["CompressionFormat"]),
            (&json!("p/"), &json!("GZIP"))
        );
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_described() {
        let world = World::new().await;
        let error = refusal(
            "ResourceNotFoundException",
            "Firehose x under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": "x"}))
                .await,
            error
        );
        assert_eq!(
            world
                .refused::<ops::DeleteDeliveryStream>(json!({"DeliveryStreamName": "x"}))
                .await,
            error
        );
    }
}
