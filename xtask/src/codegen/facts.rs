//! The choices made by hand: the services, the operations with types, and where AWS differs from its model.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::codegen::model::{ErrorDef, Model, OperationDef, ShapeDef};

/// A service to write.
pub struct Selection {
    /// Its directory in botocore, and the module's name.
    pub name: &'static str,
    /// The version of its API.
    pub version: &'static str,
    /// The operations that get types; none named means all.
    pub operations: &'static [&'static str],
    /// The operations that carry data, whose types are read and written without a tree between.
    pub direct: &'static [&'static str],
    /// The XML namespace of its documents, where the model names none.
    pub xml_namespace: Option<&'static str>,
}

/// All services.
pub const SERVICES: &[Selection] = &[
    Selection {
        name: "kinesis",
        version: "2013-12-02",
        operations: &[],
        direct: KINESIS_DIRECT,
        xml_namespace: None,
    },
    Selection {
        name: "firehose",
        version: "2015-08-04",
        operations: &[],
        direct: &["PutRecord", "PutRecordBatch"],
        xml_namespace: None,
    },
    Selection {
        name: "lambda",
        version: "2015-03-31",
        operations: LAMBDA,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "s3",
        version: "2006-03-01",
        operations: S3,
        direct: &[],
        xml_namespace: Some("http://s3.amazonaws.com/doc/2006-03-01/"),
    },
    Selection {
        name: "glue",
        version: "2017-03-31",
        operations: GLUE,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "logs",
        version: "2014-03-28",
        operations: LOGS,
        direct: &["StartLiveTail"],
        xml_namespace: None,
    },
    Selection {
        name: "sns",
        version: "2010-03-31",
        operations: SNS,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "sqs",
        version: "2012-11-05",
        operations: SQS,
        direct: &[],
        xml_namespace: Some("http://queue.amazonaws.com/doc/2012-11-05/"),
    },
    Selection {
        name: "sts",
        version: "2011-06-15",
        operations: STS,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "cloudtrail",
        version: "2013-11-01",
        operations: CLOUDTRAIL,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "dynamodb",
        version: "2012-08-10",
        operations: DYNAMODB,
        direct: DYNAMODB_DIRECT,
        xml_namespace: None,
    },
    Selection {
        name: "cloudwatch",
        version: "2010-08-01",
        operations: CLOUDWATCH,
        direct: &[],
        xml_namespace: None,
    },
    Selection {
        name: "dynamodbstreams",
        version: "2012-08-10",
        operations: &[],
        direct: &["GetRecords"],
        xml_namespace: None,
    },
];

const CLOUDWATCH: &[&str] = &[
    "DeleteAlarms",
    "DeleteDashboards",
    "DescribeAlarmHistory",
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DisableAlarmActions",
    "EnableAlarmActions",
    "GetDashboard",
    "GetMetricData",
    "GetMetricStatistics",
    "ListDashboards",
    "ListMetrics",
    "ListTagsForResource",
    "PutCompositeAlarm",
    "PutDashboard",
    "PutMetricAlarm",
    "PutMetricData",
    "SetAlarmState",
    "TagResource",
    "UntagResource",
];

const STS: &[&str] = &[
    "AssumeRole",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetSessionToken",
];

const CLOUDTRAIL: &[&str] = &[
    "AddTags",
    "CreateTrail",
    "DeleteTrail",
    "DescribeTrails",
    "GetEventSelectors",
    "GetTrail",
    "GetTrailStatus",
    "ListTags",
    "ListTrails",
    "LookupEvents",
    "PutEventSelectors",
    "RemoveTags",
    "StartLogging",
    "StopLogging",
    "UpdateTrail",
];

const KINESIS_DIRECT: &[&str] = &["GetRecords", "PutRecord", "PutRecords", "SubscribeToShard"];

const LAMBDA: &[&str] = &[
    "AddPermission",
    "CreateAlias",
    "CreateEventSourceMapping",
    "CreateFunction",
    "DeleteAlias",
    "DeleteEventSourceMapping",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "DeleteFunctionEventInvokeConfig",
    "DeleteProvisionedConcurrencyConfig",
    "GetAccountSettings",
    "GetAlias",
    "GetEventSourceMapping",
    "GetFunction",
    "GetFunctionCodeSigningConfig",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetPolicy",
    "GetProvisionedConcurrencyConfig",
    "Invoke",
    "ListAliases",
    "ListEventSourceMappings",
    "ListFunctionEventInvokeConfigs",
    "ListFunctions",
    "ListProvisionedConcurrencyConfigs",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "PutFunctionEventInvokeConfig",
    "PutProvisionedConcurrencyConfig",
    "RemovePermission",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateEventSourceMapping",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    // Layers.
    "AddLayerVersionPermission",
    "DeleteLayerVersion",
    "GetLayerVersion",
    "GetLayerVersionByArn",
    "GetLayerVersionPolicy",
    "ListLayerVersions",
    "ListLayers",
    "PublishLayerVersion",
    "RemoveLayerVersionPermission",
    // Addresses of functions, and answers that stream.
    "CreateFunctionUrlConfig",
    "DeleteFunctionUrlConfig",
    "GetFunctionUrlConfig",
    "InvokeWithResponseStream",
    "ListFunctionUrlConfigs",
    "UpdateFunctionUrlConfig",
    "UpdateFunctionEventInvokeConfig",
];

const GLUE: &[&str] = &[
    "BatchCreatePartition",
    "BatchDeletePartition",
    "BatchDeleteTable",
    "BatchGetPartition",
    "BatchUpdatePartition",
    "CreateDatabase",
    "CreatePartition",
    "CreateTable",
    "DeleteDatabase",
    "DeletePartition",
    "DeleteTable",
    "DeleteTableVersion",
    "GetDatabase",
    "GetDatabases",
    "GetPartition",
    "GetPartitionIndexes",
    "GetPartitions",
    "GetTable",
    "GetTableVersion",
    "GetTableVersions",
    "GetTables",
    "GetTags",
    "UpdateDatabase",
    "UpdatePartition",
    "UpdateTable",
];

const LOGS: &[&str] = &[
    "CreateLogGroup",
    "CreateLogStream",
    "DeleteLogGroup",
    "DeleteLogStream",
    "DeleteMetricFilter",
    "DeleteRetentionPolicy",
    "DeleteSubscriptionFilter",
    "DescribeLogGroups",
    "DescribeLogStreams",
    "DescribeMetricFilters",
    "DescribeSubscriptionFilters",
    "FilterLogEvents",
    "GetLogEvents",
    "ListLogGroups",
    "ListTagsForResource",
    "ListTagsLogGroup",
    "PutLogEvents",
    "PutMetricFilter",
    "PutRetentionPolicy",
    "PutSubscriptionFilter",
    "StartLiveTail",
    "TagLogGroup",
    "TagResource",
    "TestMetricFilter",
    "UntagLogGroup",
    "UntagResource",
];

const SNS: &[&str] = &[
    "AddPermission",
    "ConfirmSubscription",
    "CreateTopic",
    "DeleteTopic",
    "GetSubscriptionAttributes",
    "GetTopicAttributes",
    "ListSubscriptions",
    "ListSubscriptionsByTopic",
    "ListTagsForResource",
    "ListTopics",
    "Publish",
    "PublishBatch",
    "RemovePermission",
    "SetSubscriptionAttributes",
    "SetTopicAttributes",
    "Subscribe",
    "TagResource",
    "Unsubscribe",
    "UntagResource",
];

const SQS: &[&str] = &[
    "AddPermission",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "CreateQueue",
    "DeleteMessage",
    "DeleteMessageBatch",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "ListQueueTags",
    "ListQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "RemovePermission",
    "SendMessage",
    "SendMessageBatch",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
];

const DYNAMODB: &[&str] = &[
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "CreateTable",
    "DeleteItem",
    "DeleteResourcePolicy",
    "DeleteTable",
    "DescribeContinuousBackups",
    "DescribeEndpoints",
    "DescribeKinesisStreamingDestination",
    "DescribeLimits",
    "DescribeTable",
    "DescribeTimeToLive",
    "DisableKinesisStreamingDestination",
    "EnableKinesisStreamingDestination",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "GetResourcePolicy",
    "ListTables",
    "ListTagsOfResource",
    "PutItem",
    "PutResourcePolicy",
    "Query",
    "Scan",
    "TagResource",
    "TransactGetItems",
    "TransactWriteItems",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateItem",
    "UpdateKinesisStreamingDestination",
    "UpdateTable",
    "UpdateTimeToLive",
];

const DYNAMODB_DIRECT: &[&str] = &[
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
];

const S3: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketAnalyticsConfiguration",
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration",
    "DeleteBucketLifecycle",
    "DeleteBucketMetricsConfiguration",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketReplication",
    "DeleteBucketTagging",
    "DeleteBucketWebsite",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "DeletePublicAccessBlock",
    "GetBucketAccelerateConfiguration",
    "GetBucketAcl",
    "GetBucketAnalyticsConfiguration",
    "GetBucketCors",
    "GetBucketEncryption",
    "GetBucketIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration",
    "GetBucketLifecycleConfiguration",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetricsConfiguration",
    "GetBucketNotificationConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketReplication",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetPublicAccessBlock",
    "HeadBucket",
    "HeadObject",
    "ListBucketAnalyticsConfigurations",
    "ListBucketIntelligentTieringConfigurations",
    "ListBucketInventoryConfigurations",
    "ListBucketMetricsConfigurations",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PostObject",
    "PutBucketAccelerateConfiguration",
    "PutBucketAcl",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketLifecycleConfiguration",
    "PutBucketLogging",
    "PutBucketNotificationConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectAcl",
    "PutObjectTagging",
    "PutPublicAccessBlock",
    "UploadPart",
    "UploadPartCopy",
];

/// Patterns that the service checks (and names in its errors) otherwise than its model writes them.
/// The right side is what AWS answers, as recorded in kinesalite's tests.
const PATTERNS: &[(&str, &str)] = &[
    // Of Lambda's layers, as recorded on AWS by LocalStack.
    (
        r"((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))",
        r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)",
    ),
    (r"^(0|([1-9]\d{0,128}))$", r"0|([1-9]\d{0,128})"),
    (r"^(0|([1-9]\d{0,38}))$", r"0|([1-9]\d{0,38})"),
];

/// Patterns of addresses that the door checks itself, in the model's words: it takes `http` too on this machine.
const ADDRESSES: &[(&str, &str)] = &[("https:.*", "https?:.*"), ("https://.*", "https?://.*")];

/// The pattern that the service checks where its model has `pattern`.
pub fn checked_pattern(pattern: &str) -> &str {
    PATTERNS
        .iter()
        .chain(ADDRESSES)
        .find(|(model, _)| *model == pattern)
        .map_or(pattern, |(_, checked)| checked)
}

/// Members that the model requires and the service leaves out or does without: of a shard's last event, as KCL expects it;
/// of a function whose code need not be signed, of tags of which there are none, and of entries of a batch of which none was
/// done or all were, as recorded on AWS by LocalStack.
const NOT_REQUIRED: &[(&str, &str)] = &[
    ("SubscribeToShardEvent", "ContinuationSequenceNumber"),
    (
        "GetFunctionCodeSigningConfigResponse",
        "CodeSigningConfigArn",
    ),
    ("GetFunctionCodeSigningConfigResponse", "FunctionName"),
    ("Tagging", "TagSet"),
    ("ChangeMessageVisibilityBatchResult", "Failed"),
    ("ChangeMessageVisibilityBatchResult", "Successful"),
    ("DeleteMessageBatchResult", "Failed"),
    ("DeleteMessageBatchResult", "Successful"),
    ("SendMessageBatchResult", "Failed"),
    ("SendMessageBatchResult", "Successful"),
];

/// Members that the service requires and the model does not, which has them optional for what only global tables need.
const REQUIRED: &[(&str, &str)] = &[
    ("CreateTableInput", "AttributeDefinitions"),
    ("CreateTableInput", "KeySchema"),
];

/// Structures whose types are written by hand, since they are read into what a domain works with: the value of an
/// attribute, which in the model is a structure of all kinds that it may be.
const BY_HAND: &[(&str, &str)] = &[("AttributeValue", "headwater_attributes::AttributeValue")];

/// The path of a shape's type, where that is written by hand. Another service may have a scalar of that name.
pub fn by_hand(name: &str, shape: &ShapeDef) -> Option<&'static str> {
    let found = BY_HAND.iter().find(|(known, _)| *known == name);
    found
        .filter(|_| shape.kind == "structure")
        .map(|(_, path)| *path)
}

/// Enumerations that the door checks itself, since the service refuses what is in none with an error of its own:
/// Lambda's runtimes, SQS's attributes, what CloudTrail is asked for.
const CHECKED_BY_DOORS: &[&str] = &[
    "LookupAttributeKey",
    "MessageSystemAttributeName",
    "MessageSystemAttributeNameForSends",
    "QueueAttributeName",
    "ReadWriteType",
    "Runtime",
];

/// Texts and numbers whose bounds the door checks itself, since the service refuses one that is beyond them in words of its
/// own, by the service's name: the tags of tables, the events of a page.
const LENGTH_CHECKED_BY_DOORS: &[(&str, &[&str])] = &[
    ("cloudtrail", &["MaxResults"]),
    ("dynamodb", &["TagKeyString", "TagValueString"]),
];

/// Statuses of answers that are others than the model says, as recorded on AWS by LocalStack.
const STATUSES: &[(&str, u16)] = &[("PutBucketTagging", 204)];

/// Protocols that the service speaks and its model names no more, by the service's name: what older models of it said.
const SPOKEN_TOO: &[(&str, &str)] = &[("sqs", "query")];

/// Errors of such a service with their codes and statuses in the query protocol, where these are others than the name and
/// 400.
const QUERY_CODES: &[(&str, &str, &str, u16)] = &[
    (
        "sqs",
        "BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        400,
    ),
    (
        "sqs",
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
        400,
    ),
    (
        "sqs",
        "EmptyBatchRequest",
        "AWS.SimpleQueueService.EmptyBatchRequest",
        400,
    ),
    ("sqs", "InvalidAddress", "InvalidAddress", 404),
    (
        "sqs",
        "InvalidBatchEntryId",
        "AWS.SimpleQueueService.InvalidBatchEntryId",
        400,
    ),
    ("sqs", "InvalidSecurity", "InvalidSecurity", 403),
    ("sqs", "KmsAccessDenied", "KMS.AccessDeniedException", 400),
    ("sqs", "KmsDisabled", "KMS.DisabledException", 400),
    (
        "sqs",
        "KmsInvalidKeyUsage",
        "KMS.InvalidKeyUsageException",
        400,
    ),
    ("sqs", "KmsInvalidState", "KMS.InvalidStateException", 400),
    ("sqs", "KmsNotFound", "KMS.NotFoundException", 400),
    ("sqs", "KmsOptInRequired", "KMS.OptInRequired", 403),
    ("sqs", "KmsThrottled", "KMS.ThrottlingException", 400),
    (
        "sqs",
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        400,
    ),
    ("sqs", "OverLimit", "OverLimit", 403),
    (
        "sqs",
        "PurgeQueueInProgress",
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        403,
    ),
    (
        "sqs",
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
        400,
    ),
    (
        "sqs",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
    ),
    ("sqs", "QueueNameExists", "QueueAlreadyExists", 400),
    (
        "sqs",
        "ReceiptHandleIsInvalid",
        "ReceiptHandleIsInvalid",
        404,
    ),
    ("sqs", "RequestThrottled", "RequestThrottled", 403),
    (
        "sqs",
        "ResourceNotFoundException",
        "ResourceNotFoundException",
        404,
    ),
    (
        "sqs",
        "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        400,
    ),
    (
        "sqs",
        "UnsupportedOperation",
        "AWS.SimpleQueueService.UnsupportedOperation",
        400,
    ),
];

/// Answers that come as events whose messages the door writes itself, since their payloads are bytes and no structures:
/// here they are bodies that stream.
const EVENTS_AS_BYTES: &[&str] = &["InvokeWithResponseStreamResponseEvent"];

/// Operations with their shapes.
#[derive(Deserialize)]
struct Added {
    operations: BTreeMap<String, OperationDef>,
    shapes: BTreeMap<String, ShapeDef>,
}

/// Operations that the service has and its model has not, by the service's name: the model's notation, whole.
const ADDED: &[(&str, &str)] = &[("s3", POST_OBJECT)];

/// The form that a browser posts (S3 API reference, "POST Object"): its fields and its file are all in the body.
const POST_OBJECT: &str = r#"{
    "operations": {"PostObject": {
        "name": "PostObject",
        "http": {"method": "POST", "requestUri": "/{Bucket}"},
        "input": {"shape": "PostObjectRequest"},
        "output": {"shape": "PostObjectOutput"}
    }},
    "shapes": {
        "PostObjectRequest": {
            "type": "structure",
            "required": ["Bucket"],
            "members": {
                "Bucket": {"shape": "BucketName", "location": "uri", "locationName": "Bucket"},
                "ContentType": {"shape": "ContentType", "location": "header", "locationName": "Content-Type"},
                "Body": {"shape": "Body", "streaming": true}
            },
            "payload": "Body"
        },
        "PostObjectOutput": {
            "type": "structure",
            "members": {
                "Status": {"shape": "PartNumber", "location": "statusCode"},
                "Location": {"shape": "Location", "location": "header", "locationName": "Location"},
                "ETag": {"shape": "ETag", "location": "header", "locationName": "ETag"},
                "VersionId": {"shape": "ObjectVersionId", "location": "header", "locationName": "x-amz-version-id"},
                "Expiration": {"shape": "Expiration", "location": "header", "locationName": "x-amz-expiration"},
                "PostResponse": {"shape": "PostResponse", "locationName": "PostResponse"}
            },
            "payload": "PostResponse"
        },
        "PostResponse": {
            "type": "structure",
            "members": {
                "Location": {"shape": "Location"},
                "Bucket": {"shape": "BucketName"},
                "Key": {"shape": "ObjectKey"},
                "ETag": {"shape": "ETag"}
            }
        }
    }
}"#;

/// Shapes whose values are secrets though the model does not mark them: tokens, and addresses that may hold passwords, which
/// AWS's own trail hides.
const SECRETS: &[(&str, &str)] = &[("firehose", "HECToken"), ("sns", "endpoint")];

/// Adds what the model of `service` lacks, and takes back what it says and the service does not keep to.
pub fn correct(service: &str, model: &mut Model) {
    for (_, added) in ADDED.iter().filter(|(name, _)| *name == service) {
        let added: Added =
            serde_json::from_str(added).expect("it is written in the model's notation");
        model.operations.extend(added.operations);
        model.shapes.extend(added.shapes);
    }
    if let Some((_, protocol)) = SPOKEN_TOO.iter().find(|(name, _)| *name == service) {
        speak(service, protocol, model);
    }
    for (_, secret) in SECRETS.iter().filter(|(name, _)| *name == service) {
        if let Some(shape) = model.shapes.get_mut(*secret) {
            shape.sensitive = true;
        }
    }
    for (operation, status) in STATUSES {
        if let Some(operation) = model.operations.get_mut(*operation) {
            operation.http.response_code = Some(*status);
        }
    }
    for enumeration in CHECKED_BY_DOORS {
        if let Some(shape) = model.shapes.get_mut(*enumeration) {
            shape.values.clear();
        }
    }
    let texts = LENGTH_CHECKED_BY_DOORS.iter();
    for text in texts
        .filter(|(name, _)| *name == service)
        .flat_map(|(_, texts)| *texts)
    {
        if let Some(shape) = model.shapes.get_mut(*text) {
            (shape.min, shape.max) = (None, None);
        }
    }
    for events in EVENTS_AS_BYTES {
        if let Some(shape) = model.shapes.get_mut(*events) {
            "blob".clone_into(&mut shape.kind);
            shape.members = Default::default();
            (shape.eventstream, shape.streaming) = (false, true);
        }
    }
    // The door lists what is wrong with a layer's runtimes and architectures together, as the service does.
    if let Some(list) = model.shapes.get_mut("CompatibleArchitectures")
        && let Some(member) = &mut list.member
    {
        "String".clone_into(&mut member.shape);
    }
    for (structure, member) in REQUIRED {
        if let Some(shape) = model.shapes.get_mut(*structure) {
            shape.required.push((*member).to_owned());
        }
    }
    for (structure, member) in NOT_REQUIRED {
        if let Some(shape) = model.shapes.get_mut(*structure) {
            shape.required.retain(|required| required != member);
        }
    }
}

/// Has a service speak a query protocol too, as older models of it have that.
fn speak(service: &str, protocol: &str, model: &mut Model) {
    model.metadata.protocols.push(protocol.to_owned());
    for operation in model.operations.values_mut() {
        if let Some(output) = &mut operation.output {
            output.result_wrapper = Some(format!("{}Result", operation.name));
        }
    }
    for (_, error, code, status) in QUERY_CODES.iter().filter(|(name, ..)| *name == service) {
        if let Some(shape) = model.shapes.get_mut(*error) {
            shape.error = Some(ErrorDef {
                code: Some((*code).to_owned()),
                http_status_code: Some(*status),
            });
        }
    }
}

/// The order in which the service checks a structure's members, as recorded in kinesalite's and dynalite's tests (its
/// messages list them so). Members that are not named here come after, in the model's order.
const ORDERS: &[(&str, &[&str])] = &[
    ("AddTagsToStreamInput", &["Tags", "StreamName"]),
    ("CreateStreamInput", &["ShardCount", "StreamName"]),
    (
        "DecreaseStreamRetentionPeriodInput",
        &["RetentionPeriodHours", "StreamName"],
    ),
    (
        "DescribeStreamInput",
        &["Limit", "ExclusiveStartShardId", "StreamName"],
    ),
    ("GetRecordsInput", &["Limit", "ShardIterator"]),
    (
        "GetShardIteratorInput",
        &[
            "ShardId",
            "ShardIteratorType",
            "StartingSequenceNumber",
            "StreamName",
            "Timestamp",
        ],
    ),
    (
        "IncreaseStreamRetentionPeriodInput",
        &["RetentionPeriodHours", "StreamName"],
    ),
    (
        "ListShardsInput",
        &[
            "ExclusiveStartShardId",
            "MaxResults",
            "NextToken",
            "StreamCreationTimestamp",
            "StreamName",
        ],
    ),
    ("ListStreamsInput", &["Limit", "ExclusiveStartStreamName"]),
    (
        "ListTagsForStreamInput",
        &["Limit", "ExclusiveStartTagKey", "StreamName"],
    ),
    (
        "MergeShardsInput",
        &["ShardToMerge", "AdjacentShardToMerge", "StreamName"],
    ),
    (
        "PutRecordInput",
        &[
            "SequenceNumberForOrdering",
            "PartitionKey",
            "ExplicitHashKey",
            "Data",
            "StreamName",
        ],
    ),
    ("PutRecordsInput", &["Records", "StreamName"]),
    (
        "PutRecordsRequestEntry",
        &["PartitionKey", "ExplicitHashKey", "Data"],
    ),
    ("RemoveTagsFromStreamInput", &["TagKeys", "StreamName"]),
    (
        "SplitShardInput",
        &["NewStartingHashKey", "StreamName", "ShardToSplit"],
    ),
    (
        "UpdateShardCountInput",
        &["ScalingType", "StreamName", "TargetShardCount"],
    ),
    (
        "CreateTableInput",
        &[
            "AttributeDefinitions",
            "TableName",
            "BillingMode",
            "ProvisionedThroughput",
            "KeySchema",
            "LocalSecondaryIndexes",
            "GlobalSecondaryIndexes",
        ],
    ),
    (
        "ProvisionedThroughput",
        &["WriteCapacityUnits", "ReadCapacityUnits"],
    ),
    (
        "LocalSecondaryIndex",
        &["Projection", "IndexName", "KeySchema"],
    ),
    (
        "GlobalSecondaryIndex",
        &[
            "Projection",
            "IndexName",
            "ProvisionedThroughput",
            "KeySchema",
        ],
    ),
    (
        "CreateGlobalSecondaryIndexAction",
        &[
            "Projection",
            "IndexName",
            "ProvisionedThroughput",
            "KeySchema",
        ],
    ),
    ("ListTablesInput", &["Limit", "ExclusiveStartTableName"]),
    (
        "PutItemInput",
        &[
            "ReturnConsumedCapacity",
            "TableName",
            "Item",
            "ConditionalOperator",
            "Expected",
            "ReturnValues",
            "ReturnItemCollectionMetrics",
            "ConditionExpression",
            "ExpressionAttributeValues",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "GetItemInput",
        &[
            "ReturnConsumedCapacity",
            "AttributesToGet",
            "TableName",
            "Key",
            "ProjectionExpression",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "UpdateItemInput",
        &[
            "ReturnConsumedCapacity",
            "TableName",
            "ReturnItemCollectionMetrics",
            "ReturnValues",
            "Key",
            "ConditionalOperator",
            "Expected",
            "AttributeUpdates",
            "ConditionExpression",
            "UpdateExpression",
            "ExpressionAttributeValues",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "DeleteItemInput",
        &[
            "ReturnConsumedCapacity",
            "TableName",
            "ReturnValues",
            "ReturnItemCollectionMetrics",
            "Key",
            "ConditionalOperator",
            "Expected",
            "ConditionExpression",
            "ExpressionAttributeValues",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "QueryInput",
        &[
            "Select",
            "IndexName",
            "ReturnConsumedCapacity",
            "QueryFilter",
            "TableName",
            "ConditionalOperator",
            "AttributesToGet",
            "Limit",
            "KeyConditions",
            "ExclusiveStartKey",
            "KeyConditionExpression",
            "FilterExpression",
            "ProjectionExpression",
            "ExpressionAttributeValues",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "ScanInput",
        &[
            "Select",
            "IndexName",
            "TotalSegments",
            "ReturnConsumedCapacity",
            "TableName",
            "ConditionalOperator",
            "ScanFilter",
            "Segment",
            "Limit",
            "AttributesToGet",
            "ExclusiveStartKey",
            "FilterExpression",
            "ProjectionExpression",
            "ExpressionAttributeValues",
            "ExpressionAttributeNames",
        ],
    ),
    (
        "BatchWriteItemInput",
        &[
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
            "RequestItems",
        ],
    ),
    (
        "BatchGetItemInput",
        &["ReturnConsumedCapacity", "RequestItems"],
    ),
];

/// A structure's members in the order in which the service checks them.
pub fn check_order(structure: &str) -> &'static [&'static str] {
    ORDERS
        .iter()
        .find(|(name, _)| *name == structure)
        .map_or(&[], |(_, order)| order)
}

/// The order in which the service lists an enumeration's values in its errors, where it is known.
const ENUM_ORDERS: &[(&str, &[&str])] = &[
    (
        "ShardIteratorType",
        &[
            "AFTER_SEQUENCE_NUMBER",
            "LATEST",
            "AT_TIMESTAMP",
            "AT_SEQUENCE_NUMBER",
            "TRIM_HORIZON",
        ],
    ),
    (
        "EventSourcePosition",
        &["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"],
    ),
    ("InvokeMode", &["RESPONSE_STREAM", "BUFFERED"]),
    ("ScalarAttributeType", &["B", "N", "S"]),
    ("ProjectionType", &["ALL", "INCLUDE", "KEYS_ONLY"]),
    ("ReturnConsumedCapacity", &["INDEXES", "TOTAL", "NONE"]),
    ("ReturnItemCollectionMetrics", &["SIZE", "NONE"]),
    (
        "ReturnValue",
        &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"],
    ),
    ("ConditionalOperator", &["OR", "AND"]),
    (
        "Select",
        &[
            "SPECIFIC_ATTRIBUTES",
            "COUNT",
            "ALL_ATTRIBUTES",
            "ALL_PROJECTED_ATTRIBUTES",
        ],
    ),
    (
        "ComparisonOperator",
        &[
            "IN",
            "NULL",
            "BETWEEN",
            "LT",
            "NOT_CONTAINS",
            "EQ",
            "GT",
            "NOT_NULL",
            "NE",
            "LE",
            "BEGINS_WITH",
            "GE",
            "CONTAINS",
        ],
    ),
];

/// The order in which the service lists the values of `shape`.
pub fn enum_order(shape: &str) -> &'static [&'static str] {
    ENUM_ORDERS
        .iter()
        .find(|(name, _)| *name == shape)
        .map_or(&[], |(_, order)| order)
}
