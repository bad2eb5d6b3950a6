//! Tables and calls for the tests beside the operations, and a door over tables in memory and a clock that the test moves.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{sync::Arc, time::Duration};

use headwater_auth::Caller;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_shapes::{Operation, Tree};
use headwater_shapes_dynamodb::ops::CreateTable;
use headwater_tables::{Billing, KeyKind, KeySchema, MemoryIndex, TableRecord, TableState, Tables};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::{Value, json};

use crate::Dynamo;

/// When the table of [`record`] was made.
pub(crate) const CREATED: Millis = Millis(1_700_000_000_123);

/// The table `taxi` with the key `a`, paid for by the request. An attribute `gone` is of no key.
pub(crate) fn record() -> TableRecord {
    let attributes = [
        ("a".to_owned(), KeyKind::String),
        ("gone".to_owned(), KeyKind::Number),
    ];
    TableRecord {
        name: "taxi".into(),
        number: 1,
        id: "0123".into(),
        created: CREATED,
        state: TableState::Active,
        partitions: 1,
        attributes: attributes.into(),
        key: KeySchema {
            partition: "a".into(),
            sort: None,
        },
        local: Default::default(),
        global: Default::default(),
        next_index: 1,
        billing: Billing::OnDemand {
            read_max: None,
            write_max: None,
        },
        on_demand_since: None,
        switched: Vec::new(),
        streams: Vec::new(),
        time_to_live: None,
        protected: false,
        infrequent_access: false,
        recovery_days: None,
        policy: None,
        destinations: Vec::new(),
        tags: Default::default(),
    }
}

/// A call of the account's root.
pub(crate) fn context() -> Context {
    let region = Region("us-east-1".into());
    Context::new(
        "r",
        region,
        Account("000000000000".into()),
        "localhost:4566",
    )
}

/// The ARN of a table.
pub(crate) fn arn_of(table: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}")
}

/// An error as its type and text.
pub(crate) type Refused = (String, String);

/// A door over tables in memory.
pub(crate) struct World {
    pub dynamo: Dynamo,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(CREATED));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), Options::new(dir.path())).await;
        let (catalog, index) = (
            Arc::new(MemoryCatalog::default()),
            Arc::new(MemoryIndex::default()),
        );
        let tables = Tables::over(env, catalog, Arc::new(log.unwrap()), index).await;
        let dynamo = Dynamo {
            tables: tables.unwrap(),
            clock: clock.clone(),
        };
        Self {
            dynamo,
            clock,
            _dir: dir,
        }
    }

    /// A world with a table of this name, with the key `a` and paid for by the request, that can be used.
    pub async fn with(name: &str) -> Self {
        let world = Self::new().await;
        world.ok::<CreateTable>(Self::table(name)).await;
        world.pass(1);
        world
    }

    /// What asks for such a table.
    pub fn table(name: &str) -> Value {
        json!({
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        })
    }

    /// What stands behind the door.
    pub fn tables(&self) -> &Tables {
        &self.dynamo.tables
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn call_as<Op: Operation>(
        &self,
        account: &str,
        input: Value,
    ) -> Result<Value, Refused>
    where
        Dynamo: Handle<Op>,
    {
        let called = self.answer::<Op>(account, input).await;
        called.map_err(|error| (error.code().to_owned(), error.message().to_owned()))
    }

    /// What a call answers, or the whole error.
    pub async fn answer<Op: Operation>(
        &self,
        account: &str,
        input: Value,
    ) -> Result<Value, ApiError>
    where
        Dynamo: Handle<Op>,
    {
        let mut context = context();
        context.service = "dynamodb";
        context.operation = Op::SHAPE.name;
        context.caller = Arc::new(Caller::root(Account(account.into())));
        let input = Op::Input::from_value(input).unwrap();
        let output = self.dynamo.handle(input, &context).await?;
        Ok(output.to_value())
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Dynamo: Handle<Op>,
    {
        self.call_as::<Op>("000000000000", input).await.unwrap()
    }

    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Dynamo: Handle<Op>,
    {
        self.call_as::<Op>("000000000000", input).await.unwrap_err()
    }
}
