//! The rates of the directory store on this machine: whole objects and ranges of them, put and read back.
//!
//! `cargo bench -p headwater-objects --bench directory -- [--dir DIR] [--rounds N] [PART ...]` with the parts `put`, `get`,
//! `puts`, `gets` and `ranges`; all of them when none is named. To compare two versions, build both and run them by turns:
//! the disk and the machine's other work change from minute to minute, and processor time less than the clock's.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use headwater_catalog::MemoryCatalog;
use headwater_env::Env;
use headwater_objects::{
    Body, BucketName, ByteRange, DirectoryStore, Get, ObjectName, ObjectStore, Put,
};

/// Bytes of a large object.
const LARGE: usize = 64 << 20;
/// Bytes of a chunk, as a connection gives them.
const CHUNK: usize = 64 << 10;
/// Bytes of a small object and of a range.
const SMALL: usize = 4 << 10;
/// Small operations a round.
const MANY: usize = 500;

fn main() {
    let (mut dir, mut rounds, mut parts) = (PathBuf::from("."), 5, Vec::new());
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dir" => dir = args.next().expect("a folder after --dir").into(),
            "--rounds" => {
                let rounds_given = args.next().and_then(|text| text.parse().ok());
                rounds = rounds_given.expect("a number after --rounds");
            }
            _ => parts.push(arg),
        }
    }
    let dir = tempfile::tempdir_in(dir).expect("a folder to write to");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(dir.path().join("objects"), rounds, &parts));
}

async fn run(dir: PathBuf, rounds: usize, parts: &[String]) {
    let env = Env::real();
    let store = DirectoryStore::open(env.clone(), &dir, Arc::new(MemoryCatalog::default())).await;
    let (store, bucket) = (store.expect("a store"), BucketName::parse("bucket"));
    let bench = Bench {
        env,
        store,
        bucket: bucket.expect("a good name"),
        bytes: Bytes::from((0..LARGE).map(|i| (i / 7) as u8).collect::<Vec<_>>()),
    };
    let made = bench.store.create_bucket(&bench.bucket).await;
    made.expect("a new bucket");
    bench.put("small", SMALL).await;
    bench.put("large", LARGE).await;
    let is_asked = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    for _ in 0..rounds {
        if is_asked("put") {
            let took = bench.timed(bench.put("large", LARGE)).await;
            println!("put, 64 MiB: {} MiB/s", mib_a_second(took));
        }
        if is_asked("get") {
            let took = bench.timed(bench.get("large", None, LARGE)).await;
            println!("get, 64 MiB: {} MiB/s", mib_a_second(took));
        }
        if is_asked("puts") {
            let took = bench.timed(bench.puts()).await;
            println!("put, 4 KiB: {} µs", micros_each(took));
        }
        if is_asked("gets") {
            let took = bench.timed(bench.gets()).await;
            println!("get, 4 KiB: {} µs", micros_each(took));
        }
        if is_asked("ranges") {
            let took = bench.timed(bench.ranges()).await;
            println!("get, 4 KiB of 64 MiB: {} µs", micros_each(took));
        }
    }
}

struct Bench {
    env: Env,
    store: DirectoryStore,
    bucket: BucketName,
    bytes: Bytes,
}

impl Bench {
    async fn timed(&self, work: impl Future<Output = ()>) -> Duration {
        let start = self.env.clock.elapsed();
        work.await;
        self.env.clock.elapsed() - start
    }

    async fn put(&self, key: &str, len: usize) {
        let all = self.bytes.slice(..len);
        let chunks = (0..len.div_ceil(CHUNK))
            .map(move |i| Ok(all.slice(i * CHUNK..all.len().min((i + 1) * CHUNK))));
        let body = Body::new(stream::iter(chunks), Some(len as u64));
        let put = self.store.put(Put::new(self.name(key)), body).await;
        assert_eq!(put.expect("the object is written").size, len as u64);
    }

    async fn get(&self, key: &str, range: Option<ByteRange>, len: usize) {
        let get = Get {
            range,
            ..Get::new(self.name(key))
        };
        let (_, mut body) = self.store.get(&get).await.expect("the object is there");
        let mut seen = 0;
        while let Some(chunk) = body.chunks.next().await {
            seen += chunk.expect("the object is whole").len();
        }
        assert_eq!(seen, len);
    }

    async fn puts(&self) {
        for _ in 0..MANY {
            self.put("small", SMALL).await;
        }
    }

    async fn gets(&self) {
        for _ in 0..MANY {
            self.get("small", None, SMALL).await;
        }
    }

    /// Ranges all over the large object.
    async fn ranges(&self) {
        for i in 0..MANY {
            let start = ((i * 7_919 * SMALL) % (LARGE - SMALL)) as u64;
            let range = ByteRange::Between(start, start + SMALL as u64 - 1);
            self.get("large", Some(range), SMALL).await;
        }
    }

    fn name(&self, key: &str) -> ObjectName {
        ObjectName::new(self.bucket.clone(), key).expect("a good key")
    }
}

fn mib_a_second(took: Duration) -> u64 {
    (64.0 / took.as_secs_f64()) as u64
}

fn micros_each(took: Duration) -> u128 {
    took.as_micros() / MANY as u128
}
