//! A world of tables over a simulated log and an index in memory, with a clock that the test moves.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::poll;
use headwater_catalog::{Catalog, CatalogError, Change, MemoryCatalog, Version, Versioned};
use headwater_env::{
    Env, ManualClock, SeededRandom, SimDisk, Spawn, TokioTasks, testing::CountedTasks,
};
use headwater_expressions::{Action, KeyCondition, Path, SetValue, SortCondition, Update};
use headwater_items::{Item, Value};
use headwater_log::{EmbeddedLog, Options, ReadLimit, ShardLog};
use headwater_tables::{
    Billing, Error, GlobalIndex, Index, IndexState, KeyKind, KeySchema, MemoryIndex, NewTable,
    Page, Projected, Query, Range, ReadOptions, Scan, TableRecord, Tables, Target, ViewType, Write,
    WriteAction, WriteError, Written,
};
use headwater_types::Millis;

pub const START: Millis = Millis(1_700_000_000_000);
pub const TABLE: &str = "table";

/// Small files, so that a few changes make many.
fn options() -> Options {
    Options {
        segment_bytes: 20_000,
        preallocate_bytes: 0,
        ..Options::new("/log")
    }
}

/// A catalog that a process uses until it is killed; the next has the same rows.
struct Mortal {
    rows: Arc<dyn Catalog>,
    is_dead: AtomicBool,
}

impl Mortal {
    fn of(rows: &Arc<dyn Catalog>) -> Arc<Self> {
        Arc::new(Self {
            rows: rows.clone(),
            is_dead: AtomicBool::new(false),
        })
    }

    fn check(&self) -> Result<(), CatalogError> {
        match self.is_dead.load(SeqCst) {
            true => Err(CatalogError::Failed("killed".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Catalog for Mortal {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.check()?;
        self.rows.get(key).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        self.check()?;
        self.rows.scan(prefix, after, limit).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        self.check()?;
        self.rows.commit(changes).await
    }
}

pub struct World {
    mortal: Arc<Mortal>,
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<EmbeddedLog>,
    pub index: Arc<MemoryIndex>,
    pub tables: Arc<Tables>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(7, Arc::new(TokioTasks)).await
    }

    pub async fn of_seed(seed: u64) -> Self {
        Self::with(seed, Arc::new(TokioTasks)).await
    }

    /// A world whose tasks are counted.
    pub async fn counted(tasks: &CountedTasks) -> Self {
        Self::with(7, Arc::new(tasks.clone())).await
    }

    async fn with(seed: u64, tasks: Arc<dyn Spawn>) -> Self {
        let disk = SimDisk::new(seed);
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            disk: Arc::new(disk.clone()),
            tasks,
        };
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let log = Arc::new(EmbeddedLog::open(env.clone(), options()).await.unwrap());
        let index = Arc::new(MemoryIndex::default());
        let mortal = Mortal::of(&catalog);
        let tables = Tables::over(env.clone(), mortal.clone(), log.clone(), index.clone());
        Self {
            tables: tables.await.unwrap(),
            mortal,
            disk,
            clock,
            env,
            catalog,
            log,
            index,
        }
    }

    /// Opens all anew, as a server that starts.
    pub async fn reopen(&mut self) {
        self.tables.close().await;
        self.log.close().await;
        self.open().await;
    }

    /// Cuts the power, and opens all anew.
    pub async fn crash(&mut self) {
        self.mortal.is_dead.store(true, SeqCst);
        self.disk.crash();
        self.index = Arc::new(self.index.crashed());
        self.open().await;
    }

    async fn open(&mut self) {
        self.tables = self.try_open().await.unwrap();
    }

    pub async fn try_open(&mut self) -> Result<Arc<Tables>, Error> {
        let env = self.env.clone();
        self.mortal = Mortal::of(&self.catalog);
        self.log = Arc::new(EmbeddedLog::open(env.clone(), options()).await.unwrap());
        Tables::over(
            env,
            self.mortal.clone(),
            self.log.clone(),
            self.index.clone(),
        )
        .await
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The time as a number that is never the same again.
    pub fn clock_seconds(&self) -> i64 {
        i64::try_from(self.env.clock.now().seconds()).unwrap()
    }

    pub async fn write(&self, key: Item, action: WriteAction) -> Result<Written, WriteError> {
        self.tables.write(TABLE, write(key, action)).await
    }

    pub async fn put(&self, item: Item) -> Written {
        self.write(key_of(&item), WriteAction::Put(item.into()))
            .await
            .unwrap()
    }

    pub async fn read(&self, key: &Item) -> Option<Item> {
        self.tables.read(TABLE, key).await.unwrap()
    }

    /// All items of a range, page by page.
    pub async fn all(&self, index: Option<&str>, mut range: Range) -> Vec<Item> {
        let target = target(index);
        let mut items = Vec::new();
        loop {
            let page: Page = self.tables.page(&target, range.clone()).await.unwrap();
            items.extend(page.items);
            let options = match &mut range {
                Range::Query(query) => &mut query.options,
                Range::Scan(scan) => &mut scan.options,
            };
            options.after = page.last;
            if options.after.is_none() {
                return items;
            }
        }
    }

    pub async fn scan(&self, index: Option<&str>) -> Vec<Item> {
        self.all(index, scan((0, 1))).await
    }

    /// All changes of a table, partition by partition.
    pub async fn changes(&self) -> Vec<headwater_tables::Change> {
        let record = self.tables.get(TABLE).unwrap();
        let (mut changes, limit) = (
            Vec::new(),
            ReadLimit {
                records: 7,
                bytes: 1 << 20,
            },
        );
        for partition in 0..record.partitions {
            let mut from = 0;
            loop {
                let read = self.tables.changes(record.number, partition, from, limit);
                let read = read.await.unwrap();
                let is_end = read.changes.is_empty();
                changes.extend(read.changes);
                if is_end {
                    break;
                }
                from = read.next;
            }
        }
        changes
    }

    /// Waits until something holds that work in the background brings about.
    pub async fn until(&self, holds: impl AsyncFn(&Self) -> bool) {
        in_time(async {
            while !holds(self).await {
                self.pass(1);
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

pub fn target(index: Option<&str>) -> Target {
    Target {
        table: TABLE.into(),
        index: index.map(Into::into),
    }
}

pub fn write(key: Item, action: WriteAction) -> Write {
    Write {
        key,
        condition: None,
        action,
    }
}

pub fn scan(segment: (u32, u32)) -> Range {
    let options = ReadOptions {
        limit: Some(3),
        ..ReadOptions::default()
    };
    Range::Scan(Scan { segment, options })
}

pub fn query(
    partition: (&str, Value),
    sort: Option<(&str, SortCondition)>,
    descending: bool,
) -> Range {
    let keys = KeyCondition {
        partition: (partition.0.into(), partition.1),
        sort: sort.map(|(name, wanted)| (name.into(), wanted)),
    };
    let options = ReadOptions {
        limit: Some(2),
        ..ReadOptions::default()
    };
    Range::Query(Query {
        keys,
        descending,
        options,
    })
}

pub fn text(value: &str) -> Value {
    Value::String(value.into())
}

pub fn number(value: i64) -> Value {
    Value::Number(value.into())
}

/// An item with a key and other attributes.
pub fn item(partition: &str, sort: i64, others: &[(&str, Value)]) -> Item {
    let key = [
        ("p".to_owned(), text(partition)),
        ("s".to_owned(), number(sort)),
    ];
    let others = others
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    key.into_iter().chain(others).collect()
}

pub fn key_of(item: &Item) -> Item {
    let is_key = |name: &String| name == "p" || name == "s";
    let key = item.iter().filter(|(name, _)| is_key(name));
    key.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub fn schema(partition: &str, sort: &str) -> KeySchema {
    KeySchema {
        partition: partition.into(),
        sort: Some(sort.into()),
    }
}

pub const ON_DEMAND: Billing = Billing::OnDemand {
    read_max: None,
    write_max: None,
};

/// A table of items by `p` and `s`, a local index by `p` and `a`, and a global one by `g` and `a` that has `x`.
pub fn new_table() -> NewTable {
    let kinds = [
        ("p", KeyKind::String),
        ("s", KeyKind::Number),
        ("a", KeyKind::Number),
        ("g", KeyKind::String),
    ];
    let kinds = kinds
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), kind));
    NewTable {
        name: TABLE.into(),
        attributes: kinds.collect::<BTreeMap<_, _>>(),
        key: schema("p", "s"),
        local: vec![("local".into(), schema("p", "a"), Projected::Keys)],
        global: vec![(
            "global".into(),
            schema("g", "a"),
            Projected::Include(vec!["x".into()]),
            ON_DEMAND,
        )],
        billing: ON_DEMAND,
        stream: Some(ViewType::Both),
        protected: false,
        infrequent_access: false,
        policy: None,
        tags: BTreeMap::new(),
    }
}

/// Adds a global index `late` by `p` and `a`, which is yet to be filled.
pub fn add_late(record: &mut TableRecord) -> Result<(), Error> {
    let index = GlobalIndex {
        number: record.next_index,
        key: schema("p", "a"),
        projected: Projected::All,
        state: IndexState::Creating,
        billing: ON_DEMAND,
    };
    record.next_index += 1;
    record.global.insert("late".into(), index);
    Ok(())
}

/// Makes durable what an index has.
pub fn sync(index: &MemoryIndex) {
    index.sync().unwrap();
}

/// What a call returns, which it does soon.
pub async fn in_time<T>(call: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(Duration::from_secs(20), call).await;
    in_time.unwrap()
}

/// Begins a call, lets everything go on for so many steps, and drops it.
pub async fn begin<T>(call: impl Future<Output = T>, steps: usize) {
    let mut call = pin!(call);
    for _ in 0..steps {
        if poll!(call.as_mut()).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Sets an attribute.
pub fn set(name: &str, value: Value) -> WriteAction {
    let path = Path {
        root: name.into(),
        steps: Vec::new(),
    };
    WriteAction::Update(Update(vec![Action::Set(
        path,
        SetValue::Value(value.into()),
    )]))
}

/// A world with a table.
pub async fn world() -> World {
    let world = World::new().await;
    world.tables.create(new_table()).await.unwrap();
    world
}
