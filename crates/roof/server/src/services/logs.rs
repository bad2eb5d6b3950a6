//! CloudWatch Logs: log groups, which functions and deliveries write to as well.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_loggroups::LogGroups;
use headwater_logs::Logs;
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::{DeliveryLog, FunctionLog, LogCounts},
    ground::Ground,
    services::{Given, Running},
};

struct Service(LogGroups);

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let groups = LogGroups::open(env, catalog, log).await?;
    given.function_log = Some(Arc::new(FunctionLog(groups.clone())));
    given.delivery_log = Some(Arc::new(DeliveryLog(groups.clone())));
    let counts = LogCounts(super::given(&given.metrics));
    groups.count_into(Arc::new(counts)).await?;
    given.log_groups = Some(groups.clone());
    Ok(Arc::new(Service(groups)))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_logs::table(Arc::new(Logs {
            groups: self.0.clone(),
        }))
    }

    async fn end_waits(&self) {
        self.0.end_waits();
    }

    async fn close(&self) {
        if let Err(error) = self.0.close().await {
            tracing::warn!(%error, "the newest times of log streams were not kept");
        }
    }
}
