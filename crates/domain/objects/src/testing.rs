//! The suite that every implementation of [`ObjectStore`] must pass, with helpers for other tests.
//!
//! Every test uses buckets of its own, so that the suite runs against a store that holds other things. A failed
//! check panics, as in any test.
#![allow(
    clippy::unwrap_used,
    reason = "this is test code, though it is built as a part of the library"
)]

mod uploads;
mod versions;

use std::io;

use bytes::Bytes;
use futures_util::stream;

use crate::{
    Algorithm, Attributes, Body, BucketName, BucketQuery, ByteRange, Checksum, Coverage, Delete,
    Encryption, EncryptionMethod, Expected, Get, Listing, ObjectError, ObjectInfo, ObjectName,
    ObjectQuery, ObjectStore, Put, ReadConditions, WriteCondition,
};

/// Runs the whole suite against `store`, in buckets whose names start with `prefix`.
pub async fn contract(store: &dyn ObjectStore, prefix: &str) {
    let bucket = async |name: &str| {
        let bucket = BucketName::parse(&format!("{prefix}-{name}")).expect("a good name");
        store.create_bucket(&bucket).await.expect("a new bucket");
        bucket
    };
    buckets(store, bucket("buckets").await).await;
    objects_come_back(store, bucket("objects").await).await;
    ranges(store, bucket("ranges").await).await;
    conditions(store, bucket("conditions").await).await;
    bodies(store, bucket("broken").await).await;
    listings(store, bucket("listings").await).await;
    odd_keys(store, bucket("keys").await).await;
    a_reader_keeps_its_object(store, bucket("readers").await).await;
    versions::without_versions(store, bucket("plain").await).await;
    versions::versions(store, bucket("versions").await).await;
    versions::suspended(store, bucket("suspended").await).await;
    versions::pages(store, bucket("pages").await).await;
    uploads::parts(store, bucket("parts").await).await;
    uploads::wrong_parts(store, bucket("wrong").await).await;
    uploads::uploads_with_conditions(store, bucket("between").await).await;
    uploads::uploads(store, bucket("uploads").await).await;
}

/// The object `key` of `bucket`.
pub fn name(bucket: &BucketName, key: &str) -> ObjectName {
    ObjectName::new(bucket.clone(), key).expect("a good key")
}

/// Writes an object of these bytes.
pub async fn put(store: &dyn ObjectStore, name: &ObjectName, bytes: &[u8]) -> ObjectInfo {
    let body = Body::from_bytes(bytes.to_vec());
    store
        .put(Put::new(name.clone()), body)
        .await
        .expect("the object is written")
}

/// Reads all of an object.
pub async fn read(store: &dyn ObjectStore, name: &ObjectName) -> Result<Bytes, ObjectError> {
    let (_, body) = store.get(&Get::new(name.clone())).await?;
    body.collect(usize::MAX).await
}

/// Bytes that differ from place to place.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// `bytes` in chunks of `size`, without a known length.
pub fn chunked(bytes: &[u8], size: usize) -> Body {
    let chunks: Vec<io::Result<Bytes>> = bytes
        .chunks(size)
        .map(|c| Ok(Bytes::copy_from_slice(c)))
        .collect();
    Body::new(stream::iter(chunks), None)
}

async fn buckets(store: &dyn ObjectStore, bucket: BucketName) {
    assert!(matches!(
        store.create_bucket(&bucket).await,
        Err(ObjectError::BucketExists(_))
    ));
    assert_eq!(store.bucket(&bucket).await.unwrap().name, bucket);
    let query = BucketQuery {
        prefix: bucket.to_string(),
        after: None,
        limit: 10,
    };
    assert_eq!(store.list_buckets(&query).await.unwrap().len(), 1);

    let object = name(&bucket, "k");
    put(store, &object, b"x").await;
    assert!(matches!(
        store.delete_bucket(&bucket).await,
        Err(ObjectError::BucketNotEmpty(_))
    ));
    store.delete(&Delete::new(object.clone())).await.unwrap();
    store.delete_bucket(&bucket).await.unwrap();
    assert!(matches!(
        store.bucket(&bucket).await,
        Err(ObjectError::NoSuchBucket(_))
    ));
    assert!(matches!(
        store.delete_bucket(&bucket).await,
        Err(ObjectError::NoSuchBucket(_))
    ));
    assert!(matches!(
        read(store, &object).await,
        Err(ObjectError::NoSuchBucket(_))
    ));
    let put = store.put(Put::new(object), Body::from_bytes("x")).await;
    assert!(matches!(put, Err(ObjectError::NoSuchBucket(_))));
}

async fn objects_come_back(store: &dyn ObjectStore, bucket: BucketName) {
    for len in [0, 1, 131_071, 131_072, 131_073, 400_000] {
        let (object, bytes) = (name(&bucket, &format!("o{len}")), pattern(len));
        let info = store
            .put(Put::new(object.clone()), chunked(&bytes, 50_000))
            .await
            .unwrap();
        assert_eq!(info.size, len as u64);
        assert_eq!(info.attributes.encryption, Some(Encryption::DEFAULT));
        assert_eq!(read(store, &object).await.unwrap(), bytes);
    }
    let object = name(&bucket, "with everything");
    let entry = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    let attributes = Attributes {
        headers: entry("content-type", "text/plain"),
        metadata: entry("color", "blue"),
        tags: entry("stage", "test"),
        storage_class: Some("STANDARD_IA".into()),
        encryption: Some(Encryption {
            method: EncryptionMethod::KeyService,
            key: Some("arn:aws:kms:us-east-1:000000000000:key/k".into()),
            bucket_key: Some(true),
        }),
    };
    let put = Put {
        attributes: attributes.clone(),
        ..Put::new(object.clone())
    };
    let written = store.put(put, Body::from_bytes("hello")).await.unwrap();
    assert_eq!(written.etag, "5d41402abc4b2a76b9719d911017c592");
    let found = store.head(&Get::new(object.clone())).await.unwrap().object;
    assert_eq!(
        (found.size, &found.etag, &found.attributes.headers),
        (5, &written.etag, &attributes.headers)
    );
    assert_eq!(
        (&found.attributes, &found.checksum),
        (&attributes, &written.checksum)
    );
    assert_eq!(found.checksum.unwrap().algorithm, Algorithm::Crc64Nvme);

    store
        .set_tags(&object, None, entry("stage", "done"))
        .await
        .unwrap();
    let found = store.head(&Get::new(object.clone())).await.unwrap().object;
    assert_eq!(found.attributes.tags, entry("stage", "done"));
    assert_eq!(read(store, &object).await.unwrap(), "hello");

    let delete = Delete::new(object.clone());
    store.delete(&delete).await.unwrap();
    store.delete(&delete).await.unwrap();
    assert!(matches!(
        read(store, &object).await,
        Err(ObjectError::NoSuchKey(_))
    ));
}

async fn ranges(store: &dyn ObjectStore, bucket: BucketName) {
    let (object, bytes) = (name(&bucket, "o"), pattern(300_000));
    put(store, &object, &bytes).await;
    let get = async |range| {
        let (selected, body) = store
            .get(&Get {
                range: Some(range),
                ..Get::new(object.clone())
            })
            .await?;
        assert_eq!(body.len, Some(selected.end - selected.start));
        Ok((
            selected.start as usize..selected.end as usize,
            body.collect(usize::MAX).await?,
        ))
    };
    let expected = [
        (ByteRange::Between(0, 0), 0..1),
        (ByteRange::Between(131_070, 131_075), 131_070..131_076),
        (ByteRange::Between(5, 299_999), 5..300_000),
        (ByteRange::Between(299_000, 999_999), 299_000..300_000),
        (ByteRange::From(262_144), 262_144..300_000),
        (ByteRange::Last(10), 299_990..300_000),
        (ByteRange::Last(999_999), 0..300_000),
        (ByteRange::Part(1), 0..300_000),
    ];
    for (range, bounds) in expected {
        let (found, body): (_, Bytes) = get(range).await.unwrap();
        assert_eq!(
            (&found, &body[..]),
            (&bounds, &bytes[bounds.clone()]),
            "{range:?}"
        );
    }
    let beyond = get(ByteRange::From(300_000)).await;
    assert!(matches!(
        beyond,
        Err(ObjectError::InvalidRange { size: 300_000 })
    ));
    assert!(matches!(
        get(ByteRange::Part(2)).await,
        Err(ObjectError::NoSuchPart {
            number: 2,
            count: 1
        })
    ));
}

async fn conditions(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let put_if = async |condition| {
        store
            .put(
                Put {
                    condition,
                    ..Put::new(object.clone())
                },
                Body::from_bytes("x"),
            )
            .await
    };
    let matching = |etag: &str| WriteCondition::IfMatch(etag.to_owned());
    assert!(matches!(
        put_if(matching("x")).await,
        Err(ObjectError::NoSuchKey(_))
    ));
    let first = put_if(WriteCondition::IfAbsent).await.unwrap();
    let again = put_if(WriteCondition::IfAbsent).await;
    assert!(matches!(
        again,
        Err(ObjectError::PreconditionFailed("If-None-Match"))
    ));
    assert!(matches!(
        put_if(matching("x")).await,
        Err(ObjectError::PreconditionFailed("If-Match"))
    ));
    put_if(matching(&first.etag)).await.unwrap();

    let known = ReadConditions {
        if_none_match: Some(first.etag.clone()),
        ..ReadConditions::default()
    };
    let get = Get {
        conditions: known,
        ..Get::new(object.clone())
    };
    assert!(matches!(
        store.get(&get).await,
        Err(ObjectError::NotModified { .. })
    ));
    assert!(matches!(
        store.head(&get).await,
        Err(ObjectError::NotModified { .. })
    ));
    let delete = |condition| Delete {
        condition,
        ..Delete::new(object.clone())
    };
    let refused = store.delete(&delete(matching("x"))).await;
    assert!(matches!(
        refused,
        Err(ObjectError::PreconditionFailed("If-Match"))
    ));
    store.delete(&delete(matching(&first.etag))).await.unwrap();
}

/// Bodies that break off or are not what was announced leave nothing; those that are have checksums.
async fn bodies(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let put = async |expected, body| {
        let put = Put {
            expected,
            ..Put::new(object.clone())
        };
        store.put(put, body).await
    };
    broken_bodies(put).await;
    assert!(
        matches!(read(store, &object).await, Err(ObjectError::NoSuchKey(_))),
        "nothing of it is seen"
    );
    for algorithm in Algorithm::ALL {
        let expecting = |value| Expected {
            md5: None,
            checksum: Some((algorithm, value)),
        };
        let kept = put(expecting(None), Body::from_bytes("abc")).await.unwrap();
        let kept = kept.checksum.unwrap();
        assert_eq!(
            (kept.algorithm, kept.coverage),
            (algorithm, Coverage::FullObject)
        );
        let again = expecting(Some(kept.value.clone()));
        let again = put(again, Body::from_bytes("abc")).await.unwrap();
        assert_eq!(again.checksum, Some(kept));
    }
}

async fn broken_bodies(put: impl AsyncFn(Expected, Body) -> Result<ObjectInfo, ObjectError>) {
    let plain = Expected::default;
    let cut = stream::iter([
        Ok(Bytes::from_static(b"abc")),
        Err(io::ErrorKind::ConnectionReset.into()),
    ]);
    assert!(put(plain(), Body::new(cut, Some(10))).await.is_err());
    for len in [2, 4] {
        let body = Body {
            len: Some(len),
            ..Body::from_bytes("abc")
        };
        assert!(
            put(plain(), body).await.is_err(),
            "{len} bytes were announced"
        );
    }
    let md5 = Expected {
        md5: Some([7; 16]),
        ..plain()
    };
    assert!(matches!(
        put(md5, Body::from_bytes("abc")).await,
        Err(ObjectError::Md5Mismatch { .. })
    ));
    for algorithm in Algorithm::ALL {
        let other = Some(Checksum::of(algorithm, b"other").value);
        let expected = Expected {
            md5: None,
            checksum: Some((algorithm, other)),
        };
        let wrong = put(expected, Body::from_bytes("abc")).await;
        assert!(matches!(wrong, Err(ObjectError::ChecksumMismatch(a)) if a == algorithm));
    }
}

async fn listings(store: &dyn ObjectStore, bucket: BucketName) {
    let keys = [
        "a",
        "a/",
        "a/1",
        "a/2",
        "a/b/c",
        "a0",
        "b/1",
        "b/2",
        "c",
        "é",
        "\u{10000}",
    ];
    for key in keys.iter().rev() {
        put(store, &name(&bucket, key), key.as_bytes()).await;
    }
    let list = async |prefix: &str, delimiter: Option<&str>, after: Option<&str>, limit| {
        let query = ObjectQuery {
            bucket: bucket.clone(),
            prefix: prefix.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            after: after.map(str::to_owned),
            limit,
        };
        store.list(&query).await.unwrap()
    };
    let all = list("", None, None, 100).await;
    assert_eq!(
        (lines(&all), all.next),
        (keys.map(str::to_owned).to_vec(), None)
    );
    assert_eq!(all.objects[1].size, 2);

    let rolled = ["a", "a/", "a0", "b/", "c", "é", "\u{10000}"];
    for limit in [1, 2, 3, 100] {
        let mut paged: Vec<String> = Vec::new();
        let mut after = None;
        loop {
            let page = list("", Some("/"), after.as_deref(), limit).await;
            paged.extend(lines(&page));
            assert!(page.objects.len() + page.prefixes.len() <= limit);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, rolled, "{limit} at a time");
    }
    assert_eq!(
        lines(&list("a/", Some("/"), None, 100).await),
        ["a/", "a/1", "a/2", "a/b/"]
    );
    // AWS compares the place with what a key is rolled up to, and not with the key.
    assert_eq!(
        lines(&list("", Some("/"), Some("a/1"), 2).await),
        ["a0", "b/"]
    );
    assert_eq!(lines(&list("b/", None, Some("b/1"), 100).await), ["b/2"]);
    assert_eq!(list("", None, None, 0).await, Listing::default());
    assert_eq!(lines(&list("none", Some("/"), None, 5).await), [""; 0]);
}

/// The lines of a listing in the order in which a client merges them.
fn lines(listing: &Listing) -> Vec<String> {
    let keys = listing.objects.iter().map(|object| object.key.clone());
    let mut lines: Vec<_> = keys.chain(listing.prefixes.iter().cloned()).collect();
    lines.sort();
    lines
}

async fn odd_keys(store: &dyn ObjectStore, bucket: BucketName) {
    let longest = "k".repeat(1024);
    for key in [
        "/",
        "//",
        "a//b",
        "../x",
        ".",
        " ",
        "a b+c%20d?e#f&g=h",
        "日本語",
        "tab\tnew\nline",
        &longest,
    ] {
        let object = name(&bucket, key);
        put(store, &object, key.as_bytes()).await;
        assert_eq!(read(store, &object).await.unwrap(), key.as_bytes());
    }
    let query = ObjectQuery {
        bucket,
        prefix: String::new(),
        delimiter: None,
        after: None,
        limit: 100,
    };
    assert_eq!(store.list(&query).await.unwrap().objects.len(), 10);
}

async fn a_reader_keeps_its_object(store: &dyn ObjectStore, bucket: BucketName) {
    let (object, bytes) = (name(&bucket, "o"), pattern(1 << 20));
    put(store, &object, &bytes).await;
    let (_, body) = store.get(&Get::new(object.clone())).await.unwrap();
    put(store, &object, b"new").await;
    store.delete(&Delete::new(object.clone())).await.unwrap();
    assert_eq!(body.collect(usize::MAX).await.unwrap(), bytes);
}
