//! The put and the get path of items from a request's bytes to its answer's, for `bench/instructions` to count.
//!
//! Door, domain, log and index are the real ones, on one thread beside those of the log and of the index, over a folder of
//! the machine. How phases are counted: `bench/phases.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "this is a measurement: what fails, ends it"
)]

use std::{path::Path, sync::Arc};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_dynamodb::Dynamo;
use headwater_env::{Env, SeededRandom};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_tables::Tables;
use serde_json::{Value, json};

#[path = "../../../../bench/phases.rs"]
mod phases;

use phases::{Call, Door};

/// How DynamoDB's operations are named, and its content type.
const DIALECT: (&str, &str) = ("DynamoDB_20120810", "application/x-amz-json-1.0");

/// Items of 200 bytes that are put over each other, in two versions: the same again would change nothing.
const ITEMS: usize = 100;
const FILLER_BYTES: usize = 148;
const CALLS: usize = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let door = open(folder.path()).await;
    create(&door).await;
    let puts: Vec<Call> = (0..2 * ITEMS).map(put).collect();
    let gets: Vec<Call> = (0..ITEMS).map(get).collect();
    door.phase("put_item", CALLS, &puts).await;
    door.phase("get_item", CALLS, &gets).await;
}

async fn open(dir: &Path) -> Door {
    let env = Env {
        random: Arc::new(SeededRandom::new(1)),
        ..Env::real()
    };
    let options = headwater_log::Options {
        maintain_every: None,
        ..headwater_log::Options::new(dir.join("log"))
    };
    let log: Arc<dyn ShardLog> = Arc::new(EmbeddedLog::open(env.clone(), options).await.unwrap());
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let index = dir.join("tables");
    let tables = Tables::open(env.clone(), catalog, log, &index).await;
    let dynamo = Dynamo {
        tables: tables.unwrap(),
        clock: env.clock.clone(),
    };
    Door::new(headwater_dynamodb::table(Arc::new(dynamo)), env, DIALECT)
}

/// Makes the table, and waits until it can be used.
async fn create(door: &Door) {
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let table = json!({
        "TableName": "bench", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("p"), attribute("s")],
        "KeySchema": [key("p", "HASH"), key("s", "RANGE")],
    });
    door.json("CreateTable", table).await;
    let described = || door.json("DescribeTable", json!({"TableName": "bench"}));
    while described().await["Table"]["TableStatus"] != "ACTIVE" {
        tokio::task::yield_now().await;
    }
}

fn put(call: usize) -> Call {
    let mut item = key(call % ITEMS);
    item["v"] = json!({"S": format!("{call:016x}")});
    item["d"] = json!({"S": "x".repeat(FILLER_BYTES)});
    let input = json!({"TableName": "bench", "Item": item});
    ("PutItem", input.to_string())
}

fn get(item: usize) -> Call {
    let input = json!({"TableName": "bench", "Key": key(item)});
    ("GetItem", input.to_string())
}

fn key(item: usize) -> Value {
    let digits = format!("{item:016x}");
    json!({"p": {"S": digits}, "s": {"S": digits}})
}
