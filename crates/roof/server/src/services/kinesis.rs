//! Kinesis Data Streams: streams, the queues over them, and their channels into buckets.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::{Deliveries, Family, Offline};
use headwater_kinesis::{Channels, Kinesis};
use headwater_queues::Queues;
use headwater_streams::{StreamSources, Streams};
use headwater_wire::Table;
use serde_json::{Map, Value};

use crate::{
    Failure,
    adapters::StreamReceivers,
    console::{picture::Picture, things},
    emitted::{Emits, streams::EmitStreams},
    ground::Ground,
    health::stuck,
    metrics::{Samples, deliveries, queues, streams},
    services::{Given, Running},
};

struct Service {
    streams: Arc<Streams>,
    queues: Arc<Queues>,
    channels: Channels,
}

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let options = headwater_streams::Options {
        limits: ground.limits,
        ..Default::default()
    };
    let streams = Streams::open(env.clone(), log.clone(), catalog.clone(), options).await?;
    streams.keep_scaling();
    let sources = Arc::new(StreamSources(streams.clone()));
    let queues = Queues::open(env.clone(), catalog.clone(), sources.clone()).await?;
    given.sources = Some(sources);
    given.streams = Some(streams.clone());
    given.receivers = Some(Arc::new(StreamReceivers {
        streams: streams.clone(),
        place: ground.place.clone(),
    }));
    let options = headwater_delivery::Options {
        family: Family::Channels,
        ..ground.delivery_options()
    };
    // Channels write records as they are, and call no function.
    let ports = ground.ports(given, Arc::new(Offline));
    let deliveries = Deliveries::open(env, catalog, log, ports, options).await?;
    let channels = Channels {
        deliveries,
        limits: ground.limits,
    };
    Ok(Arc::new(Service {
        streams,
        queues,
        channels,
    }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_kinesis::table(Arc::new(Kinesis {
            streams: self.streams.clone(),
            channels: self.channels.clone(),
            queues: self.queues.clone(),
            subscribers: Default::default(),
        }))
    }

    fn troubles(&self) -> Option<(&'static str, Map<String, Value>)> {
        Some(("stuck_channels", stuck(&self.channels.deliveries)))
    }

    async fn measure(&self, to: &mut Samples) {
        streams::measure(&self.streams, to);
        queues::measure(&self.queues, self.streams.now(), to).await;
        deliveries::measure(&self.channels.deliveries, "channel", to).await;
    }

    fn emits(&self) -> Option<Arc<dyn Emits>> {
        Some(Arc::new(EmitStreams(self.streams.clone())))
    }

    async fn show(&self, to: &mut Picture) {
        things::streams(&self.streams, to);
        things::queues(&self.queues, self.streams.now(), to).await;
        things::deliveries(&self.channels.deliveries, "channel", to).await;
    }

    async fn end_waits(&self) {
        self.streams.end_subscriptions();
        self.queues.close().await;
    }

    async fn close(&self) {
        self.channels.deliveries.close().await;
    }
}
