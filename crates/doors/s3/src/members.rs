//! Every member of every request is read or refused.
//!
//! Each operation is called once as it is, and once for each member that the model's tables name, nested ones too, with
//! that member set to another value. The answer, or what the store holds afterwards, must be another. A member that a newer
//! model brings and that no handler looks at fails this until it is read or refused.

use std::sync::Arc;

use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock, SeededRandom};
use headwater_objects::{
    Algorithm, Body, BucketName, Complete, CompletePart, DirectoryStore, Get, ObjectName,
    ObjectQuery, ObjectStore, Put, PutPart, Upload, UploadQuery,
};
use headwater_shapes::{ByteStream, Operation, Shape, Structure, Tree};
use headwater_shapes_s3::ops::*;
use headwater_types::Millis;
use headwater_wire::Handle;
use serde_json::{Value, json};

use crate::{S3, testing::context};

/// When everything happens: a whole second, so that conditions can name it.
const NOW: i64 = 1_700_000_000;

/// Members that the protocol acts on before a handler has the request.
const OF_THE_PROTOCOL: [(&str, &str); 5] = [
    ("PutObject", "Content-Length"),
    ("UploadPart", "Content-Length"),
    ("PutObjectTagging", "Content-MD5"),
    ("PutObjectTagging", "x-amz-sdk-checksum-algorithm"),
    ("DeleteObjects", "x-amz-sdk-checksum-algorithm"),
];

/// Values that make a difference where any other would not.
fn odd(name: &str) -> Option<Value> {
    Some(match name {
        "Content-MD5" => json!("Q3uTDbhLgHnC3YBKcZNrXw=="),
        "If-Modified-Since" | "x-amz-copy-source-if-modified-since" => json!(NOW),
        "If-Unmodified-Since" | "x-amz-copy-source-if-unmodified-since" => json!(1),
        "If-None-Match" | "x-amz-copy-source-if-none-match" => json!("*"),
        "Range" => json!("bytes=1-2"),
        "max-keys" | "max-buckets" | "max-uploads" | "max-parts" => json!(1),
        "marker" | "start-after" => json!("k"),
        "delimiter" => json!("o"),
        "x-amz-metadata-directive" | "x-amz-tagging-directive" => json!("COPY"),
        "x-amz-sdk-checksum-algorithm" | "x-amz-checksum-algorithm" => json!("SHA256"),
        "x-amz-checksum-type" => json!("FULL_OBJECT"),
        "x-amz-acl" => json!("public-read"),
        "x-amz-object-ownership" => json!("ObjectWriter"),
        "x-amz-request-payer" => json!("odd"),
        "x-amz-server-side-encryption" => json!("aws:kms"),
        "x-amz-tagging" => json!("odd=odd"),
        _ => return None,
    })
}

/// A store with a bucket, two objects and an upload; the same in all but its folder each time.
struct World {
    s3: S3,
    upload: String,
    etag: String,
    checksum: String,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = Env {
            clock: Arc::new(ManualClock::at(Millis(NOW as u64 * 1000))),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let catalog = Arc::new(MemoryCatalog::default());
        let store = DirectoryStore::open(env, &dir.path().join("objects"), catalog).await;
        let store = Arc::new(store.unwrap());
        for bucket in ["bucket", "second"] {
            let bucket = BucketName::parse(bucket).unwrap();
            store.create_bucket(&bucket).await.unwrap();
        }
        for key in ["from", "k"] {
            let mut put = Put::new(name(key));
            let entry = |name: &str| [(name.to_owned(), "value".to_owned())].into();
            put.attributes.headers = entry("cache-control");
            put.attributes.metadata = entry("name");
            put.attributes.tags = entry("tag");
            store.put(put, Body::from_bytes("hello")).await.unwrap();
        }
        let upload = Upload {
            name: name("k"),
            attributes: Default::default(),
            algorithm: Some(Algorithm::Crc32),
            coverage: None,
        };
        let upload = store.create_upload(upload).await.unwrap().id;
        let part = put_part(&*store, "k", &upload, 1).await;
        Self {
            s3: S3 { store },
            upload,
            etag: part.etag,
            checksum: part.checksum.unwrap(),
            _dir: dir,
        }
    }

    /// The store's objects and parts, and the objects that its uploads become.
    async fn holds(&self) -> String {
        let store = &*self.s3.store;
        let bucket = BucketName::parse("bucket").unwrap();
        let query = UploadQuery {
            bucket: bucket.clone(),
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 100,
        };
        let mut holds = String::new();
        for upload in store.list_uploads(&query).await.unwrap().uploads {
            let object = name(&upload.key);
            let parts = store.list_parts(&object, &upload.id, 0, 100).await;
            holds += &format!("{upload:?} {:?}\n", parts.unwrap());
            let part = put_part(store, &upload.key, &upload.id, 1).await;
            let complete = Complete::new(object, &upload.id, vec![part]);
            store.complete_upload(complete).await.unwrap();
        }
        let query = ObjectQuery {
            bucket,
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 100,
        };
        for object in store.list(&query).await.unwrap().objects {
            let head = store.head(&Get::new(name(&object.key))).await;
            holds += &format!("{:?}\n", head.unwrap());
        }
        holds
    }
}

fn name(key: &str) -> ObjectName {
    ObjectName::parse("bucket", key).unwrap()
}

async fn put_part(store: &dyn ObjectStore, key: &str, upload: &str, number: u32) -> CompletePart {
    let part = PutPart {
        name: name(key),
        upload: upload.to_owned(),
        number,
        expected: Default::default(),
    };
    let written = store
        .put_part(part, Body::from_bytes("part"))
        .await
        .unwrap();
    CompletePart {
        number,
        etag: written.etag,
        checksum: written.checksum.map(|checksum| checksum.value),
    }
}

/// The answer to a call of `Op` in a new world, and what the store holds afterwards.
async fn outcome<Op: Operation>(input: &Value, body: &'static str) -> String
where
    S3: Handle<Op>,
{
    let world = World::new().await;
    let mut input = Op::Input::from_value(input.clone())
        .unwrap_or_else(|error| panic!("{}: {error}: {input}", Op::SHAPE.name));
    Op::set_input_stream(
        &mut input,
        ByteStream::from_bytes(Bytes::from_static(body.as_bytes())),
    );
    let answer = match world.s3.handle(input, &context()).await {
        Ok(output) => output.to_value().to_string(),
        Err(error) => format!("{error:?}"),
    };
    format!("{answer}\n{}", world.holds().await)
}

/// Calls `Op` as `base` says, and with each of its members changed.
async fn examine<Op: Operation>(base: Value)
where
    S3: Handle<Op>,
{
    let expected = outcome::<Op>(&base, "hello").await;
    for path in paths(Op::SHAPE.input, &base, "") {
        let (place, changed) = (&path.place, changed(&base, &path));
        let body = if path.is_body { "other" } else { "hello" };
        let is_exempt = OF_THE_PROTOCOL.contains(&(Op::SHAPE.name, place.trim_start_matches('/')));
        let found = outcome::<Op>(&changed, body).await;
        assert_ne!(
            is_exempt,
            found != expected,
            "{}: {place} is neither read nor refused, or an exemption that is not one",
            Op::SHAPE.name
        );
    }
}

/// A member to change.
struct Path {
    /// Where it stands in the input, as a JSON pointer.
    place: String,
    value: Value,
    is_body: bool,
}

/// The members of `structure`, and those of structures that `base` has in them.
fn paths(structure: &Structure, base: &Value, above: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    for member in structure.members {
        let place = format!("{above}/{}", member.wire_name);
        match (member.shape, base.get(member.wire_name)) {
            (Shape::Structure(inner), Some(base)) => paths.extend(self::paths(inner, base, &place)),
            (
                Shape::List {
                    member: Shape::Structure(inner),
                    ..
                },
                Some(base),
            ) => paths.extend(self::paths(inner, &base[0], &format!("{place}/0"))),
            (shape, _) => paths.push(Path {
                is_body: matches!(
                    shape,
                    Shape::Blob {
                        streaming: true,
                        ..
                    }
                ),
                value: odd(member.wire_name).unwrap_or_else(|| sample(shape)),
                place,
            }),
        }
    }
    paths
}

fn changed(base: &Value, path: &Path) -> Value {
    let mut changed = base.clone();
    if !path.is_body {
        let (above, name) = path.place.rsplit_once('/').expect("a place has a slash");
        let above = changed.pointer_mut(above).expect("what is above is there");
        above[name] = path.value.clone();
    }
    changed
}

/// A value of a shape that no handler expects.
fn sample(shape: &Shape) -> Value {
    match shape {
        Shape::String { values, .. } => json!(values.last().unwrap_or(&"odd")),
        Shape::Blob { .. } => json!("b2Rk"),
        Shape::Integer { .. } | Shape::Long { .. } => json!(7),
        Shape::Float { .. } | Shape::Double { .. } => json!(7.5),
        Shape::Boolean => json!(true),
        Shape::Timestamp { .. } => json!(NOW),
        Shape::List { member, .. } => json!([sample(member)]),
        Shape::Map { value, .. } => json!({"odd": sample(value)}),
        Shape::Document => json!({"odd": 7}),
        Shape::Structure(structure) => {
            let members = structure.members.iter();
            members
                .map(|member| (member.wire_name.to_owned(), sample(member.shape)))
                .collect()
        }
    }
}

/// An input of members that every operation on an object has, and some more.
fn object(more: Value) -> Value {
    let mut input = json!({"Bucket": "bucket", "Key": "k"});
    let members = input.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    input
}

/// Examines each operation, and returns their names.
macro_rules! examine {
    ($($operation:ident $input:expr;)*) => {{
        $(examine::<$operation>($input).await;)*
        vec![$(stringify!($operation)),*]
    }};
}

#[tokio::test]
async fn every_member_of_every_operation_is_read_or_refused() {
    let world = World::new().await;
    let (upload, etag, checksum) = (&world.upload, &world.etag, &world.checksum);
    let bucket = json!({"Bucket": "bucket"});
    let part = json!({"PartNumber": 1, "ETag": etag, "ChecksumCRC32": checksum});
    let copy = json!({
        "x-amz-copy-source": "bucket/from",
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-tagging-directive": "REPLACE",
    });
    let examined = examine! {
        AbortMultipartUpload object(json!({"uploadId": upload}));
        CompleteMultipartUpload object(json!({
            "uploadId": upload,
            "CompleteMultipartUpload": {"Part": [part]},
        }));
        CopyObject object(copy);
        CreateBucket json!({"Bucket": "new", "CreateBucketConfiguration": {}});
        CreateMultipartUpload object(json!({"x-amz-checksum-algorithm": "CRC32"}));
        DeleteBucket json!({"Bucket": "second"});
        DeleteObject object(json!({}));
        DeleteObjectTagging object(json!({}));
        DeleteObjects json!({"Bucket": "bucket", "Delete": {"Object": [{"Key": "k"}]}});
        GetBucketLocation bucket.clone();
        GetBucketVersioning bucket.clone();
        GetObject object(json!({}));
        GetObjectTagging object(json!({}));
        HeadBucket bucket.clone();
        HeadObject object(json!({}));
        ListBuckets json!({});
        ListMultipartUploads bucket.clone();
        ListObjects bucket.clone();
        ListObjectsV2 bucket;
        ListParts object(json!({"uploadId": upload}));
        PutObject object(json!({}));
        PutObjectTagging object(json!({"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}));
        UploadPart object(json!({"uploadId": upload, "partNumber": 1}));
        UploadPartCopy object(json!({
            "uploadId": upload,
            "partNumber": 1,
            "x-amz-copy-source": "bucket/from",
        }));
    };
    let (_, operations) = crate::table(world.s3).operations();
    let built = operations.into_iter().filter(|(_, built)| *built);
    let mut built: Vec<_> = built.map(|(name, _)| name).collect();
    built.sort_unstable();
    assert_eq!(examined, built);
}
