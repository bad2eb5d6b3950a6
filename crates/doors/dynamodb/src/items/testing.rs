//! A door over a log in a temporary folder, an index in memory and a clock that the test moves, for the tests beside the
//! operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options};
use headwater_shapes::{Operation, Tree};
use headwater_tables::{Billing, KeyKind, KeySchema, MemoryIndex, NewTable, Projected, Tables};
use headwater_types::{Account, Millis, Region};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::Value;

use crate::Dynamo;

pub(crate) struct World {
    dynamo: Dynamo,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

const ON_DEMAND: Billing = Billing::OnDemand {
    read_max: None,
    write_max: None,
};

fn key(partition: &str, sort: Option<&str>) -> KeySchema {
    KeySchema {
        partition: partition.to_owned(),
        sort: sort.map(str::to_owned),
    }
}

/// A table whose key is `p`.
pub(crate) fn plain(name: &str) -> NewTable {
    NewTable {
        name: name.to_owned(),
        attributes: BTreeMap::from([("p".to_owned(), KeyKind::String)]),
        key: key("p", None),
        local: Vec::new(),
        global: Vec::new(),
        billing: ON_DEMAND,
        stream: None,
        protected: false,
        infrequent_access: false,
        policy: None,
        tags: BTreeMap::new(),
    }
}

/// A table whose key is `p` and the number `c`, with the local index `local` that sorts by `s` and has only keys, and the
/// global indexes `all` under `g`, and `some` under `g` and `s` with the attribute `a`.
pub(crate) fn sorted(name: &str) -> NewTable {
    let kinds = [
        ("p", KeyKind::String),
        ("c", KeyKind::Number),
        ("g", KeyKind::String),
        ("s", KeyKind::String),
    ];
    let some = Projected::Include(vec!["a".to_owned()]);
    NewTable {
        attributes: kinds.map(|(name, kind)| (name.to_owned(), kind)).into(),
        key: key("p", Some("c")),
        local: vec![("local".to_owned(), key("p", Some("s")), Projected::Keys)],
        global: vec![
            ("all".to_owned(), key("g", None), Projected::All, ON_DEMAND),
            ("some".to_owned(), key("g", Some("s")), some, ON_DEMAND),
        ],
        ..plain(name)
    }
}

impl World {
    /// A world with the tables `plain` and `sorted`.
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), Options::new(dir.path())).await;
        let catalog = Arc::new(MemoryCatalog::default());
        let index = Arc::new(MemoryIndex::default());
        let tables = Tables::over(env, catalog, Arc::new(log.unwrap()), index).await;
        let tables = tables.unwrap();
        tables.create(plain("plain")).await.unwrap();
        tables.create(sorted("sorted")).await.unwrap();
        let world = Self {
            dynamo: Dynamo {
                tables,
                clock: clock.clone(),
            },
            clock,
            _dir: dir,
        };
        world.clock.advance(std::time::Duration::from_secs(60));
        world
    }

    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, ApiError>
    where
        Dynamo: Handle<Op>,
    {
        let mut context = Context::new(
            "request",
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "127.0.0.1:4566",
        );
        context.service = "dynamodb";
        context.operation = Op::SHAPE.name;
        let input = Op::Input::from_value(input).unwrap();
        let output = self.dynamo.handle(input, &context).await?;
        Ok(output.to_value())
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Dynamo: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    /// The type and the text of the error that an input gets.
    pub async fn refused<Op: Operation>(&self, input: Value) -> (String, String)
    where
        Dynamo: Handle<Op>,
    {
        let error = self.call::<Op>(input).await.unwrap_err();
        (error.code().to_owned(), error.message().to_owned())
    }

    /// The text of the ValidationException that an input gets.
    pub async fn invalid<Op: Operation>(&self, input: Value) -> String
    where
        Dynamo: Handle<Op>,
    {
        let (code, text) = self.refused::<Op>(input).await;
        assert_eq!(code, "ValidationException", "{text}");
        text
    }
}
