//! Data Firehose: delivery streams.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::Deliveries;
use headwater_firehose::Firehose;
use headwater_wire::Table;
use serde_json::{Map, Value};

use crate::{
    Failure,
    adapters::LogSubscribers,
    console::{picture::Picture, things},
    emitted::{Emits, deliveries::EmitDeliveries},
    ground::Ground,
    health::stuck,
    metrics::{Samples, deliveries},
    services::{Given, Running, given},
};

struct Service(Arc<Deliveries>);

pub async fn open(ground: &Ground, others: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let ports = ground.ports(others, given(&others.invoke));
    let deliveries = Deliveries::open(env, catalog, log, ports, ground.delivery_options()).await?;
    others.deliveries = Some(deliveries.clone());
    subscribe(ground, others, &deliveries).await?;
    Ok(Arc::new(Service(deliveries)))
}

/// Has events of log groups sent on, whose destinations are all open now: delivery streams are the last of them.
async fn subscribe(
    ground: &Ground,
    others: &Given,
    deliveries: &Arc<Deliveries>,
) -> Result<(), Failure> {
    let subscribers = LogSubscribers {
        env: ground.env.clone(),
        place: ground.place.clone(),
        streams: given(&others.streams),
        functions: given(&others.functions),
        deliveries: deliveries.clone(),
    };
    let account = ground.place.account.0.clone();
    let groups = given(&others.log_groups);
    Ok(groups
        .deliver_through(account, Arc::new(subscribers))
        .await?)
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_firehose::table(Arc::new(Firehose {
            deliveries: self.0.clone(),
        }))
    }

    fn troubles(&self) -> Option<(&'static str, Map<String, Value>)> {
        Some(("stuck_deliveries", stuck(&self.0)))
    }

    async fn measure(&self, to: &mut Samples) {
        deliveries::measure(&self.0, "delivery_stream", to).await;
    }

    fn emits(&self) -> Option<Arc<dyn Emits>> {
        Some(Arc::new(EmitDeliveries(self.0.clone())))
    }

    async fn show(&self, to: &mut Picture) {
        things::deliveries(&self.0, "delivery", to).await;
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
