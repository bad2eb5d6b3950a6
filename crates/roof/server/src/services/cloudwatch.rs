//! CloudWatch: metrics, which others write to as well, those of the server itself among them; alarms over them; and
//! dashboards, which an account has in all of its regions.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use headwater_alarms::Alarms;
use headwater_cloudwatch::CloudWatch;
use headwater_dashboards::Dashboards;
use headwater_metrics::{Metrics, Options};
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::{AlarmActions, MetricReadings},
    emitted::{self, Emitter},
    ground::Ground,
    services::{Given, Running},
};

struct Service {
    ground: Ground,
    metrics: Arc<Metrics>,
    door: Arc<CloudWatch>,
    /// Emits what the place's services count, once they are all open.
    emitter: OnceLock<Emitter>,
}

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let options = Options {
        dir: ground.dir("metrics"),
    };
    let metrics = Metrics::open(env.clone(), catalog, log, options).await?;
    emitted::begin(&env, &metrics).await?;
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
    Ok(Arc::new(Service {
        ground: ground.clone(),
        metrics,
        door,
        emitter: OnceLock::new(),
    }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_cloudwatch::table(self.door.clone())
    }

    fn all_open(&self, services: &[Arc<dyn Running>]) {
        let (env, _, log) = self.ground.parts();
        let sources = services.iter().filter_map(|service| service.emits());
        self.emitter
            .get_or_init(|| Emitter::start(&env, log, self.metrics.clone(), sources.collect()));
    }

    async fn illness(&self) -> Option<(&'static str, String)> {
        let health = self.metrics.health();
        health.err().map(|error| ("metrics", error.to_string()))
    }

    async fn close(&self) {
        if let Some(emitter) = self.emitter.get() {
            emitter.close().await;
        }
        self.metrics.close().await;
    }
}
