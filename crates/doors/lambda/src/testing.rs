//! A door over functions in a temporary folder, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{
    io::{Cursor, Write},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_functions::{Functions, LogBatch, LogSink, Options};
use headwater_mappings::{
    Mappings,
    ports::{Answer, Destinations, HandlerError, Handlers, QueueError, QueueInfo, Queues, Taken},
};
use headwater_reading::testing::{FakeSource, FakeSources};
use headwater_shapes::{Operation, Tree};
use headwater_types::{Account, Arn, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{CodeSource, Lambda, NoCode};

pub(crate) struct World {
    pub lambda: Lambda,
    /// The one stream there is, under any name but `missing`.
    pub stream: Arc<FakeSource>,
    pub clock: Arc<ManualClock>,
    env: Env,
    _dir: tempfile::TempDir,
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

struct Nowhere;

#[async_trait]
impl LogSink for Nowhere {
    async fn append(&self, _batches: &[LogBatch]) -> Result<(), String> {
        Ok(())
    }
}

/// One bucket with packages of several sizes.
struct OneBucket;

#[async_trait]
impl CodeSource for OneBucket {
    async fn get(&self, bucket: &str, key: &str, max: usize) -> Result<Bytes, NoCode> {
        let package = match (bucket, key) {
            ("code", "index.zip") => STANDARD.decode(zip_of("")).unwrap(),
            ("code", "60MB.zip") => zip_of_zeros(60_000_000),
            ("code", "huge.zip") => vec![0; max + 1],
            _ => {
                return Err(NoCode::Refused {
                    code: "NoSuchBucket".into(),
                    message: "The specified bucket does not exist".into(),
                });
            }
        };
        match package.len() > max {
            true => Err(NoCode::TooLarge),
            false => Ok(package.into()),
        }
    }
}

/// Mappings that nobody puts records for call nothing.
struct NoCalls;

#[async_trait]
impl Handlers for NoCalls {
    async fn role(&self, _function: &Arn) -> Result<String, HandlerError> {
        Ok(String::new())
    }

    async fn call(&self, _function: &Arn, _event: Bytes) -> Result<Answer, HandlerError> {
        Err(HandlerError::Throttled)
    }
}

#[async_trait]
impl Destinations for NoCalls {
    async fn store(&self, _: &Arn, _: &str, _: Bytes) -> Result<(), String> {
        Ok(())
    }

    async fn send(&self, _: &Arn, _: String) -> Result<(), String> {
        Ok(())
    }
}

/// Queues of every name but `missing`, which are empty.
#[async_trait]
impl Queues for NoCalls {
    async fn describe(&self, queue: &Arn) -> Result<QueueInfo, QueueError> {
        match &*queue.resource {
            "missing" => Err(QueueError::NotFound("missing".into())),
            name => Ok(QueueInfo {
                is_fifo: name.ends_with(".fifo"),
                hides_for: Duration::from_secs(30),
            }),
        }
    }

    async fn take(&self, _: &Arn, _: usize, _: Duration) -> Result<Box<dyn Taken>, QueueError> {
        std::future::pending().await
    }

    async fn delete(&self, _: &Arn, _: &[String]) -> Result<(), QueueError> {
        Ok(())
    }
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Env::real().clock.now()));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let mut options = Options::new(
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "",
        );
        for name in ["PATH", "HOME"] {
            options
                .inherited
                .insert(name.into(), std::env::var(name).unwrap());
        }
        let catalog = Arc::new(MemoryCatalog::default());
        let sink = Arc::new(Nowhere);
        let functions = Functions::open(env.clone(), catalog.clone(), dir.path(), sink, options);
        let functions = functions.await.unwrap();
        let stream = FakeSource::new(1);
        let sources = Arc::new(FakeSources(stream.clone()));
        let (handlers, buckets) = (Arc::new(NoCalls), Arc::new(NoCalls));
        let queues = Arc::new(NoCalls);
        let mappings = Mappings::open(env.clone(), catalog, sources, queues, handlers, buckets);
        let mappings = mappings.await.unwrap();
        Self {
            lambda: Lambda::new(&env, functions, mappings, Arc::new(OneBucket)),
            stream,
            clock,
            env,
            _dir: dir,
        }
    }

    /// A request to this host.
    pub fn context(&self, host: &str) -> Context {
        Context::new(
            self.env.random.uuid(),
            Region("us-east-1".into()),
            Account("000000000000".into()),
            host,
        )
    }

    /// Calls an operation with input and output as members under their wire names.
    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Lambda: Handle<Op>,
    {
        let context = self.context("127.0.0.1:4566");
        let input = Op::Input::from_value(input).unwrap();
        match self.lambda.handle(input, &context).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Lambda: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Lambda: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}

/// The input that makes a Python function.
pub(crate) fn function(name: &str) -> Value {
    let code = "
def handler(event, context):
    if event == 'fail': raise ValueError(event)
    return {'event': event, 'client': context.client_context and context.client_context.custom}
";
    json!({
        "FunctionName": name,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Code": { "ZipFile": zip_of(code) },
    })
}

/// A package with `index.py`, in base64.
pub(crate) fn zip_of(code: &str) -> String {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("index.py", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(code.as_bytes()).unwrap();
    base64(&zip.finish().unwrap().into_inner())
}

/// A package with one file of so many bytes, which stand in it as they are.
fn zip_of_zeros(count: usize) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("zeros", stored).unwrap();
    zip.write_all(&vec![0; count]).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Bytes as JSON has them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The configuration of a function that was `made`, when one asks again: it is active then, at another revision, which
/// is left out on both sides.
#[track_caller]
pub(crate) fn settled(made: &Value) -> Settled {
    let mut expected = made.clone();
    let members = expected.as_object_mut().unwrap();
    for member in ["StateReason", "StateReasonCode"] {
        members.remove(member).unwrap();
    }
    let begun = members.remove("RevisionId").unwrap();
    members.insert("State".into(), json!("Active"));
    members.insert("LastUpdateStatus".into(), json!("Successful"));
    Settled { begun, expected }
}

/// The configuration of a function whose change is done, whatever its revision is, if it is not the one at which the
/// change began.
#[derive(Debug)]
pub(crate) struct Settled {
    begun: Value,
    expected: Value,
}

impl PartialEq<Settled> for Value {
    fn eq(&self, settled: &Settled) -> bool {
        let mut found = self.clone();
        let revision = found
            .as_object_mut()
            .and_then(|members| members.remove("RevisionId"));
        revision.is_some_and(|revision| revision != settled.begun) && found == settled.expected
    }
}
