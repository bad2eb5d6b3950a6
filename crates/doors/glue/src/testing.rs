//! A door over a catalog in memory and a clock that stands still, for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::sync::Arc;

use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_schemas::Schemas;
use headwater_shapes::{Operation, Tree};
use headwater_shapes_glue::ops::{CreateDatabase, CreatePartition, CreateTable};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{Context, Handle};
use serde_json::{Value, json};

use crate::Glue;

/// When tests begin, in seconds: Tue Nov 14 22:13:20 UTC 2023.
pub(crate) const START: u64 = 1_700_000_000;

pub(crate) struct World(Glue);

/// An error as its type and text.
pub(crate) type Refused = (String, String);

pub(crate) fn refusal(code: &str, text: &str) -> Refused {
    (code.to_owned(), text.to_owned())
}

/// What makes the partition of these values, with slashes between, in the table `p`.
pub(crate) fn partition(values: &str) -> Value {
    let values: Vec<&str> = values.split('/').collect();
    json!({ "DatabaseName": "d", "TableName": "p", "PartitionInput": { "Values": values } })
}

impl World {
    pub fn new() -> Self {
        let env = Env {
            clock: Arc::new(ManualClock::at(Millis(START * 1000))),
            ..Env::real()
        };
        Self(Glue {
            schemas: Schemas::new(env, Arc::new(MemoryCatalog::default())),
        })
    }

    /// A world that has a database `d` with a table `t` of one column `c`.
    pub async fn with_table() -> Self {
        let world = Self::new();
        world
            .ok::<CreateDatabase>(json!({ "DatabaseInput": { "Name": "d" } }))
            .await;
        let input = json!({ "DatabaseName": "d", "TableInput": Self::input("t", "int") });
        world.ok::<CreateTable>(input).await;
        world
    }

    /// A world that has a database `d` with a table `p` that is partitioned by `keys`, such as `year string, month int`,
    /// and has these partitions.
    pub async fn with_partitions(keys: &str, partitions: &[&str]) -> Self {
        let world = Self::with_table().await;
        let key = |key: &str| {
            let (name, data_type) = key.split_once(' ').unwrap();
            json!({ "Name": name, "Type": data_type })
        };
        let mut table = Self::input("p", "int");
        table["PartitionKeys"] = keys.split(", ").map(key).collect();
        let input = json!({ "DatabaseName": "d", "TableInput": table });
        world.ok::<CreateTable>(input).await;
        for values in partitions {
            world.create(partition(values)).await;
        }
        world
    }

    /// Makes a partition.
    pub async fn create(&self, input: Value) {
        self.ok::<CreatePartition>(input).await;
    }

    /// A table's input with one column.
    pub fn input(name: &str, data_type: &str) -> Value {
        json!({ "Name": name, "StorageDescriptor": { "Columns": [{ "Name": "c", "Type": data_type }] } })
    }

    async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Glue: Handle<Op>,
    {
        let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
        let context = Context::new("request", region, account, "127.0.0.1:4566");
        let input = Op::Input::from_value(input).unwrap();
        match self.0.handle(input, &context).await {
            Ok(output) => Ok(output.to_value()),
            Err(error) => Err((error.code().to_owned(), error.message().to_owned())),
        }
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Glue: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Glue: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}
