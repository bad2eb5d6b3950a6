//! CreateDeliveryStream.

use headwater_delivery::{NewOrigin, NewStream};
use headwater_shapes::firehose::{
    CreateDeliveryStreamInput, CreateDeliveryStreamOutput, ops::CreateDeliveryStream,
};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose, destination,
    errors::{api, invalid_argument},
    tags,
};

impl Handle<CreateDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: CreateDeliveryStreamInput,
        context: &Context,
    ) -> Result<CreateDeliveryStreamOutput, ApiError> {
        let (origin, destination) = (origin(&input)?, destination::of_request(&input)?);
        let resource = format!("deliverystream/{}", input.delivery_stream_name);
        let new = NewStream {
            arn: Arn::new("firehose", &context.region, &context.account, resource),
            name: input.delivery_stream_name,
            origin,
            destination,
            tags: tags::of_request(input.tags.unwrap_or_default())?,
        };
        let stream = self.deliveries.create(new).await.map_err(|error| api(error, context))?;
        Ok(CreateDeliveryStreamOutput { delivery_stream_arn: Some(stream.arn.to_string()) })
    }
}

fn origin(input: &CreateDeliveryStreamInput) -> Result<NewOrigin, ApiError> {
    destination::refuse(&[
        (input.direct_put_source_configuration.is_some(), "DirectPutSourceConfiguration"),
        (
            input.delivery_stream_encryption_configuration_input.is_some(),
            "DeliveryStreamEncryptionConfigurationInput",
        ),
        (input.msk_source_configuration.is_some(), "MSKSourceConfiguration"),
        (input.database_source_configuration.is_some(), "DatabaseSourceConfiguration"),
    ])?;
    let kind = input.delivery_stream_type.as_deref().unwrap_or("DirectPut");
    match (kind, &input.kinesis_stream_source_configuration) {
        ("DirectPut", None) => Ok(NewOrigin::Direct),
        ("KinesisStreamAsSource", Some(source)) => {
            let arn: Option<Arn> = source.kinesis_stream_arn.parse().ok();
            let is_stream = |arn: &Arn| arn.service == "kinesis" && arn.name_of("stream").is_some();
            let invalid =
                || invalid_argument(format!("Invalid KinesisStreamARN: {}", source.kinesis_stream_arn));
            let arn = arn.filter(is_stream).ok_or_else(invalid)?;
            Ok(NewOrigin::Stream { arn, role: source.role_arn.clone() })
        }
        ("DirectPut" | "KinesisStreamAsSource", _) => Err(invalid_argument(
            "KinesisStreamSourceConfiguration must be specified exactly when DeliveryStreamType is \
             KinesisStreamAsSource.",
        )),
        (other, _) => Err(ApiError::not_supported(format_args!("DeliveryStreamType {other}"))),
    }
}
