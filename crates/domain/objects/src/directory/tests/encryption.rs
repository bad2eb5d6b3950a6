//! Encrypted files: damage, old files, crashes.

use std::fs;

use bytes::Bytes;
use headwater_catalog::{Expect, MemoryCatalog};
use headwater_env::SimDisk;

use super::{
    super::{
        records::{Data, ObjectRecord, object_row, part_row},
        *,
    },
    World,
};
use crate::{
    Attributes, ByteRange, CompletePart, Encryption,
    EncryptionMethod::{KeyService, KeyServiceTwice},
    blob::{BlobId, plain_file},
    testing::{name, pattern, put, read},
};

/// Where segments begin in a file, and how long a whole one is there.
const FIRST: usize = 36;
const SEGMENT: usize = 131_072 + 16;

async fn found(store: &DirectoryStore, object: &ObjectName) -> ObjectRecord {
    store.0.find(object, None, None).await.unwrap().record
}

/// The error of a read, as an operator sees it.
fn report(read: Result<Bytes, ObjectError>) -> String {
    match read {
        Err(ObjectError::Body(error)) => error.get_ref().unwrap().to_string(),
        Err(error) => error.to_string(),
        Ok(_) => panic!("what is damaged is given out"),
    }
}

#[tokio::test]
async fn damage_is_reported_with_file_and_offset_and_never_given_out() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let (object, bytes) = (name(&bucket, "o"), pattern(300_000));
    put(&store, &object, &bytes).await;
    let file = world.files().remove(0);
    let good = fs::read(&file).unwrap();
    let (second, third) = (FIRST + SEGMENT, FIRST + 2 * SEGMENT);
    // Magic, version, id, size of segments, key, check; then data and tags of each segment.
    for (at, told) in [
        (0, 0),
        (6, 0),
        (9, 0),
        (25, 0),
        (30, 0),
        (33, 0),
        (FIRST, FIRST),
        (second - 1, FIRST),
        (second, second),
        (third - 1, second),
        (third, third),
        (good.len() - 1, third),
    ] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&file, &bad).unwrap();
        let error = report(read(&store, &object).await);
        let place = format!("{} is damaged at byte {told}:", file.display());
        assert!(error.starts_with(&place), "{at}: {error}");
    }
    for len in [0, 20, 1000, good.len() - 1, good.len() + 1] {
        let mut bad = good.clone();
        bad.resize(len, 0);
        fs::write(&file, &bad).unwrap();
        let error = read(&store, &object).await;
        assert!(
            matches!(error, Err(ObjectError::Damaged { .. })),
            "{len} bytes"
        );
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(read(&store, &object).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_range_reads_the_segments_that_it_touches_and_no_others() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let (object, bytes) = (name(&bucket, "o"), pattern(300_000));
    put(&store, &object, &bytes).await;
    let file = world.files().remove(0);
    let mut bad = fs::read(&file).unwrap();
    bad[FIRST] ^= 1;
    bad[FIRST + 2 * SEGMENT] ^= 1;
    fs::write(&file, &bad).unwrap();
    let get = |first, last| Get {
        range: Some(ByteRange::Between(first, last)),
        ..Get::new(object.clone())
    };
    let (_, body) = store.get(&get(131_072, 262_143)).await.unwrap();
    let read = body.collect(usize::MAX).await.unwrap();
    assert_eq!(read, bytes[131_072..262_144]);
    for (first, last) in [(131_071, 131_072), (262_143, 262_144)] {
        let read = match store.get(&get(first, last)).await {
            Ok((_, body)) => body.collect(usize::MAX).await,
            Err(error) => Err(error),
        };
        report(read);
    }
}

#[tokio::test]
async fn segments_that_changed_places_files_or_number_are_damage() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let (object, bytes) = (name(&bucket, "o"), pattern(3 * 131_072));
    put(&store, &object, &bytes).await;
    let file = world.files().remove(0);
    let good = fs::read(&file).unwrap();
    put(&store, &name(&bucket, "same bytes"), &bytes).await;
    let other = world.files().into_iter().find(|other| *other != file);
    let other = fs::read(other.unwrap()).unwrap();
    let (first, second) = (FIRST..FIRST + SEGMENT, FIRST + SEGMENT..FIRST + 2 * SEGMENT);

    let swapped = [
        &good[..FIRST],
        &good[second.clone()],
        &good[first.clone()],
        &good[second.end..],
    ];
    let replaced = [&good[..FIRST], &other[first.clone()], &good[first.end..]];
    for (bad, at) in [(swapped.concat(), FIRST), (replaced.concat(), FIRST)] {
        fs::write(&file, &bad).unwrap();
        let error = report(read(&store, &object).await);
        assert!(error.contains(&format!("at byte {at}:")), "{error}");
    }

    // As long as a shorter object would be, and a row that says so.
    fs::write(&file, &good[..second.end]).unwrap();
    let row = object_row(&object);
    let mut record = found(&store, &object).await;
    record.size = 2 * 131_072;
    let shorter = store.0.tables.objects.write(&row, &record, Expect::Any);
    shorter.await.unwrap();
    let error = report(read(&store, &object).await);
    let last = second.start;
    assert!(error.contains(&format!("at byte {last}:")), "{error}");
}

#[tokio::test]
async fn what_is_put_is_not_on_the_disk_and_only_its_catalog_opens_it() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let (object, text) = (
        name(&bucket, "o"),
        b"a secret of some length ".repeat(10_000),
    );
    put(&store, &object, &text).await;
    let id = begin_upload(&store, &object).await;
    write_part(&store, &object, &id, &text).await;
    assert_eq!(world.files().len(), 2);
    for file in world.files() {
        let bytes = fs::read(file).unwrap();
        let is_text = |window: &[u8]| window == b"secret";
        assert!(bytes.len() > text.len() && !bytes.windows(6).any(is_text));
    }
    // The same files, and rows but for the key. They are there before the store opens: it removes files without a name.
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let tables = Tables::new(catalog.clone());
    let record = found(&store, &object).await;
    let Data::Blob(blob) = record.data else {
        panic!("it was put in one go")
    };
    let row = object_row(&object);
    let bucket_row = store.0.tables.buckets.get("bucket").await.unwrap();
    let copied = vec![
        tables
            .buckets
            .put("bucket", &bucket_row.unwrap().value, Expect::Absent),
        tables.objects.put(&row, &record, Expect::Absent),
        tables.name_blob(blob),
    ];
    catalog.commit(copied).await.unwrap();
    let other = DirectoryStore::open(Env::real(), &world.objects(), catalog)
        .await
        .unwrap();
    let error = report(read(&other, &object).await);
    assert!(error.contains("another installation's key"), "{error}");
}

async fn begin_upload(store: &DirectoryStore, object: &ObjectName) -> String {
    let upload = Upload {
        name: object.clone(),
        attributes: Default::default(),
        algorithm: None,
        coverage: None,
    };
    store.create_upload(upload).await.unwrap().id
}

async fn write_part(store: &DirectoryStore, object: &ObjectName, id: &str, bytes: &[u8]) -> String {
    let part = PutPart {
        name: object.clone(),
        upload: id.to_owned(),
        number: 1,
        expected: Default::default(),
    };
    let body = Body::from_bytes(bytes.to_vec());
    store.put_part(part, body).await.unwrap().etag
}

/// Puts the file of the only blob back to the first version of the format.
fn write_plain(world: &World, bytes: &[u8]) {
    let file = world.files().remove(0);
    let id = BlobId::parse(file.file_name().unwrap().to_str().unwrap()).unwrap();
    fs::write(&file, plain_file(id, bytes)).unwrap();
}

#[tokio::test]
async fn objects_from_before_there_was_encryption_are_read_and_not_called_encrypted() {
    for len in [0, 5, 131_072, 300_000] {
        let world = World::new();
        let (store, bucket) = world.with_bucket().await;
        let (object, bytes) = (name(&bucket, "o"), pattern(len));
        put(&store, &object, &bytes).await;
        write_plain(&world, &bytes);
        let row = object_row(&object);
        let old = found(&store, &object).await;
        let mut old = serde_json::to_value(old).unwrap();
        assert_eq!(
            old.as_object_mut().unwrap().remove("sealed"),
            Some(true.into())
        );
        let old = serde_json::from_value(old).unwrap();
        let written = store.0.tables.objects.write(&row, &old, Expect::Any);
        written.await.unwrap();

        assert_eq!(read(&store, &object).await.unwrap(), bytes);
        let found = store.head(&Get::new(object.clone())).await.unwrap();
        assert_eq!(
            found.object.attributes.encryption, None,
            "though it was asked for"
        );
        if len == 0 {
            // No byte of its file is needed to give it out.
            continue;
        }
        let file = world.files().remove(0);
        let good = fs::read(&file).unwrap();
        for at in [0, 9, 25, 29, 32, good.len() - 12, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs::write(&file, &bad).unwrap();
            assert!(report(read(&store, &object).await).contains("is damaged at byte"));
        }
    }
}

#[tokio::test]
async fn an_object_with_a_part_from_before_there_was_encryption_is_not_called_encrypted() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    let id = begin_upload(&store, &object).await;
    let etag = write_part(&store, &object, &id, b"part").await;
    write_plain(&world, b"part");
    let row = part_row(&id, 1);
    let mut part = store.0.tables.parts.get(&row).await.unwrap().unwrap().value;
    part.sealed = false;
    let old = store.0.tables.parts.write(&row, &part, Expect::Any);
    old.await.unwrap();
    let part = CompletePart {
        number: 1,
        etag,
        checksum: None,
    };
    let done = store
        .complete_upload(Complete::new(object.clone(), &id, vec![part]))
        .await;
    assert_eq!(done.unwrap().attributes.encryption, None);
    assert_eq!(read(&store, &object).await.unwrap(), "part");
}

#[tokio::test]
async fn encryption_that_is_not_done_is_refused_before_anything_is_written() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    let asking = |method, key: Option<&str>| {
        let encryption = Encryption {
            method,
            key: key.map(str::to_owned),
            bucket_key: None,
        };
        Attributes {
            encryption: Some(encryption),
            ..Default::default()
        }
    };
    for (attributes, is_method) in [
        (asking(KeyServiceTwice, None), true),
        (asking(KeyService, Some("no key")), false),
    ] {
        let is_refusal = |error: &ObjectError| match error {
            ObjectError::Encryption(KeyServiceTwice) => is_method,
            ObjectError::EncryptionKey(key) => !is_method && key == "no key",
            _ => false,
        };
        let put = Put {
            attributes: attributes.clone(),
            ..Put::new(object.clone())
        };
        let refused = store.put(put, Body::from_bytes("x")).await.unwrap_err();
        assert!(is_refusal(&refused), "{refused}");
        let upload = Upload {
            name: object.clone(),
            attributes,
            algorithm: None,
            coverage: None,
        };
        let refused = store.create_upload(upload).await.unwrap_err();
        assert!(is_refusal(&refused), "{refused}");
    }
    assert!(!world.objects().join("00").exists() && world.files().is_empty());
}

#[tokio::test]
async fn whatever_step_the_disk_stops_at_objects_are_whole_or_not_there() {
    let sizes = [0, 10, 131_072, 140_000];
    let mut stopped = 0;
    for step in 0.. {
        let disk = SimDisk::new(step);
        let env = Env {
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        let catalog = Arc::new(MemoryCatalog::default());
        let (dir, bucket) = (Path::new("/objects"), BucketName::parse("bucket").unwrap());
        let store = DirectoryStore::open(env.clone(), dir, catalog.clone())
            .await
            .unwrap();
        store.create_bucket(&bucket).await.unwrap();
        disk.stop_at(disk.steps() + step);
        let mut acknowledged = 0;
        for (number, size) in sizes.iter().enumerate() {
            let object = Put::new(name(&bucket, &number.to_string()));
            match store.put(object, Body::from_bytes(pattern(*size))).await {
                Ok(_) => acknowledged += 1,
                Err(_) => break,
            }
        }
        drop(store);
        disk.crash();
        let store = DirectoryStore::open(env, dir, catalog).await.unwrap();
        for (number, size) in sizes.iter().enumerate() {
            match read(&store, &name(&bucket, &number.to_string())).await {
                Ok(found) => assert_eq!(found, pattern(*size), "step {step}"),
                Err(ObjectError::NoSuchKey(_)) => {
                    assert!(
                        number >= acknowledged,
                        "step {step}: object {number} is lost"
                    )
                }
                Err(error) => panic!("step {step}: {error}"),
            }
        }
        if acknowledged == sizes.len() {
            break;
        }
        stopped += 1;
    }
    assert!(
        stopped > 20,
        "the disk was stopped at {stopped} steps alone"
    );
}
