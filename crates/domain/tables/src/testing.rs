//! Tables over a catalog and an index in memory, for the tests within the crate.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock, SeededRandom};
use headwater_items::{Item, Value};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_types::Millis;

use crate::{Billing, KeyKind, KeySchema, MemoryIndex, NewTable, Tables, ViewType};

pub(crate) const START: Millis = Millis(1_700_000_000_000);

/// Tables over parts in memory, and a clock that stands still.
pub(crate) struct World {
    pub tables: Arc<Tables>,
    pub clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), headwater_log::Options::new(dir.path()));
        let log: Arc<dyn ShardLog> = Arc::new(log.await.unwrap());
        let catalog = Arc::new(MemoryCatalog::default());
        let index = Arc::new(MemoryIndex::default());
        Self {
            tables: Tables::over(env, catalog, log, index).await.unwrap(),
            clock,
            _dir: dir,
        }
    }

    /// One with a table `t` that has the key `k`, and a stream where that is said.
    pub async fn with_table(view: Option<ViewType>) -> Self {
        let world = Self::new().await;
        let new = NewTable {
            name: "t".into(),
            attributes: BTreeMap::from([("k".into(), KeyKind::String)]),
            key: KeySchema {
                partition: "k".into(),
                sort: None,
            },
            local: Vec::new(),
            global: Vec::new(),
            billing: Billing::OnDemand {
                read_max: None,
                write_max: None,
            },
            stream: view,
            protected: false,
            infrequent_access: false,
            policy: None,
            tags: BTreeMap::new(),
        };
        world.tables.create(new).await.unwrap();
        world
    }
}

/// An item with this key, and a value where one is given.
pub(crate) fn item(key: &str, value: Option<&str>) -> Item {
    let text = |text: &str| Value::String(text.into());
    let mut item = Item::from([("k".to_owned(), text(key))]);
    item.extend(value.map(|value| ("v".to_owned(), text(value))));
    item
}
