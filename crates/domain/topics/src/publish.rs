//! Messages appended to their topic's shard.

use std::sync::atomic::Ordering::Relaxed;

use headwater_log::{Append, NewRecord};

use crate::{Error, Message, Topics};

impl Topics {
    /// Publishes messages, all of them or none; durable when it returns. Their ids, in order.
    ///
    /// # Errors
    /// [`Error::NoTopic`], or what failed below.
    pub async fn publish(&self, topic: &str, messages: Vec<Message>) -> Result<Vec<String>, Error> {
        let kept = self.topic_kept(topic)?;
        let shard = kept.record.read().value.shard();
        let random = &self.world.env.random;
        let with_ids = messages.into_iter().map(|message| Message {
            id: random.uuid(),
            ..message
        });
        let messages: Vec<Message> = with_ids.collect();
        let values: Vec<Vec<u8>> = messages.iter().map(Message::encode).collect();
        let records = messages
            .iter()
            .zip(&values)
            .map(|(message, value)| NewRecord {
                key: message.id.as_bytes(),
                value,
            });
        let records: Vec<NewRecord<'_>> = records.collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let append = Append {
            shard,
            records: &records,
        };
        for appended in self.world.log.append(&[append]).await {
            appended.map_err(|error| Error::of_append(error, topic))?;
        }
        kept.published.fetch_add(messages.len() as u64, Relaxed);
        Ok(messages.into_iter().map(|message| message.id).collect())
    }
}
