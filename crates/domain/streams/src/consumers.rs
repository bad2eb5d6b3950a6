//! Consumers: readers of a stream that are registered by name and have throughput of their own.

use std::sync::Arc;

use headwater_types::{Millis, StreamName};

use crate::{
    Consumer, ConsumerRecord, Error, OtherReaders, Stream, StreamRecord, Streams, Tags,
    following::Following, limits::MAX_TAGS,
};

impl Stream {
    /// The consumer of that name.
    pub fn consumer(&self, name: &str) -> Result<Consumer, Error> {
        let found = self
            .record
            .consumers
            .get(name)
            .map(|record| Consumer::new(&self.record, name, record));
        let (stream, consumer) = (self.record.name.clone(), name.to_owned());
        found.ok_or(Error::NoConsumer { stream, consumer })
    }

    /// The counters of a consumer; of one that is gone already they count for nobody.
    pub(crate) fn following(&self, consumer: &Consumer) -> Arc<Following> {
        let found = self.following.get(&consumer.name);
        found
            .filter(|_| self.knows(consumer))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether `consumer` is still one of this stream's.
    pub(crate) fn knows(&self, consumer: &Consumer) -> bool {
        let found = self.record.consumers.get(&consumer.name);
        self.record.number == consumer.number
            && found.is_some_and(|found| found.created == consumer.created)
    }
}

impl Streams {
    /// Registers a consumer, where it and `others` are `most` together at the most; it may subscribe when this returns.
    pub async fn register(
        self: &Arc<Self>,
        stream: StreamName,
        name: String,
        tags: Tags,
        most: usize,
        others: Arc<dyn OtherReaders>,
    ) -> Result<Consumer, Error> {
        if tags.len() > MAX_TAGS {
            return Err(Error::TooManyTags(stream));
        }
        let consumer = name.clone();
        self.alter_among(stream.clone(), others, move |record, now, others| {
            if record.consumers.contains_key(&consumer) {
                return Err(Error::ConsumerExists {
                    stream: record.name.clone(),
                    consumer: consumer.clone(),
                });
            }
            if record.consumers.len() + others >= most {
                return Err(Error::TooManyConsumers(record.name.clone()));
            }
            let registered = ConsumerRecord {
                created: Millis(now.seconds() * 1000),
                tags: tags.clone(),
                policy: None,
            };
            record.consumers.insert(consumer.clone(), registered);
            Ok(())
        })
        .await?;
        self.get(&stream)?.consumer(&name)
    }

    /// Removes a consumer and ends its subscriptions.
    pub async fn deregister(self: &Arc<Self>, consumer: Consumer) -> Result<(), Error> {
        self.alter(consumer.stream.clone(), move |record, _| {
            find(record, &consumer)?;
            record.consumers.remove(&consumer.name);
            Ok(())
        })
        .await
    }

    /// Adds tags to a consumer, or replaces those with the same keys.
    pub async fn tag_consumer(
        self: &Arc<Self>,
        consumer: Consumer,
        tags: Tags,
    ) -> Result<(), Error> {
        self.alter(consumer.stream.clone(), move |record, _| {
            let found = find(record, &consumer)?;
            found.tags.extend(tags.clone());
            if found.tags.len() > MAX_TAGS {
                Err(Error::TooManyTags(consumer.stream.clone()))
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Removes a consumer's tags with these keys, where there are any.
    pub async fn untag_consumer(
        self: &Arc<Self>,
        consumer: Consumer,
        keys: Vec<String>,
    ) -> Result<(), Error> {
        self.alter(consumer.stream.clone(), move |record, _| {
            find(record, &consumer)?
                .tags
                .retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }
}

/// The consumer that is meant, and not another of its name.
pub(crate) fn find<'a>(
    record: &'a mut StreamRecord,
    consumer: &Consumer,
) -> Result<&'a mut ConsumerRecord, Error> {
    let same = record.number == consumer.number;
    let found = record.consumers.get_mut(&consumer.name);
    found
        .filter(|found| same && found.created == consumer.created)
        .ok_or_else(|| {
            let Consumer { stream, name, .. } = consumer.clone();
            Error::NoConsumer {
                stream,
                consumer: name,
            }
        })
}
