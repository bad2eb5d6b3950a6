//! Tests of what only a directory does: here its files and commits, in [`encryption`] what stands in the files.
#![expect(
    clippy::disallowed_methods,
    reason = "damage is done behind the store's back"
)]

mod encryption;
mod lifecycle;
mod versions;

use std::{fs, path::PathBuf, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use headwater_catalog::{MemoryCatalog, SqliteCatalog, testing::MortalCatalog};
use headwater_env::testing::{CountedTasks, drop_after, drop_at_every_await};

use super::*;
use crate::{
    CompletePart, NULL_VERSION,
    testing::{contract, name, pattern, put, read},
};

struct World {
    dir: tempfile::TempDir,
    catalog: Arc<dyn Catalog>,
}

impl World {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            catalog: Arc::new(MemoryCatalog::default()),
        }
    }

    async fn open(&self) -> DirectoryStore {
        self.open_in(Env::real()).await
    }

    async fn open_in(&self, env: Env) -> DirectoryStore {
        DirectoryStore::open(env, &self.objects(), self.catalog.clone())
            .await
            .unwrap()
    }

    async fn with_bucket(&self) -> (DirectoryStore, BucketName) {
        let (store, bucket) = (self.open().await, BucketName::parse("bucket").unwrap());
        store.create_bucket(&bucket).await.unwrap();
        (store, bucket)
    }

    fn objects(&self) -> PathBuf {
        self.dir.path().join("objects")
    }

    fn files(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.objects())
            .unwrap()
            .map(|folder| folder.unwrap().path());
        folders
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|file| file.unwrap().path())
            .collect()
    }

    /// Waits until `count` files are left: what a reader or a writer that gave up leaves is removed beside us.
    async fn left_with(&self, count: usize) {
        let settled = async {
            while self.files().len() != count {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), settled).await;
        assert!(
            in_time.is_ok(),
            "{} files are left, not {count}",
            self.files().len()
        );
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    contract(&World::new().open().await, "memory").await;
}

#[tokio::test]
async fn it_keeps_the_contract_on_a_durable_catalog_and_leaves_no_file_behind() {
    let mut world = World::new();
    let options = headwater_catalog::Options {
        dir: world.dir.path().join("catalog"),
        sync: true,
    };
    let catalog = Env::real()
        .blocking(move || SqliteCatalog::open(Env::real(), options))
        .await
        .unwrap();
    world.catalog = Arc::new(catalog);
    let store = world.open().await;
    contract(&store, "sqlite").await;
    let rows = store.0.tables.blobs.all().await.unwrap();
    // A file for each blob that is named, and no other.
    world.left_with(rows.len()).await;
}

#[tokio::test]
async fn objects_survive_a_reopen_and_files_without_a_name_do_not() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let kept = name(&bucket, "kept");
    put(&store, &kept, b"kept").await;
    // A blob that no row names, as a crash before the commit leaves it.
    store
        .0
        .write_object(&Put::new(name(&bucket, "lost")), Body::from_bytes("lost"))
        .await
        .unwrap();
    fs::write(world.objects().join("not a folder of ours"), "").unwrap();
    assert_eq!(
        store.0.sweep().await.unwrap(),
        0,
        "of this run it might still be named"
    );
    drop(store);

    let store = world.open().await;
    // The sweep in the background may come first.
    store.0.sweep().await.unwrap();
    assert_eq!(store.0.sweep().await.unwrap(), 0);
    fs::remove_file(world.objects().join("not a folder of ours")).unwrap();
    assert_eq!(world.files().len(), 1);
    assert_eq!(read(&store, &kept).await.unwrap(), "kept");
    assert!(read(&store, &name(&bucket, "lost")).await.is_err());
}

#[tokio::test]
async fn a_blob_in_the_place_of_another_is_damage() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    put(&store, &object, b"one").await;
    let file = world.files().remove(0);
    put(&store, &name(&bucket, "p"), b"two").await;
    let other = world
        .files()
        .into_iter()
        .find(|other| *other != file)
        .unwrap();
    fs::copy(other, &file).unwrap();
    assert!(matches!(
        read(&store, &object).await,
        Err(ObjectError::Damaged { offset: 0, .. })
    ));
}

#[tokio::test]
async fn a_put_that_is_given_up_leaves_nothing() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    let chunk = Ok(bytes::Bytes::from(pattern(200_000)));
    let (reached, mut waits) = tokio::sync::mpsc::channel(1);
    let rest = stream::once(async move { reached.send(()).await.unwrap() })
        .then(|()| std::future::pending());
    let body = Body::new(stream::iter([chunk]).chain(rest), None);
    let mut put = Box::pin(store.put(Put::new(object.clone()), body));
    tokio::select! {
        _ = &mut put => panic!("the body never ends"),
        _ = waits.recv() => {}
    }
    assert_eq!(world.files().len(), 1);
    drop(put);
    world.left_with(0).await;
    assert!(matches!(
        read(&store, &object).await,
        Err(ObjectError::NoSuchKey(_))
    ));
}

#[tokio::test]
async fn a_commit_runs_to_its_end_when_its_caller_is_gone() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    put(&store, &object, b"old").await;
    let new = Put::new(object.clone());
    let (record, blob) = store
        .0
        .write_object(&new, Body::from_bytes("new"))
        .await
        .unwrap();
    let (done, result) = tokio::sync::oneshot::channel();
    let change = store.whole(|store| async move {
        let published = store.publish(&new, record, blob).await;
        done.send(published.is_ok()).unwrap();
    });
    assert!(change.now_or_never().is_none());
    assert!(result.await.unwrap());
    assert_eq!(read(&store, &object).await.unwrap(), "new");
    assert_eq!(world.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_key_leave_one_whole_object_and_one_file() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = name(&bucket, "o");
    let writers = (0..16u8).map(|i| {
        let (store, object) = (store.clone(), object.clone());
        async move {
            put(&store, &object, &[i; 1000]).await;
            let seen = read(&store, &object).await.unwrap();
            assert!(seen.len() == 1000 && seen.iter().all(|b| *b == seen[0]));
        }
    });
    stream::iter(writers)
        .for_each_concurrent(16, |writer| writer)
        .await;
    world.left_with(1).await;
}

/// A store whose changes can be waited for, with a bucket `bucket` that has an object, an upload of one part, and beside
/// it a bucket `empty`.
struct Ready {
    world: World,
    store: DirectoryStore,
    upload: String,
    etag: String,
    /// The latest of three versions of `o` in the bucket `kept`, of which the first is the null version.
    latest: String,
}

impl Ready {
    async fn new(tasks: &CountedTasks) -> Self {
        let env = Env {
            tasks: Arc::new(tasks.clone()),
            ..Env::real()
        };
        let catalog = Arc::new(MortalCatalog::default());
        let world = World {
            catalog: catalog.clone(),
            ..World::new()
        };
        let store = world.open_in(env.clone()).await;
        for bucket in ["bucket", "empty", "kept"] {
            let bucket = BucketName::parse(bucket).unwrap();
            store.create_bucket(&bucket).await.unwrap();
        }
        put(&store, &object("o"), b"old").await;
        let kept = object_in("kept", "o");
        put(&store, &kept, b"null").await;
        let enabled = Versioning::Enabled;
        store.set_versioning(kept.bucket(), enabled).await.unwrap();
        put(&store, &kept, b"second").await;
        let latest = put(&store, &kept, b"third").await.version;
        let upload = store.create_upload(upload(object("u"))).await.unwrap();
        let part = store
            .put_part(part(&upload.id), Body::from_bytes("part"))
            .await;
        catalog.yield_in(env);
        Self {
            world,
            store,
            upload: upload.id,
            etag: part.unwrap().etag,
            latest: latest.unwrap(),
        }
    }

    fn complete(&self) -> Complete {
        let part = CompletePart {
            number: 1,
            etag: self.etag.clone(),
            checksum: None,
        };
        Complete::new(object("u"), &self.upload, vec![part])
    }
}

fn upload(name: ObjectName) -> Upload {
    Upload {
        name,
        attributes: Default::default(),
        algorithm: None,
        coverage: None,
    }
}

fn part(upload: &str) -> PutPart {
    PutPart {
        name: object("u"),
        upload: upload.to_owned(),
        number: 1,
        expected: Default::default(),
    }
}

fn object(key: &str) -> ObjectName {
    object_in("bucket", key)
}

fn object_in(bucket: &str, key: &str) -> ObjectName {
    name(&BucketName::parse(bucket).unwrap(), key)
}

type Call = for<'a> fn(&'a Ready) -> BoxFuture<'a, Result<(), ObjectError>>;

const CALLS: &[(&str, Call)] = &[
    ("create_bucket", |r| {
        Box::pin(async move {
            r.store
                .create_bucket(&BucketName::parse("new").unwrap())
                .await
        })
    }),
    ("delete_bucket", |r| {
        Box::pin(async move {
            r.store
                .delete_bucket(&BucketName::parse("empty").unwrap())
                .await
        })
    }),
    ("set", |r| {
        let tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        Box::pin(async move {
            let bucket = BucketName::parse("bucket").unwrap();
            r.store.set(&bucket, Setting::Tags(tags)).await
        })
    }),
    ("put", |r| {
        let put = Put::new(object("o"));
        Box::pin(async move { r.store.put(put, Body::from_bytes("new")).await.map(drop) })
    }),
    ("delete", |r| {
        let delete = Delete::new(object("o"));
        Box::pin(async move { r.store.delete(&delete).await.map(drop) })
    }),
    ("delete in a bucket with versions", |r| {
        let delete = Delete::new(object_in("kept", "o"));
        Box::pin(async move { r.store.delete(&delete).await.map(drop) })
    }),
    ("put in a bucket with versions", |r| {
        let put = Put::new(object_in("kept", "o"));
        Box::pin(async move { r.store.put(put, Body::from_bytes("new")).await.map(drop) })
    }),
    ("delete the latest version", |r| {
        let delete = Delete {
            version: Some(r.latest.clone()),
            ..Delete::new(object_in("kept", "o"))
        };
        Box::pin(async move { r.store.delete(&delete).await.map(drop) })
    }),
    ("delete the null version", |r| {
        let delete = Delete {
            version: Some(NULL_VERSION.to_owned()),
            ..Delete::new(object_in("kept", "o"))
        };
        Box::pin(async move { r.store.delete(&delete).await.map(drop) })
    }),
    ("set_versioning", |r| {
        Box::pin(async move {
            let bucket = BucketName::parse("bucket").unwrap();
            r.store.set_versioning(&bucket, Versioning::Enabled).await
        })
    }),
    ("set_tags", |r| {
        let tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        Box::pin(async move { r.store.set_tags(&object("o"), None, tags).await.map(drop) })
    }),
    ("create_upload", |r| {
        Box::pin(async move { r.store.create_upload(upload(object("v"))).await.map(drop) })
    }),
    ("put_part", |r| {
        Box::pin(async move {
            r.store
                .put_part(part(&r.upload), Body::from_bytes("new"))
                .await
                .map(drop)
        })
    }),
    ("complete_upload", |r| {
        Box::pin(async move { r.store.complete_upload(r.complete()).await.map(drop) })
    }),
    ("abort_upload", |r| {
        Box::pin(async move { r.store.abort_upload(&object("u"), &r.upload).await })
    }),
];

/// A file for each blob that is named, a name for each blob that a row has, a bucket for all settings.
async fn agrees(ready: Ready) {
    let named = names_agree(&ready.store).await;
    ready.world.left_with(named).await;
}

/// A name for each blob that a row has; how many there are.
async fn names_agree(store: &DirectoryStore) -> usize {
    let tables = &store.0.tables;
    for (bucket, _) in tables.settings.all().await.unwrap() {
        assert!(tables.buckets.get(&bucket).await.unwrap().is_some());
    }
    let named = tables.blobs.all().await.unwrap();
    let mut used = Vec::new();
    let latest = tables.objects.all().await.unwrap();
    let earlier = tables.versions.all().await.unwrap();
    let earlier = earlier
        .iter()
        .filter_map(|(_, row)| row.value.version.object());
    for object in latest.iter().map(|(_, row)| &row.value).chain(earlier) {
        match object.data.clone() {
            records::Data::Blob(blob) => used.push(blob.to_string()),
            records::Data::Parts { upload, .. } => {
                let manifest = tables.manifests.get(&upload).await.unwrap();
                let extents = manifest.expect("it is there").value;
                used.extend(extents.iter().map(|extent| extent.blob.to_string()));
            }
        }
    }
    let parts = tables.parts.all().await.unwrap();
    used.extend(parts.iter().map(|(_, part)| part.value.blob.to_string()));
    used.sort();
    let named: Vec<_> = named.into_iter().map(|(name, _)| name).collect();
    assert_eq!(used, named);
    named.len()
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_leaves_rows_and_files_that_agree() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let ready = async || Ready::new(&tasks).await;
        let done = drop_at_every_await(&tasks, ready, async |r: &Ready| call(r).await, agrees);
        assert!(done.await.is_ok(), "{what}");
    }
}

#[tokio::test]
async fn settings_are_a_buckets_own_and_go_with_it() {
    let world = World::new();
    let store = world.open().await;
    let bucket = BucketName::parse("bucket").unwrap();
    let missing = store.settings(&bucket).await;
    assert!(matches!(missing, Err(ObjectError::NoSuchBucket(_))));
    let tagged = BucketSettings {
        tags: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        ..BucketSettings::default()
    };
    store.create_bucket_with(&bucket, &tagged).await.unwrap();
    assert_eq!(store.settings(&bucket).await.unwrap(), tagged);
    store.set(&bucket, Setting::Ownership(None)).await.unwrap();
    drop(store);
    let store = world.open().await;
    let kept = store.settings(&bucket).await.unwrap();
    assert_eq!((kept.tags, kept.ownership), (tagged.tags, None));
    store.delete_bucket(&bucket).await.unwrap();
    let set = store.set(&bucket, Setting::Tags(BTreeMap::new())).await;
    assert!(matches!(set, Err(ObjectError::NoSuchBucket(_))));
    store.create_bucket(&bucket).await.unwrap();
    let new = store.settings(&bucket).await.unwrap();
    assert_eq!(new, BucketSettings::default());
}

/// An upload is recorded before its bucket is searched for leftovers to delete, or it comes too late and is refused.
#[tokio::test]
async fn no_upload_is_left_in_a_bucket_that_is_deleted_while_its_caller_goes_away() {
    let tasks = CountedTasks::default();
    for steps in 0.. {
        let ready = Ready::new(&tasks).await;
        let bucket = BucketName::parse("empty").unwrap();
        let upload = ready.store.create_upload(upload(name(&bucket, "k")));
        let ended = drop_after(steps, upload).await;
        ready.store.delete_bucket(&bucket).await.unwrap();
        tasks.ended().await;
        let left = ready.store.0.tables.uploads.scan("empty/", None, 10).await;
        assert_eq!(left.unwrap().len(), 0, "after {steps} steps");
        if ended.is_some() {
            break;
        }
    }
}
