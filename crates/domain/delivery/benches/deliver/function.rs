//! A function that answers with what it is sent. In this process, what remains is what the contract itself costs, its
//! JSON and its base64; in one of Node or Python, what such a process costs as well.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::Catalog;
use headwater_delivery::{Invoke, InvokeError};
use headwater_env::Env;
use headwater_functions::{Configuration, Functions, LogBatch, LogSink, Options, Request};
use headwater_types::{Account, Arn, Region};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::runtimes::RUNTIMES;

/// The function in this process, and those in one process each.
pub struct Echo {
    functions: Functions,
    /// The first request of a delivery, which is as large as all but the last.
    sent: Mutex<Option<Bytes>>,
}

impl Echo {
    /// Functions whose packages lie in `dir`.
    pub async fn open(env: &Env, catalog: Arc<dyn Catalog>, dir: &Path) -> Self {
        let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
        let inherited =
            ["PATH", "HOME"].map(|name| (name.to_owned(), std::env::var(name).unwrap_or_default()));
        let options = Options {
            inherited: inherited.into(),
            concurrency_per_function: 1,
            concurrency_wait: Duration::from_secs(600),
            ..Options::new(region, account, "http://127.0.0.1:1")
        };
        let functions =
            Functions::open(env.clone(), catalog, dir, Arc::new(NoLines), options).await;
        let functions = functions.expect("an empty folder");
        for runtime in &RUNTIMES {
            let id = runtime.id.parse().expect("a runtime");
            let configuration =
                Configuration::new(id, "index.handler", "arn:aws:iam::000000000000:role/r");
            let (name, zip) = (
                runtime.name.parse().expect("a name"),
                zip_of(runtime.file, runtime.code),
            );
            functions
                .create(name, configuration, BTreeMap::new(), zip, false)
                .await
                .expect("a function");
        }
        Self {
            functions,
            sent: Mutex::default(),
        }
    }

    /// The first request since this was called last.
    pub fn take_sent(&self) -> Option<Bytes> {
        self.sent.lock().take()
    }
}

fn zip_of(file: &str, code: &str) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(file, SimpleFileOptions::default())
        .expect("writing to memory does not fail");
    zip.write_all(code.as_bytes())
        .expect("writing to memory does not fail");
    zip.finish()
        .expect("writing to memory does not fail")
        .into_inner()
        .into()
}

struct NoLines;

#[async_trait]
impl LogSink for NoLines {
    async fn append(&self, _: &[LogBatch]) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    records: Vec<Asked<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    record_id: &'a str,
    data: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    records: Vec<Answered<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    record_id: &'a str,
    result: &'static str,
    data: &'a str,
}

#[async_trait]
impl Invoke for Echo {
    async fn invoke(&self, arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.sent.lock().get_or_insert_with(|| payload.clone());
        match arn.name_of("function").expect("the ARN of a function") {
            "function" => echo(&payload).map_err(|error| InvokeError::Failed(error.to_string())),
            name => {
                let name = name.parse().expect("a name");
                let request = Request {
                    qualifier: None,
                    request_id: "bench".into(),
                    payload,
                    client_context: None,
                };
                let done = self.functions.invoke(&name, request).await;
                let done = done.map_err(|error| InvokeError::Failed(error.to_string()))?;
                assert!(!done.failed, "{:?}", done.payload);
                Ok(done.payload)
            }
        }
    }
}

fn echo(payload: &[u8]) -> serde_json::Result<Bytes> {
    let request: Question<'_> = serde_json::from_slice(payload)?;
    let answered = |Asked { record_id, data }| Answered {
        record_id,
        result: "Ok",
        data,
    };
    let answer = Answer {
        records: request.records.into_iter().map(answered).collect(),
    };
    serde_json::to_vec(&answer).map(Bytes::from)
}
