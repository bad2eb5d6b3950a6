//! The policies of streams and consumers: kept here as texts, understood by the door.

use std::sync::Arc;

use headwater_types::StreamName;

use crate::{Consumer, Error, Streams, consumers};

impl Streams {
    /// Gives a stream a policy in place of the one it has, or takes that away.
    pub async fn set_policy(
        self: &Arc<Self>,
        name: StreamName,
        policy: Option<Arc<str>>,
    ) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.policy = policy.clone();
            Ok(())
        })
        .await
    }

    /// Gives a consumer a policy in place of the one it has, or takes that away.
    pub async fn set_consumer_policy(
        self: &Arc<Self>,
        consumer: Consumer,
        policy: Option<Arc<str>>,
    ) -> Result<(), Error> {
        self.alter(consumer.stream.clone(), move |record, _| {
            consumers::find(record, &consumer)?.policy = policy.clone();
            Ok(())
        })
        .await
    }
}
