//! A table in memory, for tests: conditions and updates as DynamoDB has them, and answers that do not come.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use headwater_env::Env;
use headwater_items::{Item, Number, Value};
use parking_lot::Mutex;

use crate::{
    lease::StoreError,
    table::{
        TableLeases,
        items::{Expected, Items, Update, Updates, Wanted},
        layout::{KEY, text},
    },
};

#[derive(Default)]
pub(crate) struct FakeTable {
    items: Mutex<BTreeMap<String, Item>>,
    /// Whether the next write is made and its answer lost.
    unanswered: AtomicBool,
}

impl FakeTable {
    /// The table's leases, as one process has them.
    pub(crate) fn leases(self: &Arc<Self>, env: &Env) -> Arc<TableLeases> {
        Arc::new(TableLeases {
            items: self.clone(),
            leader: Default::default(),
            env: env.clone(),
        })
    }

    /// Has the next write made and its answer lost.
    pub(crate) fn lose_an_answer(&self) {
        self.unanswered.store(true, Ordering::SeqCst);
    }

    /// Writes attributes as another worker would, whatever the item is; `None` removes one.
    pub(crate) fn write(&self, key: &str, attributes: &[(&str, Option<Value>)]) {
        let mut items = self.items.lock();
        let fresh = || Item::from([(KEY.to_owned(), text(key))]);
        let item = items.entry(key.to_owned()).or_insert_with(fresh);
        for (name, value) in attributes {
            match value {
                Some(value) => item.insert((*name).to_owned(), value.clone()),
                None => item.remove(*name),
            };
        }
    }

    pub(crate) fn item(&self, key: &str) -> Option<Item> {
        self.items.lock().get(key).cloned()
    }

    fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        match self.unanswered.swap(false, Ordering::SeqCst) {
            true => Err(StoreError("no answer".into())),
            false => Ok(answer),
        }
    }
}

#[async_trait]
impl Items for FakeTable {
    async fn scan(&self) -> Result<Vec<Item>, StoreError> {
        Ok(self.items.lock().values().cloned().collect())
    }

    async fn get(&self, key: &str) -> Result<Option<Item>, StoreError> {
        Ok(self.item(key))
    }

    async fn put(&self, item: Item, expected: Expected) -> Result<bool, StoreError> {
        let Some(Value::String(key)) = item.get(KEY).cloned() else {
            return Err(StoreError("no key".into()));
        };
        let mut items = self.items.lock();
        let fits = meets(items.get(&key), &expected);
        if fits {
            items.insert(key, item);
        }
        self.answer(fits)
    }

    async fn update(
        &self,
        key: &str,
        updates: Updates,
        expected: Expected,
    ) -> Result<Option<Item>, StoreError> {
        let mut items = self.items.lock();
        if !meets(items.get(key), &expected) {
            return self.answer(None);
        }
        let fresh = || Item::from([(KEY.to_owned(), text(key))]);
        let item = items.entry(key.to_owned()).or_insert_with(fresh);
        for (name, update) in updates {
            apply(item, name, update);
        }
        self.answer(Some(item.clone()))
    }

    async fn delete(&self, key: &str, expected: Expected) -> Result<bool, StoreError> {
        let mut items = self.items.lock();
        let fits = meets(items.get(key), &expected);
        if fits {
            items.remove(key);
        }
        self.answer(fits)
    }
}

fn meets(item: Option<&Item>, expected: &Expected) -> bool {
    expected.iter().all(|(name, wanted)| {
        let found = item.and_then(|item| item.get(*name));
        match wanted {
            Wanted::Absent => found.is_none(),
            Wanted::Is(value) => found == Some(value),
        }
    })
}

fn apply(item: &mut Item, name: &str, update: Update) {
    match update {
        Update::Put(value) => drop(item.insert(name.to_owned(), value)),
        Update::Delete => drop(item.remove(name)),
        Update::Add(number) => {
            let before = match item.get(name) {
                Some(Value::Number(before)) => *before,
                _ => Number::ZERO,
            };
            let sum = before.plus(number).unwrap();
            item.insert(name.to_owned(), Value::Number(sum));
        }
    }
}
