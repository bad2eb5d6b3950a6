//! CloudWatch: metrics, which others write to as well, alarms over them, and dashboards, which an account has in all of its regions.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_alarms::Alarms;
use headwater_cloudwatch::CloudWatch;
use headwater_dashboards::Dashboards;
use headwater_metrics::{Metrics, Options};
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::{AlarmActions, MetricReadings},
    ground::Ground,
    services::{Given, Running},
};

struct Service {
    metrics: Arc<Metrics>,
    door: Arc<CloudWatch>,
}

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let options = Options {
        dir: ground.dir("metrics"),
    };
    let metrics = Metrics::open(env.clone(), catalog, log, options).await?;
    given.metrics = Some(metrics.clone());
    let alarms = Alarms::open(env.clone(), ground.catalog.clone()).await?;
    let (shared, account) = (ground.shared_catalog.clone(), ground.place.account.clone());
    let actions = AlarmActions {
        env: env.clone(),
        account: account.clone(),
        region: ground.place.region.clone(),
        topics: given.topics.clone(),
        functions: given.callable.clone(),
    };
    let readings = MetricReadings(metrics.clone());
    alarms.begin(Arc::new(readings), Arc::new(actions));
    let door = Arc::new(CloudWatch {
        metrics: metrics.clone(),
        alarms,
        dashboards: Dashboards::new(env.clone(), shared, account),
        env,
    });
    Ok(Arc::new(Service { metrics, door }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_cloudwatch::table(self.door.clone())
    }

    async fn illness(&self) -> Option<(&'static str, String)> {
        let health = self.metrics.health();
        health.err().map(|error| ("metrics", error.to_string()))
    }

    async fn close(&self) {
        self.metrics.close().await;
    }
}
