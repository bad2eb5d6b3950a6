//! Groups and streams made, changed and deleted. The callers run to their end.

use std::collections::BTreeMap;

use headwater_catalog::{CatalogError, Expect};

use crate::{
    Error,
    groups::Inner,
    limits,
    records::{Group, Stream, group_key, notes_shard, stream_key},
};

impl Inner {
    pub async fn create_group(
        &self,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<Group, Error> {
        if tags.len() > limits::TAGS_MAX {
            return Err(Error::TooManyTags(limits::TAGS_MAX));
        }
        let _one = self.changing.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            if self.groups.get(name).await?.is_some() {
                return Err(Error::GroupExists(name.to_owned()));
            }
            let next = self.next_number.get().await?;
            let (number, expect) =
                next.map_or((0, Expect::Absent), |n| (n.value, Expect::At(n.version)));
            let group = Group {
                number,
                created: self.env.clock.now(),
                retention_days: None,
                tags: tags.clone(),
            };
            // Before the record: a caller that finds the record finds the shard.
            self.open_shard(&group).await?;
            let changes = vec![
                self.next_number.put(&(number + 1), expect),
                self.groups.put(name, &group, Expect::Absent),
            ];
            match self.catalog.commit(changes).await {
                Ok(_) => return Ok(group),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let group = self.find(name).await?;
            match self.groups.remove(name, Expect::At(group.version)).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => {
                    removed?;
                    let number = group.value.number;
                    self.subscriptions.delete_all(number).await?;
                    self.metric_filters.delete_all(number).await?;
                    let shards = [group.value.shard(), notes_shard(number)];
                    self.log.remove_shards(&shards).await?;
                    self.sizes.delete(number).await?;
                    return self.delete_streams(number).await;
                }
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    pub async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find(name).await?;
            let group = Group {
                retention_days: days,
                ..found.value
            };
            let expect = Expect::At(found.version);
            match self.groups.write(name, &group, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => {
                    written?;
                    return self.open_shard(&group).await;
                }
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    pub async fn change_tags(
        &self,
        name: &str,
        add: BTreeMap<String, String>,
        remove: Vec<String>,
    ) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find(name).await?;
            let mut group = found.value;
            group.tags.extend(add.clone());
            group.tags.retain(|key, _| !remove.contains(key));
            if group.tags.len() > limits::TAGS_MAX {
                return Err(Error::TooManyTags(limits::TAGS_MAX));
            }
            let written = self.groups.write(name, &group, Expect::At(found.version));
            match written.await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(drop)?),
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    pub async fn delete_stream(&self, group: &str, stream: String) -> Result<(), Error> {
        let group = self.find(group).await?.value;
        let key = stream_key(&group, &stream);
        match self.streams.remove(&key, Expect::Present).await {
            Err(CatalogError::Conflict { .. }) => Err(Error::NoStream(stream)),
            removed => {
                removed?;
                self.times.forget(&key);
                Ok(())
            }
        }
    }

    /// Makes a stream in a group, which is there when the stream is; the group.
    pub async fn create_stream(&self, group: &str, stream: &str) -> Result<Group, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find(group).await?;
            let key = stream_key(&found.value, stream);
            if self.streams.get(&key).await?.is_some() {
                return Err(Error::StreamExists(stream.to_owned()));
            }
            let state = match self.log.state(found.value.shard()).await {
                Ok(state) => state,
                Err(error) => {
                    // A group that is deleted loses its shard behind its record.
                    self.find(group).await?;
                    return Err(error.into());
                }
            };
            let record = Stream {
                created: self.env.clock.now(),
                first_offset: state.end,
                times: None,
            };
            let changes = vec![
                self.groups.check(group, Expect::At(found.version)),
                self.streams.put(&key, &record, Expect::Absent),
            ];
            match self.catalog.commit(changes).await {
                Ok(_) => return Ok(found.value),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict(group.to_owned()))
    }

    /// The group, made if need be, and the stream in it likewise.
    pub async fn ensure(&self, group: &str, stream: &str) -> Result<Group, Error> {
        let found = match self.find(group).await {
            Ok(found) => found.value,
            Err(Error::NoGroup(_)) => match self.create_group(group, BTreeMap::new()).await {
                Err(Error::GroupExists(_)) => self.find(group).await?.value,
                made => made?,
            },
            Err(error) => return Err(error),
        };
        if self
            .streams
            .get(&stream_key(&found, stream))
            .await?
            .is_none()
        {
            match self.create_stream(group, stream).await {
                Ok(group) => return Ok(group),
                Err(Error::StreamExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    pub async fn delete_streams(&self, number: u64) -> Result<(), Error> {
        loop {
            let found = self
                .streams
                .scan(&group_key(number), None, limits::STREAMS_A_COMMIT)
                .await?;
            if found.is_empty() {
                return Ok(());
            }
            found.iter().for_each(|(key, _)| self.times.forget(key));
            let changes = found
                .iter()
                .map(|(key, _)| self.streams.delete(key, Expect::Any));
            self.catalog.commit(changes.collect()).await?;
        }
    }
}
