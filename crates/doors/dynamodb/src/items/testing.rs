//! Tables for the tests of operations on items.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use std::collections::BTreeMap;

use headwater_shapes::Operation;
use headwater_tables::{Billing, KeyKind, KeySchema, NewTable, Projected};
use headwater_wire::{ApiError, Handle};
use serde_json::Value;

use crate::{Dynamo, testing::World};

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
    /// A world with the tables `plain` and `sorted`, which can be used.
    pub async fn with_items() -> Self {
        let world = Self::new().await;
        for table in [plain("plain"), sorted("sorted")] {
            world.dynamo.tables.create(table).await.unwrap();
        }
        world.pass(60);
        world
    }

    /// What the account's root is answered, or the whole error.
    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, ApiError>
    where
        Dynamo: Handle<Op>,
    {
        self.answer::<Op>("000000000000", input).await
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
