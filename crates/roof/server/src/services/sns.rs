//! SNS: topics, whose messages go into queues, functions, delivery streams and to addresses.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_http::Body;
use headwater_sns::Sns;
use headwater_topics::{Place, Topics};
use headwater_wire::Table;
use http::{Request, Response};

use crate::{
    Failure,
    adapters::TopicEndpoints,
    console::{picture::Picture, things},
    ground::Ground,
    metrics::{Samples, topics},
    services::{Given, Running, given},
};

struct Service {
    topics: Arc<Topics>,
    door: Arc<Sns>,
}

pub async fn open(ground: &Ground, others: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let place = Place {
        account: ground.place.account.clone(),
        region: ground.place.region.clone(),
        base: ground.functions.endpoint_url.clone(),
    };
    let endpoints = TopicEndpoints {
        env: env.clone(),
        queues: others.messages.clone(),
        functions: given(&others.functions),
        deliveries: given(&others.deliveries),
        web: ground.web(),
    };
    let topics = Topics::open(env.clone(), catalog, log, place, Arc::new(endpoints)).await?;
    // It is opened once.
    let _ = others.topics.set(topics.clone());
    let door = Arc::new(Sns {
        env,
        topics: topics.clone(),
    });
    Ok(Arc::new(Service { topics, door }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_sns::table(self.door.clone())
    }

    async fn page(&self, request: &Request<()>) -> Option<Response<Body>> {
        headwater_sns::certificate(&self.topics, request).await
    }

    async fn measure(&self, to: &mut Samples) {
        topics::measure(&self.topics, to);
    }

    async fn show(&self, to: &mut Picture) {
        things::topics(&self.topics, to);
    }

    async fn close(&self) {
        if let Err(error) = self.topics.close().await {
            tracing::warn!(%error, "how far subscriptions are was not kept; some messages are sent again");
        }
    }
}
