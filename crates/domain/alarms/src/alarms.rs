//! The alarms there are: made, changed, found, and put into states.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use headwater_catalog::{Catalog, Change, Expect, Table};
use headwater_env::Env;
use headwater_types::{Millis, kept};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    Actions, Alarm, Error, HistoryItem, HistoryQuery, Perform, Readings, Rule, State, StateRecord,
    Watches, background, composite,
    history::{self, Change as Changed},
    limits,
};

/// All alarms of a place. Cheap to clone.
#[derive(Clone)]
pub struct Alarms {
    inner: Arc<Inner>,
}

/// An alarm as it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlarm {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The description of it, in its maker's words.
    pub description: Option<String>,
    /// Whether its actions are done.
    pub does_actions: bool,
    /// The actions as it goes into each state: ARNs.
    pub actions: Actions,
    /// Tags, which only a new alarm takes.
    pub tags: BTreeMap<String, String>,
    /// The values or the alarms that it watches.
    pub watches: Watches,
}

/// An action that is owed: it is written in the commit of the transition, and removed when it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// The alarm, in its new state.
    pub alarm: Alarm,
    /// The state that it was in before.
    pub before: StateRecord,
    /// What is to be done: an ARN.
    pub action: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it is to be tried.
    pub due: Millis,
}

pub(crate) struct Inner {
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub rows: Table<Alarm>,
    pub history: Table<HistoryItem>,
    pub owed: Table<Owed>,
    /// The alarms, as the catalog has them.
    pub known: RwLock<BTreeMap<String, Arc<Alarm>>>,
    /// Held while alarms are changed, so that memory has them as the catalog does.
    pub changing: tokio::sync::Mutex<()>,
    /// Held by the one who does what is owed.
    pub performing: tokio::sync::Mutex<()>,
    pub readings: OnceLock<Arc<dyn Readings>>,
    pub perform: OnceLock<Arc<dyn Perform>>,
    /// Wakes the one who does what is owed.
    pub is_owed: Arc<Notify>,
    /// Tells the rows of one millisecond apart. It begins by chance, so that a start within the same one does no harm.
    next_number: AtomicU64,
    /// The minute in which alarms of whole minutes were evaluated last.
    pub evaluated: AtomicU64,
}

impl Alarms {
    /// Opens the alarms that `catalog` has. They are evaluated once [`Self::begin`] says how.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn open(env: Env, catalog: Arc<dyn Catalog>) -> Result<Self, Error> {
        let rows: Table<Alarm> = Table::new(catalog.clone(), kept::Prefix::Alarms);
        let all = rows.all().await?.into_iter();
        let known = all
            .map(|(name, alarm)| (name, Arc::new(alarm.value)))
            .collect();
        let first_number = env.random.next_u64() >> 1;
        let inner = Inner {
            history: Table::new(catalog.clone(), kept::Prefix::AlarmHistory),
            owed: Table::new(catalog.clone(), kept::Prefix::AlarmActions),
            env,
            catalog,
            rows,
            known: RwLock::new(known),
            changing: tokio::sync::Mutex::default(),
            performing: tokio::sync::Mutex::default(),
            readings: OnceLock::new(),
            perform: OnceLock::new(),
            is_owed: Arc::default(),
            next_number: AtomicU64::new(first_number),
            evaluated: AtomicU64::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Begins to evaluate alarms, and to do what they owe, until all handles are dropped.
    pub fn begin(&self, readings: Arc<dyn Readings>, perform: Arc<dyn Perform>) {
        let is_first = self.inner.readings.set(readings).is_ok();
        if is_first && self.inner.perform.set(perform).is_ok() {
            background::begin(&self.inner);
        }
    }

    /// Makes an alarm, or defines one anew, which keeps its state then. One that watches alarms is evaluated at once.
    ///
    /// # Errors
    /// [`Error::OtherKind`], [`Error::TooMany`], [`Error::Rule`], [`Error::NoChildren`], [`Error::Cycle`], or what failed
    /// below.
    pub async fn put(&self, new: NewAlarm) -> Result<(), Error> {
        self.change(|inner| async move { inner.put(new).await })
            .await
    }

    /// Deletes alarms: all of them or none.
    ///
    /// # Errors
    /// [`Error::NoAlarm`], or what failed below.
    pub async fn delete(&self, names: Vec<String>) -> Result<(), Error> {
        self.change(|inner| async move { inner.delete(names).await })
            .await
    }

    /// Puts an alarm into a state, until it is evaluated the next time.
    ///
    /// # Errors
    /// [`Error::NoAlarm`], or what failed below.
    pub async fn set_state(
        &self,
        name: &str,
        state: State,
        reason: String,
        data: Option<String>,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(move |inner| async move {
            let alarm = inner.find(&name)?;
            inner.transition(&alarm, state, reason, data).await?;
            composite::settle(&inner).await
        })
        .await
    }

    /// Changes whether the actions of alarms are done. Alarms that there are not are passed over.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn set_actions(&self, names: Vec<String>, does_actions: bool) -> Result<(), Error> {
        self.change(move |inner| async move {
            for name in names {
                let Ok(alarm) = inner.find(&name) else {
                    continue;
                };
                let changed = Alarm {
                    does_actions,
                    configured: inner.env.clock.now(),
                    ..(*alarm).clone()
                };
                inner.define(changed, Changed::Update).await?;
            }
            Ok(())
        })
        .await
    }

    /// Changes the tags of an alarm.
    ///
    /// # Errors
    /// [`Error::NoAlarm`], or what failed below.
    pub async fn tag(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move {
            let mut alarm = (*inner.find(&name)?).clone();
            change(&mut alarm.tags);
            inner.keep(alarm, Vec::new()).await
        })
        .await
    }

    /// An alarm.
    ///
    /// # Errors
    /// [`Error::NoAlarm`].
    pub fn get(&self, name: &str) -> Result<Arc<Alarm>, Error> {
        self.inner.find(name)
    }

    /// All alarms, in the order of their names.
    pub fn all(&self) -> Vec<Arc<Alarm>> {
        self.inner.known.read().values().cloned().collect()
    }

    /// At most `limit` things that happened and come after `after`, the time and key of one; each with its key.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn history(
        &self,
        query: &HistoryQuery,
        after: Option<&(Millis, String)>,
        limit: usize,
    ) -> Result<Vec<(String, HistoryItem)>, Error> {
        Ok(history::read(&self.inner.history, query, after, limit).await?)
    }

    /// Evaluates the alarms whose time has come.
    pub async fn evaluate(&self) {
        background::evaluate(&self.inner).await;
    }

    /// Does what is owed and due.
    pub async fn perform(&self) {
        background::perform(&self.inner).await;
    }

    /// Runs a change to its end, even when its caller goes away: the catalog and what is known here belong together.
    async fn change<T, F>(&self, change: impl FnOnce(Arc<Inner>) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let inner = self.inner.clone();
        let work = async move {
            let one = inner.clone();
            let _one = one.changing.lock().await;
            change(inner).await
        };
        self.inner.env.to_the_end(work).await
    }
}

/// The name of the alarm that a rule names by its name or its ARN.
pub(crate) fn name_of(reference: &str) -> &str {
    match reference.split_once(":alarm:") {
        Some((start, name)) if start.starts_with("arn:") => name,
        _ => reference,
    }
}

impl Inner {
    pub fn find(&self, name: &str) -> Result<Arc<Alarm>, Error> {
        let found = self.known.read().get(name).cloned();
        found.ok_or_else(|| Error::NoAlarm(name.to_owned()))
    }

    fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Relaxed)
    }

    async fn put(self: Arc<Self>, new: NewAlarm) -> Result<(), Error> {
        let (now, before) = (self.env.clock.now(), self.find(&new.name).ok());
        if let Watches::Alarms(rule) = &new.watches {
            self.check_rule(&new.name, rule)?;
        }
        match &before {
            Some(before)
                if matches!(before.watches, Watches::Metric(_))
                    != matches!(new.watches, Watches::Metric(_)) =>
            {
                return Err(Error::OtherKind(new.name));
            }
            None if self.known.read().len() >= limits::ALARMS_MAX => {
                let max = limits::ALARMS_MAX;
                return Err(Error::TooMany { max });
            }
            _ => {}
        }
        let alarm = Alarm {
            name: new.name,
            arn: new.arn,
            description: new.description,
            does_actions: new.does_actions,
            actions: new.actions,
            tags: before
                .as_ref()
                .map_or(new.tags, |before| before.tags.clone()),
            watches: new.watches,
            configured: now,
            state: before
                .as_ref()
                .map_or_else(|| StateRecord::first(now), |before| before.state.clone()),
        };
        let change = if before.is_some() {
            Changed::Update
        } else {
            Changed::Create
        };
        self.define(alarm, change).await?;
        composite::settle(&self).await
    }

    /// Refuses rules that are none, name what there is not, or lead back to the alarm that is to have them.
    fn check_rule(&self, name: &str, rule: &str) -> Result<(), Error> {
        let rule = Rule::parse(rule)?;
        let known = self.known.read();
        let mut waiting: Vec<String> = rule
            .alarms()
            .into_iter()
            .map(|of| name_of(of).to_owned())
            .collect();
        let missing: Vec<_> = waiting
            .iter()
            .filter(|of| !known.contains_key(*of) && **of != name)
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Err(Error::NoChildren(missing));
        }
        let mut seen = BTreeSet::new();
        while let Some(child) = waiting.pop() {
            if child == name {
                return Err(Error::Cycle(child));
            }
            if let Some(Watches::Alarms(rule)) = known.get(&child).map(|alarm| &alarm.watches)
                && let Ok(rule) = Rule::parse(rule)
                && seen.insert(child)
            {
                waiting.extend(rule.alarms().into_iter().map(|of| name_of(of).to_owned()));
            }
        }
        Ok(())
    }

    async fn delete(self: Arc<Self>, names: Vec<String>) -> Result<(), Error> {
        let names: BTreeSet<_> = names.into_iter().collect();
        let (now, mut changes) = (self.env.clock.now(), Vec::new());
        for name in &names {
            let alarm = self.find(name)?;
            let item = HistoryItem::of_change(&alarm, Changed::Delete, now);
            changes.push(self.rows.delete(name, Expect::Any));
            changes.push(self.remember(&item));
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.catalog.commit(changes).await?;
        self.known.write().retain(|name, _| !names.contains(name));
        composite::settle(&self).await
    }

    /// Keeps an alarm that is made or defined anew.
    async fn define(&self, alarm: Alarm, change: Changed) -> Result<(), Error> {
        let item = HistoryItem::of_change(&alarm, change, alarm.configured);
        self.keep(alarm, vec![self.remember(&item)]).await
    }

    /// Keeps an alarm, with other changes that belong to it.
    async fn keep(&self, alarm: Alarm, mut changes: Vec<Change>) -> Result<(), Error> {
        changes.push(self.rows.put(&alarm.name, &alarm, Expect::Any));
        self.catalog.commit(changes).await?;
        self.known
            .write()
            .insert(alarm.name.clone(), Arc::new(alarm));
        Ok(())
    }

    /// The change that remembers what happened.
    pub fn remember(&self, item: &HistoryItem) -> Change {
        let key = history::key(&item.alarm, item.at, self.number());
        self.history.put(&key, item, Expect::Any)
    }

    /// Puts an alarm into a state, if it is in another: with what happened and what is owed, in one commit. The caller
    /// changes alarms alone.
    pub async fn transition(
        &self,
        alarm: &Alarm,
        value: State,
        reason: String,
        data: Option<String>,
    ) -> Result<(), Error> {
        if alarm.state.value == value {
            return Ok(());
        }
        let now = self.env.clock.now();
        let before = alarm.state.clone();
        let changed = Alarm {
            state: StateRecord {
                value,
                reason,
                data,
                updated: now,
                transitioned: now,
            },
            ..alarm.clone()
        };
        let mut changes = vec![self.remember(&HistoryItem::of_transition(&changed, &before))];
        if changed.does_actions {
            changes.extend(changed.actions_of(value).iter().map(|action| {
                let owed = Owed {
                    alarm: changed.clone(),
                    before: before.clone(),
                    action: action.clone(),
                    tries: 0,
                    due: now,
                };
                let key = format!("{:016x}-{:016x}", now.0, self.number());
                self.owed.put(&key, &owed, Expect::Any)
            }));
        }
        self.keep(changed, changes).await?;
        self.is_owed.notify_one();
        Ok(())
    }
}
