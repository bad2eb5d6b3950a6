//! The suite's part about uploads: parts, completion, conditions, listing and abortion.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{name, pattern, put, read};
use crate::{
    Algorithm, Attributes, Body, BucketName, ByteRange, Checksum, Complete, CompletePart, Coverage,
    Delete, Expected, Get, ObjectError, ObjectName, ObjectStore, Put, PutPart, Upload, UploadQuery,
    WriteCondition,
};

const PART: usize = 5 << 20;

/// Objects of parts: completed, read whole, by range and by part.
pub async fn parts(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "big");
    let all = pattern(2 * PART + 1000);
    for (algorithm, coverage) in [
        (Algorithm::Crc64Nvme, Coverage::FullObject),
        (Algorithm::Crc32, Coverage::FullObject),
        (Algorithm::Sha256, Coverage::Composite),
    ] {
        let complete = put_three_parts(store, &object, algorithm, coverage, &all).await;
        refuses_other_content(store, &complete, algorithm).await;
        let checksum = Checksum {
            algorithm,
            coverage,
            value: whole_checksum(algorithm, coverage, &all),
        };
        complete_twice(store, complete, &checksum, &all).await;
        if coverage == Coverage::FullObject {
            put_with_checksum(store, name(&bucket, "same bytes"), &checksum, &all).await;
        }
        read_parts(store, &object, algorithm, coverage, &all).await;
        store.delete(&Delete::new(object.clone())).await.unwrap();
    }
}

/// Puts `all` as parts out of order, one of them twice, and one that is not used; the completion of the three.
async fn put_three_parts(
    store: &dyn ObjectStore,
    object: &ObjectName,
    algorithm: Algorithm,
    coverage: Coverage,
    all: &[u8],
) -> Complete {
    let id = begin(store, object, algorithm, Some(coverage)).await;
    put_part(store, object, &id, 9, b"unused").await;
    put_part(store, object, &id, 5, b"replaced").await;
    let third = put_part(store, object, &id, 5, &all[2 * PART..]).await;
    let first = put_part(store, object, &id, 1, &all[..PART]).await;
    let second = put_part(store, object, &id, 2, &all[PART..2 * PART]).await;
    assert!(matches!(
        store.head(&Get::new(object.clone())).await,
        Err(ObjectError::NoSuchKey(_))
    ));
    let listed = store.list_parts(object, &id, 1, 2).await.unwrap();
    let parts: Vec<_> = listed.parts.iter().map(|p| (p.number, p.size)).collect();
    assert_eq!(parts, [(2, 5 << 20), (5, 1000)]);
    assert!(listed.truncated);
    Complete::new(object.clone(), &id, vec![first, second, third])
}

/// Completes an upload as one of another size or checksum, which is refused.
async fn refuses_other_content(store: &dyn ObjectStore, complete: &Complete, algorithm: Algorithm) {
    let other_size = Complete {
        size: Some(7),
        ..complete.clone()
    };
    let other_checksum = Complete {
        checksum: Some((algorithm, "AAAA".into())),
        ..complete.clone()
    };
    for wrong in [other_size, other_checksum] {
        let refused = store.complete_upload(wrong).await;
        assert!(matches!(
            refused,
            Err(ObjectError::WrongSize { .. } | ObjectError::WholeMismatch(_))
        ));
    }
}

/// Completes an upload of three parts with the checksum of the whole, and once more, which gives the same answer.
async fn complete_twice(
    store: &dyn ObjectStore,
    complete: Complete,
    checksum: &Checksum,
    all: &[u8],
) {
    let complete = Complete {
        checksum: Some((checksum.algorithm, checksum.value.clone())),
        ..complete
    };
    let done = store.complete_upload(complete.clone()).await.unwrap();
    assert_eq!((done.size, done.parts), (all.len() as u64, Some(3)));
    assert!(done.etag.ends_with("-3"));
    assert_eq!(done.checksum.as_ref(), Some(checksum));
    let object = complete.name.clone();
    let again = store.complete_upload(complete).await.unwrap();
    assert_eq!(
        again.etag, done.etag,
        "completing again gives the same answer"
    );
    let whole = store.head(&Get::new(object)).await.unwrap();
    assert_eq!(whole.checksum, done.checksum);
}

/// Puts the same bytes as one object: its checksum is that of the parts together.
async fn put_with_checksum(
    store: &dyn ObjectStore,
    name: ObjectName,
    checksum: &Checksum,
    all: &[u8],
) {
    let expected = Expected {
        md5: None,
        checksum: Some((checksum.algorithm, Some(checksum.value.clone()))),
    };
    let put = Put {
        expected,
        ..Put::new(name)
    };
    let body = Body::from_bytes(all.to_vec());
    store.put(put, body).await.unwrap();
}

/// Reads an object of parts: whole, a range over all three parts, and the head of the third.
async fn read_parts(
    store: &dyn ObjectStore,
    object: &ObjectName,
    algorithm: Algorithm,
    coverage: Coverage,
    all: &[u8],
) {
    assert_eq!(read(store, object).await.unwrap(), all.to_vec());
    let get = |range| Get {
        range: Some(range),
        ..Get::new(object.clone())
    };
    let (from, to) = (PART - 2, 2 * PART + 1);
    let range = ByteRange::Between(from as u64, to as u64);
    let (_, body) = store.get(&get(range)).await.unwrap();
    assert_eq!(body.collect(usize::MAX).await.unwrap(), all[from..=to]);
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

/// Parts that an upload does not take, and lists of parts that it is not completed with.
pub async fn wrong_parts(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let id = begin(store, &object, Algorithm::Crc64Nvme, None).await;
    let a = put_part(store, &object, &id, 1, b"a").await;
    let b = put_part(store, &object, &id, 2, b"b").await;
    let complete = async |parts: &[CompletePart], condition| {
        let complete = Complete::new(object.clone(), &id, parts.to_vec());
        let complete = Complete {
            condition,
            ..complete
        };
        store.complete_upload(complete).await.map(drop)
    };
    let refused = async |parts: &[CompletePart]| {
        let done = complete(parts, WriteCondition::None).await;
        done.expect_err("these are wrong")
    };
    wrong_lists(&a, &b, refused).await;
    wrong_puts(store, &object, &id).await;
    put(store, &object, b"there").await;
    let present = complete(std::slice::from_ref(&a), WriteCondition::IfAbsent).await;
    assert!(matches!(
        present,
        Err(ObjectError::PreconditionFailed("If-None-Match"))
    ));
    complete(&[a], WriteCondition::None).await.unwrap();
    assert_eq!(read(store, &object).await.unwrap(), "a");
}

/// Lists of the parts `a` and `b`, of one byte each, that no upload is completed with; `refused` gives the error.
async fn wrong_lists(
    a: &CompletePart,
    b: &CompletePart,
    refused: impl AsyncFn(&[CompletePart]) -> ObjectError,
) {
    assert!(matches!(refused(&[]).await, ObjectError::NoParts));
    for disordered in [[b.clone(), a.clone()], [a.clone(), a.clone()]] {
        assert!(matches!(refused(&disordered).await, ObjectError::PartOrder));
    }
    assert!(matches!(
        refused(&[a.clone(), b.clone()]).await,
        ObjectError::PartTooSmall {
            number: 1,
            size: 1,
            ..
        }
    ));
    let missing = CompletePart {
        number: 3,
        ..a.clone()
    };
    assert!(matches!(
        refused(&[missing]).await,
        ObjectError::InvalidPart { number: 3, .. }
    ));
    let other = CompletePart {
        etag: b.etag.clone(),
        ..a.clone()
    };
    assert!(matches!(
        refused(&[other]).await,
        ObjectError::InvalidPart { number: 1, .. }
    ));
    let wrong = CompletePart {
        checksum: b.checksum.clone(),
        ..a.clone()
    };
    assert!(matches!(
        refused(&[wrong]).await,
        ObjectError::InvalidPart { number: 1, .. }
    ));
    let other = CompletePart {
        checksum: a
            .checksum
            .clone()
            .map(|(_, value)| (Algorithm::Crc32c, value)),
        ..a.clone()
    };
    assert!(matches!(
        refused(&[other]).await,
        ObjectError::PartChecksumMismatch {
            algorithm: Algorithm::Crc32c,
            number: 1
        }
    ));
}

/// Parts that an upload does not take: numbers out of range, and a checksum of another algorithm.
async fn wrong_puts(store: &dyn ObjectStore, object: &ObjectName, id: &str) {
    let put = async |number, expected| {
        let part = PutPart {
            name: object.clone(),
            upload: id.to_owned(),
            number,
            expected,
        };
        store.put_part(part, Body::from_bytes("x")).await
    };
    for number in [0, 10_001] {
        let refused = put(number, Expected::default()).await;
        assert!(matches!(refused, Err(ObjectError::PartNumber(n)) if n == number));
    }
    let other = Expected {
        md5: None,
        checksum: Some((Algorithm::Sha1, None)),
    };
    assert!(matches!(
        put(1, other).await,
        Err(ObjectError::OtherAlgorithm { .. })
    ));
}

/// Uploads on whose completion conditions stand, while the object is put or deleted after their beginning.
pub async fn uploads_with_conditions(store: &dyn ObjectStore, bucket: BucketName) {
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
        let delete = Delete::new(object.clone());
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

/// Uploads in progress: listed by pages and rolled up, and aborted.
pub async fn uploads(store: &dyn ObjectStore, bucket: BucketName) {
    let mut begun = Vec::new();
    for key in ["a", "a", "a/1", "a/2", "b"] {
        let id = begin(store, &name(&bucket, key), Algorithm::Crc32, None).await;
        begun.push((key.to_owned(), id));
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
        let uploads = page.uploads.into_iter();
        paged.extend(uploads.map(|upload| (upload.key, upload.id)));
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
    aborted(store, name(&bucket, key), id).await;
    let left = store.list_uploads(&query(None, 10)).await.unwrap();
    assert_eq!(left.uploads.len(), 4);
}

/// Aborts an upload that has a part; it is gone then.
async fn aborted(store: &dyn ObjectStore, object: ObjectName, id: &str) {
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
        upload: id.to_owned(),
        number: 1,
        expected: Expected::default(),
    };
    let late = store.put_part(part, Body::from_bytes("x")).await;
    assert!(matches!(late, Err(ObjectError::NoSuchUpload(_))));
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
        checksum: written
            .checksum
            .map(|checksum| (checksum.algorithm, checksum.value)),
    }
}
