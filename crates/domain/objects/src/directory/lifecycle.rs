//! Rules of buckets, and the removal of what expired by them.
//!
//! A pass looks at everything in the buckets that have rules, a page at a time, and removes what is due; each removal is
//! a commit of its own, made for the row as the pass saw it. It begins anew each day, when rules change, and when the
//! store is opened: so nothing has to be noted of how far it was.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use headwater_catalog::Versioned;
use headwater_env::Env;
use headwater_types::Millis;
use tokio::sync::Notify;

use super::{
    Store,
    records::{BucketRecord, EarlierRecord, ObjectRecord, Version, split_upload, version_key},
    versions::{Edit, Latest},
};
use crate::{
    BucketName, Lifecycle, ObjectError, ObjectName,
    checksum::hex,
    lifecycle::{DAY, Expires, Subject},
    limits::{EXPIRED_AT_ONCE, EXPIRY_LOOK_SECONDS, EXPIRY_PAGE},
};

impl BucketRecord {
    /// When an object of the bucket expires, as its latest version.
    pub fn expires(&self, key: &str, object: &ObjectRecord) -> Option<Expires> {
        let lifecycle = self.lifecycle.as_ref()?;
        lifecycle.expires(of_object(key, object), object.modified)
    }
}

fn of_object<'a>(key: &'a str, object: &'a ObjectRecord) -> Subject<'a> {
    Subject {
        key,
        object: Some((object.size, &object.attributes.tags)),
    }
}

/// A bucket whose rules are followed, at one time.
struct Pass<'a> {
    store: &'a Store,
    bucket: BucketName,
    rules: Lifecycle,
    now: Millis,
}

/// Follows the rules of all buckets for as long as the store is there.
pub async fn follow_rules(env: Env, store: Weak<Store>, changed: Arc<Notify>) {
    let mut done = None;
    loop {
        let Some(following) = store.upgrade() else {
            return;
        };
        let day = env.clock.now().0 / DAY;
        if done != Some(day) {
            match following.expire_all().await {
                Ok(()) => {
                    // Another day may have begun meanwhile.
                    done = Some(day);
                    continue;
                }
                Err(error) => tracing::warn!(%error, "what expired could not be removed yet"),
            }
        }
        drop(following);
        tokio::select! {
            () = env.clock.sleep(Duration::from_secs(EXPIRY_LOOK_SECONDS)) => {}
            () = changed.notified() => done = None,
        }
    }
}

impl Store {
    pub(super) async fn lifecycle(
        &self,
        bucket: &BucketName,
    ) -> Result<Option<Lifecycle>, ObjectError> {
        Ok(self.bucket_record(bucket).await?.value.lifecycle)
    }

    pub(super) async fn set_lifecycle(
        &self,
        bucket: &BucketName,
        mut lifecycle: Option<Lifecycle>,
    ) -> Result<(), ObjectError> {
        let rules = lifecycle
            .iter_mut()
            .flat_map(|lifecycle| &mut lifecycle.rules);
        for rule in rules.filter(|rule| rule.id.is_empty()) {
            let mut id = [0; 16];
            self.env.random.fill(&mut id);
            rule.id = hex(&id);
        }
        let set = |record: &mut BucketRecord| record.lifecycle.clone_from(&lifecycle);
        // Once this is answered, nothing expires any more by the rules that there were.
        let _alone = self.membership.write().await;
        self.change_bucket(bucket, set).await?;
        self.rules_changed.notify_one();
        Ok(())
    }

    /// Removes all that has expired.
    pub(super) async fn expire_all(&self) -> Result<(), ObjectError> {
        let mut after: Option<String> = None;
        // One bucket does not keep the rules of the others from being followed.
        let mut failed = Ok(());
        loop {
            let buckets = &self.tables.buckets;
            let page = buckets.scan("", after.as_deref(), EXPIRY_PAGE).await?;
            let is_last = page.len() < EXPIRY_PAGE;
            for (name, found) in page {
                if let Some(rules) = found.value.lifecycle {
                    let pass = Pass {
                        store: self,
                        bucket: BucketName::parse(&name)?,
                        rules,
                        now: self.env.clock.now(),
                    };
                    match pass.run().await {
                        // The bucket was removed meanwhile.
                        Ok(()) | Err(ObjectError::NoSuchBucket(_)) => {}
                        Err(error) => {
                            tracing::warn!(bucket = name, %error, "what expired in a bucket is left");
                            failed = failed.and(Err(error));
                        }
                    }
                }
                after = Some(name);
            }
            if is_last {
                return failed;
            }
        }
    }
}

impl Pass<'_> {
    async fn run(&self) -> Result<(), ObjectError> {
        let scope = format!("{}/", self.bucket);
        self.objects(&scope).await?;
        self.versions(&scope).await?;
        self.markers(&scope).await?;
        self.uploads(&scope).await
    }

    /// The bucket, if the rules are still its own; other ones have a pass of their own.
    async fn held(&self) -> Result<Option<BucketRecord>, ObjectError> {
        let now = self.store.bucket_record(&self.bucket).await?.value;
        Ok(Some(now).filter(|now| now.lifecycle.as_ref() == Some(&self.rules)))
    }

    async fn holds(&self) -> Result<bool, ObjectError> {
        Ok(self.held().await?.is_some())
    }

    fn name(&self, key: &str) -> Result<ObjectName, ObjectError> {
        ObjectName::new(self.bucket.clone(), key)
    }

    async fn objects(&self, scope: &str) -> Result<(), ObjectError> {
        let mut after: Option<String> = None;
        loop {
            let objects = &self.store.tables.objects;
            let page = objects.scan(scope, after.as_deref(), EXPIRY_PAGE).await?;
            after = page.last().map(|(row, _)| row.clone());
            let due = page.into_iter().filter(|(row, found)| {
                let (key, object) = (&row[scope.len()..], &found.value);
                let end = self.rules.expires(of_object(key, object), object.modified);
                end.is_some_and(|end| end.at <= self.now)
            });
            let expired = due.map(|(row, found)| self.expire(row[scope.len()..].to_owned(), found));
            all_of(expired).await?;
            if after.is_none() || !self.holds().await? {
                return Ok(());
            }
        }
    }

    /// Removes an object; in a bucket with versions a delete marker comes before it.
    async fn expire(&self, key: String, found: Versioned<ObjectRecord>) -> Result<(), ObjectError> {
        let (store, name) = (self.store, self.name(&key)?);
        let _shared = store.membership.read().await;
        let Some(bucket) = self.held().await? else {
            return Ok(());
        };
        let _moving = store.moving(bucket.versioning).await;
        let latest = Latest::of_object(found);
        if bucket.versioning.is_some() {
            let with = Edit::default();
            store
                .put_before(&name, &latest, None, with, bucket.versioning)
                .await?;
        } else {
            let mut edit = Edit::default();
            store.remove_latest(&name, &latest, None, &mut edit).await?;
            store.commit(edit).await?;
        }
        Ok(())
    }

    async fn versions(&self, scope: &str) -> Result<(), ObjectError> {
        let mut after: Option<String> = None;
        // The key of the version before, and how many of its versions have been seen.
        let (mut key, mut newer) = (String::new(), 0);
        loop {
            let versions = &self.store.tables.versions;
            let page = versions.scan(scope, after.as_deref(), EXPIRY_PAGE).await?;
            after = page.last().map(|(row, _)| row.clone());
            let mut due = Vec::new();
            for (row, found) in page {
                let of = version_key(&row[scope.len()..]);
                newer = if of == key { newer + 1 } else { 0 };
                key = of;
                if self.ends_version(&key, &found.value, newer) {
                    due.push((key.clone(), row, found));
                }
            }
            let due = due.into_iter();
            all_of(due.map(|(key, row, found)| self.remove_version(key, row, found))).await?;
            if after.is_none() || !self.holds().await? {
                return Ok(());
            }
        }
    }

    fn ends_version(&self, key: &str, found: &EarlierRecord, newer: u32) -> bool {
        let subject = match &found.version {
            Version::Object(object) => of_object(key, object),
            Version::Marker(_) => Subject { key, object: None },
        };
        self.rules
            .ends_version(subject, found.since, newer, self.now)
    }

    async fn remove_version(
        &self,
        key: String,
        row: String,
        found: Versioned<EarlierRecord>,
    ) -> Result<(), ObjectError> {
        let (store, name) = (self.store, self.name(&key)?);
        let _shared = store.membership.read().await;
        if !self.holds().await? {
            return Ok(());
        }
        let _moving = store.moving.read().await;
        let mut edit = Edit::default();
        store.remove_earlier(&name, &row, &found, &mut edit).await?;
        store.commit(edit).await.map(drop)
    }

    /// Removes delete markers that nothing is left behind.
    async fn markers(&self, scope: &str) -> Result<(), ObjectError> {
        let mut after: Option<String> = None;
        loop {
            let markers = &self.store.tables.markers;
            let page = markers.scan(scope, after.as_deref(), EXPIRY_PAGE).await?;
            after = page.last().map(|(row, _)| row.clone());
            for (row, found) in page {
                let (key, modified) = (&row[scope.len()..], found.value.modified);
                if self.rules.ends_marker(key, modified, self.now) {
                    let latest = Latest::of_marker(found);
                    self.remove_lone_marker(&self.name(key)?, &latest).await?;
                }
            }
            if after.is_none() || !self.holds().await? {
                return Ok(());
            }
        }
    }

    async fn remove_lone_marker(
        &self,
        name: &ObjectName,
        latest: &Latest,
    ) -> Result<(), ObjectError> {
        let store = self.store;
        let _shared = store.membership.read().await;
        let Some(BucketRecord { versioning, .. }) = self.held().await? else {
            return Ok(());
        };
        let _moving = store.moving(versioning).await;
        if store.has_earlier(name).await? {
            return Ok(());
        }
        let mut edit = Edit::default();
        store
            .remove_latest(name, latest, versioning, &mut edit)
            .await?;
        store.commit(edit).await.map(drop)
    }

    async fn uploads(&self, scope: &str) -> Result<(), ObjectError> {
        let mut after: Option<String> = None;
        loop {
            let uploads = &self.store.tables.uploads;
            let page = uploads.scan(scope, after.as_deref(), EXPIRY_PAGE).await?;
            after = page.last().map(|(row, _)| row.clone());
            for (row, found) in page {
                let (key, id) = split_upload(&row[scope.len()..]);
                let created = found.value.created;
                if self.rules.ends_upload(key, created, self.now) && self.holds().await? {
                    match self.store.abort_upload(&self.name(key)?, id).await {
                        // It was completed or aborted meanwhile.
                        Err(ObjectError::NoSuchUpload(_)) => {}
                        aborted => aborted?,
                    }
                }
            }
            if after.is_none() || !self.holds().await? {
                return Ok(());
            }
        }
    }
}

/// Does removals, some at once and each to its end; the first error.
async fn all_of(
    removals: impl Iterator<Item = impl Future<Output = Result<(), ObjectError>>>,
) -> Result<(), ObjectError> {
    let done = stream::iter(removals).buffer_unordered(EXPIRED_AT_ONCE);
    done.fold(Ok(()), async |first: Result<(), ObjectError>, done| {
        first.and(done)
    })
    .await
}
