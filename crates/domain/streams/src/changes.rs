//! How a stream is changed: in the catalog first, then here and in the log, in a task of its own.
//!
//! The streams known here may be older than the catalog's, where another node shares it. So each change begins with the
//! record that the catalog has, and begins again where the commit finds another one.

use std::sync::Arc;

use headwater_catalog::{CatalogError, Change, Checked, Expect, Version, Versioned};
use headwater_types::{Millis, StreamName};

use crate::{
    Error, NoOtherReaders, OtherReaders, Shard, Stream, StreamRecord, Streams,
    limits::CONFLICTS_MAX, streams::open_shards,
};

impl Streams {
    /// Changes a stream's record; `change` is made again where another node changed the record first.
    pub(crate) async fn alter(
        self: &Arc<Self>,
        name: StreamName,
        change: impl Fn(&mut StreamRecord, Millis) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let change = move |record: &mut StreamRecord, now, _| change(record, now);
        self.alter_among(name, Arc::new(NoOtherReaders), change)
            .await
    }

    /// The same where the change depends on how many other readers the stream has: they are as many when it is made.
    pub(crate) async fn alter_among(
        self: &Arc<Self>,
        name: StreamName,
        others: Arc<dyn OtherReaders>,
        change: impl Fn(&mut StreamRecord, Millis, usize) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let this = self.clone();
        self.to_the_end(async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                this.refresh(&name).await?;
                let before = this.get(&name)?;
                let others = others.count(&name).await?;
                let mut record = before.record.clone();
                change(&mut record, this.env.clock.now(), others.value)?;
                if record == before.record {
                    return this.ensure_open(&before).await;
                }
                match this.replace(&before, record, others.checks).await {
                    Err(Error::Conflict(_)) => {}
                    done => return done,
                }
            }
            Err(Error::Conflict(name))
        })
        .await
    }

    /// Makes `record` what there is of a stream in place of `before`, where `checks` hold. The caller holds `changing`,
    /// and runs to its end.
    pub(crate) async fn replace(
        &self,
        before: &Arc<Stream>,
        record: StreamRecord,
        checks: Vec<Change>,
    ) -> Result<(), Error> {
        let expect = Expect::At(before.version);
        let mut changes = checks;
        changes.push(self.records.put(record.name.as_str(), &record, expect));
        let version = self.commit(&before.record.name, changes).await?;
        let after = Versioned {
            value: record,
            version,
        };
        self.take_over(Some(before), after).await
    }

    /// Commits changes of a stream.
    pub(crate) async fn commit(
        &self,
        name: &StreamName,
        changes: Vec<Change>,
    ) -> Result<Version, Error> {
        match self.catalog.commit(changes).await {
            Err(CatalogError::Conflict { .. }) => Err(Error::Conflict(name.clone())),
            committed => Ok(committed?),
        }
    }

    /// A stream as the catalog has it, with the check that fails a commit where it is another by then: for changes of
    /// other domains that depend on it.
    pub async fn checked(&self, name: &StreamName) -> Result<Checked<StreamRecord>, Error> {
        let found = self.records.get(name.as_str()).await?;
        let Versioned { value, version } = found.ok_or_else(|| Error::NoStream(name.clone()))?;
        let check = self.records.check(name.as_str(), Expect::At(version));
        Ok(Checked::new(value, vec![check]))
    }

    /// Takes over what the catalog has of a stream, where it is not what is known here. The caller holds `changing`.
    pub(crate) async fn refresh(&self, name: &StreamName) -> Result<(), Error> {
        let before = self.get(name).ok();
        match self.records.get(name.as_str()).await? {
            Some(found) if before.as_ref().map(|b| b.version) == Some(found.version) => {}
            Some(found) => self.take_over(before.as_ref(), found).await?,
            None => {
                if let Some(before) = before {
                    self.forget(&before).await;
                }
            }
        }
        Ok(())
    }

    /// Makes a record of the catalog what is known of a stream in place of `before`, and tells the log.
    async fn take_over(
        &self,
        before: Option<&Arc<Stream>>,
        found: Versioned<StreamRecord>,
    ) -> Result<(), Error> {
        // A stream that was made anew under the name of another has other shards.
        let former = before.filter(|before| before.record.number == found.value.number);
        let of_former = former.map(|former| &**former);
        let after = Arc::new(Stream::new(found.value, found.version, of_former));
        // The log knows a shard before the first record is routed to it.
        let opened = if of_former.is_some_and(|former| after.is_as_open_as(former)) {
            after.set_open();
            Ok(())
        } else {
            open_shards(&*self.log, &after).await
        };
        let name = after.record.name.clone();
        self.by_name.write().insert(name, after.clone());
        let mut gone: Vec<_> = before.map_or(&[][..], |before| before.shards()).to_vec();
        gone.retain(|shard| former.is_none() || after.shard(shard.record.index).is_err());
        self.remove_shards(&gone).await;
        self.changed.notify_waiters();
        Ok(opened?)
    }

    /// Forgets a stream that the catalog does not have any more.
    pub(crate) async fn forget(&self, stream: &Stream) {
        self.by_name.write().remove(&stream.record.name);
        self.changed.notify_waiters();
        self.remove_shards(stream.shards()).await;
    }

    /// Has the log know a stream's shards, when it failed to learn of them before.
    pub(crate) async fn ensure_open(&self, stream: &Stream) -> Result<(), Error> {
        if !stream.is_open() {
            open_shards(&*self.log, stream).await?;
        }
        Ok(())
    }

    /// Has the log forget shards that no stream has any more.
    async fn remove_shards(&self, gone: &[Arc<Shard>]) {
        let numbers: Vec<_> = gone.iter().map(|shard| shard.number).collect();
        if let Err(error) = self.log.remove_shards(&numbers).await {
            tracing::warn!(%error, shards = numbers.len(), "the log keeps shards that are gone until the next start");
        }
    }

    /// Runs a change in a task of its own: a caller that goes away cannot leave it half done, committed in the
    /// catalog and unknown here.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.env.to_the_end(change).await
    }
}
