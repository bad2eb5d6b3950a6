//! What writes make of the items of a partition: each sees what those before it made, and none of it is written yet.

use std::{collections::HashMap, sync::Arc};

use headwater_items::{Item, Value, decode, item_size};
use headwater_log::Record;
use headwater_types::Millis;

use crate::{
    Error, TableRecord, Units, Write, WriteAction, WriteError, Written,
    capacity::Charging,
    change::Altered,
    index::Lookup,
    keys::BaseKey,
    layout::{Layout, expiry},
    limits::{EXPIRED_MAX, ITEM_BYTES, NESTING},
};

/// On whose behalf an item is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A caller's.
    Call,
    /// Nobody's: it is removed, unless it or its table says by now that it has not expired.
    Expiry,
}

/// Writes of one partition, in their order.
pub(crate) struct Pass<'a> {
    pub layout: &'a Layout,
    rows: &'a dyn Lookup,
    now: Millis,
    /// The items that were changed, by their keys.
    items: HashMap<Vec<u8>, Option<Arc<Item>>>,
    pub changes: Vec<Altered>,
    /// The capacity that its writes are asked of; none where they are done again.
    pub charging: Option<Charging>,
    /// What they used of it that was not taken yet.
    pub used: Units,
}

/// What a write did, or would do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    before: Option<Arc<Item>>,
    after: Option<Arc<Item>>,
}

impl Outcome {
    /// Bytes of its items.
    pub fn size(&self) -> usize {
        let items = self.before.iter().chain(&self.after);
        items.map(|item| item_size(item)).sum()
    }

    /// Bytes of the item that it made; none where it left the item as it was.
    pub fn made(&self) -> usize {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if Arc::ptr_eq(before, after) => 0,
            (_, after) => after.as_ref().map_or(0, |item| item_size(item)),
        }
    }
}

impl From<Outcome> for Written {
    fn from(outcome: Outcome) -> Self {
        Self {
            before: outcome.before,
            after: outcome.after,
        }
    }
}

impl<'a> Pass<'a> {
    pub fn new(layout: &'a Layout, rows: &'a dyn Lookup, now: Millis) -> Self {
        Self {
            layout,
            rows,
            now,
            items: HashMap::new(),
            changes: Vec::new(),
            charging: None,
            used: Units::default(),
        }
    }

    /// Does a write of the item with this key. One that leaves the item as it is makes no change.
    pub fn write(
        &mut self,
        key: BaseKey,
        write: Write,
        cause: &Cause,
    ) -> Result<Outcome, WriteError> {
        self.admit(cause)?;
        let before = self.find(&key)?;
        if let Some(condition) = &write.condition {
            let holds = match &before {
                Some(item) => condition.holds(item),
                None => condition.holds(&Item::new()),
            };
            if !holds {
                self.charge(cause, &before, &before)?;
                let found = before.map(Arc::unwrap_or_clone);
                return Err(WriteError::ConditionFailed(found));
            }
        }
        let after = match cause {
            Cause::Call => self.after(&write.key, write.action, &before)?,
            Cause::Expiry => before.clone().filter(|item| !self.is_due(item)),
        };
        self.charge(cause, &before, &after)?;
        if after != before {
            self.add(Altered {
                expired: *cause != Cause::Call,
                ..Altered::new(key, before.clone(), after.clone())
            });
        }
        Ok(Outcome { before, after })
    }

    /// Whether the partition takes a write now.
    fn admit(&self, cause: &Cause) -> Result<(), WriteError> {
        let charging = self.charging.as_ref().filter(|_| *cause == Cause::Call);
        Ok(charging.map_or(Ok(()), Charging::admit)?)
    }

    /// Notes what a write costs, unless an index that it changes takes none now.
    fn charge(
        &mut self,
        cause: &Cause,
        before: &Option<Arc<Item>>,
        after: &Option<Arc<Item>>,
    ) -> Result<(), WriteError> {
        if let Some(charging) = &self.charging
            && *cause == Cause::Call
        {
            let record = &self.layout.record;
            let units = Units::of_write(record, before.as_deref(), after.as_deref());
            charging.admit_indexes(&units)?;
            self.used.add(&units, 1.0);
        }
        Ok(())
    }

    /// Does again what a record of the change log says.
    pub fn replay(&mut self, record: &Record) -> Result<(), Error> {
        self.redo(&record.key, &record.value)
    }

    /// Does again a change with this key and value of its record.
    pub fn redo(&mut self, key: &[u8], value: &bytes::Bytes) -> Result<(), Error> {
        let change = Altered::decode(key, value.clone());
        let mut change = change.ok_or_else(|| self.damaged("a change is not one"))?;
        change.before = self.find(&change.key)?;
        self.add(change);
        Ok(())
    }

    fn add(&mut self, change: Altered) {
        self.items
            .insert(change.key.bytes.clone(), change.after.clone());
        self.changes.push(change);
    }

    /// The item with this key.
    fn find(&self, key: &BaseKey) -> Result<Option<Arc<Item>>, Error> {
        match self.items.get(&key.bytes) {
            Some(known) => Ok(known.clone()),
            None => Ok(find(self.rows, &self.layout.record, key)?.map(Arc::new)),
        }
    }

    /// The item after a write of the item with this key.
    fn after(
        &self,
        key: &Item,
        action: WriteAction,
        before: &Option<Arc<Item>>,
    ) -> Result<Option<Arc<Item>>, WriteError> {
        let after = match action {
            WriteAction::Check => return Ok(before.clone()),
            WriteAction::Delete => return Ok(None),
            WriteAction::Put(item) => item,
            // An update that only takes away makes no item where there is none.
            WriteAction::Update(update) if before.is_none() && !update.makes_item() => {
                return Ok(None);
            }
            WriteAction::Update(update) => {
                Arc::new(update.apply(before.as_deref().unwrap_or(key))?)
            }
        };
        let mut key = key.iter();
        let moved = key.find(|(name, value)| after.get(*name) != Some(value));
        if let Some((name, _)) = moved {
            return Err(WriteError::ChangesKey(name.clone()));
        }
        if item_size(&after) > ITEM_BYTES {
            return Err(WriteError::TooLarge);
        }
        if after.values().any(|value| depth(value) > NESTING) {
            return Err(WriteError::TooDeep);
        }
        self.layout.check(&after)?;
        Ok(Some(after))
    }

    /// Whether an item expired, and not so long ago that it was never meant to.
    fn is_due(&self, item: &Item) -> bool {
        let due = self.now.minus(EXPIRED_MAX).seconds()..=self.now.seconds();
        let attribute = self.layout.expiry().map(|(_, attribute)| attribute);
        let second = attribute.and_then(|attribute| expiry(item, attribute));
        second.is_some_and(|second| due.contains(&second))
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::damaged(&self.layout.record.name, what)
    }
}

/// How many lists and maps are within each other. Requests are read with a bound, and updates add one more at the most.
fn depth(value: &Value) -> usize {
    match value {
        Value::List(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Map(item) => 1 + item.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The item with this key, as it is among these rows.
pub(crate) fn find(
    rows: &dyn Lookup,
    record: &TableRecord,
    key: &BaseKey,
) -> Result<Option<Item>, Error> {
    let Some(bytes) = rows.get(&key.row(record.number))? else {
        return Ok(None);
    };
    let item = decode(&bytes).map_err(|_| Error::damaged(&record.name, "an item is not one"))?;
    Ok(Some(item))
}
