//! CloudTrail: the calls that were made of all services, and the trails that put them into buckets.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_cloudtrail::CloudTrail;
use headwater_trail::{Place, Store};
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::TrailBucket,
    ground::Ground,
    services::{Given, Running, given},
};

struct Service(Store);

pub async fn open(ground: &Ground, others: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let place = Place {
        account: ground.place.account.clone(),
        region: ground.place.region.clone(),
    };
    let bucket = Arc::new(TrailBucket(given(&others.store)));
    let store = Store::open(env, catalog, log, place, bucket, ground.limits).await?;
    ground.calls.add(ground.place.clone(), store.clone());
    Ok(Arc::new(Service(store)))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_cloudtrail::table(Arc::new(CloudTrail {
            store: self.0.clone(),
        }))
    }

    async fn close(&self) {
        if let Err(error) = self.0.close().await {
            tracing::warn!(%error, "the newest events of the trail were not kept");
        }
    }
}
