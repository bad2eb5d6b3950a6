//! SQS: queues of messages, which other services send to and read from as well.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_messages::Messages;
use headwater_sqs::Sqs;
use headwater_wire::Table;

use crate::{
    Failure,
    console::{picture::Picture, things},
    emitted::{Emits, messages::EmitMessages},
    ground::Ground,
    metrics::{Samples, messages},
    services::{Given, Running},
};

struct Service(Sqs);

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let clock = env.clock.clone();
    let queues = Messages::open(env, catalog, log).await?;
    given.messages = Some(queues.clone());
    Ok(Arc::new(Service(Sqs { queues, clock })))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_sqs::table(Arc::new(self.0.clone()))
    }

    async fn measure(&self, to: &mut Samples) {
        messages::measure(&self.0.queues, to).await;
    }

    fn emits(&self) -> Option<Arc<dyn Emits>> {
        Some(Arc::new(EmitMessages(self.0.queues.clone())))
    }

    async fn show(&self, to: &mut Picture) {
        things::messages(&self.0.queues, to).await;
    }

    async fn end_waits(&self) {
        self.0.queues.close().await;
    }
}
