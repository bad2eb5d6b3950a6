//! The surroundings that the tests of functions share: a server's surroundings in a temporary folder, and zip files.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "this is test code")]

use std::{
    io::{Cursor, Write},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::Env;
use headwater_functions::{
    Configuration, Error, Function, FunctionName, Functions, Invocation, LogBatch, LogSink,
    Options, Request,
};
use headwater_types::{Account, Region};
use tokio::sync::{Notify, oneshot};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A sink that keeps lines in memory.
#[derive(Default)]
pub struct Lines {
    kept: Mutex<Vec<LogBatch>>,
    added: Notify,
}

#[async_trait]
impl LogSink for Lines {
    async fn append(&self, batches: &[LogBatch]) -> Result<(), String> {
        self.kept.lock().unwrap().extend_from_slice(batches);
        self.added.notify_waiters();
        Ok(())
    }
}

impl Lines {
    pub fn all(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        kept.iter()
            .flat_map(|b| b.lines.iter().map(|l| l.message.clone()))
            .collect()
    }

    pub fn batches(&self) -> Vec<LogBatch> {
        self.kept.lock().unwrap().clone()
    }

    pub fn clear(&self) {
        self.kept.lock().unwrap().clear();
    }

    /// Waits for a line that holds `text`.
    pub async fn wait_for(&self, text: &str) {
        self.wait_for_count(text, 1).await;
    }

    /// Waits for `count` lines that hold `text`.
    pub async fn wait_for_count(&self, text: &str, count: usize) {
        loop {
            let added = self.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            if self.all().iter().filter(|line| line.contains(text)).count() >= count {
                return;
            }
            added.await;
        }
    }
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub lines: Arc<Lines>,
    pub functions: Functions,
}

pub fn options() -> Options {
    let region = Region("us-east-1".into());
    let mut options = Options::new(region, Account("000000000000".into()), "http://127.0.0.1:1");
    for name in ["PATH", "HOME"] {
        options
            .inherited
            .insert(name.into(), std::env::var(name).unwrap());
    }
    options
}

impl World {
    pub async fn new() -> Self {
        Self::with(Env::real(), options()).await
    }

    pub async fn with(env: Env, options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let lines = Arc::new(Lines::default());
        let functions = Functions::open(
            env.clone(),
            catalog.clone(),
            dir.path(),
            lines.clone(),
            options,
        )
        .await
        .unwrap();
        Self {
            dir,
            env,
            catalog,
            lines,
            functions,
        }
    }

    pub async fn python(&self, name: &str, code: &str) -> Function {
        self.create(name, "python3.12", "index.handler", &[("index.py", code)])
            .await
    }

    pub async fn node(&self, name: &str, code: &str) -> Function {
        self.create(name, "nodejs22.x", "index.handler", &[("index.mjs", code)])
            .await
    }

    pub async fn create(
        &self,
        name: &str,
        runtime: &str,
        handler: &str,
        files: &[(&str, &str)],
    ) -> Function {
        let configuration = Configuration::new(
            runtime.parse().unwrap(),
            handler,
            "arn:aws:iam::000000000000:role/r",
        );
        let configuration = Configuration {
            timeout_s: 30,
            ..configuration
        };
        self.functions
            .create(
                name.parse().unwrap(),
                configuration,
                Default::default(),
                zip_of(files),
                false,
            )
            .await
            .unwrap()
    }

    pub async fn invoke(&self, name: &str, payload: &str) -> Invocation {
        self.functions
            .invoke(&self::name(name), self.request(payload))
            .await
            .unwrap()
    }

    /// Starts an invocation whose end is waited for later.
    pub fn start(
        &self,
        name: &'static str,
        payload: &str,
    ) -> oneshot::Receiver<Result<Invocation, Error>> {
        let (functions, request) = (self.functions.clone(), self.request(payload));
        let (done, wait) = oneshot::channel();
        self.env.spawn(async move {
            drop(done.send(functions.invoke(&self::name(name), request).await))
        });
        wait
    }

    /// Waits until so many events wait, the first of them due `after_s` seconds from now.
    pub async fn until_events(&self, count: usize, after_s: Option<u64>) {
        let now = self.env.clock.now().0;
        loop {
            let waiting = self
                .catalog
                .scan("function-events/", None, 10)
                .await
                .unwrap();
            let due = waiting.first().map(|(key, _)| {
                key["function-events/".len()..][..15]
                    .parse::<u64>()
                    .unwrap()
            });
            let expected = after_s.filter(|_| count > 0).map(|s| now + s * 1000);
            if waiting.len() == count && (expected.is_none() || due == expected) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    pub fn request(&self, payload: &str) -> Request {
        let payload = Bytes::from(payload.to_owned());
        Request {
            request_id: self.env.random.uuid(),
            payload,
            client_context: None,
            qualifier: None,
        }
    }
}

pub fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

pub fn zip_of(files: &[(&str, &str)]) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        let mode = if *name == "bootstrap" { 0o755 } else { 0o644 };
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(mode))
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner().into()
}

/// The payload as JSON.
pub fn json(invocation: &Invocation) -> serde_json::Value {
    serde_json::from_slice(&invocation.payload).unwrap()
}
