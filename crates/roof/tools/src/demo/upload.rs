//! The trips, put into the bucket as a replay reads them.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::stream;
use headwater_shapes::ByteStream;
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops;
use lz4_flex::frame::FrameEncoder;

use crate::{
    demo::{
        DemoArgs, DemoError, Doing,
        setup::{Setup, TRIPS},
    },
    limits::{DEMO_TRIPS_PER_OBJECT_MAX, FILE_CHUNK_BYTES},
    replay::files_under,
    trips::Trips,
};

/// The objects that were put.
#[derive(Debug, Default)]
pub struct Uploaded {
    pub objects: u64,
    pub bytes: u64,
    /// The trips made up; none where they came from files.
    pub trips: Option<u64>,
}

/// Puts the trips that are asked for, in objects whose order is theirs.
pub async fn trips(setup: &Setup, args: &DemoArgs) -> Result<Uploaded, DemoError> {
    if args.trips.is_empty() {
        made_up(setup, args).await
    } else {
        from_files(setup, &args.trips).await
    }
}

async fn made_up(setup: &Setup, args: &DemoArgs) -> Result<Uploaded, DemoError> {
    let mut uploaded = Uploaded {
        trips: Some(args.count),
        ..Uploaded::default()
    };
    let mut trips = Trips::new(args.seed, args.count);
    let each = args.count.div_ceil(4).clamp(1, DEMO_TRIPS_PER_OBJECT_MAX) as usize;
    for object in 0..args.count.div_ceil(each as u64) {
        let (rest, packed) = setup
            .env
            .blocking(move || {
                let packed = packed(&mut trips, each);
                (trips, packed)
            })
            .await;
        trips = rest;
        uploaded.bytes += packed.len() as u64;
        let key = format!("{TRIPS}part-{object:05}.json.lz4");
        put(setup, key, ByteStream::from_bytes(packed)).await?;
        uploaded.objects += 1;
    }
    Ok(uploaded)
}

fn packed(trips: &mut Trips, count: usize) -> Bytes {
    let mut packed = FrameEncoder::new(Vec::new());
    for trip in trips.take(count) {
        packed
            .write_all(trip.to_json().as_bytes())
            .expect("writing to memory does not fail");
    }
    packed
        .finish()
        .expect("writing to memory does not fail")
        .into()
}

async fn from_files(setup: &Setup, paths: &[PathBuf]) -> Result<Uploaded, DemoError> {
    let (env, paths) = (setup.env.clone(), paths.to_vec());
    let files = setup.env.blocking(move || {
        paths
            .iter()
            .flat_map(|p| files_under(p, &env))
            .collect::<Vec<_>>()
    });
    let mut uploaded = Uploaded::default();
    for (number, path) in files.await.into_iter().enumerate() {
        let failed = |problem| DemoError::File {
            path: path.display().to_string(),
            problem,
        };
        let body = file(setup, &path).map_err(failed)?;
        uploaded.bytes += body.len.unwrap_or(0);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        put(setup, format!("{TRIPS}{number:05}-{name}"), body).await?;
        uploaded.objects += 1;
    }
    Ok(uploaded)
}

/// A file, read a piece at a time.
fn file(setup: &Setup, path: &Path) -> io::Result<ByteStream> {
    let file: std::sync::Arc<dyn headwater_env::File> = setup.env.disk.open_read(path)?.into();
    let len = file.len()?;
    let env = setup.env.clone();
    let chunks = stream::try_unfold(0, move |offset| {
        let (file, env) = (file.clone(), env.clone());
        async move {
            let read = env.blocking(move || {
                let mut chunk = vec![0; FILE_CHUNK_BYTES];
                let count = file.read_at(&mut chunk, offset)?;
                chunk.truncate(count);
                Ok::<_, io::Error>(chunk)
            });
            let chunk = read.await?;
            let next = offset + chunk.len() as u64;
            Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), next)))
        }
    });
    Ok(ByteStream {
        chunks: Box::pin(chunks),
        len: Some(len),
    })
}

async fn put(setup: &Setup, key: String, body: ByteStream) -> Result<(), DemoError> {
    let what = format!("putting {key}");
    let input = s3::PutObjectRequest {
        bucket: setup.names.bucket.clone(),
        key,
        content_length: body.len.and_then(|len| i64::try_from(len).ok()),
        body,
        ..Default::default()
    };
    setup
        .client
        .call::<ops::PutObject>(input)
        .await
        .doing(what)
        .map(drop)
}
