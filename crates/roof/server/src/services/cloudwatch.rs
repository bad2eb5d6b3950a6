//! CloudWatch: metrics, which others write to as well, those of the server itself among them; and dashboards, which an
//! account has in all of its regions.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use headwater_cloudwatch::CloudWatch;
use headwater_dashboards::Dashboards;
use headwater_metrics::{Metrics, Options};
use headwater_wire::Table;

use crate::{
    Failure,
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
    let (shared, account) = (ground.shared_catalog.clone(), ground.place.account.clone());
    let door = Arc::new(CloudWatch {
        metrics: metrics.clone(),
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

    async fn close(&self) {
        if let Some(emitter) = self.emitter.get() {
            emitter.close().await;
        }
        self.metrics.close().await;
    }
}
