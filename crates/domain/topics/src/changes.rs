//! Topics and subscriptions made, changed and deleted: in the catalog first, then here, in a task of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use headwater_catalog::{Change, Expect, Versioned};
use headwater_types::{Arn, Millis};

use crate::{
    Error, Place, Protocol, Subscription, SubscriptionSettings, Topic, TopicSettings, Topics,
    filter::{Filter, compact},
    limits::{SUBSCRIPTIONS_MAX, TAGS_MAX, TOKEN_GOOD_FOR, TOKENS_MAX, TOPICS_MAX},
    notices::{Notice, Token},
    progress::Progress,
    record::{hex, pair},
    topics::{Kept, TopicKept, open_shard},
};

/// How long a token is, in bytes; AWS's have as many.
const TOKEN_BYTES: usize = 144;

/// Sets what is given of a subscription.
pub type SetSubscription =
    Arc<dyn Fn(&mut SubscriptionSettings) -> Result<(), Error> + Send + Sync>;

/// A subscription that is to be made.
#[derive(Clone)]
pub struct NewSubscription {
    /// The topic's name.
    pub topic: String,
    /// The kind of its endpoint.
    pub protocol: Protocol,
    /// Where messages go.
    pub endpoint: String,
    /// The account that it belongs to.
    pub owner: String,
    /// The ARN of whoever makes it.
    pub principal: String,
    /// Sets what is given of it.
    pub set: SetSubscription,
}

/// A subscription that was made, or was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// Its id.
    pub id: String,
    /// Whether messages go there.
    pub confirmed: bool,
}

/// A subscription that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Its topic's name.
    pub topic: String,
    /// Its id.
    pub id: String,
}

impl Topics {
    /// Makes a topic, or finds the one of that name where `settings` and `tags` are among its.
    ///
    /// # Errors
    /// [`Error::OtherAttributes`], [`Error::OtherTags`], [`Error::TooManyTopics`], [`Error::TooManyTags`], or what failed
    /// below.
    pub async fn create(
        self: &Arc<Self>,
        name: &str,
        settings: TopicSettings,
        tags: BTreeMap<String, String>,
    ) -> Result<Topic, Error> {
        let name = name.to_owned();
        self.change(|this| async move { this.create_now(&name, &settings, &tags).await })
            .await
    }

    async fn create_now(
        &self,
        name: &str,
        settings: &TopicSettings,
        tags: &BTreeMap<String, String>,
    ) -> Result<Topic, Error> {
        if let Ok(topic) = self.topic(name) {
            return same_topic(topic, settings, tags);
        }
        if self.all.read().topics.len() >= TOPICS_MAX {
            return Err(Error::TooManyTopics);
        }
        if tags.len() > TAGS_MAX {
            return Err(Error::TooManyTags);
        }
        let store = &self.world.store;
        let next = store.next_number.get().await?;
        let number = next.as_ref().map_or(1, |next| next.value);
        let topic = Topic {
            name: name.to_owned(),
            number,
            created: self.world.env.clock.now(),
            settings: settings.clone(),
            tags: tags.clone(),
            deleted_subscriptions: 0,
        };
        let shard = topic.shard();
        open_shard(&*self.world.log, shard, Millis::ZERO).await?;
        let expect = next.map_or(Expect::Absent, |next| Expect::At(next.version));
        let changes = vec![
            store.next_number.put(&(number + 1), expect),
            store.topics.put(name, &topic, Expect::Absent),
        ];
        match store.catalog.commit(changes).await {
            Ok(version) => {
                let value = topic.clone();
                self.add_topic(Versioned { value, version });
                tracing::info!(topic = name, "topic created");
                Ok(topic)
            }
            Err(error) => {
                // Nobody has appended to it; one that is left is removed at the next start.
                drop(self.world.log.remove_shards(&[shard]).await);
                Err(error.into())
            }
        }
    }

    /// Changes a topic; what `change` refuses, changes nothing.
    ///
    /// # Errors
    /// [`Error::NoTopic`], [`Error::TooManyTags`], that of `change`, or what failed below.
    pub async fn update(
        self: &Arc<Self>,
        name: &str,
        change: impl FnOnce(&mut Topic) -> Result<(), Error> + Send + 'static,
    ) -> Result<Topic, Error> {
        let name = name.to_owned();
        self.change(|this| async move {
            let kept = this.topic_kept(&name)?;
            let Versioned { mut value, version } = kept.record.read().clone();
            change(&mut value)?;
            if value.tags.len() > TAGS_MAX {
                return Err(Error::TooManyTags);
            }
            let expect = Expect::At(version);
            let version = this.world.store.topics.write(&name, &value, expect).await?;
            *kept.record.write() = Versioned {
                value: value.clone(),
                version,
            };
            Ok(value)
        })
        .await
    }

    /// Deletes a topic with its subscriptions and messages. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// What failed below.
    pub async fn delete(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|this| async move {
            let Ok(kept) = this.topic_kept(&name) else {
                return Ok(());
            };
            let Versioned { value, version } = kept.record.read().clone();
            let store = &this.world.store;
            let subscriptions: Vec<Subscription> = {
                let of = kept.subscriptions.read();
                of.values()
                    .map(|kept| kept.record.read().value.clone())
                    .collect()
            };
            let mut changes = vec![store.topics.delete(&name, Expect::At(version))];
            for subscription in &subscriptions {
                changes.extend(this.removal(subscription));
            }
            store.catalog.commit(changes).await?;
            for subscription in &subscriptions {
                this.forget(&subscription.id);
            }
            this.all.write().topics.remove(&name);
            // One that this fails to remove is removed at the next start.
            if let Err(error) = this.world.log.remove_shards(&[value.shard()]).await {
                tracing::warn!(topic = name, %error, "messages of a deleted topic are left");
            }
            tracing::info!(topic = name, "topic deleted");
            Ok(())
        })
        .await
    }

    /// Subscribes an endpoint, or finds its subscription where it is set like that. One that has to be confirmed is asked
    /// to, also when it was before.
    ///
    /// # Errors
    /// [`Error::NoTopic`], [`Error::OtherSubscription`], [`Error::TooManySubscriptions`], [`Error::Filter`], that of
    /// `set`, or what failed below.
    pub async fn subscribe(self: &Arc<Self>, new: NewSubscription) -> Result<Subscribed, Error> {
        self.change(|this| async move { this.subscribe_now(&new).await })
            .await
    }

    async fn subscribe_now(self: &Arc<Self>, new: &NewSubscription) -> Result<Subscribed, Error> {
        let topic = self.topic_kept(&new.topic)?;
        let pair = pair(&new.topic, new.protocol, &new.endpoint);
        if let Some(known) = self.world.store.endpoints.get(&pair).await? {
            let kept = self.kept(&known.value)?;
            return self.subscribe_again(new, &kept).await;
        }
        if self.all.read().subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(Error::TooManySubscriptions);
        }
        let mut settings = SubscriptionSettings::default();
        (new.set)(&mut settings)?;
        check(&settings, &self.world.place, &new.owner)?;
        let env = &self.world.env;
        let subscription = Subscription {
            id: env.random.uuid(),
            topic: new.topic.clone(),
            protocol: new.protocol,
            endpoint: new.endpoint.clone(),
            owner: new.owner.clone(),
            principal: new.principal.clone(),
            created: env.clock.now(),
            confirmed: !new.protocol.is_web(),
            confirmed_by_known: !new.protocol.is_web(),
            cancelled_by_known: false,
            settings,
        };
        self.add(&topic, subscription, None).await
    }

    /// Writes a new subscription, or one that comes back.
    async fn add(
        self: &Arc<Self>,
        topic: &TopicKept,
        subscription: Subscription,
        restored: Option<Change>,
    ) -> Result<Subscribed, Error> {
        let store = &self.world.store;
        let Subscription { id, confirmed, .. } = subscription.clone();
        let mut changes = vec![
            store
                .endpoints
                .put(&subscription.pair(), &id, Expect::Absent),
            store.subscriptions.put(&id, &subscription, Expect::Absent),
            // The topic is there still.
            store.topics.check(&subscription.topic, Expect::Present),
        ];
        let progress = match confirmed {
            true => Some(self.begin(topic).await?),
            false => None,
        };
        if let Some(progress) = &progress {
            changes.push(store.progress.put(&id, progress, Expect::Absent));
        }
        let is_restored = restored.is_some();
        changes.extend(restored);
        let asked = match confirmed || is_restored {
            true => None,
            false => Some(self.ask(topic, &subscription, true, &mut changes)?),
        };
        let version = store.catalog.commit(changes).await?;
        let endpoint = subscription.endpoint.clone();
        let value = subscription;
        self.add_subscription(Versioned { value, version }, progress);
        self.asked(asked);
        tracing::info!(subscription = id, endpoint, confirmed, "subscribed");
        Ok(Subscribed { id, confirmed })
    }

    async fn subscribe_again(
        self: &Arc<Self>,
        new: &NewSubscription,
        kept: &Kept,
    ) -> Result<Subscribed, Error> {
        let Versioned { mut value, version } = kept.record.read().clone();
        let mut settings = value.settings.clone();
        (new.set)(&mut settings)?;
        check(&settings, &self.world.place, &value.owner)?;
        if !is_same(&settings, &value.settings) {
            return Err(Error::OtherSubscription);
        }
        let (id, confirmed) = (value.id.clone(), value.confirmed);
        if !confirmed {
            value.created = self.world.env.clock.now();
            let store = &self.world.store;
            let mut changes = vec![store.subscriptions.put(&id, &value, Expect::At(version))];
            let asked = self.ask(&kept.topic, &value, true, &mut changes)?;
            let version = store.catalog.commit(changes).await?;
            kept.take_over(Versioned { value, version });
            self.asked(Some(asked));
        }
        Ok(Subscribed { id, confirmed })
    }

    /// Where a subscription begins that is confirmed now: with the next message.
    async fn begin(&self, topic: &TopicKept) -> Result<Progress, Error> {
        let shard = topic.record.read().value.shard();
        Ok(Progress::at(self.world.log.state(shard).await?.end))
    }

    /// Adds the rows of a request to confirm to `changes`.
    fn ask(
        &self,
        topic: &TopicKept,
        subscription: &Subscription,
        is_new: bool,
        changes: &mut Vec<Change>,
    ) -> Result<(String, Notice), Error> {
        if self.tokens.load(Relaxed) >= TOKENS_MAX {
            return Err(Error::TooManySubscriptions);
        }
        let (env, store) = (&self.world.env, &self.world.store);
        let mut bytes = [0; TOKEN_BYTES];
        env.random.fill(&mut bytes);
        let made = env.clock.now();
        let token = Token {
            subscription: subscription.clone(),
            made,
            restores: !is_new,
        };
        let of_topic = topic.record.read().value.settings.clone();
        let notice = Notice {
            subscription: subscription.clone(),
            token: hex(&bytes),
            made,
            is_new,
            signature_version: of_topic.signature_version.unwrap_or(1),
            retries: of_topic.retries.unwrap_or_default(),
        };
        let id = env.random.uuid();
        changes.push(store.tokens.put(&notice.token, &token, Expect::Absent));
        changes.push(store.notices.put(&id, &notice, Expect::Absent));
        Ok((id, notice))
    }

    /// Sends a request to confirm that was written.
    fn asked(&self, asked: Option<(String, Notice)>) {
        if let Some((id, notice)) = asked {
            self.tokens.fetch_add(1, Relaxed);
            self.send_notice(id, notice);
        }
    }

    /// Confirms a subscription, or that one shall come back that was cancelled; `by_known` says whether it is known who
    /// asks, and `cancelled_by_known` whether only those may cancel it.
    ///
    /// # Errors
    /// [`Error::NoToken`], or what failed below.
    pub async fn confirm(
        self: &Arc<Self>,
        token: &str,
        by_known: bool,
        cancelled_by_known: bool,
    ) -> Result<Confirmed, Error> {
        let token = token.to_owned();
        self.change(|this| async move {
            let known = Known {
                confirms: by_known,
                cancels: cancelled_by_known && by_known,
            };
            this.confirm_now(&token, known).await
        })
        .await
    }

    async fn confirm_now(self: &Arc<Self>, token: &str, known: Known) -> Result<Confirmed, Error> {
        let found = self.world.store.tokens.get(token).await?;
        let found = found.map(|found| found.value);
        let now = self.world.env.clock.now();
        let is_good = |found: &Token| now.since(found.made) < TOKEN_GOOD_FOR;
        let found = found.filter(is_good).ok_or(Error::NoToken)?;
        let Subscription { id, topic, .. } = found.subscription.clone();
        let kept = self.topic_kept(&topic).map_err(|_| Error::NoToken)?;
        // A later topic of that name is another.
        if kept.record.read().value.created > found.made {
            return Err(Error::NoToken);
        }
        match self.kept(&id) {
            Ok(subscription) => self.confirm_pending(&subscription, known).await?,
            Err(_) if found.restores => {
                // It confirms from now on what is there, and brings nothing back again.
                let spent = Token {
                    restores: false,
                    ..found.clone()
                };
                let spent = self.world.store.tokens.put(token, &spent, Expect::Present);
                let subscription = Subscription {
                    confirmed: true,
                    confirmed_by_known: known.confirms,
                    cancelled_by_known: known.cancels,
                    ..found.subscription
                };
                self.add(&kept, subscription, Some(spent)).await?;
            }
            Err(_) => return Err(Error::NoToken),
        }
        Ok(Confirmed { topic, id })
    }

    async fn confirm_pending(&self, kept: &Arc<Kept>, known: Known) -> Result<(), Error> {
        let Versioned { mut value, version } = kept.record.read().clone();
        if value.confirmed {
            return Ok(());
        }
        value.confirmed = true;
        value.confirmed_by_known = known.confirms;
        value.cancelled_by_known = known.cancels;
        let (store, id) = (&self.world.store, value.id.clone());
        let progress = self.begin(&kept.topic).await?;
        let changes = vec![
            store.subscriptions.put(&id, &value, Expect::At(version)),
            store.progress.put(&id, &progress, Expect::Any),
        ];
        let version = store.catalog.commit(changes).await?;
        *kept.progress.lock() = progress;
        kept.take_over(Versioned { value, version });
        self.start(kept.clone());
        Ok(())
    }

    /// Cancels a subscription; one that is not there is as good as cancelled. Where it is not known who asks, the owner of
    /// an address is told how to get it back.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], or what failed below.
    pub async fn cancel(self: &Arc<Self>, id: &str, by_known: bool) -> Result<(), Error> {
        let id = id.to_owned();
        self.change(|this| async move { this.cancel_now(&id, by_known).await })
            .await
    }

    async fn cancel_now(self: &Arc<Self>, id: &str, by_known: bool) -> Result<(), Error> {
        let Ok(kept) = self.kept(id) else {
            return Ok(());
        };
        let subscription = kept.record.read().value.clone();
        if subscription.cancelled_by_known && !by_known {
            return Err(Error::NotAuthenticated);
        }
        let store = &self.world.store;
        let mut topic = kept.topic.record.read().clone();
        topic.value.deleted_subscriptions += 1;
        let name = topic.value.name.clone();
        let mut changes = vec![
            store
                .topics
                .put(&name, &topic.value, Expect::At(topic.version)),
        ];
        changes.extend(self.removal(&subscription));
        let tells = subscription.protocol.is_web() && subscription.confirmed && !by_known;
        let asked = match tells {
            true => Some(self.ask(&kept.topic, &subscription, false, &mut changes)?),
            false => None,
        };
        topic.version = store.catalog.commit(changes).await?;
        *kept.topic.record.write() = topic;
        self.forget(id);
        self.asked(asked);
        tracing::info!(subscription = id, "cancelled");
        Ok(())
    }

    /// The changes that remove a subscription.
    fn removal(&self, subscription: &Subscription) -> [Change; 3] {
        let (store, id) = (&self.world.store, &subscription.id);
        [
            store.subscriptions.delete(id, Expect::Present),
            store.endpoints.delete(&subscription.pair(), Expect::Any),
            store.progress.delete(id, Expect::Any),
        ]
    }

    /// Changes how a subscription is set; what `change` refuses, changes nothing.
    ///
    /// # Errors
    /// [`Error::NoSubscription`], [`Error::Filter`], that of `change`, or what failed below.
    pub async fn update_subscription(
        self: &Arc<Self>,
        id: &str,
        change: impl FnOnce(&mut Subscription) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let id = id.to_owned();
        self.change(|this| async move {
            let kept = this.kept(&id)?;
            let Versioned { mut value, version } = kept.record.read().clone();
            change(&mut value)?;
            check(&value.settings, &this.world.place, &value.owner)?;
            let (store, expect) = (&this.world.store, Expect::At(version));
            let version = store.subscriptions.write(&id, &value, expect).await?;
            kept.take_over(Versioned { value, version });
            Ok(())
        })
        .await
    }

    /// Removes tokens that are good no more, and subscriptions that nobody confirmed in their time.
    pub(crate) async fn expire(self: &Arc<Self>) -> Result<(), Error> {
        let now = self.world.env.clock.now();
        let is_over = |made: Millis| now.since(made) >= TOKEN_GOOD_FOR;
        let store = &self.world.store;
        for (token, row) in store.tokens.all().await? {
            if is_over(row.value.made) {
                store.tokens.remove(&token, Expect::Any).await?;
                self.tokens.fetch_sub(1, Relaxed);
            }
        }
        let pending: Vec<String> = {
            let all = self.all.read();
            let pending = all.subscriptions.iter().filter(|(_, kept)| {
                let record = kept.record.read();
                !record.value.confirmed && is_over(record.value.created)
            });
            pending.map(|(id, _)| id.clone()).collect()
        };
        for id in pending {
            self.cancel(&id, true).await?;
        }
        Ok(())
    }

    /// Runs a change to its end, even when its caller goes away, and one at a time: the catalog, the log and what is known
    /// here belong together.
    async fn change<T, F>(self: &Arc<Self>, change: impl FnOnce(Arc<Self>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let this = self.clone();
        let change = change(self.clone());
        let work = async move {
            let _one = this.changing.lock().await;
            change.await
        };
        self.world.env.to_the_end(work).await
    }
}

/// What is known of whoever confirms.
#[derive(Clone, Copy)]
struct Known {
    /// Whether it is known who it is.
    confirms: bool,
    /// Whether only those who are known may cancel.
    cancels: bool,
}

/// The topic where `settings` and `tags` are among its own.
fn same_topic(
    topic: Topic,
    settings: &TopicSettings,
    tags: &BTreeMap<String, String>,
) -> Result<Topic, Error> {
    let known = &topic.settings;
    fn is_in<T: PartialEq>(given: &Option<T>, known: &Option<T>) -> bool {
        given.is_none() || given == known
    }
    let TopicSettings {
        display_name,
        policy,
        retries,
        content_type,
        no_overrides,
        signature_version,
        message_bytes_max,
        tracing,
    } = settings;
    let is_same = is_in(display_name, &known.display_name)
        && is_in(policy, &known.policy)
        && is_in(retries, &known.retries)
        && is_in(content_type, &known.content_type)
        && is_in(no_overrides, &known.no_overrides)
        && is_in(signature_version, &known.signature_version)
        && is_in(message_bytes_max, &known.message_bytes_max)
        && is_in(tracing, &known.tracing);
    if !is_same {
        return Err(Error::OtherAttributes);
    }
    match tags
        .iter()
        .all(|(key, value)| topic.tags.get(key) == Some(value))
    {
        true => Ok(topic),
        false => Err(Error::OtherTags),
    }
}

/// Whether settings say the same, with whatever blanks their filters are written.
fn is_same(one: &SubscriptionSettings, other: &SubscriptionSettings) -> bool {
    let plain = |settings: &SubscriptionSettings| SubscriptionSettings {
        filter: settings
            .filter
            .as_deref()
            .map(|text| compact(text).unwrap_or_default()),
        ..settings.clone()
    };
    plain(one) == plain(other)
}

/// Refuses a filter that cannot be kept to, and a queue for dead letters that is not the owner's here.
fn check(settings: &SubscriptionSettings, place: &Place, owner: &str) -> Result<(), Error> {
    let is_own = |queue: &Arn| {
        queue.region == place.region.0 && queue.account == place.account.0 && queue.account == owner
    };
    if settings
        .dead_letters
        .as_ref()
        .is_some_and(|queue| !is_own(queue))
    {
        return Err(Error::Refused(
            "RedrivePolicy: Headwater does not support queues of other regions and accounts yet"
                .to_owned(),
        ));
    }
    if let Some(filter) = &settings.filter {
        Filter::parse(filter, settings.scope)?;
    }
    Ok(())
}
