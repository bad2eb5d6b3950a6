//! CreateDeliveryStream.

use headwater_delivery::{NewOrigin, NewStream};
use headwater_shapes::firehose::{
    CreateDeliveryStreamInput, CreateDeliveryStreamOutput, ops::CreateDeliveryStream,
};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose, destinations,
    errors::{invalid_argument, source_api},
    tags,
};

impl Handle<CreateDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: CreateDeliveryStreamInput,
        context: &Context,
    ) -> Result<CreateDeliveryStreamOutput, ApiError> {
        let (origin, destination) = (origin(&input)?, destinations::of_request(&input)?);
        let resource = format!("deliverystream/{}", input.delivery_stream_name);
        let new = NewStream {
            arn: Arn::new("firehose", &context.region, &context.account, resource),
            name: input.delivery_stream_name,
            id: self.deliveries.new_id(),
            origin,
            destination,
            tags: tags::of_request(input.tags.unwrap_or_default())?,
        };
        let source = match &new.origin {
            NewOrigin::Direct => None,
            NewOrigin::Stream { arn, .. } => Some(arn.clone()),
        };
        let created = self.deliveries.create(new).await;
        let stream = created.map_err(|error| source_api(error, source.as_ref(), context))?;
        Ok(CreateDeliveryStreamOutput { delivery_stream_arn: Some(stream.arn.to_string()) })
    }
}

fn origin(input: &CreateDeliveryStreamInput) -> Result<NewOrigin, ApiError> {
    destinations::refuse(&[
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

#[cfg(test)]
mod tests {
    use headwater_shapes::firehose::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    fn extended(more: Value) -> Value {
        let mut destination = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"});
        destination.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination})
    }

    fn lambda(parameters: &[(&str, &str)]) -> Value {
        let parameter =
            |(name, value): &(&str, &str)| json!({"ParameterName": name, "ParameterValue": value});
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        let processors = json!([{"Type": "Lambda", "Parameters": parameters}]);
        extended(json!({"ProcessingConfiguration": {"Enabled": true, "Processors": processors}}))
    }

    #[tokio::test]
    async fn what_is_not_built_is_refused_by_name() {
        let world = World::new().await;
        let conversion = json!({"DataFormatConversionConfiguration": {}});
        let processor =
            json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Decompression"}]}});
        let kms = json!({"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "k"}}});
        for (input, named) in [
            (extended(json!({"CompressionFormat": "Snappy"})), "CompressionFormat Snappy"),
            (extended(json!({"S3BackupMode": "Enabled"})), "S3BackupMode"),
            (extended(conversion), "DataFormatConversionConfiguration"),
            (extended(json!({"DynamicPartitioningConfiguration": {"Enabled": true}})), "DynamicPartitioning"),
            (extended(kms), "KMSEncryptionConfig"),
            (extended(processor), "the Decompression processor"),
            (
                extended(json!({"Prefix": "!{partitionKeyFromQuery:a}/", "ErrorOutputPrefix": "e"})),
                "partitionKey",
            ),
            (extended(json!({"Prefix": "!{timestamp:w}/", "ErrorOutputPrefix": "e"})), "pattern letter w"),
            (
                json!({"DeliveryStreamName": "d", "DeliveryStreamType": "MSKAsSource",
                "ExtendedS3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}),
                "MSKAsSource",
            ),
            (
                json!({"DeliveryStreamName": "d", "SplunkDestinationConfiguration": {"HECEndpoint": "", "HECEndpointType": "Raw",
                "S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}}),
                "SplunkDestinationConfiguration",
            ),
        ] {
            let (code, message) = world.refused::<ops::CreateDeliveryStream>(input).await;
            assert!(code == "NotImplemented" && message.contains(named), "{message}");
        }
    }

    #[tokio::test]
    async fn what_aws_refuses_is_refused_in_its_words() {
        let world = World::new().await;
        let constraint = |text: &str| {
            let message = format!("Ths supplied prefix(es) do not satisfy the following constraint: {text}");
            refusal("InvalidArgumentException", &message)
        };
        let prefixes =
            |prefix: &str, errors: &str| extended(json!({"Prefix": prefix, "ErrorOutputPrefix": errors}));
        for (input, error) in [
            (
                extended(json!({"Prefix": "!{timestamp:yyyy}"})),
                constraint("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"),
            ),
            (
                prefixes("a/", "!{timestamp:yyyy}/"),
                constraint(
                    "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}",
                ),
            ),
            (
                prefixes("!{firehose:error-output-type}/", "e/"),
                constraint("Prefix must not contain any occurrence of !{firehose:error-output-type}"),
            ),
            (
                prefixes("!{time:yyyy}/", "e/"),
                constraint("Namespace to the left of colon (time) is an invalid keyword!"),
            ),
            (
                prefixes("!{timestamp:C}/", "e/"),
                constraint("Invalid conversion character used in the value of the expression in Prefix"),
            ),
            (prefixes("!{timestamp", "e/"), constraint("Invalid expression usage")),
            (
                prefixes(&"p".repeat(513), ""),
                constraint("Length of evaluated prefix cannot be greater than 512"),
            ),
            (
                lambda(&[
                    ("LambdaArn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
                    ("BufferSizeInMBs", "1"),
                ]),
                refusal(
                    "InvalidArgumentException",
                    "Both BufferSizeInMBs and BufferIntervalInSeconds are required to configure buffering for \
                     lambda processor.",
                ),
            ),
            (
                extended(json!({"ProcessingConfiguration": {"Enabled": true}})),
                refusal(
                    "InvalidArgumentException",
                    "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.",
                ),
            ),
            (
                json!({"DeliveryStreamName": "d"}),
                refusal(
                    "InvalidArgumentException",
                    "Exactly one destination configuration is supported for a Firehose",
                ),
            ),
        ] {
            assert_eq!(world.refused::<ops::CreateDeliveryStream>(input).await, error);
        }
        world.ok::<ops::CreateDeliveryStream>(extended(json!({}))).await;
        assert_eq!(
            world.refused::<ops::CreateDeliveryStream>(extended(json!({}))).await,
            refusal("ResourceInUseException", "Firehose d under accountId 000000000000 already exists")
        );
    }

    #[tokio::test]
    async fn parameters_of_a_function_are_checked() {
        let world = World::new().await;
        let arn = ("LambdaArn", "arn:aws:lambda:us-east-1:000000000000:function:f");
        for parameters in [
            &[][..],
            &[("LambdaArn", "f")],
            &[arn, ("NumberOfRetries", "301")],
            &[arn, ("NumberOfRetries", "many")],
            &[arn, ("BufferSizeInMBs", "0.1"), ("BufferIntervalInSeconds", "60")],
            &[arn, ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "901")],
            &[arn, arn],
            &[arn, ("Delimiter", ",")],
        ] {
            let (code, _) = world.refused::<ops::CreateDeliveryStream>(lambda(parameters)).await;
            assert_eq!(code, "InvalidArgumentException", "{parameters:?}");
        }
    }

    #[tokio::test]
    async fn a_source_must_be_there() {
        let world = World::new().await;
        let mut input = extended(json!({}));
        input["DeliveryStreamType"] = json!("KinesisStreamAsSource");
        let (code, _) = world.refused::<ops::CreateDeliveryStream>(input.clone()).await;
        assert_eq!(code, "InvalidArgumentException");
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/missing";
        input["KinesisStreamSourceConfiguration"] = json!({"KinesisStreamARN": arn, "RoleARN": ROLE});
        assert_eq!(
            world.refused::<ops::CreateDeliveryStream>(input).await,
            refusal("InvalidArgumentException", "Stream missing under account 000000000000 not found.")
        );
    }
}
