//! Trails: which events are put into which bucket, made, changed, begun, stopped and deleted.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::{CatalogError, Expect, Versioned};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Event, Store,
    limits::{SPANS_MAX, TAGS_MAX, TRAILS_MAX},
    store::{Inner, SHARD},
};

/// Stores the objects of trails.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// Puts a gzip file of JSON, replacing what had its key. Atomic, and durable when it returns.
    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), BucketError>;

    /// Whether a bucket is there.
    async fn exists(&self, bucket: &str) -> Result<bool, BucketError>;
}

/// Why an object was not put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// There is no such bucket.
    #[error("the bucket {0} does not exist")]
    NoBucket(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}

/// A trail as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Its settings.
    pub settings: Settings,
    /// When it was made.
    pub created: Millis,
    /// When it was begun last.
    pub started: Option<Millis>,
    /// When it was stopped last.
    pub stopped: Option<Millis>,
    /// The events that are its and not delivered yet, in order; the last is open while it logs.
    pub spans: VecDeque<Span>,
    /// The object that is being written.
    pub intent: Option<Intent>,
    /// How its last delivery ended.
    pub delivered: Option<Delivered>,
    /// When it last put an object.
    pub delivered_at: Option<Millis>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The settings of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The bucket of its objects.
    pub bucket: String,
    /// What their keys begin with.
    pub prefix: Option<String>,
    /// Whether it was asked to have the events of services without regions. Those happen in their region here, so that they
    /// are there in any case.
    pub is_global: bool,
    /// The events that are wanted; all where nobody said.
    pub wanted: Vec<Wanted>,
}

/// Events that are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Those that leave everything as it is.
    pub reads: bool,
    /// Those that change something.
    pub writes: bool,
    /// Whether any are wanted at all.
    pub management: bool,
    /// The services whose events are not.
    pub without: Vec<String>,
}

/// Events by their offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub from: u64,
    /// The first that is not of it any more; none while that is not known.
    pub to: Option<u64>,
}

/// An object to write. It is in the catalog before the object is written, and is written again after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The first offset.
    pub from: u64,
    /// The first offset that is not of it any more.
    pub to: u64,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The events of the range that it holds.
    pub wanted: Vec<Wanted>,
}

/// The last delivery of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// When it was tried.
    pub at: Millis,
    /// Why it failed, in S3's words, where it did.
    pub error: Option<String>,
}

/// A trail to make.
#[derive(Debug, Clone)]
pub struct NewTrail {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Wanted {
    /// Every event.
    pub fn all() -> Self {
        Self {
            reads: true,
            writes: true,
            management: true,
            without: Vec::new(),
        }
    }

    fn has(&self, event: &Event) -> bool {
        let is_kind = if event.read_only {
            self.reads
        } else {
            self.writes
        };
        self.management && is_kind && !self.without.contains(&event.source)
    }
}

/// Whether any of these wants an event.
pub(crate) fn is_wanted(event: &Event, wanted: &[Wanted]) -> bool {
    wanted.iter().any(|wanted| wanted.has(event))
}

impl Trail {
    /// Whether it logs.
    pub fn is_logging(&self) -> bool {
        self.spans.back().is_some_and(|span| span.to.is_none())
    }

    /// Takes what comes before `to` out of what is to be delivered.
    pub(crate) fn pass(&mut self, to: u64) {
        while let Some(span) = self.spans.front_mut() {
            span.from = span.from.max(to);
            match span.to {
                Some(end) if end <= span.from => drop(self.spans.pop_front()),
                _ => return,
            }
        }
    }
}

impl Store {
    /// Makes a trail that does not log yet.
    ///
    /// # Errors
    /// [`Error::TrailExists`], [`Error::TooManyTrails`], [`Error::NoBucket`], or what failed below.
    pub async fn create(&self, new: NewTrail) -> Result<Trail, Error> {
        self.change(|inner| async move { inner.create(new).await })
            .await
    }

    /// The trails, by their names.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn trails(&self) -> Result<Vec<(String, Trail)>, Error> {
        let all = self.inner.trails.all().await?.into_iter();
        Ok(all.map(|(name, trail)| (name, trail.value)).collect())
    }

    /// A trail.
    ///
    /// # Errors
    /// [`Error::NoTrail`], or what failed below.
    pub async fn trail(&self, name: &str) -> Result<Trail, Error> {
        Ok(self.inner.find(name).await?.value)
    }

    /// Gives a trail other settings.
    ///
    /// # Errors
    /// [`Error::NoTrail`], [`Error::NoBucket`], or what failed below.
    pub async fn set(
        &self,
        name: &str,
        change: impl FnOnce(&mut Settings) + Send + 'static,
    ) -> Result<Trail, Error> {
        let name = name.to_owned();
        self.change(|inner| async move {
            let mut found = inner.find(&name).await?;
            change(&mut found.value.settings);
            inner.check(&found.value.settings.bucket).await?;
            inner.write(&name, found).await
        })
        .await
    }

    /// Gives a trail other tags.
    ///
    /// # Errors
    /// [`Error::NoTrail`], [`Error::TooManyTags`], or what failed below.
    pub async fn tag(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move {
            let mut found = inner.find(&name).await?;
            change(&mut found.value.tags);
            if found.value.tags.len() > TAGS_MAX {
                return Err(Error::TooManyTags(TAGS_MAX));
            }
            inner.write(&name, found).await.map(drop)
        })
        .await
    }

    /// Begins to log; no change where it does.
    ///
    /// # Errors
    /// [`Error::NoTrail`], [`Error::TooOften`], or what failed below.
    pub async fn start(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.start(&name).await })
            .await
    }

    /// Stops to log. What was logged before is still delivered.
    ///
    /// # Errors
    /// [`Error::NoTrail`], or what failed below.
    pub async fn stop(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.stop(&name).await })
            .await
    }

    /// Deletes a trail. Its objects stay.
    ///
    /// # Errors
    /// [`Error::NoTrail`], or what failed below.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move {
            match inner.trails.remove(&name, Expect::Present).await {
                Err(CatalogError::Conflict { .. }) => Err(Error::NoTrail(name)),
                removed => Ok(removed?),
            }
        })
        .await
    }

    /// Runs a change to its end, even when its caller goes away, and one at a time.
    async fn change<T, F>(&self, change: impl FnOnce(std::sync::Arc<Inner>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let inner = self.inner.clone();
        let work = change(inner.clone());
        let alone = async move {
            let _one = inner.changing.lock().await;
            work.await
        };
        self.inner.env.to_the_end(alone).await
    }
}

impl Inner {
    pub async fn find(&self, name: &str) -> Result<Versioned<Trail>, Error> {
        let found = self.trails.get(name).await?;
        found.ok_or_else(|| Error::NoTrail(name.to_owned()))
    }

    /// Writes a trail in place of the one that it was made from.
    pub async fn write(&self, name: &str, trail: Versioned<Trail>) -> Result<Trail, Error> {
        let expect = Expect::At(trail.version);
        self.trails.write(name, &trail.value, expect).await?;
        Ok(trail.value)
    }

    async fn check(&self, bucket: &str) -> Result<(), Error> {
        match self.bucket.exists(bucket).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(BucketError::NoBucket(_)) => Err(Error::NoBucket(bucket.to_owned())),
            Err(BucketError::Failed(why)) => Err(Error::Objects(why)),
        }
    }

    async fn create(&self, new: NewTrail) -> Result<Trail, Error> {
        let NewTrail {
            name,
            settings,
            tags,
        } = new;
        let all = self.trails.all().await?;
        if all.iter().any(|(other, _)| *other == name) {
            return Err(Error::TrailExists(name));
        }
        if all.len() >= TRAILS_MAX {
            return Err(Error::TooManyTrails(TRAILS_MAX));
        }
        if tags.len() > TAGS_MAX {
            return Err(Error::TooManyTags(TAGS_MAX));
        }
        self.check(&settings.bucket).await?;
        let trail = Trail {
            settings,
            created: self.env.clock.now(),
            started: None,
            stopped: None,
            spans: VecDeque::new(),
            intent: None,
            delivered: None,
            delivered_at: None,
            tags,
        };
        match self.trails.write(&name, &trail, Expect::Absent).await {
            Err(CatalogError::Conflict { .. }) => Err(Error::TrailExists(name)),
            written => written.map(|_| trail).map_err(Error::from),
        }
    }

    async fn start(&self, name: &str) -> Result<(), Error> {
        let mut found = self.find(name).await?;
        let trail = &mut found.value;
        if trail.is_logging() {
            return Ok(());
        }
        if trail.spans.len() >= SPANS_MAX {
            return Err(Error::TooOften(name.to_owned()));
        }
        let span = Span {
            from: self.end().await?,
            to: None,
        };
        trail.spans.push_back(span);
        trail.started = Some(self.env.clock.now());
        self.write(name, found).await.map(drop)
    }

    async fn stop(&self, name: &str) -> Result<(), Error> {
        let mut found = self.find(name).await?;
        let end = self.end().await?;
        let trail = &mut found.value;
        if !trail.is_logging() {
            return Ok(());
        }
        if let Some(span) = trail.spans.back_mut() {
            span.to = Some(end);
        }
        // A span without events is none.
        trail.spans.retain(|span| span.to != Some(span.from));
        trail.stopped = Some(self.env.clock.now());
        self.write(name, found).await.map(drop)
    }

    /// The offset of the next event, behind all that were noted.
    pub async fn end(&self) -> Result<u64, Error> {
        self.backlog.flush().await?;
        Ok(self.log.state(SHARD).await?.end)
    }
}
