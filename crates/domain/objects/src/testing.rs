//! The suite that every implementation of [`ObjectStore`] must pass, with helpers for other tests.
//!
//! Every test uses buckets of its own, so that the suite runs against a store that holds other things. A failed
//! check panics, as in any test.
#![allow(
    clippy::unwrap_used,
    reason = "this is test code, though it is built as a part of the library"
)]

use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::stream;

use crate::{
    Algorithm, Attributes, Body, BucketName, BucketQuery, ByteRange, Checksum, Complete,
    CompletePart, Coverage, Delete, Encryption, EncryptionMethod, Expected, Get, Listing,
    ObjectError, ObjectInfo, ObjectName, ObjectQuery, ObjectStore, Put, PutPart, ReadConditions,
    Upload, UploadQuery, WriteCondition,
};

const PART: usize = 5 << 20;

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
    broken_bodies(store, bucket("broken").await).await;
    listings(store, bucket("listings").await).await;
    odd_keys(store, bucket("keys").await).await;
    a_reader_keeps_its_object(store, bucket("readers").await).await;
    parts(store, bucket("parts").await).await;
    wrong_parts(store, bucket("wrong").await).await;
    uploads_with_conditions(store, bucket("between").await).await;
    uploads(store, bucket("uploads").await).await;
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
    store
        .delete(&Delete {
            name: object.clone(),
            condition: WriteCondition::None,
        })
        .await
        .unwrap();
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
        encryption: Some(Encryption {
            method: EncryptionMethod::KeyService,
            key: Some("arn:aws:kms:us-east-1:000000000000:key/k".into()),
            bucket_key: true,
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
        .set_tags(&object, entry("stage", "done"))
        .await
        .unwrap();
    let found = store.head(&Get::new(object.clone())).await.unwrap().object;
    assert_eq!(found.attributes.tags, entry("stage", "done"));
    assert_eq!(read(store, &object).await.unwrap(), "hello");

    let delete = Delete {
        name: object.clone(),
        condition: WriteCondition::None,
    };
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
        name: object.clone(),
        condition,
    };
    let refused = store.delete(&delete(matching("x"))).await;
    assert!(matches!(
        refused,
        Err(ObjectError::PreconditionFailed("If-Match"))
    ));
    store.delete(&delete(matching(&first.etag))).await.unwrap();
}

async fn broken_bodies(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let put = async |expected, body| {
        store
            .put(
                Put {
                    expected,
                    ..Put::new(object.clone())
                },
                body,
            )
            .await
    };
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
    assert!(
        matches!(read(store, &object).await, Err(ObjectError::NoSuchKey(_))),
        "nothing of it is seen"
    );

    for algorithm in Algorithm::ALL {
        let kept = put(
            Expected {
                md5: None,
                checksum: Some((algorithm, None)),
            },
            Body::from_bytes("abc"),
        )
        .await;
        let kept = kept.unwrap().checksum.unwrap();
        assert_eq!(
            (kept.algorithm, kept.coverage),
            (algorithm, Coverage::FullObject)
        );
        let again = Expected {
            md5: None,
            checksum: Some((algorithm, Some(kept.value.clone()))),
        };
        assert_eq!(
            put(again, Body::from_bytes("abc")).await.unwrap().checksum,
            Some(kept)
        );
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
    store
        .delete(&Delete {
            name: object.clone(),
            condition: WriteCondition::None,
        })
        .await
        .unwrap();
    assert_eq!(body.collect(usize::MAX).await.unwrap(), bytes);
}

async fn parts(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "big");
    let all = pattern(2 * PART + 1000);
    for (algorithm, coverage) in [
        (Algorithm::Crc64Nvme, Coverage::FullObject),
        (Algorithm::Crc32, Coverage::FullObject),
        (Algorithm::Sha256, Coverage::Composite),
    ] {
        let id = begin(store, &object, algorithm, Some(coverage)).await;
        // Out of order, one of them twice, and one that is not used.
        put_part(store, &object, &id, 9, b"unused").await;
        put_part(store, &object, &id, 5, b"replaced").await;
        let third = put_part(store, &object, &id, 5, &all[2 * PART..]).await;
        let first = put_part(store, &object, &id, 1, &all[..PART]).await;
        let second = put_part(store, &object, &id, 2, &all[PART..2 * PART]).await;
        assert!(matches!(
            store.head(&Get::new(object.clone())).await,
            Err(ObjectError::NoSuchKey(_))
        ));

        let listed = store.list_parts(&object, &id, 1, 2).await.unwrap();
        assert_eq!(
            listed
                .parts
                .iter()
                .map(|p| (p.number, p.size))
                .collect::<Vec<_>>(),
            [(2, 5 << 20), (5, 1000)]
        );
        assert!(listed.truncated);
        let complete = Complete::new(object.clone(), &id, vec![first, second, third]);
        for wrong in [
            Complete {
                size: Some(7),
                ..complete.clone()
            },
            Complete {
                checksum: Some((algorithm, "AAAA".into())),
                ..complete.clone()
            },
        ] {
            let refused = store.complete_upload(wrong).await;
            assert!(matches!(
                refused,
                Err(ObjectError::WrongSize { .. } | ObjectError::WholeMismatch(_))
            ));
        }
        let value = whole_checksum(algorithm, coverage, &all);
        let complete = Complete {
            checksum: Some((algorithm, value)),
            ..complete
        };
        let done = store.complete_upload(complete.clone()).await.unwrap();
        assert_eq!((done.size, done.parts), (all.len() as u64, Some(3)));
        assert!(done.etag.ends_with("-3"));
        let again = store.complete_upload(complete).await.unwrap();
        assert_eq!(
            again.etag, done.etag,
            "completing again gives the same answer"
        );
        let checksum = done.checksum.unwrap();
        assert_eq!(
            (checksum.algorithm, checksum.coverage),
            (algorithm, coverage)
        );
        let whole = store.head(&Get::new(object.clone())).await.unwrap();
        assert_eq!(whole.checksum, Some(checksum.clone()));
        if coverage == Coverage::FullObject {
            let whole = Expected {
                md5: None,
                checksum: Some((algorithm, Some(checksum.value))),
            };
            let put = Put {
                expected: whole,
                ..Put::new(name(&bucket, "same bytes"))
            };
            store.put(put, Body::from_bytes(all.clone())).await.unwrap();
        }
        assert_eq!(read(store, &object).await.unwrap(), all);
        let get = |range| Get {
            range: Some(range),
            ..Get::new(object.clone())
        };
        let (_, body) = store
            .get(&get(ByteRange::Between(
                PART as u64 - 2,
                2 * PART as u64 + 1,
            )))
            .await
            .unwrap();
        assert_eq!(
            body.collect(usize::MAX).await.unwrap(),
            all[PART - 2..2 * PART + 2]
        );
        let third = store.head(&get(ByteRange::Part(3))).await.unwrap();
        assert_eq!(
            (third.start, third.end),
            (2 * PART as u64, all.len() as u64)
        );
        let of_part = Checksum {
            coverage,
            ..Checksum::of(algorithm, &all[2 * PART..])
        };
        assert_eq!(third.checksum, Some(of_part));
        store
            .delete(&Delete {
                name: object.clone(),
                condition: WriteCondition::None,
            })
            .await
            .unwrap();
    }
}

/// The checksum of an object of these bytes in parts of `PART` bytes.
fn whole_checksum(algorithm: Algorithm, coverage: Coverage, bytes: &[u8]) -> String {
    if coverage == Coverage::FullObject {
        return Checksum::of(algorithm, bytes).value;
    }
    let decode = |part| {
        STANDARD
            .decode(Checksum::of(algorithm, part).value)
            .unwrap()
    };
    let parts: Vec<_> = bytes.chunks(PART).map(decode).collect();
    let joined = Checksum::of(algorithm, &parts.concat()).value;
    format!("{joined}-{}", parts.len())
}

async fn wrong_parts(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let id = begin(store, &object, Algorithm::Crc64Nvme, None).await;
    let (a, b) = (
        put_part(store, &object, &id, 1, b"a").await,
        put_part(store, &object, &id, 2, b"b").await,
    );
    let complete = async |parts: &[CompletePart], condition| {
        let complete = Complete::new(object.clone(), &id, parts.to_vec());
        store
            .complete_upload(Complete {
                condition,
                ..complete
            })
            .await
            .map(drop)
    };
    let none = || WriteCondition::None;
    assert!(matches!(
        complete(&[], none()).await,
        Err(ObjectError::NoParts)
    ));
    let swapped = complete(&[b.clone(), a.clone()], none()).await;
    assert!(matches!(swapped, Err(ObjectError::PartOrder)));
    let twice = complete(&[a.clone(), a.clone()], none()).await;
    assert!(matches!(twice, Err(ObjectError::PartOrder)));
    let small = complete(&[a.clone(), b.clone()], none()).await;
    assert!(matches!(
        small,
        Err(ObjectError::PartTooSmall {
            number: 1,
            size: 1,
            ..
        })
    ));
    let missing = CompletePart {
        number: 3,
        ..a.clone()
    };
    assert!(matches!(
        complete(&[missing], none()).await,
        Err(ObjectError::InvalidPart { number: 3, .. })
    ));
    let other = CompletePart {
        etag: b.etag.clone(),
        ..a.clone()
    };
    assert!(matches!(
        complete(&[other], none()).await,
        Err(ObjectError::InvalidPart { number: 1, .. })
    ));
    for number in [0, 10_001] {
        let part = PutPart {
            name: object.clone(),
            upload: id.clone(),
            number,
            expected: Expected::default(),
        };
        let refused = store.put_part(part, Body::from_bytes("x")).await;
        assert!(matches!(refused, Err(ObjectError::PartNumber(n)) if n == number));
    }
    let wrong = CompletePart {
        checksum: b.checksum.clone(),
        ..a.clone()
    };
    let refused = complete(&[wrong], none()).await;
    assert!(matches!(
        refused,
        Err(ObjectError::PartChecksumMismatch { number: 1, .. })
    ));
    let expected = Expected {
        md5: None,
        checksum: Some((Algorithm::Sha1, None)),
    };
    let part = PutPart {
        name: object.clone(),
        upload: id.clone(),
        number: 1,
        expected,
    };
    let refused = store.put_part(part, Body::from_bytes("x")).await;
    assert!(matches!(refused, Err(ObjectError::OtherAlgorithm { .. })));
    put(store, &object, b"there").await;
    let refused = complete(std::slice::from_ref(&a), WriteCondition::IfAbsent).await;
    assert!(matches!(
        refused,
        Err(ObjectError::PreconditionFailed("If-None-Match"))
    ));
    complete(&[a], none()).await.unwrap();
    assert_eq!(read(store, &object).await.unwrap(), "a");
}

/// Uploads on whose completion conditions stand, while the object is put or deleted after their beginning.
async fn uploads_with_conditions(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let begin = async || {
        let id = begin(store, &object, Algorithm::Crc64Nvme, None).await;
        let part = put_part(store, &object, &id, 1, b"part").await;
        Complete::new(object.clone(), &id, vec![part])
    };
    let complete = async |upload: &Complete, condition| {
        let complete = Complete {
            condition,
            ..upload.clone()
        };
        store.complete_upload(complete).await
    };
    let delete = async || {
        let delete = Delete {
            name: object.clone(),
            condition: WriteCondition::None,
        };
        store.delete(&delete).await.unwrap();
    };
    let etag = put(store, &object, b"old").await.etag;
    let old = || WriteCondition::IfMatch(etag.clone());
    let upload = begin().await;
    let done = complete(&upload, old()).await.unwrap();
    let upload = begin().await;
    let refused = complete(&upload, old()).await;
    assert!(matches!(
        refused,
        Err(ObjectError::PreconditionFailed("If-Match"))
    ));
    let joined = WriteCondition::IfMatch(done.etag.clone());
    complete(&upload, joined).await.unwrap();

    put(store, &object, b"old").await;
    let upload = begin().await;
    put(store, &object, b"old").await;
    let is_conflict = |refused: Result<_, ObjectError>, name: &str| matches!(refused, Err(ObjectError::Conflict { condition, .. }) if condition == name);
    assert!(is_conflict(complete(&upload, old()).await, "If-Match"));
    delete().await;
    assert!(matches!(
        complete(&upload, old()).await,
        Err(ObjectError::NoSuchKey(_))
    ));
    let absent = || WriteCondition::IfAbsent;
    assert!(is_conflict(
        complete(&upload, absent()).await,
        "If-None-Match"
    ));
    let upload = begin().await;
    put(store, &object, b"old").await;
    assert!(matches!(
        complete(&upload, absent()).await,
        Err(ObjectError::PreconditionFailed("If-None-Match"))
    ));
    complete(&upload, WriteCondition::None).await.unwrap();
}

async fn uploads(store: &dyn ObjectStore, bucket: BucketName) {
    let mut begun = Vec::new();
    for key in ["a", "a", "a/1", "a/2", "b"] {
        begun.push((
            key.to_owned(),
            begin(store, &name(&bucket, key), Algorithm::Crc32, None).await,
        ));
    }
    begun.sort();
    let query = |after, limit| UploadQuery {
        bucket: bucket.clone(),
        prefix: String::new(),
        delimiter: None,
        after,
        limit,
    };
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_uploads(&query(after, 2)).await.unwrap();
        paged.extend(
            page.uploads
                .into_iter()
                .map(|upload| (upload.key, upload.id)),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, begun);
    let delimited = UploadQuery {
        delimiter: Some("/".into()),
        ..query(None, 10)
    };
    let rolled = store.list_uploads(&delimited).await.unwrap();
    assert_eq!(
        (rolled.uploads.len(), rolled.prefixes),
        (3, vec!["a/".to_owned()])
    );

    let (key, id) = &begun[0];
    let object = name(&bucket, key);
    put_part(store, &object, id, 1, b"x").await;
    store.abort_upload(&object, id).await.unwrap();
    assert!(matches!(
        store.abort_upload(&object, id).await,
        Err(ObjectError::NoSuchUpload(_))
    ));
    assert!(matches!(
        store.list_parts(&object, id, 0, 10).await,
        Err(ObjectError::NoSuchUpload(_))
    ));
    let part = PutPart {
        name: object,
        upload: id.clone(),
        number: 1,
        expected: Expected::default(),
    };
    let late = store.put_part(part, Body::from_bytes("x")).await;
    assert!(matches!(late, Err(ObjectError::NoSuchUpload(_))));
    assert_eq!(
        store
            .list_uploads(&query(None, 10))
            .await
            .unwrap()
            .uploads
            .len(),
        4
    );
}

async fn begin(
    store: &dyn ObjectStore,
    name: &ObjectName,
    algorithm: Algorithm,
    coverage: Option<Coverage>,
) -> String {
    let upload = Upload {
        name: name.clone(),
        attributes: Attributes::default(),
        algorithm: Some(algorithm),
        coverage,
    };
    store.create_upload(upload).await.unwrap().id
}

async fn put_part(
    store: &dyn ObjectStore,
    name: &ObjectName,
    id: &str,
    number: u32,
    bytes: &[u8],
) -> CompletePart {
    let part = PutPart {
        name: name.clone(),
        upload: id.to_owned(),
        number,
        expected: Expected::default(),
    };
    let written = store
        .put_part(part, Body::from_bytes(bytes.to_vec()))
        .await
        .unwrap();
    CompletePart {
        number,
        etag: written.etag,
        checksum: written.checksum.map(|checksum| checksum.value),
    }
}
