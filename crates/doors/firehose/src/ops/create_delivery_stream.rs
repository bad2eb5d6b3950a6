//! CreateDeliveryStream.

use headwater_delivery::{NewOrigin, NewStream};
use headwater_shapes_firehose::{
    CreateDeliveryStreamInput, CreateDeliveryStreamOutput, KinesisStreamSourceConfiguration,
    ops::CreateDeliveryStream,
};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose,
    destinations::{self, Asked},
    encryption,
    errors::{invalid_argument, refuse, source_api},
    tags,
};

impl Handle<CreateDeliveryStream> for Firehose {
    async fn handle(
        &self,
        input: CreateDeliveryStreamInput,
        context: &Context,
    ) -> Result<CreateDeliveryStreamOutput, ApiError> {
        let CreateDeliveryStreamInput {
            delivery_stream_name: name,
            delivery_stream_type,
            direct_put_source_configuration,
            kinesis_stream_source_configuration,
            delivery_stream_encryption_configuration_input,
            s3_destination_configuration,
            extended_s3_destination_configuration,
            redshift_destination_configuration,
            elasticsearch_destination_configuration,
            amazonopensearchservice_destination_configuration,
            splunk_destination_configuration,
            http_endpoint_destination_configuration,
            tags,
            amazon_open_search_serverless_destination_configuration,
            msk_source_configuration,
            snowflake_destination_configuration,
            iceberg_destination_configuration,
            database_source_configuration,
        } = input;
        refuse(&[
            (
                direct_put_source_configuration.is_some(),
                "DirectPutSourceConfiguration",
            ),
            (msk_source_configuration.is_some(), "MSKSourceConfiguration"),
            (
                database_source_configuration.is_some(),
                "DatabaseSourceConfiguration",
            ),
        ])?;
        let kind = delivery_stream_type.as_deref();
        let origin = origin(kind, kinesis_stream_source_configuration)?;
        let configured = destinations::of_request(Asked {
            extended_s3: extended_s3_destination_configuration,
            s3: s3_destination_configuration,
            http: http_endpoint_destination_configuration,
            splunk: splunk_destination_configuration,
            opensearch: amazonopensearchservice_destination_configuration,
            serverless: amazon_open_search_serverless_destination_configuration,
            elasticsearch: elasticsearch_destination_configuration,
            redshift: redshift_destination_configuration,
            snowflake: snowflake_destination_configuration,
            iceberg: iceberg_destination_configuration,
        })?;
        let encryption = delivery_stream_encryption_configuration_input
            .map(|given| encryption::of_request(Some(given)))
            .transpose()?;
        let resource = format!("deliverystream/{name}");
        let new = NewStream {
            arn: Arn::new("firehose", &context.region, &context.account, resource),
            name,
            id: self.deliveries.new_id(),
            origin,
            destination: configured.destination,
            description: configured.description,
            tags: tags::of_request(tags.unwrap_or_default())?,
            encryption,
        };
        let source = match &new.origin {
            NewOrigin::Direct => None,
            NewOrigin::Stream { arn, .. } => Some(arn.clone()),
        };
        let created = self.deliveries.create(new).await;
        let stream = created.map_err(|error| source_api(error, source.as_ref(), context))?;
        Ok(CreateDeliveryStreamOutput {
            delivery_stream_arn: Some(stream.arn.to_string()),
        })
    }
}

fn origin(
    kind: Option<&str>,
    stream: Option<KinesisStreamSourceConfiguration>,
) -> Result<NewOrigin, ApiError> {
    match (kind.unwrap_or("DirectPut"), stream) {
        ("DirectPut", None) => Ok(NewOrigin::Direct),
        ("KinesisStreamAsSource", Some(source)) => {
            let KinesisStreamSourceConfiguration {
                kinesis_stream_arn,
                role_arn: role,
            } = source;
            let arn: Option<Arn> = kinesis_stream_arn.parse().ok();
            let is_stream = |arn: &Arn| arn.service == "kinesis" && arn.name_of("stream").is_some();
            let invalid =
                || invalid_argument(format!("Invalid KinesisStreamARN: {kinesis_stream_arn}"));
            let arn = arn.filter(is_stream).ok_or_else(invalid)?;
            Ok(NewOrigin::Stream { arn, role })
        }
        ("DirectPut" | "KinesisStreamAsSource", _) => Err(invalid_argument(
            "KinesisStreamSourceConfiguration must be specified exactly when DeliveryStreamType is \
             KinesisStreamAsSource.",
        )),
        (other, _) => Err(ApiError::not_supported(format_args!(
            "DeliveryStreamType {other}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    fn extended(more: Value) -> Value {
        let mut destination = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"});
        destination
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
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
        let orc = json!({"BloomFilterColumns": ["c"]});
        let conversion = json!({"DataFormatConversionConfiguration": {
            "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "d", "TableName": "t"},
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": {"OrcSerDe": orc}}}});
        for (input, named) in [
            (extended(conversion), "BloomFilterColumns"),
            (
                extended(json!({"Prefix": "!{timestamp:B}/", "ErrorOutputPrefix": "e"})),
                "pattern letter B",
            ),
            (
                partitioned(
                    "!{partitionKeyFromQuery:a}/",
                    json!([query("{a: [repeat(.b)][0]}")]),
                    json!({}),
                ),
                "\"repeat\" in a MetadataExtractionQuery",
            ),
            (
                json!({"DeliveryStreamName": "d", "DeliveryStreamType": "MSKAsSource",
                "ExtendedS3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}),
                "MSKAsSource",
            ),
            (
                json!({"DeliveryStreamName": "d", "SnowflakeDestinationConfiguration": {"AccountUrl": "", "RoleARN": ROLE,
                "Database": "d", "Schema": "s", "Table": "t", "S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}}),
                "SnowflakeDestinationConfiguration",
            ),
        ] {
            let (code, message) = world.refused::<ops::CreateDeliveryStream>(input).await;
            assert!(
                code == "NotImplemented" && message.contains(named),
                "{message}"
            );
        }
    }

    #[tokio::test]
    async fn what_aws_refuses_is_refused_in_its_words() {
        let world = World::new().await;
        let constraint = |text: &str| {
            let message =
                format!("Ths supplied prefix(es) do not satisfy the following constraint: {text}");
            refusal("InvalidArgumentException", &message)
        };
        let prefixes = |prefix: &str, errors: &str| {
            extended(json!({"Prefix": prefix, "ErrorOutputPrefix": errors}))
        };
        for (input, error) in [
            (
                extended(json!({"Prefix": "!{timestamp:yyyy}"})),
                constraint(
                    "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions",
                ),
            ),
            (
                prefixes("a/", "!{timestamp:yyyy}/"),
                constraint(
                    "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}",
                ),
            ),
            (
                prefixes("!{firehose:error-output-type}/", "e/"),
                constraint(
                    "Prefix must not contain any occurrence of !{firehose:error-output-type}",
                ),
            ),
            (
                prefixes("!{time:yyyy}/", "e/"),
                constraint("Namespace to the left of colon (time) is an invalid keyword!"),
            ),
            (
                prefixes("!{timestamp:C}/", "e/"),
                constraint(
                    "Invalid conversion character used in the value of the expression in Prefix",
                ),
            ),
            (
                prefixes("!{timestamp", "e/"),
                constraint("Invalid expression usage"),
            ),
            (
                prefixes(&"p".repeat(513), ""),
                constraint("Length of evaluated prefix cannot be greater than 512"),
            ),
            (
                lambda(&[
                    (
                        "LambdaArn",
                        "arn:aws:lambda:us-east-1:000000000000:function:f",
                    ),
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
            assert_eq!(
                world.refused::<ops::CreateDeliveryStream>(input).await,
                error
            );
        }
        world
            .ok::<ops::CreateDeliveryStream>(extended(json!({})))
            .await;
        assert_eq!(
            world
                .refused::<ops::CreateDeliveryStream>(extended(json!({})))
                .await,
            refusal(
                "ResourceInUseException",
                "Firehose d under accountId 000000000000 already exists"
            )
        );
    }

    fn partitioned(prefix: &str, processors: Value, more: Value) -> Value {
        let mut input = extended(json!({
            "Prefix": prefix, "ErrorOutputPrefix": "e/",
            "DynamicPartitioningConfiguration": {"Enabled": true},
            "ProcessingConfiguration": {"Enabled": true, "Processors": processors},
        }));
        let members = input["ExtendedS3DestinationConfiguration"]
            .as_object_mut()
            .unwrap();
        members.extend(more.as_object().unwrap().clone());
        input
    }

    fn converted(serializers: Value, more: Value) -> Value {
        let mut serializer = json!({"ParquetSerDe": {}});
        serializer
            .as_object_mut()
            .unwrap()
            .extend(serializers.as_object().unwrap().clone());
        let mut destination = json!({"DataFormatConversionConfiguration": {
            "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "d", "TableName": "t"},
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": serializer}}});
        destination
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        extended(destination)
    }

    fn query(text: &str) -> Value {
        json!({"Type": "MetadataExtraction", "Parameters": [
            {"ParameterName": "MetadataExtractionQuery", "ParameterValue": text},
            {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}]})
    }

    fn processor(kind: &str, parameters: &[(&str, &str)]) -> Value {
        let parameter =
            |(name, value): &(&str, &str)| json!({"ParameterName": name, "ParameterValue": value});
        json!({"Type": kind, "Parameters": parameters.iter().map(parameter).collect::<Vec<_>>()})
    }

    #[tokio::test]
    async fn partitions_need_what_aws_says_they_need() {
        let world = World::new().await;
        let prefix = "b=!{partitionKeyFromQuery:b}/";
        let one = json!([query("{b: .borough}")]);
        for (input, text) in [
            (
                partitioned("p/", one.clone(), json!({})),
                "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled",
            ),
            (
                extended(json!({"Prefix": prefix, "ErrorOutputPrefix": "e/"})),
                "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is \
                 enabled.",
            ),
            (
                partitioned(
                    prefix,
                    one.clone(),
                    json!({"BufferingHints": {"SizeInMBs": 63, "IntervalInSeconds": 60}}),
                ),
                "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled.",
            ),
            (
                partitioned(prefix, json!([query("{b: .b, c: .c}")]), json!({})),
                "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression",
            ),
            (
                extended(json!({"ProcessingConfiguration": {"Enabled": true, "Processors": one}})),
                "class com.amazonaws.services.firehose.internal.model.MetadataExtractionProcessor can only be present \
                 when Dynamic Partitioning is enabled.",
            ),
            (
                partitioned(
                    prefix,
                    json!([
                        query("{b: .b}"),
                        processor("RecordDeAggregation", &[("SubRecordType", "CSV")])
                    ]),
                    json!({}),
                ),
                "SubRecordType has to be one of JSON, DELIMITED",
            ),
            (
                partitioned(
                    prefix,
                    json!([
                        query("{b: .b}"),
                        processor("RecordDeAggregation", &[("SubRecordType", "DELIMITED")])
                    ]),
                    json!({}),
                ),
                "Delimiter should be present for DELIMITED",
            ),
            (
                partitioned(
                    prefix,
                    json!([processor(
                        "MetadataExtraction",
                        &[("JsonParsingEngine", "JQ-1.7")]
                    )]),
                    json!({}),
                ),
                "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6",
            ),
            (
                extended(
                    json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [
                    processor("CloudWatchLogProcessing", &[("DataMessageExtraction", "true")])]}}),
                ),
                "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor",
            ),
            (
                extended(json!({"DataFormatConversionConfiguration": {}})),
                "SchemaConfiguration must not be null",
            ),
            (
                converted(json!({}), json!({"CompressionFormat": "GZIP"})),
                "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is \
                 enabled",
            ),
            (
                converted(
                    json!({}),
                    json!({"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}}),
                ),
                "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled.",
            ),
            (
                converted(json!({"OrcSerDe": {}}), json!({})),
                "More than one serializer specified. Only one may be chosen.",
            ),
            (
                extended(json!({"S3BackupMode": "Enabled"})),
                "S3 backup destination configuration is required when enabling S3 backup.",
            ),
        ] {
            assert_eq!(
                world.refused::<ops::CreateDeliveryStream>(input).await,
                refusal("InvalidArgumentException", text)
            );
        }
        for bad in [
            partitioned(prefix, json!([query("{b: ")]), json!({})),
            partitioned(
                prefix,
                json!([query("{b: .b}"), query("{b: .b}")]),
                json!({}),
            ),
            partitioned(
                prefix,
                json!([processor("AppendDelimiterToRecord", &[])]),
                json!({}),
            ),
            partitioned(
                "!{partitionKeyFromLambda:b}/",
                json!([query("{}")]),
                json!({}),
            ),
            partitioned(
                "!{partitionKeyFromQuery:c}/",
                json!([query("{b: .b}")]),
                json!({}),
            ),
        ] {
            let (code, _) = world.refused::<ops::CreateDeliveryStream>(bad).await;
            assert_eq!(code, "InvalidArgumentException");
        }
    }

    #[tokio::test]
    async fn partitions_and_backups_are_described_and_cannot_be_taken_back() {
        let world = World::new().await;
        let bucket = json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::backup", "Prefix": "raw/"});
        let more = json!({"S3BackupMode": "Enabled", "S3BackupConfiguration": bucket});
        let processors = json!([
            processor("AppendDelimiterToRecord", &[("Delimiter", "\\n")]),
            query("{b: .b}")
        ]);
        let input = partitioned("!{partitionKeyFromQuery:b}/", processors.clone(), more);
        world.ok::<ops::CreateDeliveryStream>(input).await;
        let describe = async || {
            let described = world
                .ok::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": "d"}))
                .await;
            let destination = &described["DeliveryStreamDescription"]["Destinations"][0];
            destination["ExtendedS3DestinationDescription"].clone()
        };
        let described = describe().await;
        assert_eq!(
            described["BufferingHints"],
            json!({"SizeInMBs": 128, "IntervalInSeconds": 300})
        );
        assert_eq!(
            described["DynamicPartitioningConfiguration"],
            json!({"Enabled": true})
        );
        assert_eq!(
            described["ProcessingConfiguration"]["Processors"],
            processors
        );
        assert_eq!(described["S3BackupMode"], "Enabled");
        let update = |version: u32, change: Value| {
            json!({"DeliveryStreamName": "d", "CurrentDeliveryStreamVersionId": version.to_string(),
                "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": change})
        };
        let change = json!({"S3BackupUpdate": {"CompressionFormat": "GZIP"}});
        world.ok::<ops::UpdateDestination>(update(1, change)).await;
        let backup = &describe().await["S3BackupDescription"];
        assert_eq!(
            (&backup["Prefix"], &backup["CompressionFormat"]),
            (&json!("raw/"), &json!("GZIP"))
        );
        for change in [
            json!({"S3BackupMode": "Disabled"}),
            json!({"S3BackupUpdate": {"BufferingHints": {"IntervalInSeconds": 60}}}),
            json!({"DynamicPartitioningConfiguration": {"Enabled": false}, "Prefix": "p/",
                "ProcessingConfiguration": {"Enabled": false}}),
        ] {
            let (code, _) = world
                .refused::<ops::UpdateDestination>(update(2, change))
                .await;
            assert_eq!(code, "InvalidArgumentException");
        }
    }

    #[tokio::test]
    async fn parameters_of_a_function_are_checked() {
        let world = World::new().await;
        let arn = (
            "LambdaArn",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        );
        for parameters in [
            &[][..],
            &[("LambdaArn", "f")],
            &[arn, ("NumberOfRetries", "301")],
            &[arn, ("NumberOfRetries", "many")],
            &[
                arn,
                ("BufferSizeInMBs", "0.1"),
                ("BufferIntervalInSeconds", "60"),
            ],
            &[
                arn,
                ("BufferSizeInMBs", "1"),
                ("BufferIntervalInSeconds", "901"),
            ],
            &[arn, arn],
            &[arn, ("Delimiter", ",")],
        ] {
            let (code, _) = world
                .refused::<ops::CreateDeliveryStream>(lambda(parameters))
                .await;
            assert_eq!(code, "InvalidArgumentException", "{parameters:?}");
        }
    }

    #[tokio::test]
    async fn a_source_must_be_there() {
        let world = World::new().await;
        let mut input = extended(json!({}));
        input["DeliveryStreamType"] = json!("KinesisStreamAsSource");
        let (code, _) = world
            .refused::<ops::CreateDeliveryStream>(input.clone())
            .await;
        assert_eq!(code, "InvalidArgumentException");
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/missing";
        input["KinesisStreamSourceConfiguration"] =
            json!({"KinesisStreamARN": arn, "RoleARN": ROLE});
        assert_eq!(
            world.refused::<ops::CreateDeliveryStream>(input).await,
            refusal(
                "InvalidArgumentException",
                "Stream missing under account 000000000000 not found."
            )
        );
    }
}
