//! Metric filters: what of a group's events is counted, and as what.

use std::{collections::HashMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Expect, Table, Versioned};
use headwater_log::Retention;
use headwater_types::{Millis, kept};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as TurnMutex, watch};

use crate::{
    Error, LogGroups, Pattern, Transformation,
    counter::{Counter, Filter},
    followers::{Counting, Followers},
    groups::{Inner, kept_for},
    limits::{CATCH_UP_MAX, CONFLICTS_MAX, METRIC_FILTERS_MAX},
    records::{Group, group_key, notes_shard, stream_key},
    transformation::Values,
};

/// A metric filter as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFilter {
    /// The name of the group that it is of.
    pub group: String,
    /// The pattern of the events that are counted; it was understood before.
    pub pattern: String,
    /// What they are counted as.
    pub transformation: Transformation,
    /// When it was made.
    pub created: Millis,
    /// The first offset of the group that it counts.
    pub from: u64,
}

/// The metric filters of all groups.
pub(crate) struct MetricFilters {
    /// By the group's number and the name.
    pub records: Table<MetricFilter>,
    pub running: Followers,
    /// The groups' counters, by number: how far each is.
    counted: Mutex<HashMap<u64, watch::Receiver<u64>>>,
    /// By the group's number, the lock under which its counters write.
    turns: Mutex<HashMap<u64, Arc<TurnMutex<()>>>>,
}

impl MetricFilters {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            records: Table::new(catalog, kept::Prefix::LogMetricFilters),
            running: Followers::default(),
            counted: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// Removes the filters of a group that is deleted.
    pub async fn delete_all(&self, number: u64) -> Result<(), CatalogError> {
        let start = group_key(number);
        self.running.end(&start);
        self.counted.lock().remove(&number);
        self.turns.lock().remove(&number);
        for (key, _) in self.records.scan(&start, None, usize::MAX).await? {
            self.records.remove(&key, Expect::Any).await?;
        }
        Ok(())
    }

    /// The filters of a group, by their keys.
    pub async fn of(
        &self,
        number: u64,
    ) -> Result<Vec<(String, Versioned<MetricFilter>)>, CatalogError> {
        self.records
            .scan(&group_key(number), None, usize::MAX)
            .await
    }
}

impl LogGroups {
    /// Makes a metric filter or changes it: it counts the events that come after.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::Pattern`], [`Error::Transformation`], [`Error::TooMany`], [`Error::Missing`] where there
    /// is no store of metrics, or what failed below.
    pub async fn put_metric_filter(
        &self,
        group: &str,
        name: &str,
        pattern: String,
        transformation: Transformation,
    ) -> Result<(), Error> {
        let understood = Pattern::parse(&pattern)?;
        Values::parse(&transformation, &understood)?;
        self.inner.counting()?;
        let filter = MetricFilter {
            group: group.to_owned(),
            pattern,
            transformation,
            created: self.inner.env.clock.now(),
            from: 0,
        };
        let name = name.to_owned();
        self.change(|inner| async move { inner.put_metric_filter(&name, filter).await })
            .await
    }

    /// Deletes a metric filter; what it counted stays.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoMetricFilter`], or what failed below.
    pub async fn delete_metric_filter(&self, group: &str, name: &str) -> Result<(), Error> {
        let (group, name) = (group.to_owned(), name.to_owned());
        self.change(|inner| async move { inner.delete_metric_filter(&group, name).await })
            .await
    }

    /// The metric filters of a group, or of all, with their names.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn metric_filters(
        &self,
        group: Option<&str>,
    ) -> Result<Vec<(String, MetricFilter)>, Error> {
        let filters = &self.inner.metric_filters;
        let found = match group {
            Some(group) => {
                filters
                    .of(self.inner.find(group).await?.value.number)
                    .await?
            }
            None => filters.records.all().await?,
        };
        let name = |key: &str| key.split_once(':').map_or("", |(_, name)| name).to_owned();
        let found = found.into_iter();
        Ok(found
            .map(|(key, found)| (name(&key), found.value))
            .collect())
    }

    /// How many metric filters a group has.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn count_metric_filters(&self, group: &Group) -> Result<usize, Error> {
        Ok(self.inner.metric_filters.of(group.number).await?.len())
    }
}

impl Inner {
    fn counting(&self) -> Result<Counting, Error> {
        self.counting
            .get()
            .cloned()
            .ok_or(Error::Missing("store of metrics"))
    }

    async fn put_metric_filter(&self, name: &str, mut filter: MetricFilter) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let records = &self.metric_filters.records;
        let group = filter.group.clone();
        for _ in 0..CONFLICTS_MAX {
            let found = self.find(&group).await?;
            let key = stream_key(&found.value, name);
            let there = self.metric_filters.of(found.value.number).await?;
            let before = there.iter().find(|(other, _)| *other == key);
            if before.is_none() && there.len() >= METRIC_FILTERS_MAX {
                return Err(Error::TooMany(METRIC_FILTERS_MAX));
            }
            self.catch_up(&found.value).await?;
            self.open_notes(found.value.number, Millis::ZERO).await?;
            filter.from = self.log.state(found.value.shard()).await?.end;
            if let Some((_, before)) = before {
                filter.created = before.value.created;
            }
            let expect = before.map_or(Expect::Absent, |(_, before)| Expect::At(before.version));
            let changes = vec![
                self.groups.check(&group, Expect::At(found.version)),
                records.put(&key, &filter, expect),
            ];
            match self.catalog.commit(changes).await {
                Ok(_) => return self.count(&found.value).await,
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict(group))
    }

    async fn delete_metric_filter(&self, group: &str, name: String) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let group = self.find(group).await?.value;
        let key = stream_key(&group, &name);
        if self.metric_filters.records.get(&key).await?.is_none() {
            return Err(Error::NoMetricFilter(name));
        }
        self.catch_up(&group).await?;
        match self
            .metric_filters
            .records
            .remove(&key, Expect::Present)
            .await
        {
            Err(CatalogError::Conflict { .. }) => Err(Error::NoMetricFilter(name)),
            removed => {
                removed?;
                self.count(&group).await
            }
        }
    }

    /// Waits, for a while, until what came before now is counted by the filters that there are.
    async fn catch_up(&self, group: &Group) -> Result<(), Error> {
        let counted = self
            .metric_filters
            .counted
            .lock()
            .get(&group.number)
            .cloned();
        let Some(mut counted) = counted else {
            return Ok(());
        };
        let end = self.log.state(group.shard()).await?.end;
        tokio::select! {
            // An error means that the counter has ended.
            _ = counted.wait_for(|next| *next >= end) => {}
            () = self.env.clock.sleep(CATCH_UP_MAX) => {
                tracing::warn!(group = group.number, "the events before a change of a metric filter are not counted yet");
            }
        }
        Ok(())
    }

    /// Has the log know the shard that says how far a group's events were counted, whose records before `floor` are not
    /// needed.
    pub async fn open_notes(&self, number: u64, floor: Millis) -> Result<(), Error> {
        let retention = Retention {
            floor,
            ..kept_for(None)
        };
        Ok(self
            .log
            .open_shards(&[notes_shard(number)], retention)
            .await?)
    }

    /// Begins to count by the filters that a group has now.
    pub async fn count(&self, group: &Group) -> Result<(), Error> {
        let start = group_key(group.number);
        let found = self.metric_filters.of(group.number).await?;
        let filters = found
            .into_iter()
            .map(|(key, found)| Filter::new(key[start.len()..].to_owned(), found.value));
        let filters = filters.collect::<Result<Vec<_>, Error>>()?;
        if filters.is_empty() {
            self.metric_filters.running.end(&start);
            self.metric_filters.counted.lock().remove(&group.number);
            return Ok(());
        }
        let turns = &self.metric_filters.turns;
        let turn = turns.lock().entry(group.number).or_default().clone();
        let (counter, counted) =
            Counter::new(self.world.clone(), self.counting()?, group, filters, turn);
        self.metric_filters
            .counted
            .lock()
            .insert(group.number, counted);
        self.metric_filters.running.begin(&self.env, start, counter);
        Ok(())
    }
}
