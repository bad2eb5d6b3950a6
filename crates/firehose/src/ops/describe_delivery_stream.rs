//! DescribeDeliveryStream.

use headwater_delivery::{Origin, StreamRecord};
use headwater_shapes::{
    Timestamp,
    firehose::{
        DeliveryStreamDescription, DeliveryStreamEncryptionConfiguration, DescribeDeliveryStreamInput,
        DescribeDeliveryStreamOutput, DestinationDescription, KinesisStreamSourceDescription,
        SourceDescription, ops::DescribeDeliveryStream,
    },
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, destination, errors::api};

/// The id of a delivery stream's only destination.
const DESTINATION_ID: &str = "destinationId-000000000001";

impl Handle<DescribeDeliveryStream> for Firehose {
    /// `Limit` and `ExclusiveStartDestinationId` page through destinations, of which there is one; as recorded, AWS
    /// gives it whatever they say.
    async fn handle(
        &self,
        input: DescribeDeliveryStreamInput,
        context: &Context,
    ) -> Result<DescribeDeliveryStreamOutput, ApiError> {
        let found = self.deliveries.describe(&input.delivery_stream_name).await;
        let stream = found.map_err(|error| api(error, context))?;
        Ok(DescribeDeliveryStreamOutput { delivery_stream_description: describe(&stream)? })
    }
}

fn describe(stream: &StreamRecord) -> Result<DeliveryStreamDescription, ApiError> {
    let created = Timestamp(stream.created.0 as i64);
    let extended = destination::describe(stream)?;
    let (kind, encryption, source) = match &stream.origin {
        Origin::Direct { .. } => {
            let status = Some("DISABLED".to_owned());
            let encryption = DeliveryStreamEncryptionConfiguration { status, ..Default::default() };
            ("DirectPut", Some(encryption), None)
        }
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
        source,
        destinations: vec![DestinationDescription {
            destination_id: DESTINATION_ID.to_owned(),
            s3_destination_description: Some(destination::simple(&extended)),
            extended_s3_destination_description: Some(extended),
            ..Default::default()
        }],
        has_more_destinations: false,
        ..Default::default()
    })
}
