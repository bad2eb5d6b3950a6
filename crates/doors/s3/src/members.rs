//! Holds this door to every member of every request: each is done or refused, and that is seen from outside.
//!
//! An operation is called in a world that is always made the same, once as it is and once for each member of its model
//! with that member set to something else. Either the answer or what is stored differs, or the call is refused: then
//! the member was not ignored. Those of which nothing can be seen are listed, each with the reason.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::{Env, ManualClock, SeededRandom, SimDisk};
use headwater_objects::{
    Algorithm, Body, BucketName, BucketQuery, Complete, CompletePart, Expected, Get, ObjectName,
    ObjectQuery, Put, PutPart, Upload, UploadInfo, UploadQuery,
};
use headwater_shapes::{ByteStream, Member, Operation, Shape, Tree};
use headwater_shapes_s3::{BucketLifecycleConfiguration, ops::*};
use headwater_types::Millis;
use headwater_wire::Handle;
use serde_json::{Value, json};

use crate::{
    S3, lifecycle,
    listing::token,
    table,
    testing::{World, call},
};

/// When objects are written, in seconds; requests come an hour later.
const START: u64 = 1_700_000_000;

/// Stands in samples for the id of an upload to `key` that has one part.
const UPLOAD: &str = "{upload}";

/// Members of operations, or of all, of which nothing can be seen, and why they are not ignored.
const UNSEEN: [(&str, &[&str], &str); 8] = [
    (
        "x-amz-request-payer",
        &[],
        "no bucket lets the requester pay",
    ),
    (
        "Content-Length",
        &["PutObject", "UploadPart"],
        "the connection counts the body",
    ),
    (
        "Key",
        &["GetObjectLegalHold", "GetObjectRetention"],
        "a bucket without locks says so of any key",
    ),
    (
        "versionId",
        &["GetObjectLegalHold", "GetObjectRetention"],
        "a bucket without locks says so of any version",
    ),
    ("id", &[], "no bucket has a configuration of any id"),
    (
        "x-amz-skip-destination-validation",
        &["PutBucketNotificationConfiguration"],
        "without destinations there is nothing to validate",
    ),
    (
        "Content-MD5",
        &IN_MEMORY,
        "a body in memory is held against it before there is an input",
    ),
    (
        "x-amz-sdk-checksum-algorithm",
        &IN_MEMORY,
        "says which checksum comes with the request, and the one that comes is checked",
    ),
];

/// Operations whose bodies are read whole.
const IN_MEMORY: [&str; 14] = [
    "DeleteObjects",
    "PutBucketAccelerateConfiguration",
    "PutBucketAcl",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketLifecycleConfiguration",
    "PutBucketLogging",
    "PutBucketOwnershipControls",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutObjectAcl",
    "PutObjectTagging",
    "PutPublicAccessBlock",
];

/// Operations on what no bucket has, or this one has not, which answer with an error whatever they are asked.
const WITHOUT: [&str; 17] = [
    "DeleteBucketAnalyticsConfiguration",
    "DeleteBucketIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration",
    "DeleteBucketMetricsConfiguration",
    "GetBucketAnalyticsConfiguration",
    "GetBucketCors",
    "GetBucketIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration",
    "GetBucketMetricsConfiguration",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketReplication",
    "GetBucketTagging",
    "GetBucketWebsite",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
];

/// A form that is posted.
const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nposted\r\n\
    --B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ntext\r\n--B--\r\n";

/// Members of answers that repeat what was asked: that a member comes back there does not show that it was heeded.
const ECHOED: [&str; 13] = [
    "ContinuationToken",
    "Delimiter",
    "EncodingType",
    "KeyMarker",
    "Marker",
    "MaxKeys",
    "MaxParts",
    "MaxUploads",
    "PartNumberMarker",
    "Prefix",
    "StartAfter",
    "UploadIdMarker",
    "VersionIdMarker",
];

fn is_unseen(member: &str, operation: &str) -> bool {
    UNSEEN.iter().any(|(name, operations, _)| {
        *name == member && (operations.is_empty() || operations.contains(&operation))
    })
}

#[tokio::test]
async fn every_member_is_done_or_refused() {
    let put = json!({});
    let copy = json!({"x-amz-copy-source": "bucket/source", "x-amz-metadata-directive": "REPLACE",
        "x-amz-tagging-directive": "REPLACE"});
    let upload = json!({"uploadId": UPLOAD});
    let part = json!({"uploadId": UPLOAD, "partNumber": 1});
    let part_copy =
        json!({"uploadId": UPLOAD, "partNumber": 1, "x-amz-copy-source": "bucket/source"});
    let etag = "f4c9385f1902f7334b00b9b4ecd164de";
    let complete = json!({"uploadId": UPLOAD,
        "CompleteMultipartUpload": {"Part": [{"PartNumber": 1, "ETag": etag}]}});
    // Any member brings regions into the answer: with this one they are there from the start.
    let buckets = json!({"max-buckets": 10});
    // The marker of an upload means nothing without that of its key.
    let uploads = json!({"key-marker": "key"});
    let delete = json!({"Delete": {"Object": [{"Key": "key"}]}});
    let versions = json!({"key-marker": "a"});
    let versioning = json!({"VersioningConfiguration": {"Status": "Enabled"}});
    let tags = json!({"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}});
    let one = json!({"id": "one"});
    let acl = json!({"x-amz-acl": "private"});
    let attributes = json!({"Key": "parts", "x-amz-object-attributes": ["ObjectParts"]});
    let form = json!({"Content-Type": "multipart/form-data; boundary=B"});
    let cors = json!({"CORSConfiguration": {"CORSRule": [
        {"AllowedMethod": ["GET"], "AllowedOrigin": ["*"]}]}});
    let encryption = json!({"ServerSideEncryptionConfiguration": {"Rule": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}});
    let ownership = json!({"OwnershipControls": {"Rule": [
        {"ObjectOwnership": "BucketOwnerPreferred"}]}});
    let ignored = [
        ignored::<AbortMultipartUpload>(&upload).await,
        ignored::<CompleteMultipartUpload>(&complete).await,
        ignored::<CopyObject>(&copy).await,
        ignored::<CreateBucket>(&json!({"Bucket": "new"})).await,
        ignored::<CreateMultipartUpload>(&put).await,
        ignored::<DeleteBucket>(&json!({"Bucket": "empty"})).await,
        ignored::<DeleteBucketAnalyticsConfiguration>(&one).await,
        ignored::<DeleteBucketCors>(&put).await,
        ignored::<DeleteBucketEncryption>(&put).await,
        ignored::<DeleteBucketIntelligentTieringConfiguration>(&one).await,
        ignored::<DeleteBucketInventoryConfiguration>(&one).await,
        ignored::<DeleteBucketLifecycle>(&put).await,
        ignored::<DeleteBucketMetricsConfiguration>(&one).await,
        ignored::<DeleteBucketOwnershipControls>(&put).await,
        ignored::<DeleteBucketPolicy>(&put).await,
        ignored::<DeleteBucketReplication>(&put).await,
        ignored::<DeleteBucketTagging>(&put).await,
        ignored::<DeleteBucketWebsite>(&put).await,
        ignored::<DeleteObject>(&put).await,
        ignored::<DeleteObjectTagging>(&put).await,
        ignored::<DeleteObjects>(&delete).await,
        ignored::<DeletePublicAccessBlock>(&put).await,
        ignored::<GetBucketAccelerateConfiguration>(&put).await,
        ignored::<GetBucketAcl>(&put).await,
        ignored::<GetBucketAnalyticsConfiguration>(&one).await,
        ignored::<GetBucketCors>(&put).await,
        ignored::<GetBucketEncryption>(&put).await,
        ignored::<GetBucketIntelligentTieringConfiguration>(&one).await,
        ignored::<GetBucketInventoryConfiguration>(&one).await,
        ignored::<GetBucketLifecycleConfiguration>(&put).await,
        ignored::<GetBucketLocation>(&put).await,
        ignored::<GetBucketLogging>(&put).await,
        ignored::<GetBucketMetricsConfiguration>(&one).await,
        ignored::<GetBucketNotificationConfiguration>(&put).await,
        ignored::<GetBucketOwnershipControls>(&put).await,
        ignored::<GetBucketPolicy>(&put).await,
        ignored::<GetBucketPolicyStatus>(&put).await,
        ignored::<GetBucketReplication>(&put).await,
        ignored::<GetBucketRequestPayment>(&put).await,
        ignored::<GetBucketTagging>(&put).await,
        ignored::<GetBucketVersioning>(&put).await,
        ignored::<GetBucketWebsite>(&put).await,
        ignored::<GetObject>(&put).await,
        ignored::<GetObjectAcl>(&put).await,
        ignored::<GetObjectAttributes>(&attributes).await,
        ignored::<GetObjectLegalHold>(&put).await,
        ignored::<GetObjectLockConfiguration>(&put).await,
        ignored::<GetObjectRetention>(&put).await,
        ignored::<GetObjectTagging>(&put).await,
        ignored::<GetPublicAccessBlock>(&put).await,
        ignored::<HeadBucket>(&put).await,
        ignored::<HeadObject>(&put).await,
        ignored::<ListBucketAnalyticsConfigurations>(&put).await,
        ignored::<ListBucketIntelligentTieringConfigurations>(&put).await,
        ignored::<ListBucketInventoryConfigurations>(&put).await,
        ignored::<ListBucketMetricsConfigurations>(&put).await,
        ignored::<ListBuckets>(&buckets).await,
        ignored::<ListMultipartUploads>(&uploads).await,
        ignored::<ListObjectVersions>(&versions).await,
        ignored::<ListObjects>(&put).await,
        ignored::<ListObjectsV2>(&put).await,
        ignored::<ListParts>(&upload).await,
        ignored::<PostObject>(&form).await,
        ignored::<PutBucketAccelerateConfiguration>(
            &json!({"AccelerateConfiguration": {"Status": "Suspended"}}),
        )
        .await,
        ignored::<PutBucketAcl>(&acl).await,
        ignored::<PutBucketCors>(&cors).await,
        ignored::<PutBucketEncryption>(&encryption).await,
        ignored::<PutBucketLifecycleConfiguration>(&rules("one")).await,
        ignored::<PutBucketLogging>(&json!({"BucketLoggingStatus": {}})).await,
        ignored::<PutBucketNotificationConfiguration>(&json!({"NotificationConfiguration": {}}))
            .await,
        ignored::<PutBucketOwnershipControls>(&ownership).await,
        ignored::<PutBucketRequestPayment>(
            &json!({"RequestPaymentConfiguration": {"Payer": "BucketOwner"}}),
        )
        .await,
        ignored::<PutBucketTagging>(&tags).await,
        ignored::<PutBucketVersioning>(&versioning).await,
        ignored::<PutObject>(&put).await,
        ignored::<PutObjectAcl>(&acl).await,
        ignored::<PutObjectTagging>(&tags).await,
        ignored::<PutPublicAccessBlock>(&json!({"PublicAccessBlockConfiguration": {}})).await,
        ignored::<UploadPart>(&part).await,
        ignored::<UploadPartCopy>(&part_copy).await,
    ];
    let (_, operations) = table(World::new().await.s3).operations();
    let built = operations.into_iter().filter(|(_, is_built)| *is_built);
    let mut built: Vec<&str> = built.map(|(name, _)| name).collect();
    built.sort_unstable();
    assert_eq!(ignored.each_ref().map(|(name, _)| *name)[..], built[..]);
    let ignored: Vec<&String> = ignored.iter().flat_map(|(_, members)| members).collect();
    assert!(ignored.is_empty(), "ignored in silence: {ignored:#?}");
}

/// The operation, and its members that change nothing and are not refused, though they are set; also those that were
/// thought to be such and are not.
async fn ignored<Op: Operation>(sample: &Value) -> (&'static str, Vec<String>)
where
    S3: Handle<Op>,
{
    let name = Op::SHAPE.name;
    let mut base = json!({"Bucket": "bucket", "Key": "key"});
    set_all(&mut base, sample);
    let plain = seen::<Op>(base.clone()).await;
    let is_answered = plain.starts_with("Ok");
    assert_eq!(is_answered, !WITHOUT.contains(&name), "{name}: {plain}");
    assert_eq!(
        plain,
        seen::<Op>(base.clone()).await,
        "{name} differs by itself"
    );
    let mut ignored = Vec::new();
    for member in Op::SHAPE.input.members {
        let Some(value) = other(member) else {
            continue;
        };
        let mut input = base.clone();
        set_all(&mut input, &json!({member.wire_name: value}));
        if (seen::<Op>(input).await == plain) != is_unseen(member.wire_name, name) {
            ignored.push(format!("{} of {name}", member.wire_name));
        }
    }
    (name, ignored)
}

fn set_all(input: &mut Value, more: &Value) {
    let members = more.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(members);
}

/// A rule of this name by which nothing expires.
fn rules(id: &str) -> Value {
    let rule = json!({"ID": id, "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9999}});
    json!({"LifecycleConfiguration": {"Rule": [rule]}})
}

/// A value that asks for something else than what a request without the member, or the sample, asks for; none for a
/// body.
fn other(member: &Member) -> Option<Value> {
    let text = |text: &str| Some(json!(text));
    match member.wire_name {
        "Delete" => Some(json!({"Object": [{"Key": "source"}]})),
        "LifecycleConfiguration" => Some(rules("other")["LifecycleConfiguration"].clone()),
        "x-amz-transition-default-minimum-object-size" => text("varies_by_storage_class"),
        "VersioningConfiguration" => Some(json!({"Status": "Suspended"})),
        "Tagging" => Some(json!({"TagSet": []})),
        "CompleteMultipartUpload" => Some(json!({"Part": []})),
        "AccelerateConfiguration" => Some(json!({"Status": "Enabled"})),
        "AccessControlPolicy" => Some(json!({"Owner": {"ID": "other"}})),
        "BucketLoggingStatus" => {
            Some(json!({"LoggingEnabled": {"TargetBucket": "empty", "TargetPrefix": ""}}))
        }
        "CORSConfiguration" => {
            Some(json!({"CORSRule": [{"AllowedMethod": ["PUT"], "AllowedOrigin": ["*"]}]}))
        }
        "NotificationConfiguration" => Some(json!({"EventBridgeConfiguration": {}})),
        "OwnershipControls" => Some(json!({"Rule": [{"ObjectOwnership": "ObjectWriter"}]})),
        "PublicAccessBlockConfiguration" => Some(json!({"BlockPublicAcls": true})),
        "RequestPaymentConfiguration" => Some(json!({"Payer": "Requester"})),
        "ServerSideEncryptionConfiguration" => Some(
            json!({"Rule": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}),
        ),
        "CreateBucketConfiguration" => Some(json!({"LocationConstraint": "eu-west-1"})),
        "If-None-Match" | "x-amz-copy-source-if-none-match" => text("*"),
        "x-amz-object-ownership" => text("ObjectWriter"),
        "Range" | "x-amz-copy-source-range" => text("bytes=0-1"),
        "x-amz-acl" => text("public-read"),
        "x-amz-metadata-directive" | "x-amz-tagging-directive" => text("COPY"),
        "x-amz-storage-class" => text("GLACIER"),
        "x-amz-tagging" => text("a=b"),
        "max-buckets" | "max-keys" | "max-parts" | "max-uploads" | "part-number-marker" => {
            Some(json!(1))
        }
        "prefix" => text("k"),
        "delimiter" => text("e"),
        "marker" | "start-after" => text("key"),
        "continuation-token" => Some(json!(token("key"))),
        "key-marker" => text("later"),
        // The id comes before every other.
        "upload-id-marker" => text("0"),
        // After the objects were written, and before the request.
        "If-Modified-Since" | "x-amz-copy-source-if-modified-since" => Some(json!(START + 60)),
        "If-Unmodified-Since" | "x-amz-copy-source-if-unmodified-since" => Some(json!(START - 60)),
        _ => of_shape(member.shape),
    }
}

fn of_shape(shape: &Shape) -> Option<Value> {
    match shape {
        Shape::String { values, .. } => Some(json!(values.last().unwrap_or(&"other"))),
        Shape::Integer { .. } | Shape::Long { .. } => Some(json!(2)),
        Shape::Timestamp { .. } => Some(json!(START)),
        Shape::Boolean => Some(json!(true)),
        Shape::List { member, .. } => Some(json!([of_shape(member)?])),
        Shape::Map { value, .. } => Some(json!({"other": of_shape(value)?})),
        Shape::Blob { .. } => None,
        _ => panic!("a value of this shape has to be thought of: {shape:?}"),
    }
}

/// The answer of a call, and all that is stored after it.
async fn seen<Op: Operation>(mut input: Value) -> String
where
    S3: Handle<Op>,
{
    let clock = Arc::new(ManualClock::at(Millis(START * 1000)));
    let random = Arc::new(SeededRandom::new(1));
    let env = Env {
        clock: clock.clone(),
        random,
        disk: Arc::new(SimDisk::new(1)),
        ..Env::real()
    };
    let world = World::within(env).await;
    let upload = furnish(&world).await;
    clock.advance(Duration::from_secs(3600));
    if input["uploadId"] == UPLOAD {
        input["uploadId"] = json!(upload.id);
    }
    let mut input = Op::Input::from_value(input).unwrap();
    let body = match Op::SHAPE.name {
        "PostObject" => FORM,
        _ => "text",
    };
    let body = ByteStream::from_bytes(Bytes::from_static(body.as_bytes()));
    Op::set_input_stream(&mut input, body);
    let answer = call::<Op>(&world.s3, input).await;
    let answer = answer.map(|output| not_echoed(output.to_value()).to_string());
    format!("{answer:?}\n{}", stored(&world).await)
}

/// The members of an answer that do not only repeat the request.
fn not_echoed(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| !ECHOED.contains(&name.as_str()));
    }
    answer
}

/// Another bucket, an object to copy, one whose key an encoding changes, one with a checksum, an upload of it in two
/// parts, and uploads of other keys.
async fn furnish(world: &World) -> UploadInfo {
    world.create_bucket("empty").await;
    world.put("source", "source").await;
    world.put("some more", "more").await;
    let store = &world.s3.store;
    let name = ObjectName::parse("bucket", "key").unwrap();
    let mut put = Put::new(name);
    put.attributes.tags = [("stage".to_owned(), "test".to_owned())].into();
    put.expected = Expected {
        md5: None,
        checksum: Some((Algorithm::Crc32, None)),
    };
    store.put(put, Body::from_bytes("text")).await.unwrap();
    let configuration = rules("kept")["LifecycleConfiguration"].clone();
    let configuration = BucketLifecycleConfiguration::from_value(configuration).unwrap();
    let lifecycle = lifecycle::read(configuration, None).unwrap();
    let bucket = BucketName::parse("bucket").unwrap();
    let set = store.set_lifecycle(&bucket, Some(lifecycle));
    set.await.unwrap();
    let upload = create_upload(world, "key").await;
    for number in [1, 2] {
        put_part(world, &upload, number).await;
    }
    for key in ["later", "some more"] {
        create_upload(world, key).await;
    }
    put_in_parts(world).await;
    upload
}

/// An object in one part with a checksum of its own.
async fn put_in_parts(world: &World) {
    let name = ObjectName::parse("bucket", "parts").unwrap();
    let upload = Upload {
        name: name.clone(),
        attributes: Default::default(),
        algorithm: Some(Algorithm::Sha256),
        coverage: None,
    };
    let store = &world.s3.store;
    let upload = store.create_upload(upload).await.unwrap();
    let part = PutPart {
        name: name.clone(),
        upload: upload.id.clone(),
        number: 1,
        expected: Expected::default(),
    };
    let part = store
        .put_part(part, Body::from_bytes("part"))
        .await
        .unwrap();
    let part = CompletePart {
        number: 1,
        etag: part.etag,
        checksum: part
            .checksum
            .map(|checksum| (checksum.algorithm, checksum.value)),
    };
    let complete = Complete::new(name, &upload.id, vec![part]);
    store.complete_upload(complete).await.unwrap();
}

async fn create_upload(world: &World, key: &str) -> UploadInfo {
    let upload = Upload {
        name: ObjectName::parse("bucket", key).unwrap(),
        attributes: Default::default(),
        algorithm: None,
        coverage: None,
    };
    world.s3.store.create_upload(upload).await.unwrap()
}

/// A part of an upload, as the store answers it.
async fn put_part(world: &World, upload: &UploadInfo, number: u32) -> String {
    let part = PutPart {
        name: ObjectName::parse("bucket", &upload.key).unwrap(),
        upload: upload.id.clone(),
        number,
        expected: Expected::default(),
    };
    let put = world.s3.store.put_part(part, Body::from_bytes("part"));
    put.await.unwrap().etag
}

/// All that is there; last, what becomes of uploads when they are completed.
async fn stored(world: &World) -> String {
    let store = &world.s3.store;
    let all = BucketQuery {
        limit: 10,
        ..Default::default()
    };
    let buckets = store.list_buckets(&all).await.unwrap();
    let mut stored = format!("{buckets:?}");
    for bucket in &buckets {
        stored += &format!("\n{:?}", store.settings(&bucket.name).await.unwrap());
    }
    let bucket = BucketName::parse("bucket").unwrap();
    let objects = ObjectQuery {
        bucket: bucket.clone(),
        prefix: String::new(),
        delimiter: None,
        after: None,
        limit: 10,
    };
    stored += &format!("\n{:?}", store.versioning(&bucket).await);
    stored += &format!("\n{:?}", store.lifecycle(&bucket).await);
    for object in store.list(&objects).await.unwrap().objects {
        let name = ObjectName::parse("bucket", &object.key).unwrap();
        stored += &format!("\n{:?}", store.head(&Get::new(name)).await);
    }
    let uploads = UploadQuery {
        bucket,
        prefix: String::new(),
        delimiter: None,
        after: None,
        limit: 10,
    };
    for upload in store.list_uploads(&uploads).await.unwrap().uploads {
        let name = ObjectName::parse("bucket", &upload.key).unwrap();
        let parts = store.list_parts(&name, &upload.id, 0, 10).await;
        let first = CompletePart {
            number: 1,
            etag: put_part(world, &upload, 1).await,
            checksum: None,
        };
        let complete = Complete::new(name, &upload.id, vec![first]);
        let completed = store.complete_upload(complete).await;
        stored += &format!("\n{parts:?}\n{completed:?}");
    }
    stored
}
