//! The contract of object stores, kept over the wire: against our own S3 door on a directory.
#![allow(clippy::unwrap_used, reason = "a failure is the test's")]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use headwater_catalog::MemoryCatalog;
use headwater_client::{Client, ClientConfig, Credentials};
use headwater_env::Env;
use headwater_http::{Serving, serve};
use headwater_objects::{
    Algorithm, Body, BucketName, DirectoryStore, Expected, ObjectError, ObjectStore, Put,
    UploadQuery,
    testing::{contract, name, pattern, read},
};
use headwater_objects_s3::{S3Store, limits::PIECE_BYTES};
use headwater_wire::{Options, Pipeline, Place};
use tokio::{net::TcpListener, sync::oneshot};

/// A store behind a door, and what ends it.
struct World {
    store: S3Store,
    _stop: oneshot::Sender<()>,
    _dir: tempfile::TempDir,
}

async fn world() -> World {
    let (env, dir) = (Env::real(), tempfile::tempdir().unwrap());
    let catalog = Arc::new(MemoryCatalog::default());
    let store = DirectoryStore::open(env.clone(), &dir.path().join("objects"), catalog)
        .await
        .unwrap();
    let table = headwater_s3::table(headwater_s3::S3 {
        store: Arc::new(store),
        clock: env.clock.clone(),
    });
    let options = Options::new(Place::new("000000000000", "us-east-1"));
    let pipeline = Pipeline::new(vec![table], options, env.clone());
    let serving = Serving::new(Arc::new(pipeline));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving_env = env.clone();
    env.spawn(async move {
        serve([listener.into()], serving, serving_env, async {
            drop(stopped.await)
        })
        .await
    });
    let credentials = Credentials {
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
        session_token: None,
    };
    let config =
        ClientConfig::new(credentials).with_endpoint_url(Some(format!("http://{address}")));
    let client = Client::new(config.with_region(Some("us-east-1".into())), env.clone());
    World {
        store: S3Store::new(client, env),
        _stop: stop,
        _dir: dir,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    contract(&world().await.store, "remote").await;
}

#[tokio::test]
async fn an_object_of_unknown_length_goes_up_in_parts() {
    let World { store, _stop, _dir } = world().await;
    let bucket = BucketName::parse("bucket").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let object = name(&bucket, "long");
    let bytes = pattern(2 * PIECE_BYTES + 77);
    let body = || {
        let chunks: Vec<_> = bytes
            .chunks(1_000_000)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        Body::new(stream::iter(chunks), None)
    };
    for checksum in [
        None,
        Some((Algorithm::Crc32, None)),
        Some((Algorithm::Sha256, None)),
    ] {
        let put = Put {
            expected: Expected {
                md5: None,
                checksum,
            },
            ..Put::new(object.clone())
        };
        let written = store.put(put, body()).await.unwrap();
        assert_eq!((written.size, written.parts), (bytes.len() as u64, Some(3)));
        assert_eq!(read(&store, &object).await.unwrap(), bytes);
    }

    let wrong = Expected {
        md5: Some([7; 16]),
        checksum: None,
    };
    let refused = store
        .put(
            Put {
                expected: wrong,
                ..Put::new(object)
            },
            body(),
        )
        .await;
    assert!(matches!(refused, Err(ObjectError::Md5Mismatch { .. })));
    let query = UploadQuery {
        bucket,
        prefix: String::new(),
        delimiter: None,
        after: None,
        limit: 10,
    };
    assert!(
        store.list_uploads(&query).await.unwrap().uploads.is_empty(),
        "what failed is aborted"
    );
}
