//! A door over functions in a temporary folder, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{
    io::{Cursor, Write},
    sync::Arc,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_env::Env;
use headwater_functions::{Functions, LogBatch, LogSink, Options};
use headwater_shapes::{Operation, Tree};
use headwater_types::{Account, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{CodeSource, Lambda, NoCode};

pub(crate) struct World {
    lambda: Lambda,
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

/// One bucket with one object.
struct OneObject;

#[async_trait]
impl CodeSource for OneObject {
    async fn get(&self, bucket: &str, key: &str, _max: usize) -> Result<Bytes, NoCode> {
        if (bucket, key) == ("code", "index.zip") {
            return Ok(STANDARD.decode(zip_of("")).unwrap().into());
        }
        Err(NoCode {
            code: "NoSuchBucket".into(),
            message: "The specified bucket does not exist".into(),
        })
    }
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::real();
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
        let functions =
            Functions::open(env.clone(), catalog, dir.path(), Arc::new(Nowhere), options)
                .await
                .unwrap();
        Self {
            lambda: Lambda {
                functions,
                code: Arc::new(OneObject),
            },
            env,
            _dir: dir,
        }
    }

    /// Calls an operation with input and output as members under their wire names.
    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Lambda: Handle<Op>,
    {
        let context = Context::new(
            self.env.random.uuid(),
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "127.0.0.1:4566",
        );
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
    STANDARD.encode(zip.finish().unwrap().into_inner())
}
