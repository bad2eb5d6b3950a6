//! Tests of what only a directory does: crashes, damage, sweeping.
#![expect(
    clippy::disallowed_methods,
    reason = "damage is done behind the store's back"
)]

use std::{fs, path::PathBuf, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};
use headwater_catalog::{MemoryCatalog, SqliteCatalog};

use super::*;
use crate::testing::{contract, name, pattern, put, read};

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
        DirectoryStore::open(Env::real(), &self.objects(), self.catalog.clone())
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
    // What a crash between the blob and the commit leaves.
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
async fn damage_is_reported_with_file_and_offset_and_never_given_out() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let (object, bytes) = (name(&bucket, "o"), pattern(300_000));
    put(&store, &object, &bytes).await;
    let file = world.files().remove(0);
    let good = fs::read(&file).unwrap();
    // Magic, id, first block, its check, last block, length, check of the trailer.
    for at in [
        0,
        9,
        40,
        32 + 131_072,
        299_000,
        good.len() - 12,
        good.len() - 1,
    ] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&file, &bad).unwrap();
        let error = match read(&store, &object).await {
            Err(ObjectError::Body(error)) => error.get_ref().unwrap().to_string(),
            Err(error) => error.to_string(),
            Ok(_) => panic!("a flipped bit at {at} is given out"),
        };
        assert!(
            error.contains(file.to_str().unwrap()) && error.contains("at byte"),
            "{error}"
        );
    }
    for len in [0, 20, 1000, good.len() - 1] {
        fs::write(&file, &good[..len]).unwrap();
        assert!(
            matches!(
                read(&store, &object).await,
                Err(ObjectError::Damaged { .. })
            ),
            "cut to {len} bytes"
        );
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(read(&store, &object).await.unwrap(), bytes);
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
