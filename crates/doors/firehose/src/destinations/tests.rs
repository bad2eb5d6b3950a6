//! Every destination that is no bucket: what is described of the least that can be given (AWS's defaults, as its API
//! reference has them), of all that can be given, and what is refused.

use headwater_shapes_firehose::ops::{
    CreateDeliveryStream, DescribeDeliveryStream, UpdateDestination,
};
use serde_json::{Value, json};

use crate::testing::{World, refusal};

const ROLE: &str = "arn:aws:iam::000000000000:role/r";
const HTTP: &str = "HttpEndpointDestination";
const SPLUNK: &str = "SplunkDestination";
const SERVICE: &str = "AmazonopensearchserviceDestination";
const SERVERLESS: &str = "AmazonOpenSearchServerlessDestination";
const ELASTICSEARCH: &str = "ElasticsearchDestination";
const REDSHIFT: &str = "RedshiftDestination";
const ALL: [&str; 6] = [HTTP, SPLUNK, SERVICE, SERVERLESS, ELASTICSEARCH, REDSHIFT];

/// The least that a destination can be made of.
fn least(kind: &str) -> Value {
    let own = match kind {
        HTTP => json!({"EndpointConfiguration": {"Url": "https://example.com/x"}}),
        SPLUNK => {
            json!({"HECEndpoint": "https://example.com", "HECEndpointType": "Raw", "HECToken": "hush"})
        }
        SERVERLESS => {
            json!({"CollectionEndpoint": "https://example.com", "IndexName": "i", "RoleARN": ROLE})
        }
        SERVICE | ELASTICSEARCH => {
            json!({"ClusterEndpoint": "https://example.com", "IndexName": "i", "RoleARN": ROLE})
        }
        _ => json!({
            "ClusterJDBCURL": "jdbc:redshift://c.example.com:5439/dev", "CopyCommand": {"DataTableName": "t"},
            "Username": "me", "Password": "hush", "RoleARN": ROLE,
        }),
    };
    with(
        own,
        json!({"S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}),
    )
}

/// The description of it.
fn least_described(kind: &str) -> Value {
    let hints = |seconds: i32| json!({"SizeInMBs": 5, "IntervalInSeconds": seconds});
    let retry = |seconds: i32| json!({"DurationInSeconds": seconds});
    let documents = json!({
        "BufferingHints": hints(300), "RetryOptions": retry(300), "S3BackupMode": "FailedDocumentsOnly",
    });
    let rotated = json!({
        "IndexRotationPeriod": "OneDay", "DocumentIdOptions": {"DefaultDocumentIdFormat": "FIREHOSE_DEFAULT"},
    });
    let own = match kind {
        HTTP => json!({
            "BufferingHints": hints(300), "RetryOptions": retry(300), "S3BackupMode": "FailedDataOnly",
            "RequestConfiguration": {"ContentEncoding": "NONE", "CommonAttributes": []},
        }),
        SPLUNK => json!({
            "BufferingHints": hints(60), "RetryOptions": retry(300), "S3BackupMode": "FailedEventsOnly",
            "HECAcknowledgmentTimeoutInSeconds": 180,
        }),
        SERVERLESS => documents,
        SERVICE | ELASTICSEARCH => with(documents, rotated),
        _ => json!({"RetryOptions": retry(3600), "S3BackupMode": "Disabled"}),
    };
    let bucket = json!({
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "BufferingHints": hints(300),
        "CompressionFormat": "UNCOMPRESSED", "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": false},
    });
    let shared =
        json!({"S3DestinationDescription": bucket, "CloudWatchLoggingOptions": {"Enabled": false}});
    with(with(without_secrets(least(kind)), own), shared)
}

/// Settings as they are described: the bucket's under its other name, and no secrets.
fn without_secrets(mut settings: Value) -> Value {
    let members = settings.as_object_mut().unwrap();
    for name in [
        "S3Configuration",
        "S3BackupConfiguration",
        "HECToken",
        "Password",
    ] {
        members.remove(name);
    }
    if let Some(endpoint) = members.get_mut("EndpointConfiguration") {
        endpoint.as_object_mut().unwrap().remove("AccessKey");
    }
    settings
}

fn with(mut settings: Value, more: Value) -> Value {
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn request(kind: &str, settings: Value) -> Value {
    json!({"DeliveryStreamName": kind, format!("{kind}Configuration"): settings})
}

async fn described(world: &World, kind: &str) -> Value {
    let described = world
        .ok::<DescribeDeliveryStream>(json!({"DeliveryStreamName": kind}))
        .await;
    described["DeliveryStreamDescription"]["Destinations"][0][format!("{kind}Description")].clone()
}

fn change(kind: &str, version: u32, update: Value) -> Value {
    json!({
        "DeliveryStreamName": kind, "CurrentDeliveryStreamVersionId": version.to_string(),
        "DestinationId": "destinationId-000000000001", format!("{kind}Update"): update,
    })
}

async fn updated(world: &World, kind: &str, version: u32, update: Value) -> Value {
    world
        .ok::<UpdateDestination>(change(kind, version, update))
        .await;
    described(world, kind).await
}

#[tokio::test]
async fn what_is_not_given_has_the_defaults_of_aws() {
    let world = World::new().await;
    for kind in ALL {
        world
            .ok::<CreateDeliveryStream>(request(kind, least(kind)))
            .await;
        assert_eq!(
            described(&world, kind).await,
            least_described(kind),
            "{kind}"
        );
    }
}

/// Settings that every destination gives back as they were given, and none of which is a default.
fn further(kind: &str) -> Value {
    let hints = json!({"SizeInMBs": 2, "IntervalInSeconds": 9});
    let processor = json!({"Type": "AppendDelimiterToRecord", "Parameters": [
        {"ParameterName": "Delimiter", "ParameterValue": "\\n"}]});
    let shared = json!({
        "RetryOptions": {"DurationInSeconds": 7},
        "ProcessingConfiguration": {"Enabled": true, "Processors": [processor]},
        "CloudWatchLoggingOptions": {"Enabled": true, "LogGroupName": "g", "LogStreamName": "s"},
    });
    let own = match kind {
        HTTP => json!({
            "EndpointConfiguration": {"Url": "https://example.com/x", "Name": "mine", "AccessKey": "hush"},
            "RequestConfiguration": {
                "ContentEncoding": "GZIP",
                "CommonAttributes": [{"AttributeName": "a", "AttributeValue": "1"}],
            },
            "BufferingHints": hints, "S3BackupMode": "AllData", "RoleARN": ROLE,
        }),
        SPLUNK => json!({
            "HECEndpointType": "Event", "HECAcknowledgmentTimeoutInSeconds": 200, "BufferingHints": hints,
            "S3BackupMode": "AllEvents",
        }),
        SERVERLESS => json!({"BufferingHints": hints, "S3BackupMode": "AllDocuments"}),
        SERVICE | ELASTICSEARCH => json!({
            "BufferingHints": hints, "S3BackupMode": "AllDocuments", "IndexRotationPeriod": "OneWeek",
            "TypeName": "ride", "DocumentIdOptions": {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"},
        }),
        _ => json!({"CopyCommand": {
            "DataTableName": "rides", "DataTableColumns": "a, b", "CopyOptions": "JSON 'auto'"}}),
    };
    with(shared, own)
}

#[tokio::test]
async fn what_is_given_is_described_without_secrets() {
    let world = World::new().await;
    for kind in ALL {
        let given = with(least(kind), further(kind));
        world
            .ok::<CreateDeliveryStream>(request(kind, given.clone()))
            .await;
        let described = described(&world, kind).await;
        assert_eq!(
            described,
            with(least_described(kind), without_secrets(given)),
            "{kind}"
        );
        assert!(!described.to_string().contains("hush"), "{described}");
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let world = World::new().await;
    for kind in ALL {
        let given = with(least(kind), further(kind));
        world.ok::<CreateDeliveryStream>(request(kind, given)).await;
        let before = described(&world, kind).await;
        let update =
            json!({"RetryOptions": {"DurationInSeconds": 8}, "S3Update": {"Prefix": "p/"}});
        let mut expected = with(before, json!({"RetryOptions": {"DurationInSeconds": 8}}));
        expected["S3DestinationDescription"]["Prefix"] = "p/".into();
        assert_eq!(updated(&world, kind, 1, update).await, expected, "{kind}");
        assert_eq!(
            updated(&world, kind, 2, json!({})).await,
            expected,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn an_update_of_redshift_keeps_the_backup() {
    let world = World::new().await;
    let backup = json!({"S3BackupMode": "Enabled",
        "S3BackupConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::all"}});
    let given = with(least(REDSHIFT), backup);
    world
        .ok::<CreateDeliveryStream>(request(REDSHIFT, given))
        .await;
    let retry = json!({"RetryOptions": {"DurationInSeconds": 8}});
    let expected = with(described(&world, REDSHIFT).await, retry.clone());
    assert_eq!(
        expected["S3BackupDescription"]["BucketARN"],
        "arn:aws:s3:::all"
    );
    assert_eq!(updated(&world, REDSHIFT, 1, retry).await, expected);
    // Terraform sends the block with every update.
    let hints = json!({"SizeInMBs": 3, "IntervalInSeconds": 30});
    let more = json!({"Prefix": "all/", "BufferingHints": hints});
    let mut expected = expected;
    expected["S3BackupDescription"] = with(expected["S3BackupDescription"].clone(), more.clone());
    let more = json!({"S3BackupMode": "Enabled", "S3BackupUpdate": more});
    assert_eq!(updated(&world, REDSHIFT, 2, more).await, expected);
    let half = json!({"S3BackupUpdate": {"BufferingHints": {"SizeInMBs": 4}}});
    for (update, text) in [
        (half, "BufferingHints must have both"),
        (
            json!({"S3BackupMode": "Disabled"}),
            "S3 backup cannot be disabled once",
        ),
    ] {
        let update = change(REDSHIFT, 3, update);
        let (code, refused) = world.refused::<UpdateDestination>(update).await;
        assert_eq!(code, "InvalidArgumentException");
        assert!(refused.starts_with(text), "{refused}");
    }
}

#[tokio::test]
async fn an_update_of_redshift_begins_a_backup_that_is_whole() {
    let world = World::new().await;
    world
        .ok::<CreateDeliveryStream>(request(REDSHIFT, least(REDSHIFT)))
        .await;
    let enabled = |bucket: Value| json!({"S3BackupMode": "Enabled", "S3BackupUpdate": bucket});
    let refused = change(REDSHIFT, 1, enabled(json!({"Prefix": "all/"})));
    assert_eq!(
        world.refused::<UpdateDestination>(refused).await,
        refusal(
            "InvalidArgumentException",
            "S3 backup destination configuration is required when enabling S3 backup."
        )
    );
    let whole = enabled(json!({"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::all"}));
    let described = updated(&world, REDSHIFT, 1, whole).await;
    assert_eq!(described["S3BackupMode"], "Enabled");
    assert_eq!(
        described["S3BackupDescription"]["BucketARN"],
        "arn:aws:s3:::all"
    );
}

#[tokio::test]
async fn hints_are_updated_one_by_one() {
    let world = World::new().await;
    for kind in ALL.into_iter().filter(|&kind| kind != REDSHIFT) {
        world
            .ok::<CreateDeliveryStream>(request(kind, with(least(kind), further(kind))))
            .await;
        let described = updated(
            &world,
            kind,
            1,
            json!({"BufferingHints": {"IntervalInSeconds": 11}}),
        )
        .await;
        assert_eq!(
            described["BufferingHints"],
            json!({"SizeInMBs": 2, "IntervalInSeconds": 11}),
            "{kind}"
        );
        let half = json!({"S3Update": {"BufferingHints": {"SizeInMBs": 3}}});
        let half = change(kind, 2, half);
        let (code, text) = world.refused::<UpdateDestination>(half).await;
        assert_eq!(code, "InvalidArgumentException", "{kind}: {text}");
        assert!(
            text.starts_with("BufferingHints must have both"),
            "{kind}: {text}"
        );
    }
}

#[tokio::test]
async fn an_update_for_another_kind_is_refused() {
    let world = World::new().await;
    for kind in ALL {
        world
            .ok::<CreateDeliveryStream>(request(kind, least(kind)))
            .await;
        for other in ALL.into_iter().filter(|&other| other != kind) {
            let input = json!({
                "DeliveryStreamName": kind, "CurrentDeliveryStreamVersionId": "1",
                "DestinationId": "destinationId-000000000001", format!("{other}Update"): {},
            });
            let (code, text) = world.refused::<UpdateDestination>(input).await;
            assert_eq!(code, "NotImplemented", "{kind} by {other}: {text}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_yet_is_refused_by_name() {
    let world = World::new().await;
    let secret = json!({"Enabled": true, "RoleARN": ROLE,
        "SecretARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s"});
    let secret = json!({"SecretsManagerConfiguration": secret});
    let vpc = json!({"VpcConfiguration": {"SubnetIds": ["s"], "RoleARN": ROLE, "SecurityGroupIds": ["g"]}});
    let domain = json!({"DomainARN": "arn:aws:es:us-east-1:000000000000:domain/d"});
    for (kind, more, named) in [
        (HTTP, &secret, "SecretsManagerConfiguration"),
        (SPLUNK, &secret, "SecretsManagerConfiguration"),
        (REDSHIFT, &secret, "SecretsManagerConfiguration"),
        (SERVICE, &vpc, "VpcConfiguration"),
        (SERVERLESS, &vpc, "VpcConfiguration"),
        (ELASTICSEARCH, &vpc, "VpcConfiguration"),
        (SERVICE, &domain, "DomainARN"),
        (ELASTICSEARCH, &domain, "DomainARN"),
    ] {
        let input = request(kind, with(least(kind), more.clone()));
        let (code, text) = world.refused::<CreateDeliveryStream>(input).await;
        assert!(
            code == "NotImplemented" && text.contains(named),
            "{kind}: {text}"
        );
    }
    world
        .ok::<CreateDeliveryStream>(request(
            HTTP,
            with(
                least(HTTP),
                json!({"SecretsManagerConfiguration": {"Enabled": false}}),
            ),
        ))
        .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let world = World::new().await;
    let endpoint =
        |url: &str, key: &str| json!({"EndpointConfiguration": {"Url": url, "AccessKey": key}});
    let attribute = json!({"AttributeName": "a", "AttributeValue": "1"});
    let attributes = json!({"RequestConfiguration": {"CommonAttributes": [attribute, attribute]}});
    let snappy = json!({"S3Configuration": {
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "CompressionFormat": "Snappy"}});
    for (kind, more, text) in [
        (
            HTTP,
            endpoint("https://example.com", "a\nb"),
            "The AccessKey cannot be sent in a header: it has control characters.",
        ),
        (
            HTTP,
            attributes,
            "The names of CommonAttributes must differ.",
        ),
        (
            SPLUNK,
            json!({"HECToken": ""}),
            "HECToken must be specified.",
        ),
        (
            SPLUNK,
            json!({"HECToken": "a\nb"}),
            "The HECToken cannot be sent in a header: it has control characters.",
        ),
        (
            SERVICE,
            json!({"ClusterEndpoint": null}),
            "ClusterEndpoint must be specified.",
        ),
        (
            SERVERLESS,
            json!({"CollectionEndpoint": null}),
            "CollectionEndpoint must be specified.",
        ),
        (
            SERVICE,
            json!({"IndexName": "Rides"}),
            "Invalid IndexName: Rides",
        ),
        (
            ELASTICSEARCH,
            json!({"IndexName": "_rides"}),
            "Invalid IndexName: _rides",
        ),
        (
            REDSHIFT,
            json!({"Password": null}),
            "Username and Password must be specified.",
        ),
        (
            REDSHIFT,
            snappy,
            "The compression formats SNAPPY or ZIP cannot be specified in RedshiftDestinationConfiguration.S3Configuration",
        ),
    ] {
        let refused = world
            .refused::<CreateDeliveryStream>(request(kind, with(least(kind), more)))
            .await;
        assert_eq!(refused, refusal("InvalidArgumentException", text));
    }
    let database = json!({"ClusterJDBCURL": "jdbc:mysql://example.com/db"});
    let (code, text) = world
        .refused::<CreateDeliveryStream>(request(REDSHIFT, with(least(REDSHIFT), database)))
        .await;
    assert!(
        code == "InvalidArgumentException" && text.starts_with("Invalid ClusterJDBCURL: "),
        "{text}"
    );
    for (kind, more) in [
        (HTTP, endpoint("http://example.com", "")),
        (HTTP, endpoint("example.com", "")),
        (SPLUNK, json!({"HECEndpoint": "http://example.com"})),
        (SERVICE, json!({"ClusterEndpoint": "http://example.com"})),
    ] {
        let (code, text) = world
            .refused::<CreateDeliveryStream>(request(kind, with(least(kind), more)))
            .await;
        assert!(
            code == "ValidationException" && text.contains("failed to satisfy constraint"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn there_is_one_destination() {
    let world = World::new().await;
    let both = with(request(HTTP, least(HTTP)), request(SPLUNK, least(SPLUNK)));
    let text = "Exactly one destination configuration is supported for a Firehose";
    assert_eq!(
        world.refused::<CreateDeliveryStream>(both).await,
        refusal("InvalidArgumentException", text)
    );
}

/// A bucket with format conversion.
fn converted(conversion: Value) -> Value {
    json!({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": {
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "DataFormatConversionConfiguration": conversion}})
}

fn conversion(deserializer: Value, serializer: Value) -> Value {
    json!({
        "Enabled": true,
        "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "d", "TableName": "t", "VersionId": "LATEST"},
        "InputFormatConfiguration": {"Deserializer": deserializer},
        "OutputFormatConfiguration": {"Serializer": serializer},
    })
}

#[tokio::test]
async fn conversions_are_described_as_given() {
    let open_x = json!({"OpenXJsonSerDe": {
        "CaseInsensitive": false, "ConvertDotsInJsonKeysToUnderscores": true,
        "ColumnToJsonKeyMappings": {"a": "b"}}});
    let hive = json!({"HiveJsonSerDe": {"TimestampFormats": ["millis", "yyyy"]}});
    let parquet = json!({"ParquetSerDe": {
        "Compression": "GZIP", "BlockSizeBytes": 67_108_864, "PageSizeBytes": 65_536, "WriterVersion": "V2",
        "EnableDictionaryCompression": true}});
    let orc = json!({"OrcSerDe": {"Compression": "ZLIB", "StripeSizeBytes": 8_388_608, "RowIndexStride": 1000}});
    for (read, write) in [(&open_x, &parquet), (&hive, &orc)] {
        let world = World::new().await;
        let given = conversion(read.clone(), write.clone());
        world
            .ok::<CreateDeliveryStream>(converted(given.clone()))
            .await;
        let described = world
            .ok::<DescribeDeliveryStream>(json!({"DeliveryStreamName": "d"}))
            .await;
        let described = &described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"];
        assert_eq!(described["DataFormatConversionConfiguration"], given);
    }
}

#[tokio::test]
async fn conversions_that_lack_something_are_refused() {
    let world = World::new().await;
    let (read, write) = (json!({"OpenXJsonSerDe": {}}), json!({"ParquetSerDe": {}}));
    let good = || conversion(read.clone(), write.clone());
    let schema = |name: &str| {
        let mut conversion = good();
        conversion["SchemaConfiguration"]
            .as_object_mut()
            .unwrap()
            .remove(name);
        conversion
    };
    let lacks = |name: &str| {
        let mut conversion = good();
        conversion.as_object_mut().unwrap().remove(name);
        conversion
    };
    let version = with(
        good(),
        json!({"SchemaConfiguration": {
        "RoleARN": ROLE, "DatabaseName": "d", "TableName": "t", "VersionId": "newest"}}),
    );
    for (given, text) in [
        (
            lacks("SchemaConfiguration"),
            "SchemaConfiguration must not be null",
        ),
        (
            lacks("InputFormatConfiguration"),
            "InputFormatConfiguration must not be null",
        ),
        (
            lacks("OutputFormatConfiguration"),
            "OutputFormatConfiguration must not be null",
        ),
        (schema("RoleARN"), "RoleARN must not be null"),
        (schema("DatabaseName"), "DatabaseName must not be null"),
        (schema("TableName"), "TableName must not be null"),
        (version, "VersionId must be LATEST or a number: newest"),
        (
            conversion(json!({}), write.clone()),
            "Deserializer must not be null",
        ),
        (
            conversion(read.clone(), json!({})),
            "Serializer must not be null",
        ),
        (
            conversion(
                json!({"OpenXJsonSerDe": {}, "HiveJsonSerDe": {}}),
                write.clone(),
            ),
            "More than one deserializer specified. Only one may be chosen.",
        ),
        (
            conversion(read.clone(), json!({"ParquetSerDe": {}, "OrcSerDe": {}})),
            "More than one serializer specified. Only one may be chosen.",
        ),
    ] {
        let refused = world
            .refused::<CreateDeliveryStream>(converted(given))
            .await;
        assert_eq!(refused, refusal("InvalidArgumentException", text));
    }
}
