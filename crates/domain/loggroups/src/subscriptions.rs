//! Subscriptions: what of a group's events is sent on, and where.

use headwater_catalog::{Catalog, CatalogError, Expect, Table};
use headwater_types::{Arn, Millis, kept};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::{
    Error, LogGroups, Pattern,
    followers::{Delivering, Followers},
    groups::Inner,
    limits::{CONFLICTS_MAX, SUBSCRIPTIONS_MAX},
    message::control_message,
    ports::SendError,
    records::{Group, group_key, stream_key},
    sender::Sender,
};

/// A subscription as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The pattern of the events that are wanted; it was understood before.
    pub pattern: String,
    /// Where they go.
    pub destination: Destination,
    /// The role that was given with it.
    pub role: Option<String>,
    /// How they go to the shards of a stream.
    pub distribution: Distribution,
    /// When it was made.
    pub created: Millis,
}

/// A subscription as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// The pattern of the events that are wanted.
    pub pattern: String,
    /// Where they go.
    pub destination: Destination,
    /// The role that comes with it.
    pub role: Option<String>,
    /// How they go to the shards of a stream.
    pub distribution: Distribution,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A function is called with them.
    Function(Arn),
    /// They are put into a stream of records.
    Stream(Arn),
    /// They are put into a delivery stream.
    Delivery(Arn),
}

impl Destination {
    /// Its name.
    pub fn arn(&self) -> &Arn {
        let (Self::Function(arn) | Self::Stream(arn) | Self::Delivery(arn)) = self;
        arn
    }
}

/// How events go to the shards of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Those of one log stream to one shard, in order.
    ByStream,
    /// Anywhere.
    Random,
}

/// The subscriptions of all groups.
pub(crate) struct Subscriptions {
    /// By the group's number and the name.
    pub records: Table<Subscription>,
    /// The first offset that was not sent, under the same keys.
    pub progress: Table<u64>,
    pub running: Followers,
}

impl Subscriptions {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            records: Table::new(catalog.clone(), kept::Prefix::LogSubscriptions),
            progress: Table::new(catalog, kept::Prefix::LogSubscriptionProgress),
            running: Followers::default(),
        }
    }

    /// Removes the subscriptions of a group that is deleted.
    pub async fn delete_all(&self, number: u64) -> Result<(), CatalogError> {
        let start = group_key(number);
        self.running.end_all(&start);
        for (key, _) in self.records.scan(&start, None, usize::MAX).await? {
            self.records.remove(&key, Expect::Any).await?;
        }
        for (key, _) in self.progress.scan(&start, None, usize::MAX).await? {
            self.progress.remove(&key, Expect::Any).await?;
        }
        Ok(())
    }
}

impl LogGroups {
    /// Makes a subscription or changes it: what was not sent goes by the new one then. Its destination is tried first.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::Pattern`], [`Error::Destination`], [`Error::TooMany`], or what failed below.
    pub async fn put_subscription(
        &self,
        group: &str,
        name: &str,
        subscription: NewSubscription,
    ) -> Result<(), Error> {
        Pattern::parse(&subscription.pattern)?;
        self.inner.find(group).await?;
        let NewSubscription {
            pattern,
            destination,
            role,
            distribution,
        } = subscription;
        self.inner.try_destination(group, &destination).await?;
        let subscription = Subscription {
            pattern,
            destination,
            role,
            distribution,
            created: self.inner.env.clock.now(),
        };
        let (group, name) = (group.to_owned(), name.to_owned());
        self.change(
            |inner| async move { inner.put_subscription(&group, &name, subscription).await },
        )
        .await
    }

    /// Deletes a subscription; what it has not sent, it does not send.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoSubscription`], or what failed below.
    pub async fn delete_subscription(&self, group: &str, name: &str) -> Result<(), Error> {
        let (group, name) = (group.to_owned(), name.to_owned());
        self.change(|inner| async move { inner.delete_subscription(&group, name).await })
            .await
    }

    /// The subscriptions of a group whose names start with `prefix`, by their names.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn subscriptions(
        &self,
        group: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Subscription)>, Error> {
        let group = self.inner.find(group).await?.value;
        let records = &self.inner.subscriptions.records;
        let start = stream_key(&group, prefix);
        let found = records.scan(&start, None, SUBSCRIPTIONS_MAX).await?;
        let name = |key: &str| key[group_key(group.number).len()..].to_owned();
        let found = found.into_iter();
        Ok(found
            .map(|(key, found)| (name(&key), found.value))
            .collect())
    }
}

impl Inner {
    /// Where messages go.
    fn delivering(&self) -> Result<Arc<Delivering>, Error> {
        let delivering = self.delivering.get().cloned();
        delivering.ok_or(Error::Missing("destinations of subscriptions"))
    }

    /// Sends a message to a destination that is a stream, and asks a function.
    async fn try_destination(&self, group: &str, to: &Destination) -> Result<(), Error> {
        let destinations = &self.delivering()?.destinations;
        let now = self.env.clock.now();
        let control = |what| {
            let message =
                control_message(now, what).map_err(|error| SendError::Failed(error.to_string()));
            message.map(Into::into)
        };
        let tried = match to {
            Destination::Function(arn) => destinations.admits(arn, group).await,
            Destination::Stream(arn) => match control("Kinesis stream") {
                Ok(message) => {
                    destinations
                        .put(arn, &self.env.random.uuid(), message)
                        .await
                }
                Err(error) => Err(error),
            },
            Destination::Delivery(arn) => match control("Firehose") {
                Ok(message) => destinations.deliver(arn, message).await,
                Err(error) => Err(error),
            },
        };
        tried.map_err(|error| Error::Destination(error.to_string()))
    }

    async fn put_subscription(
        &self,
        group: &str,
        name: &str,
        mut subscription: Subscription,
    ) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let Subscriptions {
            records, progress, ..
        } = &self.subscriptions;
        for _ in 0..CONFLICTS_MAX {
            let found = self.find(group).await?;
            let key = stream_key(&found.value, name);
            let there = records
                .scan(&group_key(found.value.number), None, usize::MAX)
                .await?;
            let before = there.iter().find(|(other, _)| *other == key);
            if before.is_none() && there.len() >= SUBSCRIPTIONS_MAX {
                return Err(Error::TooMany(SUBSCRIPTIONS_MAX));
            }
            let mut changes = vec![self.groups.check(group, Expect::At(found.version))];
            let expect = match before {
                Some((_, before)) => {
                    subscription.created = before.value.created;
                    Expect::At(before.version)
                }
                None => {
                    let end = self.log.state(found.value.shard()).await?.end;
                    changes.push(progress.put(&key, &end, Expect::Any));
                    Expect::Absent
                }
            };
            changes.push(records.put(&key, &subscription, expect));
            match self.catalog.commit(changes).await {
                Ok(_) => return self.send_on(group, &found.value, name, subscription),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict(group.to_owned()))
    }

    async fn delete_subscription(&self, group: &str, name: String) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let group = self.find(group).await?.value;
        let key = stream_key(&group, &name);
        let Subscriptions {
            records,
            progress,
            running,
        } = &self.subscriptions;
        let changes = vec![
            records.delete(&key, Expect::Present),
            progress.delete(&key, Expect::Any),
        ];
        match self.catalog.commit(changes).await {
            Err(CatalogError::Conflict { .. }) => Err(Error::NoSubscription(name)),
            removed => {
                removed?;
                running.end(&key);
                Ok(())
            }
        }
    }

    /// Begins to send what a subscription wants.
    pub fn send_on(
        &self,
        group_name: &str,
        group: &Group,
        name: &str,
        subscription: Subscription,
    ) -> Result<(), Error> {
        let key = stream_key(group, name);
        let sender = Sender::new(
            self.world.clone(),
            self.delivering()?,
            self.subscriptions.progress.clone(),
            group_name.to_owned(),
            group,
            name.to_owned(),
            subscription,
        )?;
        self.subscriptions.running.begin(&self.env, key, sender);
        Ok(())
    }
}
